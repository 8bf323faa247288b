"""Change the register of a household: one entry by a named person or a system, made once, audited, dated twice."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import BaseModel

from services.monitoring import change_member as member
from services.monitoring import repository_households as households
from services.monitoring import repository_register as register
from services.monitoring.append_facts import move_facts
from services.monitoring.merge_households import merge_households
from services.monitoring.move_household import move_household
from services.monitoring.read_household import HouseholdNotFound
from services.monitoring.read_register import view_change
from services.monitoring.register_desk import Desk, Done, Home, check_living, number_index, refused
from services.monitoring.schemas_register import (
    ChangeView,
    DeathWithdrawn,
    HeadChanged,
    MemberDied,
    MemberJoined,
    MemberLeft,
    MemberRelation,
    MemberStatus,
    Merge,
    Move,
    Split,
    TagEnded,
    TagSet,
)
from services.monitoring.split_household import split_household
from services.monitoring.tag_household import end_tag, set_tag
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import county_of, covers
from shared.vocabulary.identifiers import new_id
from shared.web.idempotency import IdempotencyKeyReused

USUAL = 5
FIRST_DAY = date(2000, 1, 1)

VERBS: dict[type[BaseModel], Callable[[Desk, Home, Any], Awaitable[Done]]] = {
    Move: move_household,
    Split: split_household,
    Merge: merge_households,
    MemberJoined: member.let_join,
    MemberLeft: member.let_leave,
    MemberDied: member.record_death,
    DeathWithdrawn: member.withdraw_death,
    MemberStatus: member.change_status,
    MemberRelation: member.change_relation,
    HeadChanged: member.change_head,
    TagSet: set_tag,
    TagEnded: end_tag,
}


@dataclass(frozen=True, slots=True)
class Order:
    """A change as it was sent: of which household, by whom, under which key."""

    household_no: str
    change: Any
    caller: Principal
    key: str
    request_id: str

    def fingerprint(self, runtime: Runtime) -> bytes:
        """A keyed digest: what is digested may hold an identity number."""
        said = json.dumps([self.household_no, self.change.model_dump(mode="json")], sort_keys=True)
        return runtime.keys.blind_index(f"change\x00{said}")


async def change_household(scoped: asyncpg.Connection, order: Order, runtime: Runtime) -> tuple[ChangeView, bool]:
    """Make the change, or answer with what the same request made before (True).

    What is touched must be visible under the caller's scope (`scoped`, the database's wall); it is then written by
    the service's own role, since people and facts may have to cross from one household to another.
    """
    seen = await _seen(scoped, order, runtime)
    home = seen[order.household_no]
    change_id, fingerprint = new_id(runtime.clock.now()), order.fingerprint(runtime)
    async with transaction(runtime.worker_pool) as connection:
        before = await register.remember_key(
            connection, order.caller.subject, order.key, fingerprint, change_id, runtime.clock.now()
        )
        if before is None:
            await _make(connection, order, seen, change_id, runtime)
    if before is not None:
        change_id, used_for = before
        if used_for != fingerprint:
            raise IdempotencyKeyReused("这个幂等键已用于另一内容；新的变更请换一个新的幂等键")
    row = await register.change(scoped, change_id, home["household_id"])
    if row is None:
        raise HouseholdNotFound
    return view_change(row, order.household_no), before is not None


async def _seen(scoped: asyncpg.Connection, order: Order, runtime: Runtime) -> dict[str, asyncpg.Record]:
    """The households that the change may touch, as far as the caller may see them, the named ones for certain."""
    change = order.change
    named = [order.household_no, *([change.absorbed_household_no] if isinstance(change, Merge) else [])]
    seen = {}
    for number in named:
        row = await register.visible(scoped, number)
        if row is None:
            raise HouseholdNotFound
        seen[number] = row
    for row in await _other_homes(scoped, change, runtime):
        seen.setdefault(row["household_no"], row)
    return seen


async def _other_homes(scoped: asyncpg.Connection, change: Any, runtime: Runtime) -> list[asyncpg.Record]:
    """Where else the person belongs: who joins leaves there, who dies is dead there too."""
    if isinstance(change, MemberJoined):
        number, where = change.identity_number, "identity_number"
    elif isinstance(change, MemberDied | DeathWithdrawn):
        if change.member.identity_number is None:
            return await register.homes_of_resident(scoped, change.member.member_id)
        number, where = change.member.identity_number, "member/identity_number"
    else:
        return []
    return await register.homes_of_person(scoped, number_index(runtime, number, where)[1])


async def _make(
    connection: asyncpg.Connection,
    order: Order,
    seen: dict[str, asyncpg.Record],
    change_id: UUID,
    runtime: Runtime,
) -> None:
    change, now = order.change, runtime.clock.now()
    if not FIRST_DAY <= change.on <= runtime.clock.today():
        raise refused("on", "day_out_of_range", "发生日期超出范围", f"{FIRST_DAY} 至 {runtime.clock.today()}")
    homes = await _hold(connection, order, seen)
    home = homes[order.household_no]
    check_living(home)
    desk = Desk(
        connection, order.caller, runtime, change_id, change.on, await households.database_time(connection), homes
    )
    done = await VERBS[type(change)](desk, home, change)
    await move_facts(connection, sorted(done.moved), "", now=now, priority=USUAL)
    await households.mark_changed(connection, sorted(done.touched), now=now, priority=USUAL)
    await _note(connection, order, home, done, desk)


async def _hold(connection: asyncpg.Connection, order: Order, seen: dict[str, asyncpg.Record]) -> dict[str, Home]:
    """Lock rosters and households, then read again: they may have gone out of the caller's range meanwhile."""
    counties = {row["county"] for row in seen.values()}
    for name in ("division", "registered_division"):
        if (division := getattr(order.change, name, None)) is not None:
            counties.add(county_of(division))
    await households.lock_rosters(connection, sorted(counties))
    ids = sorted(row["household_id"] for row in seen.values())
    await households.lock(connection, ids)
    now = await register.homes(connection, ids)
    held = {}
    for row in now.values():
        places = (row["living_division"], row["registered_division"])
        if any(covers(order.caller.division, place) for place in places):
            people = await register.belongings(connection, row["household_id"])
            held[row["household_no"]] = Home(row, people)
    named = [order.household_no, *([order.change.absorbed_household_no] if isinstance(order.change, Merge) else [])]
    if not held.keys() >= set(named):
        raise HouseholdNotFound
    return held


async def _note(connection: asyncpg.Connection, order: Order, home: Home, done: Done, desk: Desk) -> None:
    """Write the change down, for both households of a split or merger, and audit it."""
    change, caller = order.change, order.caller
    row = {
        "change_id": desk.change_id,
        "household_id": home.id,
        "kind": change.change,
        "occurred_on": change.on,
        "other_household_id": done.other,
        "document_no": change.document_no,
        "reason": change.reason,
        "detail": done.detail,
        "notes": done.notes,
        "changed_by": caller.subject,
        "changed_by_kind": caller.kind,
        "changed_by_name": caller.name,
        "recorded_at": desk.at,
    }
    rows = [row]
    if done.other is not None:
        rows.append({**row, "household_id": done.other, "other_household_id": home.id})
    await register.add_changes(connection, rows)
    await audit(
        connection,
        caller,
        f"household.{change.change}",
        f"household:{order.household_no}",
        now=desk.runtime.clock.now(),
        purpose=change.document_no or change.reason,
        request_id=order.request_id,
        detail={"change_id": str(desk.change_id), "on": str(change.on)},
    )
