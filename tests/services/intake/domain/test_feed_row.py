"""What a row says: facts under conditions, in parts, of periods, until days; and of whom."""

import hashlib
from datetime import date
from typing import Any

import pytest

from services.intake.catalogue import layouts
from services.intake.domain.feed_row import BadRow, FeedRow, RawRow, RowChecker, RowContext
from tests.services.intake.build import VILLAGE, number

TODAY = date(2026, 3, 15)
CONTEXT = RowContext(TODAY, ("130624000000", "130625000000"), lambda text: hashlib.sha256(text.encode()).digest())
FORM = {
    "form_no": "SQ1",
    "household_no": "H1",
    "person_name": "王小明",
    "signers": "王小明",
    "signer_count": "1",
    "scope": "机动车、存款",
    "signed_on": "2026-03-01",
    "expires_on": "2027-02-28",
    "division": VILLAGE,
}
JOB = {
    "record_no": "JY1",
    "person_name": "王小明",
    "identity_number": number(1),
    "reported_on": "2026-02",
    "status": "务工",
}
VISIT = {
    "household_no": "H1",
    "person_name": "王小明",
    "visited_on": "2026-03-10",
    "visitors": "李干部",
    "food_short": "否",
    "clothes_short": "否",
    "division": VILLAGE,
}


def check(layout: str, row: dict[str, str]) -> FeedRow | BadRow:
    found = layouts()[layout]
    cells = tuple(row.get(column.name) for column in found.columns)
    return RowChecker(found, CONTEXT).check(RawRow(2, cells))


def said(layout: str, row: dict[str, str]) -> list[dict[str, Any]]:
    checked = check(layout, row)
    assert isinstance(checked, FeedRow), checked
    observations: list[dict[str, Any]] = checked.content["observations"]
    return observations


def codes(layout: str, row: dict[str, str]) -> list[str]:
    checked = check(layout, row)
    assert isinstance(checked, BadRow)
    return [error.code for error in checked.errors]


def test_a_cell_of_several_codes_is_several_records_until_the_day_after_the_last() -> None:
    found = said("authorisations", FORM)
    assert [(one["record"], one["value"], one["ended_on"]) for one in found] == [
        ("SQ1#deposits", "deposits", "2027-03-01"),
        ("SQ1#vehicles", "vehicles", "2027-03-01"),
    ]


def test_a_row_says_only_what_its_conditions_let_it() -> None:
    assert said("employment", JOB) == []
    [lost] = said("employment", {**JOB, "status": "返乡"})
    assert (lost["kind"], lost["occurred_on"]) == ("event.job_loss", "2026-02-28")
    whole = {**JOB, "wage": "12000", "wage_from": "2025-03", "wage_to": "2026-02", "away": "是"}
    [wage] = said("employment", whole)
    assert (wage["period_from"], wage["period_to"], wage["amount_fen"]) == ("2025-03-01", "2026-02-28", 1_200_000)
    assert wage["attributes"] == {"away": True}


@pytest.mark.parametrize(
    ("first", "last", "refused"),
    [
        ("2025-03-01", "2026-02-28", []),
        ("2025-03-14", "2026-03-13", []),
        ("2025-03-01", "2026-02-27", ["wage_of_whole_year"]),
        ("2025-03-01", "2026-03-03", ["wage_of_whole_year"]),
        ("2025-03-01", "", ["wage_period_missing"]),
        ("", "2026-02-28", ["wage_start_missing"]),
    ],
)
def test_a_total_is_of_twelve_months(first: str, last: str, refused: list[str]) -> None:
    """A department's word goes before the roster's: a month's pay in place of a year's would make a county poor."""
    row = {**JOB, "wage": "12000", "wage_from": first, "wage_to": last}
    assert codes("employment", row) == refused if refused else said("employment", row)


def test_a_visit_finds_nothing_where_nothing_was_asked() -> None:
    assert said("household_visit", VISIT) == []
    kinds = [one["kind"] for one in said("household_visit", {**VISIT, "food_short": "是", "quality_ok": "否"})]
    assert kinds == ["state.water", "event.hardship_report"]


def test_somebody_must_be_named() -> None:
    row = {
        "record_no": "S1",
        "person_name": "某人",
        "event": "死亡",
        "happened_on": "2026-02-01",
        "no_id_reason": "证件遗失",
    }
    assert codes("deaths", row) == ["nobody_named"]
    [death] = said("deaths", {**row, "household_no": "H1"})
    assert (death.get("person"), death["household_no"]) == (None, "H1")
    assert codes("deaths", {**row, "household_no": "H1", "no_id_reason": ""}) == ["number_or_reason"]


def test_what_is_withheld_is_not_even_compared() -> None:
    row = {
        "ticket_no": "G1",
        "person_name": "某人",
        "household_no": "H1",
        "channel": "12345",
        "category": "因病",
        "received_on": "2026-03-10",
        "division": VILLAGE,
    }
    plain, worded = (check("complaints", {**row, "text": text}) for text in ("", f"{number(3)} 住院"))
    assert isinstance(plain, FeedRow)
    assert isinstance(worded, FeedRow)
    assert (plain.digest, plain.content) == (worded.digest, worded.content)
