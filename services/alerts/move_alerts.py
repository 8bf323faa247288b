"""Move open alerts with their households (随户迁移): who has no post at the new place answers no more.

What people did stays done, and the deadlines stay: the household waits no longer because it moved. Whoever answers at
the new place is told by the routes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern, repository_moves
from services.alerts.ask_second import seconds_among
from services.alerts.dispatch import Desk
from services.alerts.domain.alert import Status
from services.alerts.domain.duty import LADDER, Listener, Post
from services.alerts.domain.message import Kind, Matter, MatterKind, consultation_text
from services.alerts.draft import Draft
from services.alerts.letters_to_departments import liaisons_of
from services.alerts.news import News
from services.alerts.repository import Row
from services.alerts.write_letters import Notice, draft_letters
from shared.vocabulary.division import county_of, lineage_of
from shared.vocabulary.terms import Role

MOVED = "农户已迁移，预警随户转移"
# What a department or a desk was asked goes on.
_ABOUT_THE_ALERT = tuple(
    kind
    for kind in Kind
    if kind
    not in (
        Kind.TASK,
        Kind.TICKET,
        Kind.CONSULTED,
        Kind.OVERDUE,
        Kind.DATA_NOTICE,
        Kind.DIGEST,
        Kind.MONTHLY,
        Kind.TEST,
    )
)


async def move_alerts(connection: asyncpg.Connection, news: Sequence[News], desk: Desk, draft: Draft) -> None:
    """End and cancel what was of the old place; the alerts' own rows are moved already, and wait for their route."""
    if not news:
        return
    moves = [_move(one.alert) for one in news]
    await repository_moves.move_copies(connection, moves, desk.today)
    ended = await repository_moves.end_posts_left(connection, moves, desk.today, desk.now)
    lapsed = await repository_moves.lapse_offers(connection, moves, desk.today, desk.now)
    ids = [one.alert_id for one in news]
    await repository_moves.cancel_pushes(connection, ids, _ABOUT_THE_ALERT, MOVED, desk.now)
    left, void = _by_alert(ended, "officer_no"), _by_alert(lapsed, "to_officer_no")
    rows = [_log_row(one, left[one.alert_id], void[one.alert_id], desk) for one in news]
    await repository.insert_rows(connection, "alert_log", rows)
    await _ask_departments(connection, [one for one in news if _has_left_county(one)], desk, draft)


async def seconds_at(
    connection: asyncpg.Connection, news: Sequence[News], posts: Mapping[str, Sequence[Post]]
) -> dict[UUID, tuple[Listener, ...]]:
    """Who at the new place may confirm an answer that waits for a second officer (双人复核); the answer stands."""
    waiting = {one.alert_id: one.alert["living_division"] for one in news if one.alert["status"] == Status.CONFIRMING}
    answers = await repository_moves.awaiting_second(connection, waiting) if waiting else {}
    return {
        alert_id: seconds_among(posts.get(waiting[alert_id], ()), _rank(answer["officer_role"]), answer["officer_no"])
        for alert_id, answer in answers.items()
    }


def _rank(role: str) -> int:
    return LADDER.index(Role(role)) if Role(role) in LADDER else 0


def _has_left_county(one: News) -> bool:
    assert one.before is not None, "what opens does not move"
    return county_of(one.before["living_division"]) != county_of(one.alert["living_division"])


async def _ask_departments(connection: asyncpg.Connection, news: Sequence[News], desk: Desk, draft: Draft) -> None:
    """A joint consultation goes on in the new county, by the departments there; what was written stays."""
    alerts = {one.alert_id: one.alert for one in news}
    for row in await repository_moves.open_consultations(connection, alerts) if alerts else ():
        alert = alerts[row["alert_id"]]
        place = alert["living_division"]
        text = consultation_text(desk.place(place), row["opinions_by"].isoformat())
        key = f"consultation:{row['consultation_id']}:{alert['version']}"
        matter = Matter(MatterKind.CONSULTATION, row["consultation_id"])
        liaisons = await liaisons_of(connection, place, row["departments"], desk.today)
        kept_out = await repository_concern.kept_out_of(connection, row["alert_id"])
        asked = [one for one in liaisons if one not in kept_out]
        notices = [Notice(one, key, Kind.CONSULTED, place, text, alert, matter) for one in asked]
        draft_letters(draft, notices, desk.now)


def _move(alert: Row) -> dict[str, Any]:
    living, registered = alert["living_division"], alert["registered_division"]
    return {
        "alert_id": alert["alert_id"],
        "subject": alert["subject"],
        "household_no": alert["household_no"],
        "living": living,
        "registered": registered,
        "above": list(lineage_of(living)),
        "beside": list(lineage_of(registered)),
    }


def _by_alert(rows: Sequence[Row], column: str) -> defaultdict[UUID, list[str]]:
    found = defaultdict[UUID, list[str]](list)
    for row in rows:
        found[row["alert_id"]].append(row[column])
    return found


def _log_row(one: News, ended: Sequence[str], lapsed: Sequence[str], desk: Desk) -> dict[str, Any]:
    assert one.before is not None, "what opens does not move"
    return {
        "alert_id": one.alert_id,
        "at": desk.now,
        "actor": "alerts",
        "action": "moved",
        "status_before": one.before["status"],
        "status_after": one.alert["status"],
        "detail": {
            "from": _places(one.before, desk),
            "to": _places(one.alert, desk),
            "ended": sorted(ended),
            "lapsed": sorted(lapsed),
        },
    }


def _places(alert: Row, desk: Desk) -> dict[str, dict[str, str]]:
    codes = {"living": alert["living_division"], "registered": alert["registered_division"]}
    return {name: {"code": code, "name": desk.place(code)} for name, code in codes.items()}
