"""Nobody reads the machine's clock but the clock, and no SQL asks the database for today."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.files import PROGRAM, ROOT, project_files

# What may read the machine's time, and why.
MAY_READ_THE_CLOCK = {
    "shared/clock.py": "the clock itself",
    "shared/vocabulary/identifiers.py": "identifiers carry the time they were made, which is no business date",
}
# What may say now() in SQL, and why. clock_timestamp() is allowed: it says when a row was written, not which day is.
MAY_ASK_THE_DATABASE: dict[str, str] = {
    "migrations/monitoring/versions/0016_retention.py": "a wall behind the worker: by the database's own clock",
}

_READS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
    ("Timestamp", "now"),
}
_SQL = re.compile(
    r"\b(now|transaction_timestamp|statement_timestamp|timeofday)\s*\(\s*\)|\bcurrent_(date|time|timestamp)\b"
    r"|\blocaltime(stamp)?\b",
    re.IGNORECASE,
)


def clock_reads(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if (name, node.attr) in _READS:
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (node.lineno for alias in node.names if ("time", alias.name) in _READS)


def sql_reads(tree: ast.AST) -> Iterator[int]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        if is_text and _SQL.search(node.value):
            yield node.lineno


def found(reads: object, *tops: str) -> list[str]:
    lines: list[str] = []
    for path in project_files(*tops, ends=".py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        lines += [f"{path.relative_to(ROOT)}:{line}" for line in reads(tree)]  # type: ignore[operator]
    return lines


def test_only_the_clock_reads_the_machines_time() -> None:
    assert [line for line in found(clock_reads, *PROGRAM) if line.split(":")[0] not in MAY_READ_THE_CLOCK] == []


def test_no_sql_asks_the_database_for_today() -> None:
    lines = found(sql_reads, *PROGRAM, "migrations")
    assert [line for line in lines if line.split(":")[0] not in MAY_ASK_THE_DATABASE] == []


def test_no_sql_file_asks_the_database_for_today() -> None:
    files = [path for path in project_files(ends=".sql") if _SQL.search(path.read_text(encoding="utf-8"))]
    assert [str(path.relative_to(ROOT)) for path in files] == []


def test_no_exception_outlives_its_file() -> None:
    assert [name for name in {**MAY_READ_THE_CLOCK, **MAY_ASK_THE_DATABASE} if not Path(ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "program",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "import datetime\ndatetime.date.today()",
        "time.time()",
        "from time import time",
        "call(date.today)",
    ],
)
def test_a_read_of_the_clock_is_seen(program: str) -> None:
    assert list(clock_reads(ast.parse(program)))


@pytest.mark.parametrize("program", ["clock.now()", "clock.today()", "runtime.clock.now()", "time.perf_counter()"])
def test_a_clock_that_was_handed_over_is_no_such_read(program: str) -> None:
    assert list(clock_reads(ast.parse(program))) == []


@pytest.mark.parametrize(
    ("sql", "seen"),
    [
        ("SELECT now()", True),
        ("where d < CURRENT_DATE", True),
        ("now ( )", True),
        ("SELECT clock_timestamp()", False),
        ("known()", False),
        ("current_date_of", False),
    ],
)
def test_sql_that_asks_for_today_is_seen(sql: str, seen: bool) -> None:
    assert bool(list(sql_reads(ast.parse(f"x = {sql!r}")))) is seen
