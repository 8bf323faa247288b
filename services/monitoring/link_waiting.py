"""Link somebody who waits to a resident: a person says that the number of a source is his."""

from hashlib import sha256

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring import repository_identity as repository
from services.monitoring.decide_identity import check_person, check_range, settle_pair
from services.monitoring.read_household import HouseholdNotFound
from services.monitoring.register_desk import ChangeDoesNotFit
from services.monitoring.schemas_identity import PairDecision, WaitingLink
from shared.db.scope import transaction
from shared.errors import NotFound
from shared.runtime import Runtime
from shared.security.principal import Principal


class WaitingNotFound(NotFound):
    """It was matched meanwhile, or lies outside the caller's range."""

    code, title = "unmatched_not_found", "没有找到这条未匹配数据"


async def link_waiting(
    scoped: asyncpg.Connection,
    unmatched_id: int,
    order: WaitingLink,
    caller: Principal,
    runtime: Runtime,
    *,
    request_id: str,
) -> int:
    """Let all that waits under the number be the member's, now and later; the pair under which it can be undone."""
    check_person(caller)
    row = await repository.waiting_row(scoped, unmatched_id)
    if row is None:
        raise WaitingNotFound
    if row["person"] is None:
        raise ChangeDoesNotFit("这条数据没有证件号码，只能等待户编号匹配")
    member = await repository.member_of(scoped, order.member_id, order.household_no)
    if member is None:
        raise HouseholdNotFound
    async with transaction(runtime.worker_pool) as connection:
        await households.lock_rosters(connection, await repository.counties(connection, [order.member_id]))
        await check_range(connection, [member["household_id"]], caller)
        if await repository.is_known(connection, row["person"]):
            raise ChangeDoesNotFit("花名册已有此号码；如系同一人，请在疑似同一人清单中认定")
        pair_id = await _propose(connection, row, member, runtime)
        pair = await repository.hold_pair(connection, pair_id)
        assert pair is not None
        decision = PairDecision(decision="same", reason=order.reason, document_no=order.document_no)
        await settle_pair(connection, pair, decision, caller, runtime, request_id=request_id)
    return pair_id


async def _propose(
    connection: asyncpg.Connection, row: asyncpg.Record, member: asyncpg.Record, runtime: Runtime
) -> int:
    entry = row["entry"]
    waiting = {
        "digest": sha256(row["person"]).hexdigest()[:24],
        "told_name": entry.get("person_name"),
        "told_by": entry["department"],
        "person": row["person"],
    }
    now = runtime.clock.now()
    return await repository.add_waiting_pair(connection, member["resident_id"], member["household_id"], waiting, now)
