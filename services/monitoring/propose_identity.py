"""Propose who may be whom: at each roster for the people in it, and day by day for everybody in the register."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring import repository_identity as repository
from services.monitoring.domain.identity_pair import Answer, Reason
from services.monitoring.domain.person_name import normal_name
from services.monitoring.join_residents import join_residents
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.vocabulary.identifiers import new_id

RULE = ("rule:number_arrived", "系统规则")
CERTAIN = "同户、同名、同生日、同性别，花名册以有号码的一条接替无号码的一条"
BATCH = 2000


async def propose_doubts(connection: asyncpg.Connection, residents: Sequence[int], runtime: Runtime) -> None:
    """Queue what is doubtful about these residents; who only got his number at last is joined at once."""
    new = await repository.propose(connection, residents, runtime.clock.now())
    numbered = [row["pair_id"] for row in new if row["reason"] == Reason.NO_NUMBER]
    if numbered:
        for row in await repository.certain_joins(connection, numbered):
            await _join(connection, row, runtime)


async def propose_told_twice(
    connection: asyncpg.Connection, told: Sequence[tuple[int, int, str]], department: str, now: datetime
) -> None:
    """Queue numbers that a household lists under two names; the first named has it meanwhile."""
    if told:
        rows = [(resident, home, normal_name(name), name, department) for resident, home, name in told]
        await repository.propose_name(connection, rows, now)


async def sweep_identity(runtime: Runtime) -> int:
    """Look through the register once a day, a part at a time; returns how many were looked at."""
    today = runtime.clock.today()
    async with transaction(runtime.worker_pool) as connection:
        after = await repository.take_sweep(connection, today)
        if after is None:
            return 0
        found = await repository.next_residents(connection, after, BATCH)
        await households.plan_afresh(connection)
        await repository.settle_gone(connection, found)
        await repository.propose(connection, found, runtime.clock.now())
        done = len(found) < BATCH
        await repository.keep_sweep(connection, 0 if done else found[-1], today if done else None)
    return len(found)


async def _join(connection: asyncpg.Connection, row: asyncpg.Record, runtime: Runtime) -> None:
    """Written down like a person's decision, so that a person can take it back."""
    now, survivor, absorbed = runtime.clock.now(), row["survivor_id"], row["absorbed_id"]
    await households.lock_rosters(connection, await repository.counties(connection, [survivor, absorbed]))
    kept = await join_residents(connection, survivor, absorbed, runtime)
    await repository.set_state(connection, row["pair_id"], Answer.SAME)
    persons = {"survivor_id": survivor, "absorbed_id": absorbed}
    id_: UUID = new_id(now)
    await repository.add_decision(
        connection,
        repository.decision_row(id_, row["pair_id"], Answer.SAME, RULE, now, reason=CERTAIN, kept=kept, **persons),
    )
    await audit(connection, RULE[0], "identity.same", f"identity_pair:{row['pair_id']}", now=now)
