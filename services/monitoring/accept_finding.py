"""Close a finding by hand: the data are right as they are, until they change (情况属实)."""

from uuid import UUID

import asyncpg

from services.monitoring import repository_findings as repository
from services.monitoring.read_findings import FindingNotFound, owner_for, views
from services.monitoring.schemas_quality import FindingView
from shared.db.scope import transaction
from shared.errors import Conflict
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal


class FindingClosed(Conflict):
    code, title = "finding_closed", "这条疑点已经关闭"


async def accept_finding(
    scoped: asyncpg.Connection,
    finding_id: UUID,
    reason: str,
    caller: Principal,
    runtime: Runtime,
    *,
    request_id: str | None,
) -> FindingView:
    """What is closed must be visible under the caller's scope; it is then written by the service's own role."""
    seen = await repository.find(scoped, finding_id, owner_for(caller))
    if seen is None:
        raise FindingNotFound
    now = runtime.clock.now()
    async with transaction(runtime.worker_pool) as connection:
        closed = await repository.accept(
            connection, finding_id, reason=reason, by=caller.subject, by_name=caller.name, now=now
        )
        if not closed:
            raise FindingClosed("这条疑点已改正，或已有人说明情况属实")
        await audit(
            connection,
            caller,
            "finding.accept",
            f"finding:{finding_id}",
            now=now,
            request_id=request_id,
            detail={"check": seen["check_code"], "reason": reason},
        )
        row = await repository.find(connection, finding_id, None)
    assert row is not None
    [view] = await views([row], caller, runtime)
    return view
