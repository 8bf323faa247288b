"""One environment for all schemas: `-x schema=intake` says which; each has its versions and its version table.

A schema migrates alone, under its own advisory lock, in any order. Tables belong to the role fangpin_owner, which
nobody can log in as.
"""

import re
from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from shared.db.metadata import metadata_of

# One partition of the ledger for each county; the program makes them, and no table declares them.
PARTITION = re.compile(r"fact_[0-9]{6}")

SET_UP = """
SET lock_timeout = '10s';
SET ROLE fangpin_owner;
CREATE SCHEMA IF NOT EXISTS {schema};
SET search_path = {schema};
"""


def is_declared(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Whether autogenerate looks at a thing of the database: not at partitions, nor at what others manage."""
    return kind != "table" or not (thing.info.get("unmanaged") or (reflected and PARTITION.fullmatch(name or "")))


def migrate(connection: Connection, schema: str) -> None:
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    connection.execute(lock, {"name": f"migrate {schema}"})
    for statement in SET_UP.format(schema=schema).strip().splitlines():
        connection.execute(text(statement))
    context.configure(
        connection=connection,
        target_metadata=metadata_of(schema),
        version_table_schema=schema,
        include_schemas=True,
        compare_server_default=False,
        include_name=lambda name, kind, _: kind != "schema" or name == schema,
        include_object=is_declared,
    )
    context.run_migrations()
    # Readiness compares the version with the program's.
    connection.execute(text(f"GRANT SELECT ON {schema}.alembic_version TO fangpin_{schema}"))
    connection.execute(text("RESET ROLE"))


config = context.config
migrate(config.attributes["connection"], config.attributes["schema"])
