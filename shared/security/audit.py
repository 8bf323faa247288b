"""Audit rows: who did what to which object, written in the transaction of the deed."""

from datetime import datetime
from typing import Any

import asyncpg

from shared.security.principal import Principal
from shared.vocabulary.identifiers import new_id

INSERT_AUDIT = """
INSERT INTO audit_log (audit_id, at, actor, actor_kind, action, object, purpose, result, request_id, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


def post_of(principal: Principal) -> dict[str, str]:
    """The post somebody looked from, for the detail of a look at a person's record: who is looked at may ask."""
    said = {"role": principal.role, "division": principal.division, "department": principal.department}
    return {name: str(value) for name, value in said.items() if value}


async def audit(
    connection: asyncpg.Connection,
    actor: Principal | str,
    action: str,
    object_: str,
    *,
    now: datetime,
    purpose: str | None = None,
    result: str = "ok",
    request_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one audit row; `object_` and `detail` never hold an identity number, a phone or a diagnosis."""
    name, kind = (actor.subject, actor.kind) if isinstance(actor, Principal) else (actor, "service")
    await connection.execute(
        INSERT_AUDIT, new_id(now), now, name, kind, action, object_, purpose, result, request_id, detail or {}
    )
