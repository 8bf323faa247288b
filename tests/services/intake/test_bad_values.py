"""Every listed field value: what it means by itself, and what becomes of it through interface and worker."""

import json
from datetime import date
from typing import Any

import pytest

from services.intake.domain.normalise import NOTES, Normal, Refusal, normalise
from services.intake.domain.quick_values import UNSURE, quick_reader
from shared.vocabulary.identity_number import IdentityNumber
from tests.services.intake.bad_json import LINES
from tests.services.intake.bad_values import COLUMNS, ELSEWHERE, ROWS, SENT, VALUES, Row, Value
from tests.services.intake.build import Department, medical_row, number

TODAY = date(2026, 3, 15)


def name_of(case: Value) -> str:
    return f"{case.line} {case.kind} {ascii(case.text)[:40]}"


def test_every_line_of_the_list_has_a_case_or_a_reason() -> None:
    assert {case.line for case in VALUES} | set(ELSEWHERE) == set(range(1, 51))
    assert {41, 42} <= {row.line for row in ROWS}


@pytest.mark.parametrize("case", VALUES, ids=name_of)
def test_a_value_is_taken_with_a_note_or_refused_with_a_reason(case: Value) -> None:
    column = COLUMNS[case.kind]
    found, quick = normalise(column, case.text, TODAY), quick_reader(column, TODAY)(case.text)
    if case.code:
        assert isinstance(found, Refusal)
        assert found.code == case.code
        assert found.reason
        assert quick is UNSURE
        return
    assert isinstance(found, Normal), found
    plain = found.value.number if isinstance(found.value, IdentityNumber) else found.value
    assert (plain, found.notes) == (case.value, case.notes)
    assert NOTES.keys() >= set(case.notes)
    assert quick is UNSURE or quick == found.value


def rows_of(kind: str) -> list[tuple[int, Value, dict[str, str]]]:
    """One settlement for each value that may be sent in one; the others of the row are good."""
    header = SENT[kind][0]
    cases = [c for c in VALUES if c.kind == kind and not (c.value is None and not c.code)]
    easy = {"合规自付": "0", "目录外自付": ""}
    return [(i, c, medical_row(i, **{**easy, header: c.text})) for i, c in enumerate(cases, 1)]


@pytest.mark.parametrize("kind", SENT)
async def test_values_through_interface_and_worker(
    department: Department, said: Any, intake_runtime: Any, kind: str
) -> None:
    rows = rows_of(kind)
    body = "\n".join(json.dumps(row) for *_, row in rows)
    feed = await department.send("medical_settlement", body, media_type=LINES)
    errors = [
        (e["line"], e["column"], e["code"])
        for e in await department.errors(feed["id"])
        if e["level"] in {"error", "review"}  # An implausible amount waits for a person.
    ]
    header, told = SENT[kind]
    assert errors == [(i, header, c.code) for i, c, _ in rows if c.code]
    assert feed["counts"]["accepted"] == sum(not c.code for _, c, _ in rows)
    noted = {n["code"] for n in feed["report"]["notes"] if n["column"] == header}
    assert noted == {note for _, c, _ in rows for note in c.notes}
    if not told:
        return
    found = {o["record"]: o.get(told) for _, payload, _ in await said() for o in payload["observations"]}
    for i, case, _ in rows:
        if not case.code:
            assert found[f"JS{i:08d}"] == as_told(case, intake_runtime), name_of(case)


def as_told(case: Value, runtime: Any) -> Any:
    if case.kind == "number":
        return runtime.keys.blind_index(case.value).hex()
    return case.value.isoformat() if isinstance(case.value, date) else case.value


@pytest.mark.parametrize("case", ROWS, ids=lambda case: f"{case.line} {case.layout} {case.errors or case.said}")
async def test_a_row_through_interface_and_worker(department: Department, said: Any, case: Row) -> None:
    feed = await department.send(case.layout, json.dumps(case.row), media_type=LINES)
    found = await department.errors(feed["id"])
    assert tuple(e["code"] for e in found if e["level"] in {"error", "review"}) == case.errors
    assert tuple(e["code"] for e in found if e["level"] == "warning") == case.warnings
    assert feed["status"] == ("rejected" if case.errors else "recorded")
    if case.said:
        first = (await said())[0][1]["observations"][0]
        assert case.said.items() <= first.items()


async def test_no_refusal_shows_the_number_it_refuses(department: Department) -> None:
    texts = [c.text for c in VALUES if c.kind == "number" and c.code]
    body = "\n".join(json.dumps(medical_row(i, 证件号码=each)) for i, each in enumerate(texts))
    feed = await department.send("medical_settlement", body, media_type=LINES)
    shown = json.dumps(await department.errors(feed["id"]))
    assert not [each for each in texts if len(each) > 6 and each in shown and each != number(0)]
