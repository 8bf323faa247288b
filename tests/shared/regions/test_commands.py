"""The import as people see it: counts that add up, first errors, what lacks a parent."""

from datetime import date
from pathlib import Path

import asyncpg
import pytest

from shared.regions.commands import ERRORS_SHOWN, import_regions
from shared.regions.load import load_shipped_regions
from shared.regions.lookup import names_of

EXTRACT = Path(__file__).with_name("villages_extract.csv")
DAY = date(2026, 11, 22)


async def test_the_published_file_is_imported_and_again_changes_nothing(
    directory_connection: asyncpg.Connection,
) -> None:
    await load_shipped_regions(directory_connection)
    said: list[str] = []
    first = await import_regions(directory_connection, EXTRACT, echo=said.append, on_terminal=False)
    again = await import_regions(directory_connection, EXTRACT, echo=said.append, on_terminal=False)
    assert (first.read, first.inserted, first.unchanged) == (16, 16, 0)
    assert (again.read, again.inserted, again.unchanged) == (16, 0, 16)
    assert said == [
        "读取 16 行：新增 16，变更 0，未变 0，拒收 0",
        "读取 16 行：新增 0，变更 0，未变 16，拒收 0",
    ]
    county = await names_of(directory_connection, ["520526000000"], DAY)
    assert county == {"520526000000": "威宁彝族回族苗族自治县"}


async def test_wrong_rows_are_counted_shown_and_keep_nothing_else_out(
    directory_connection: asyncpg.Connection, tmp_path: Path
) -> None:
    wrong = "".join(f"13062{n},甲村\n" for n in range(10_000, 10_030))
    path = tmp_path / "own.csv"
    path.write_text(f"code,name\n130624100901,新村村民委员会\n{wrong}", "utf-8")
    said: list[str] = []
    result = await import_regions(directory_connection, path, echo=said.append, on_terminal=False)
    assert (result.read, result.inserted, result.rejected) == (31, 1, 30)
    assert len(result.errors) == ERRORS_SHOWN
    assert said[1].startswith("  第3行 代码“1306210000”")
    assert said[-2] == "  另有 10 行拒收，未列出"


async def test_a_village_without_a_known_township_is_pointed_out(
    directory_connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await load_shipped_regions(directory_connection)
    path = tmp_path / "own.csv"
    path.write_text("code,name\n130624100901,新村\n130624888001,错村\n", "utf-8")
    said: list[str] = []
    result = await import_regions(directory_connection, path, echo=said.append, on_terminal=False)
    assert result.orphans == ("130624888001",)
    assert "130624888001" in said[-1]


async def test_a_terminal_sees_a_bar_and_the_same_report(
    directory_connection: asyncpg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    await import_regions(directory_connection, EXTRACT, echo=said.append, on_terminal=True)
    assert said[0] == "读取 16 行：新增 16，变更 0，未变 0，拒收 0"
