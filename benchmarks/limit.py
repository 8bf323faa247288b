"""The limit other figures are held against: what it costs to carry measures out of the database and results in."""

import io
import time

import asyncpg

RESULTS = ("household_id", "class", "severity", "causes", "fired", "unknown", "net", "reference", "rigid")
TABLE = """
CREATE TABLE copied (household_id bigint PRIMARY KEY, class text, severity smallint, causes bigint, fired bigint,
                     unknown bigint, net bigint, reference bigint, rigid bigint)
"""
ROWS = """
SELECT household_id, CASE WHEN household_id % 50 = 0 THEN 'marginal_at_risk' END, (household_id % 5)::smallint,
       household_id % 64, household_id % 4096, household_id % 128, household_id * 7, household_id * 5,
       household_id * 3
FROM measure
"""


async def result_rows(connection: asyncpg.Connection) -> bytes:
    """Binary rows of results, one for each measured household, ready to be carried in."""
    made = io.BytesIO()
    await connection.copy_from_query(ROWS, output=made, format="binary")
    return made.getvalue()


async def copy_limit(connection: asyncpg.Connection, results: bytes) -> float:
    """Seconds: binary COPY of all measure rows out, and of as many results into a logged table with a primary key."""
    await connection.execute(f"DROP TABLE IF EXISTS copied; {TABLE}; CHECKPOINT")

    async def forget(piece: bytes) -> None:
        pass

    started = time.perf_counter()
    await connection.copy_from_table("measure", output=forget, format="binary")
    await connection.copy_to_table("copied", source=io.BytesIO(results), columns=RESULTS, format="binary")
    return time.perf_counter() - started
