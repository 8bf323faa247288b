"""Make the day's digests (当天问题当天汇总): one letter and one push to each person who has something to be told.

A digest is a row that can be made once a day for each person. Who starts late catches up; two workers make none
twice. On a day off nobody is disturbed: what waits is told in the next working day's digest.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_groups
from services.alerts.channels.inbox import Letter, put_in_inboxes
from services.alerts.channels_in_use import channels_in_use, first_of_each
from services.alerts.decide_pushes import county, rules_of
from services.alerts.dispatch import Desk, desk_for
from services.alerts.domain.digest import DigestLine, digest_push, digest_text, next_workday, total
from services.alerts.domain.flood import GONE, OUTDONE, Ending, Push, Rules, next_slot
from services.alerts.domain.message import Kind
from services.alerts.notify_listeners import PushText, delivery_row
from shared.clock import SHANGHAI
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.vocabulary.division import FULL_LENGTH
from shared.vocabulary.identifiers import new_id

_AT_ONCE = 500
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Digest:
    """One person's digest; `lines` by village. Without a line there is nothing to tell."""

    recipient: str
    division: str
    notification_id: UUID
    lines: Sequence[DigestLine]


async def make_digests(runtime: Runtime) -> int:
    """Make up to 500 digests of this day if it is time; how many."""
    async with transaction(runtime.worker_pool) as connection:
        desk = await desk_for(runtime, ())
        if not desk.settings.flood_control or desk.now < _at(desk.today, desk.settings.digest_at):
            return 0
        rules = await _rules_of_working_counties(connection, desk)
        counties = [code[:6] for code in rules]
        found = await repository_groups.officers_without_digest(connection, counties, desk.today, _AT_ONCE)
        homes = {row["officer_no"]: row["division"] for row in found}
        taken = await repository_groups.start_digests(connection, sorted(homes), desk.today, desk.now)
        if taken:
            await _make(connection, runtime, {one: homes[one] for one in taken}, rules)
        if not found:
            # Whose last post ran out by its date, or who was taken out of service.
            await repository_groups.cancel_of_gone(connection, GONE, desk.today, desk.now)
    runtime.waker.wake("inbox", "deliver")
    return len(found)


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, SHANGHAI)


async def _rules_of_working_counties(connection: asyncpg.Connection, desk: Desk) -> dict[str, Rules]:
    counties = [code.ljust(FULL_LENGTH, "0") for code in await repository_groups.counties_of_officers(connection)]
    rules = await rules_of(connection, counties, desk)
    return {code: of for code, of in rules.items() if of.calendar.is_workday(desk.today)}


async def _make(
    connection: asyncpg.Connection, runtime: Runtime, homes: Mapping[str, str], rules: Mapping[str, Rules]
) -> None:
    waiting = await repository_groups.waiting_for_digest(connection, homes)
    desk, digests = await _digests(connection, runtime, homes, waiting, rules)
    telling = [one for one in digests if one.lines]
    await repository.insert_rows(connection, "notification", [_notification(one, desk) for one in telling])
    ids = {one.recipient: one.notification_id for one in telling}
    await repository_groups.take_into_digest(connection, list(_endings(waiting, ids)), desk.now)
    await put_in_inboxes(connection, [_letter(one) for one in telling], desk.now)
    await _push(connection, telling, rules, desk)
    await repository_groups.finish_digests(connection, [_run(one, desk) for one in digests])


async def _digests(
    connection: asyncpg.Connection,
    runtime: Runtime,
    homes: Mapping[str, str],
    waiting: Iterable[asyncpg.Record],
    rules: Mapping[str, Rules],
) -> tuple[Desk, list[Digest]]:
    now, today = runtime.clock.now(), runtime.clock.today()
    # All counties of one round have the day's work in common; the nearest next working day of each may differ.
    last = max(next_workday(today, of.calendar) for of in rules.values())
    counts = await repository_groups.digest_counts(
        connection, homes, since=now - _DAY, now=now, due_before=_at(last + _DAY, time.min)
    )
    desk = await desk_for(runtime, {row["division"] for row in (*counts, *waiting)})
    lines: dict[str, dict[str, DigestLine]] = defaultdict(dict)
    for row in counts:
        place = row["division"]
        lines[row["officer_no"]][place] = DigestLine(desk.place(place), row["new"], row["due"], row["overdue"])
    for row in waiting:
        if not row["is_outdone"]:
            _count(lines[row["recipient"]], row, desk)
    return desk, [
        Digest(one, home, new_id(now), [line for _, line in sorted(lines[one].items()) if line.says_something])
        for one, home in sorted(homes.items())
    ]


def _count(lines: dict[str, DigestLine], row: asyncpg.Record, desk: Desk) -> None:
    line = lines.get(row["division"], DigestLine(desk.place(row["division"])))
    name = "digested" if row["decision"] == Push.DIGEST else "deferred"
    lines[row["division"]] = replace(line, **{name: getattr(line, name) + 1})


def _endings(waiting: Iterable[asyncpg.Record], digests: Mapping[str, UUID]) -> Iterable[dict[str, Any]]:
    """The lines end in the digest, what was outdone is suppressed; what is deferred goes by itself."""
    for row in waiting:
        if row["is_outdone"]:
            ending = {"decision": Push.SUPPRESS, "reason": OUTDONE, "outcome": None, "carried_by": None}
            yield {"notification_id": row["notification_id"], **ending}
        elif row["decision"] == Push.DIGEST:
            carried = {"outcome": Ending.DIGESTED, "carried_by": digests[row["recipient"]]}
            yield {"notification_id": row["notification_id"], "decision": Push.DIGEST, "reason": None, **carried}


def _notification(digest: Digest, desk: Desk) -> dict[str, Any]:
    return {
        "notification_id": digest.notification_id,
        "dedupe_key": f"digest:{desk.today}:{digest.recipient}",
        "division": digest.division,
        "recipient": digest.recipient,
        "kind": Kind.DIGEST,
        "decision": Push.SEND,
        "created_at": desk.now,
    }


def _letter(digest: Digest) -> Letter:
    text = digest_text(digest.lines)
    return Letter(digest.recipient, digest.notification_id, None, Kind.DIGEST, None, text, None)


async def _push(
    connection: asyncpg.Connection, digests: Sequence[Digest], rules: Mapping[str, Rules], desk: Desk
) -> None:
    people = {one.recipient: one for one in digests}
    endpoints = first_of_each(await repository.endpoints_of(connection, people, (), channels_in_use(desk.settings)))
    rows = []
    for endpoint in endpoints:
        one = people[endpoint["officer_no"]]
        due_at = next_slot(desk.now, rules[county(one.division)])
        content = PushText(
            Kind.DIGEST,
            digest_push(one.lines),
            desk.list_link,
            one.division,
            total(one.lines).new,
        )
        rows.append(delivery_row(None, one.notification_id, content, endpoint, desk, due_at=due_at))
    await repository.insert_rows(connection, "delivery", rows)


def _run(digest: Digest, desk: Desk) -> dict[str, Any]:
    return {
        "recipient": digest.recipient,
        "day": desk.today,
        "lines": {"lines": [asdict(line) for line in digest.lines]}
        if digest.lines
        else {"reason": "当天没有需要汇总的事项"},
        "notification_id": digest.notification_id if digest.lines else None,
    }
