"""Each listed bad file through the API and the worker: its code, never a 5xx, and nothing lost in silence."""

from typing import Any

import httpx
import pytest

from tests.services.intake.bad_files import FILES, XLSX, BadFile
from tests.services.intake.build import MEDICAL, Department, medical_row
from tests.services.intake.workbooks import workbook

MIB = 2**20


@pytest.fixture
def small(intake_runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits, smaller, so that bombs can be: for the app, and for the worker's settings."""
    for name in ("feed_inflated_limit_bytes", "workbook_inflated_limit_bytes"):
        monkeypatch.setitem(vars(intake_runtime.settings), name, 64 * MIB)
        monkeypatch.setenv(f"FANGPIN_{name.upper()}", str(64 * MIB))


@pytest.mark.parametrize("file", FILES, ids=[f"{f.media_type[-5:]} {f.name}" for f in FILES])
async def test_a_file_as_it_comes(file: BadFile, department: Department, small: None) -> None:
    answer = await department.post(file.layout, file.body(), media_type=file.media_type, **file.query)
    assert answer.status_code == file.answer, answer.text
    if file.answer != 202:
        assert file.code in _codes(answer)
        return
    await department.house.run_worker("intake", "ingest")
    feed = await department.feed(answer.json()["id"])
    assert (feed["status"], (feed["problem"] or {}).get("code")) == (file.end, file.code), feed
    errors = {e["line"]: e["code"] for e in await department.errors(feed["id"]) if e["level"] == "error"}
    assert errors == dict(file.rows)
    if file.end == "recorded":
        counts = feed["counts"]
        assert counts["accepted"] == file.taken, feed
        assert counts["read"] == counts["accepted"] + counts["rejected"]
    for path, said in file.says.items():
        assert _at(feed["report"], path) == said, feed["report"]


def _codes(answer: httpx.Response) -> set[str]:
    problem = answer.json()
    return {problem["code"], *(error["code"] for error in problem.get("errors", ()))}


def _at(report: Any, path: str) -> Any:
    for step in path.split("."):
        report = report[int(step)] if step.isdigit() else report[step]
    return report


@pytest.mark.parametrize("media_type", ["text/csv", XLSX])
async def test_a_column_without_a_header_is_listed_if_something_stands_in_it(
    media_type: str, department: Department
) -> None:
    rows = [[*MEDICAL, "", "备注"], [*medical_row(0).values(), "看我", "x"], [*medical_row(1).values(), "", "x"]]
    body = workbook(rows) if media_type == XLSX else "\n".join(map(",".join, rows))
    feed = await department.send("medical_settlement", body, media_type=media_type)
    assert (feed["counts"]["accepted"], feed["report"]["ignored"]) == (2, ["备注", "第15列（无列名）"])


@pytest.mark.parametrize("media_type", ["text/csv", XLSX])
async def test_a_file_of_too_many_rows_is_refused(
    media_type: str, department: Department, intake_runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(intake_runtime.settings), "feed_row_limit", 100)
    rows = [list(MEDICAL), *(list(medical_row(i).values()) for i in range(101))]
    body = workbook(rows) if media_type == XLSX else "\n".join(map(",".join, rows))
    feed = await department.send("medical_settlement", body, media_type=media_type)
    assert (feed["status"], feed["problem"]["code"]) == ("rejected", "too_many_rows")


async def test_a_workbook_read_in_many_turns_is_the_same(
    department: Department, intake_runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(intake_runtime.settings), "feed_slice_seconds", 0.0)
    book = workbook([list(MEDICAL), *(list(medical_row(i).values()) for i in range(1200))])
    feed = await department.send("medical_settlement", book, media_type=XLSX)
    assert (feed["status"], feed["counts"]["accepted"], feed["counts"]["duplicates"]) == ("recorded", 1200, 0)
    assert feed["progress"]["percent"] == 100
