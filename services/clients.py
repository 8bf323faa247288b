"""Register a system that may ask for tokens."""

import secrets
from collections.abc import Sequence

import asyncpg

from shared.clock import SystemClock
from shared.errors import Unprocessable
from shared.security.access import SCOPES_OF_SYSTEMS
from shared.vocabulary.division import parse_division
from shared.web.oauth import hash_secret


async def add_client(
    connection: asyncpg.Connection,
    client_id: str,
    *,
    name: str,
    division: str,
    scopes: Sequence[str],
    department: str | None = None,
    secret: str | None = None,
) -> str:
    """Store a client and return its secret; for a known client the new secret joins the last one (rotation)."""
    unknown = sorted(set(scopes) - SCOPES_OF_SYSTEMS)
    if unknown:
        allowed = "、".join(sorted(SCOPES_OF_SYSTEMS))
        raise Unprocessable(f"系统不能持有这些权限：{'、'.join(unknown)}；可用：{allowed}")
    secret = secret or secrets.token_urlsafe(32)
    await connection.execute(
        """
        INSERT INTO directory.oauth_client
            (client_id, secret_hashes, name, division, department, scopes, active, created_at)
        VALUES ($1, ARRAY[$2::bytea], $3, $4, $5, $6, true, $7)
        ON CONFLICT (client_id) DO UPDATE SET
            secret_hashes = ARRAY[$2::bytea] || oauth_client.secret_hashes[1:1],
            name = excluded.name, division = excluded.division, department = excluded.department,
            scopes = excluded.scopes
        """,
        client_id,
        hash_secret(client_id, secret),
        name,
        str(parse_division(division)),
        department,
        list(scopes),
        SystemClock().now(),
    )
    return secret
