"""Record what visitors found: the answers to warnings flow back into the assessment and into its precision."""

from collections.abc import Iterable

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring import repository_verifications as repository
from services.monitoring.domain.warning import Answered, Risk
from shared.contracts.alerts import Verified, VerifiedItem
from shared.contracts.envelope import Event
from shared.runtime import Runtime

USUAL = 5


async def record_verification(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Store each answer once; its household remembers it and is due, so that what is news after it comes to light."""
    told = Verified.model_validate(event.data)
    standing = await repository.hold(connection, [i.household_no for i in told.items if i.household_no])
    for item in sorted(told.items, key=lambda item: item.verified_at):
        household = standing.get(item.household_no or "")
        if await repository.add(connection, item, household) and household is not None:
            await repository.remember(connection, household["household_id"], item, _answered(item, household))
    ids = [row["household_id"] for row in standing.values()]
    await households.mark_due(connection, ids, now=runtime.clock.now(), priority=USUAL)
    return ("assess",)


def _answered(item: VerifiedItem, household: asyncpg.Record) -> Answered:
    """The answer, with the risk the visitor was told: indicators that fired since were not answered by it."""
    risk = Risk.from_json(household["risk"])
    return Answered(item.outcome, item.facts_version, risk.only(item.indicators) if item.indicators else risk)
