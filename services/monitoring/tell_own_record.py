"""Tell a person, through intake, which data is held about him and who looked (本人查询): counts, no contents."""

from collections.abc import Iterable

import asyncpg

from services.monitoring import repository_own_record as repository
from services.monitoring.announce import SOURCE
from services.monitoring.domain.evidence import label_of
from services.monitoring.read_message import check_divisions, check_indices
from shared.contracts.envelope import Event
from shared.contracts.intake import OwnRecordAsked
from shared.contracts.monitoring import OWN_RECORD_TOLD, Access, Holding, OwnRecordTold
from shared.messaging.outbox import enqueue
from shared.runtime import Runtime
from shared.security.audit import audit

MOST_TOLD = 200


async def tell_own_record(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Answer with a message; that a person looked at his own record stands in the trail like any other look."""
    asked = OwnRecordAsked.model_validate(event.data)
    check_divisions([asked.division])
    check_indices([asked.person])
    resident = await repository.resident_of(connection, bytes.fromhex(asked.person))
    holdings = await repository.holdings_of(connection, resident, MOST_TOLD) if resident is not None else []
    looks = await repository.looks_at(connection, resident, MOST_TOLD) if resident is not None else []
    told = OwnRecordTold(
        request_id=asked.request_id,
        known=resident is not None,
        holdings=[_holding(row) for row in holdings],
        accesses=[_access(row) for row in looks],
    )
    now = runtime.clock.now()
    await enqueue(
        connection, Event.make(SOURCE, OWN_RECORD_TOLD, None, told, now), aggregate="own_record", priority=0
    )
    await audit(connection, "receipt", "own_record.read", f"resident:{resident}", now=now, purpose="本人查询")
    return ("relay",)


def _holding(row: asyncpg.Record) -> Holding:
    return Holding(
        category=label_of(row["kind"]),
        department=row["department"],
        source=row["source"],
        facts=row["facts"],
        first_on=row["first_on"],
        last_on=row["last_on"],
    )


def _access(row: asyncpg.Record) -> Access:
    detail = row["detail"]
    return Access(
        at=row["at"],
        role=detail.get("role") or row["actor_kind"],
        organisation=detail.get("department") or detail.get("division"),
        action=row["action"],
        purpose=row["purpose"],
    )
