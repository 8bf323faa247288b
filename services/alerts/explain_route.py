"""Explain how an alert is routed (路由试算): which nodes and why, which people by which post; nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern, repository_lists, repository_routes, repository_silences
from services.alerts.domain.alert_labels import LABELS, Traits, division_labels, labels_of
from services.alerts.domain.duty import LADDER, Gap, Listener, Post, Reach, listening_by
from services.alerts.domain.message import Kind
from services.alerts.domain.route import Finding, Labels, Plan, Visit, matching, plan_for, values_of, visits
from services.alerts.domain.silence import Silence, silence_over
from services.alerts.route_alert import hearing
from services.alerts.rules_in_force import Routes, silence_of, traits_of
from services.alerts.schemas_routes import (
    CheckView,
    EscalationView,
    GapView,
    PersonView,
    RouteExplained,
    SilencedBy,
    VisitView,
    plan_view,
    wait_view,
)
from services.alerts.take_step import AlertUnknown
from shared.vocabulary.terms import Role

_SAID = {
    Finding.CHOSEN: "条件全部满足，下级节点均不满足，由本节点处理",
    Finding.PASSED: "条件全部满足，交给下级节点",
    Finding.REFUSED: "条件不满足",
    Finding.UNREACHED: "没有检查：上级不满足，或同级中已有节点匹配且不继续",
}


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be routed: its labels, where it is, and who stands back from it."""

    labels: Labels
    living: str
    registered: str
    barred: frozenset[str] = frozenset()


async def case_of_alert(connection: asyncpg.Connection, alert_id: UUID) -> Case:
    """An alert as it stands; AlertUnknown."""
    alert = await repository_lists.alert_by_id(connection, alert_id)
    if alert is None:
        raise AlertUnknown
    traits = (await traits_of(connection, [alert_id])).get(alert_id, Traits())
    barred = await repository_concern.barred_of(connection, alert_id)
    return Case(labels_of(alert, traits), alert["living_division"], alert["registered_division"], barred)


def case_of_labels(given: Mapping[str, Sequence[str]], division: str, registered: str | None) -> Case:
    """A case that is thought up; a label that is not given is missing."""
    return Case({**given, **division_labels(division)}, division, registered or division)


async def explain_route(
    connection: asyncpg.Connection, case: Case, routes: Routes, *, on: date, now: datetime
) -> RouteExplained:
    """Who would be told of the case by `routes` with the posts held `on` a day, and why."""
    found = visits(routes.root, case.labels)
    nodes = matching(routes.root, case.labels)
    plan = plan_for(nodes)
    posts = await repository.posts_at(connection, {case.living, case.registered}, on)
    posts = [post for post in posts if post.officer_no not in case.barred]
    listening = hearing(case.living, case.registered, plan.tell, posts)
    steps = [listening_by(case.living, roles, posts).listeners for roles in plan.escalate]
    people = {listener.officer_no for listeners in (listening.listeners, *steps) for listener in listeners}
    names = await repository_routes.names_of(connection, people)
    return RouteExplained(
        version=routes.name,
        labels={name: list(values) for name, values in case.labels.items() if values},
        nodes=[node.name for node in nodes],
        visits=[_visit(visit, case.labels) for visit in found],
        plan=plan_view(plan),
        people=[_person(listener, order, names, posts) for order, listener in enumerate(listening.listeners, 1)],
        gaps=[_gap(gap, posts) for gap in listening.gaps],
        escalation=[_step(number, plan, steps[number - 1], names, posts) for number in range(1, len(steps) + 1)],
        barred=sorted(case.barred),
        silenced_by=await _silenced(connection, case, now),
    )


def _visit(visit: Visit, labels: Labels) -> VisitView:
    checked = visit.finding is not Finding.UNREACHED
    checks = [
        CheckView(
            label=matcher.label,
            label_zh=LABELS[matcher.label].zh,
            operator=matcher.operator,
            value=matcher.value,
            found=list(values_of(labels, matcher.label)),
            holds=matcher.matches(labels) if checked else None,
        )
        for matcher in visit.node.matchers
    ]
    return VisitView(
        node=visit.node.name, parent=visit.parent, finding=visit.finding, why=_SAID[visit.finding], checks=checks
    )


def _person(listener: Listener, order: int, names: Mapping[str, str], posts: Sequence[Post]) -> PersonView:
    held = next(
        (post for post in posts if post.officer_no == listener.officer_no and post.role is listener.role), None
    )
    return PersonView(
        order=order,
        officer_no=listener.officer_no,
        name=names.get(listener.officer_no, ""),
        role=listener.role,
        division=held.division if held else None,
        reach=listener.reach,
        why=_why(listener),
    )


def _why(listener: Listener) -> str:
    if listener.reach is Reach.FALLTHROUGH:
        return f"下级岗位空缺，转给{listener.role.zh}"
    if listener.reach is Reach.COPY:
        return f"户籍地抄送{listener.role.zh}"
    return f"在岗{listener.role.zh}"


def _gap(gap: Gap, posts: Sequence[Post]) -> GapView:
    above = LADDER[LADDER.index(gap.role) + 1 :]
    held = {post.role for post in posts if post.place == gap.place}
    filled = next((role for role in above if role in held), None)
    said = f"没有在岗的{gap.role.zh}，" + (f"由{filled.zh}代收" if filled else "上级也都空缺")
    return GapView(place=gap.place, role=gap.role, filled_by=filled, why=said)


def _step(
    number: int, plan: Plan, listeners: Sequence[Listener], names: Mapping[str, str], posts: Sequence[Post]
) -> EscalationView:
    roles: tuple[Role, ...] = plan.escalate[number - 1]
    people = [_person(listener, order, names, posts) for order, listener in enumerate(listeners, 1)]
    wait = wait_view(plan.waits[number - 1]) if number <= len(plan.waits) else None
    return EscalationView(step=number, roles=list(roles), people=people, wait=wait)


async def _silenced(connection: asyncpg.Connection, case: Case, now: datetime) -> SilencedBy | None:
    rows = await repository_silences.silences_over(connection, {case.living}, now)
    found: Silence | None = silence_over(
        [silence_of(row) for row in rows], case.living, case.labels, kind=Kind.OPENED, now=now
    )
    if found is None:
        return None
    return SilencedBy(silence_id=found.silence_id, reason=found.reason, ends_at=found.ends_at)
