"""Open alerts, or extend the open ones: the effect of monitoring's news, in one transaction.

One household, one open alert, many pieces of evidence. What does not open is stored with the reason.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern
from services.alerts.dispatch import Desk, Dispatch, desk_for
from services.alerts.domain.change import Change, Known, change_for
from services.alerts.domain.duty import Listener
from services.alerts.domain.message import Kind
from services.alerts.draft import Draft
from services.alerts.move_alerts import move_alerts, seconds_at
from services.alerts.news import (
    PLACES,
    Heard,
    News,
    digest_of,
    evidence_of,
    extended,
    extension,
    heard_in,
    opening,
)
from services.alerts.open_tickets import close_corrected
from services.alerts.read_scene import Scene, scene_over
from services.alerts.repository import Row
from services.alerts.route_alert import WAKES, route_drafted
from shared.contracts.envelope import Event
from shared.contracts.monitoring import RiskItem
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id

MONITORING = "monitoring"
# What is known of a subject of which there was never news.
_NEW: Mapping[str, Any] = {"facts_version": -1, "report_ids": ()}


def subjects_of(event: Event) -> Collection[str] | None:
    """Whom a message is about. None: it is taken by itself, so that a report keeps its own trace to the door."""
    try:
        items = event.data["items"]
        return None if any(item.get("report_ids") for item in items) else {item["subject"] for item in items}
    except (AttributeError, KeyError, TypeError):
        return None  # It does not follow its contract: where it is read, that is said.


async def open_alerts(connection: asyncpg.Connection, events: Sequence[Event], runtime: Runtime) -> Iterable[str]:
    """Take in `risk_changed` messages, no two about the same subject; the names of the queues they filled."""
    heard = [one for event in events for one in heard_in(event)]
    items = [one.item for one in heard]
    past = await _past_of(connection, items)
    # An alert that does not move is told where it is, whatever older news says.
    places = {getattr(item, name) for item in items for name in PLACES} | past.places
    desk = await desk_for(runtime, places)
    scene = await scene_over(connection, places, _households(items), desk, named=_named(items))
    desk = desk.dated(scene.calendars)
    news, withheld = _decide(heard, past, desk)
    draft = Draft()
    barred = _open([one for one in news if one.before is None], desk, scene, draft)
    extending = [one for one in news if one.before is not None]
    concerned = await _extend(connection, extending, past, desk, draft)
    seconds = await seconds_at(connection, [one for one in extending if one.is_moved], scene.posts)
    dispatches = [dispatch for one in news if (dispatch := _dispatch(one, seconds)) is not None]
    dispatches = await _spare_barred(connection, [*dispatches, *_anew(concerned, news, dispatches, past)], draft)
    told = {dispatch.alert_id for dispatch in dispatches}
    draft.notify([*withheld, *(_quiet(one, desk) for one in extending if one.alert_id not in told)])
    await _remember(connection, items, past, desk)
    await route_drafted(connection, dispatches, desk, scene, draft, barred=barred)
    return WAKES


@dataclass(frozen=True, slots=True)
class Past:
    """What the tables know of the subjects of a message, locked; a subject that is new altogether is in none.

    `adopted`: the alerts of reports that are their households' now.
    """

    subjects: Mapping[str, asyncpg.Record]
    alerts: Mapping[str, Row]
    closed: Mapping[str, UUID]
    adopted: frozenset[UUID] = frozenset()

    @property
    def places(self) -> set[str]:
        """Where the open alerts are."""
        return {alert[name] for alert in self.alerts.values() for name in PLACES}

    def of(self, item: RiskItem) -> Known:
        return repository.known(self.subjects.get(item.subject, _NEW), self.alerts.get(item.subject))


async def _past_of(connection: asyncpg.Connection, items: Sequence[RiskItem]) -> Past:
    """Lock the subjects, and read what is known of those that were there."""
    reported = [
        (f"report:{report_id}", item.subject, item.household_no)
        for item in items
        if item.household_no is not None
        for report_id in item.report_ids
    ]
    rows = {report: {"subject": report, "facts_version": -1, "report_ids": []} for report, _, _ in reported}
    subjects = await repository.take_subjects(
        connection, [*{**rows, **{item.subject: _seen(item) for item in items}}.values()]
    )
    if not subjects:
        return Past({}, {}, {})
    names, adopted = {item.subject for item in items}, frozenset[UUID]()
    if reported:
        await repository.lock_open_alerts(connection, names | rows.keys())
        adopted = await repository.adopt_alerts(connection, reported)
    # A household that is new may have been handed the alert of its report.
    alerts = await repository.lock_open_alerts(connection, names if reported else names & subjects.keys())
    closed = await repository.last_closed_alerts(connection, (names & subjects.keys()) - alerts.keys())
    return Past(subjects, alerts, closed, adopted)


def _households(items: Iterable[RiskItem]) -> set[str]:
    return {item.household_no for item in items if item.household_no is not None}


def _named(items: Iterable[RiskItem]) -> set[str]:
    """The officers whom complaints name."""
    named = {fact.about_officer for item in items for fact in item.evidence}
    named |= {officer_no for item in items for note in item.notes for officer_no in note.officers_named}
    return {officer_no for officer_no in named if officer_no}


def _decide(heard: Sequence[Heard], past: Past, desk: Desk) -> tuple[list[News], list[dict[str, Any]]]:
    """Decide each item: what opens or extends, and the rows of what does not."""
    news, withheld = [], []
    for one in heard:
        item, before = one.item, past.alerts.get(one.item.subject)
        known, calendar = past.of(item), desk.calendars.at(item.living_division)
        change = change_for(known, facts_version=item.facts_version, opens=item.opens, report_ids=item.report_ids)
        if change is Change.WITHHOLD:
            withheld.append(_withheld(item, desk))
        elif change is not Change.IGNORE:
            new_reports = tuple(r for r in item.report_ids if r not in known.report_ids)
            alert = (
                opening(one, past.closed.get(item.subject), calendar, now=desk.now, today=desk.today)
                if before is None
                else extended(before, one, new_reports, calendar, now=desk.now)
            )
            news.append(News(item, one.event_id, alert, before, new_reports))
    return news, withheld


def _open(news: Sequence[News], desk: Desk, scene: Scene, draft: Draft) -> dict[UUID, frozenset[str]]:
    """Draft the alerts that open, with their evidence and timelines; whom each is about."""
    for one in news:
        evidence = _evidence([one], desk)
        draft.alert.append(one.alert)
        draft.alert_evidence += evidence
        draft.alert_log.append(_log_row(one, len({row["digest"] for row in evidence}), desk))
    if not scene.families and not scene.named:
        return {}
    concerned = {one.alert_id: _concerned(one, scene) for one in news}
    draft.alert_barred += [
        {
            "alert_id": one.alert_id,
            "officer_no": officer_no,
            "why": why,
            "living_division": one.alert["living_division"],
            "registered_division": one.alert["registered_division"],
            "since": desk.now,
        }
        for one in news
        for officer_no, why in concerned[one.alert_id].items()
    ]
    return {alert_id: frozenset(officers) for alert_id, officers in concerned.items() if officers}


def _concerned(one: News, scene: Scene) -> dict[str, str]:
    """Who must not answer for an alert that opens (回避), and why; see `bar_concerned`."""
    complaint = dict.fromkeys(sorted(_named([one.item]) & scene.named), "complaint")
    family = dict.fromkeys(scene.families.get(one.item.household_no or "", ()), "family")
    return {**complaint, **family}


async def _extend(
    connection: asyncpg.Connection, news: Sequence[News], past: Past, desk: Desk, draft: Draft
) -> frozenset[UUID]:
    """Write what is added to open alerts, and where they are; those that somebody is concerned in who was not before.

    Of the report of a household that adopts its alert it is known only now whose family it is.
    """
    if news:
        await repository.extend_alerts(connection, [extension(one.alert) for one in news])
        fresh = await _add_evidence(connection, _evidence(news, desk))
        rows = [_log_row(one, fresh.get(one.alert_id, 0), desk) for one in news]
        await repository.insert_rows(connection, "alert_log", rows)
        await move_alerts(connection, [one for one in news if one.is_moved], desk, draft)
    known = past.adopted.union(one.alert_id for one in news)
    return await repository_concern.bar_concerned(connection, known, desk.now) if known else frozenset()


def _anew(
    concerned: frozenset[UUID], news: Sequence[News], dispatches: Sequence[Dispatch], past: Past
) -> list[Dispatch]:
    """What is told to those above whom an alert turned out to be about, unless the news itself is told them."""
    alerts = {alert["alert_id"]: alert for alert in past.alerts.values()} | {one.alert_id: one.alert for one in news}
    waiting = concerned - {dispatch.alert_id for dispatch in dispatches}
    return [
        Dispatch(alerts[each], Kind.OPENED, f"opened:{each}", new_reports=tuple(alerts[each]["report_ids"]))
        for each in sorted(waiting)
    ]


async def _spare_barred(
    connection: asyncpg.Connection, dispatches: Sequence[Dispatch], draft: Draft
) -> list[Dispatch]:
    """Whose answer was appealed, or differed in a re-check, is not asked again by what comes later either."""
    known = {dispatch.alert_id for dispatch in dispatches} - draft.opened
    barred = await repository_concern.barred_in(connection, known) if known else {}
    return [replace(one, barred=one.barred | barred.get(one.alert_id, frozenset())) for one in dispatches]


async def _remember(connection: asyncpg.Connection, items: Sequence[RiskItem], past: Past, desk: Desk) -> None:
    """Note what was seen of the subjects that were known, and close the tickets that waited for it."""
    known = [item for item in items if item.subject in past.subjects]
    if known:
        await repository.remember_subjects(connection, [_seen(item) for item in known])
        await close_corrected(connection, known, desk.now)


def _evidence(news: Iterable[News], desk: Desk) -> list[dict[str, Any]]:
    return [
        {
            "alert_id": one.alert_id,
            "event_id": one.event_id,
            "kind": kind,
            "item": item,
            "digest": digest_of(kind, item),
            "facts_version": one.item.facts_version,
            "policy_version": one.alert["policy_version"],
            "recorded_at": desk.now,
        }
        for one in news
        for kind, item in evidence_of(one.item)
    ]


async def _add_evidence(connection: asyncpg.Connection, rows: Sequence[Row]) -> dict[UUID, int]:
    """Write each piece of evidence once; how many are new, by alert."""
    made = await repository.insert_rows(
        connection,
        "alert_evidence",
        rows,
        conflict="ON CONFLICT (alert_id, digest) DO NOTHING",
        returning="alert_id",
    )
    fresh: dict[UUID, int] = {}
    for row in made:
        fresh[row["alert_id"]] = fresh.get(row["alert_id"], 0) + 1
    return fresh


def _log_row(one: News, new_evidence: int, desk: Desk) -> dict[str, Any]:
    return {
        "alert_id": one.alert_id,
        "at": desk.now,
        "actor": MONITORING,
        "action": "opened" if one.before is None else "extended",
        "status_before": one.before["status"] if one.before else None,
        "status_after": one.alert["status"],
        "detail": {
            "event_id": str(one.event_id),
            "severity": one.alert["severity"],
            "reason": one.item.reason,
            "new_evidence": new_evidence,
            "new_reports": len(one.new_reports),
        },
    }


def _dispatch(one: News, seconds: Mapping[UUID, tuple[Listener, ...]]) -> Dispatch | None:
    """What people are told: an opening, a move, a worse severity, a further report; more of the same is not sent."""
    kind, key = Kind.OPENED, f"opened:{one.alert_id}"
    if one.is_moved:
        kind, key = Kind.MOVED, f"moved:{one.alert_id}:{one.alert['version']}"
    elif one.is_worse:
        kind, key = Kind.RAISED, f"raised:{one.alert_id}:{one.alert['severity']}"
    elif one.before is not None and one.new_reports:
        kind, key = Kind.REPORTED, f"reported:{one.alert_id}:{'+'.join(sorted(one.new_reports))}"
    elif one.before is not None:
        return None
    also = seconds.get(one.alert_id, ())
    return Dispatch(one.alert, kind, key, one.sentences, one.new_reports, barred=one.barred, also=also)


def _withheld(item: RiskItem, desk: Desk) -> dict[str, Any]:
    reason = item.withheld_because or "未达到开启条件"
    key = f"withheld:{item.subject}:{item.facts_version}"
    return _suppressed(key, Kind.WITHHELD, None, item.subject, item.living_division, reason, desk)


def _quiet(one: News, desk: Desk) -> dict[str, Any]:
    key = f"evidence:{one.alert_id}:{one.item.facts_version}"
    reason = "已有未办结预警，依据已补充，不重复发送"
    return _suppressed(key, Kind.EVIDENCE, one.alert_id, one.item.subject, one.alert["living_division"], reason, desk)


def _suppressed(
    key: str, kind: Kind, alert_id: UUID | None, subject: str, division: str, reason: str, desk: Desk
) -> dict[str, Any]:
    """The row of a message that is not sent; every one has its reason."""
    return {
        "notification_id": new_id(desk.now),
        "dedupe_key": key,
        "alert_id": alert_id,
        "subject": subject,
        "division": division,
        "kind": kind,
        "decision": "suppress",
        "reason": reason,
        "created_at": desk.now,
    }


def _seen(item: RiskItem) -> dict[str, Any]:
    return {"subject": item.subject, "facts_version": item.facts_version, "report_ids": item.report_ids}
