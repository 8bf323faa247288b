"""Pools of connections, each under the role of one service."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg


def to_json(value: Any) -> str:
    """JSON as the database stores it: characters as they are, no NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Teach a new connection JSON."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=to_json, decoder=json.loads, schema="pg_catalog")


def _server_settings(role: str | None, schema: str, options: Mapping[str, str]) -> dict[str, str]:
    # `role` as a start-up setting survives the pool's RESET ALL, so no code path can fall back to the login user.
    settings = {"search_path": schema, "application_name": role or "fangpin", "timezone": "UTC", "jit": "off"}
    settings.update(options)
    if role:
        settings["role"] = role
    return settings


async def _leave(connection: asyncpg.Connection) -> None:
    """Our roles set nothing that outlives a transaction, so a connection goes back as it is.

    asyncpg's RESET ALL would be a second round trip for every transaction. (A tick holds its advisory lock on a
    connection of its own.)
    """


async def open_pool(
    url: str, *, role: str | None, schema: str, size: int, options: Mapping[str, str] | None = None
) -> asyncpg.Pool:
    """Open a pool whose connections act as `role` in `schema`."""
    pool: asyncpg.Pool = await asyncpg.create_pool(
        plain_url(url),
        min_size=1,
        max_size=size,
        init=prepare_connection,
        server_settings=_server_settings(role, schema, options or {}),
        command_timeout=60,
        reset=_leave if role else None,
        # A compiled policy is longer than the 15 KB that asyncpg keeps prepared; planned anew it costs double.
        max_cacheable_statement_size=512 * 1024,
    )
    return pool


def plain_url(url: str) -> str:
    """The URL as asyncpg reads it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def alchemy_url(url: str) -> str:
    """The URL as SQLAlchemy reads it: asyncpg takes a socket folder as `host`, and libpq's `sslmode` as `ssl`."""
    parts = urlsplit(plain_url(url))
    names = {"host": "host", "port": "port", "sslmode": "ssl"}
    query = urlencode([(names[name], value) for name, value in parse_qsl(parts.query) if name in names])
    return urlunsplit(("postgresql+asyncpg", parts.netloc, parts.path, query, ""))
