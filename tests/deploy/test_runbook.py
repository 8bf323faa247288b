"""The runbook tells the truth: its commands exist, its SQL runs, its metrics are measured, its restore restores."""

import asyncio
import re
import shlex
from pathlib import Path

import asyncpg
import pytest
from prometheus_client.metrics import MetricWrapperBase

from shared.web import metrics
from tests.conftest import new_database
from tests.deploy.deployed import FOLDER, SERVICES, key_files, parse_command, sh_lines, sql_statements, text
from tests.deploy.test_roles import run_program

RUNBOOK = text("runbook.md")


def test_commands_of_ours_exist() -> None:
    ours = [line for line in sh_lines(RUNBOOK) if re.match(r"fp \w", line)]
    assert len(ours) >= 3
    for line in ours:
        parse_command(shlex.split(line)[1:])


def test_the_files_it_lists_exist() -> None:
    table = RUNBOOK.split("| 文件 file |")[1].split("\n\n")[0]
    named = re.findall(r"`([\w.-]+(?:\.\w+|/))`|`(Dockerfile)`", table)
    files = {one or other for one, other in named}
    assert len(files) >= 7
    assert all((FOLDER / name).exists() for name in files)


def test_metrics_are_those_that_are_measured() -> None:
    declared = {
        family.name + ("_total" if family.type == "counter" else "")
        for collector in vars(metrics).values()
        if isinstance(collector, MetricWrapperBase)
        for family in collector.describe()
    }
    explained = set(re.findall(r"^\| `(fangpin_\w+)` \|", RUNBOOK, re.M))
    assert explained == declared


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_given_the_keys_it_may_hold(service: str) -> None:
    (line,) = [line for line in sh_lines(RUNBOOK) if line.startswith(f"give {service} ")]
    assert set(line.split()[2:]) == key_files(service)


async def test_every_statement_fits_the_tables(database: str) -> None:
    statements = [re.sub(r":'\w+'", "NULL", statement) for statement in sql_statements(RUNBOOK)]
    assert len(statements) > 10
    connection = await asyncpg.connect(database)
    for statement in statements:
        await connection.execute(f"EXPLAIN {statement}")
    await connection.close()


async def test_a_dump_restores_with_its_walls(database: str, tmp_path: Path) -> None:
    dump = str(tmp_path / "fangpin.dump")
    await asyncio.to_thread(run_program, "pg_dump", "-Fc", "--no-unlogged-table-data", "-f", dump, "-d", database)
    restored = await new_database(database)
    await asyncio.to_thread(run_program, "pg_restore", "--exit-on-error", "-d", restored, dump)
    assert await walls(restored) == await walls(database)


async def walls(url: str) -> list[tuple[object, ...]]:
    """Tables with their owners, grants, row-level security and policies; and how many places are known."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        """
        SELECT c.oid::regclass::text, r.rolname, c.relrowsecurity, c.relforcerowsecurity,
               (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(c.relacl) a),
               (SELECT array_agg(p.polname || coalesce(pg_get_expr(p.polqual, p.polrelid), '') ORDER BY p.polname)
                FROM pg_policy p WHERE p.polrelid = c.oid)
        FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
        WHERE c.relnamespace::regnamespace::text IN ('directory', 'intake', 'monitoring', 'alerts')
          AND c.relkind IN ('r', 'p') ORDER BY 1
        """
    )
    places = await connection.fetchval("SELECT count(*) FROM directory.region")
    await connection.close()
    assert len(rows) > 30
    assert places > 100
    return [*(tuple(row) for row in rows), (places,)]
