"""Bring the schemas to the newest version; safe to run again, and by several at once."""

import asyncio
from collections.abc import Iterable

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.heads import MIGRATIONS, SCHEMAS
from shared.db.pool import alchemy_url, plain_url

# Alembic keeps what it works on in module globals: one migration at a time in this process. Between processes the
# advisory lock of migrations/env.py does the same.
_ALEMBIC = asyncio.Lock()

ROLES_FILE = MIGRATIONS.parent / "deploy" / "roles.sql"


async def create_roles(url: str) -> None:
    """Run deploy/roles.sql (which may be run again); `url` must be allowed to create roles."""
    connection = await asyncpg.connect(plain_url(url))
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtextextended('fangpin roles', 0))")
        await connection.execute(ROLES_FILE.read_text(encoding="utf-8"))
    finally:
        await connection.close()


async def migrate(url: str, schemas: Iterable[str] = SCHEMAS) -> None:
    """Upgrade `schemas` of the database at `url`, each in one transaction."""
    engine = create_async_engine(alchemy_url(url))
    try:
        for schema in schemas:
            async with _ALEMBIC, engine.begin() as connection:
                await connection.run_sync(_upgrade, schema)
    finally:
        await engine.dispose()


def alembic_config(connection: Connection, schema: str) -> Config:
    """Alembic's configuration for one schema on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / schema / "versions"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, schema=schema)
    return config


def _upgrade(connection: Connection, schema: str) -> None:
    command.upgrade(alembic_config(connection, schema), "head")
