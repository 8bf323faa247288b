"""Find the smallest changes that would take a household out of its class, or into one, and say them."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from services.monitoring import repository_readings as readings
from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.counterfactual import Change, Counterfactual, Way, find_counterfactual
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.lever import Towards
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.rendering import per_head_yuan, spoken_yuan
from services.monitoring.domain.window import windows_on
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.read_facts import read_facts
from services.monitoring.read_household import find_household
from services.monitoring.schemas_explanations import (
    ChangeView,
    CounterfactualView,
    PersonView,
    RemedyView,
    WayView,
)
from services.monitoring.settle_moment import settle_moment
from shared.errors import Forbidden
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.principal import Principal
from shared.vocabulary.money import yuan
from shared.vocabulary.terms import Role

HEALTH = "health"
POSTS = frozenset({Role.TOWNSHIP_DEPUTY, Role.TOWNSHIP_LEADER, Role.COUNTY_ADMIN})


class NotForPost(Forbidden):
    """Whoever knows what would take a household out of its class could be asked to write it so."""

    code, title = "not_for_post", "您的岗位不能查看此内容"


@dataclass(frozen=True, slots=True)
class _Telling:
    """What is needed to say a counterfactual: the package, who the members are, and what the post may see."""

    package: PolicyPackage
    people: Mapping[str, Mapping[str, Any]]
    sees: frozenset[str]


async def counterfactual_of(
    connection: asyncpg.Connection,
    household_no: str,
    caller: Principal,
    runtime: Runtime,
    *,
    as_of: date | None,
    known_at: datetime | None,
) -> CounterfactualView:
    """The smallest changes by which a day's answer would be another; for townships and the county only.

    The day and what was known of it are settled as for a replay; without them it is today's answer as known now.
    """
    if caller.role not in POSTS:
        raise NotForPost("只有乡镇和县级岗位可以查看改变条件的推算")
    household = await find_household(connection, household_no)
    on, moment = await settle_moment(connection, household, runtime, as_of=as_of, known_at=known_at)
    in_force = await policy_in_force(connection, household["county"], on, known_at=moment)
    package, parameters = in_force.package, in_force.parameters
    known = await read_facts(connection, household, on, moment)
    # Up to half a second of plain computing: not in the loop that serves everybody else.
    found = await asyncio.to_thread(
        find_counterfactual,
        lambda facts: evaluate(package, parameters, facts, on),
        known.facts,
        windows_on(on, parameters),
    )
    version = await readings.facts_version_at(connection, household["household_id"], household["county"], moment)
    telling = _Telling(package, known.people, field_classes(caller))
    return _view(found, telling, household_no=household_no, known_at=moment, facts_version=version)


def _view(found: Counterfactual, telling: _Telling, *, known_at: datetime, **whose: Any) -> CounterfactualView:
    by_help = [_way(each, telling) for each in found.ways if each.by_help]
    beyond = [_way(each, telling) for each in found.ways if not each.by_help]
    before = found.before
    return CounterfactualView(
        **whose,
        known_at=known_at,
        on=before.on,
        policy_version=before.policy_version,
        recommendation=before.recommendation,
        recommendation_label=_label(before, telling),
        towards=found.towards.value,
        by_help=by_help,
        beyond_help=beyond,
        remedies=[
            RemedyView(
                indicator=each.indicator,
                label=telling.package.indicators[each.indicator].label_zh,
                change=_change(each.change, telling),
            )
            for each in found.remedies
        ],
        explanation=_explanation(found.towards, by_help, beyond),
    )


def _way(way: Way, telling: _Telling) -> WayView:
    after = way.assessment
    changes = [_change(each, telling) for each in way.changes]
    label = _label(after, telling)
    then = "不再建议纳入监测" if label is None else f"将建议核定为{label}"
    return WayView(
        changes=changes,
        recommendation=after.recommendation,
        recommendation_label=label,
        net_income_per_capita_yuan=per_head_yuan(after.net_income_fen, after.members_counted),
        reference_income_per_capita_yuan=per_head_yuan(after.reference_income_fen, after.members_counted),
        sentence=f"若{'，且'.join(each.sentence for each in changes)}，则{then}。",
    )


def _change(change: Change, telling: _Telling) -> ChangeView:
    amount = change.amount_fen
    return ChangeView(
        lever=change.lever.name,
        sentence=change.lever.sentence.format(amount="" if amount is None else spoken_yuan(amount)),
        amount_yuan=None if amount is None else yuan(amount),
        by_help=change.lever.by_help,
        member=_person(change, telling),
    )


def _person(change: Change, telling: _Telling) -> PersonView | None:
    """Whom it concerns; nobody is named beside his illness to a post that may not see it."""
    if change.member is None or change.member not in telling.people:
        return None
    if change.lever.of_health and HEALTH not in telling.sees:
        return None
    person = telling.people[change.member]
    return PersonView(name=person["name"], relation=person["relation"])


def _label(assessment: Assessment, telling: _Telling) -> str | None:
    code = assessment.recommendation
    return None if code is None else telling.package.label(code)


def _explanation(towards: Towards, by_help: Iterable[WayView], beyond: Iterable[WayView]) -> str:
    """The ways in sentences, those that help can go first."""
    if towards is Towards.OUT:
        heads = ("帮扶可以改变的：", "帮扶不能改变的（仅供了解原因）：")
    else:
        heads = ("可以预防的：", "难以预防的：")
    said = [
        f"{head}{''.join(each.sentence for each in ways)}"
        for head, ways in zip(heads, (list(by_help), list(beyond)), strict=True)
        if ways
    ]
    return "".join(said) or "没有找到三项以内的变化就能改变结论的情形。"
