"""A roster of version 2 carries details; a detail that is no value costs itself and never the household."""

from datetime import date
from typing import Any

from services.intake.catalogue import layout_named, layouts
from services.intake.domain.feed_row import FeedRow, RawRow, RowChecker, RowContext
from shared.vocabulary.identity_number import check_digit

LAYOUT = layouts()["household_register"]
HEAD = {
    "household_no": "H001",
    "person_name": "测试甲",
    "identity_number": "999901195503074016",
    "relation": "户主",
    "division": "130624100201",
    "base_group": "一般农户",
}


def read(**said: str) -> FeedRow:
    cells = HEAD | said
    context = RowContext(date(2026, 3, 1), ("130624000000", "130625000000"), lambda number: b"\x01" * 32)
    row = RowChecker(LAYOUT, context).check(RawRow(2, [cells.get(column.name, "") for column in LAYOUT.columns]))
    assert isinstance(row, FeedRow), row
    return row


def member(**said: str) -> Any:
    return read(**said).content["member"]["details"]


def household(**said: str) -> Any:
    return read(**said).content["household"]["details"]


def test_details_of_a_member_travel_as_codes() -> None:
    assert member(nation="汉族", health="长期慢性病、残疾", school="八年级", work_wage="3,800", working="是") == {
        "nation": "汉族",
        "school": "junior",
        "health": ["chronic", "disabled"],
        "working": True,
        "work_wage": 380_000,
    }


def test_a_certificate_travels_without_the_number_in_it() -> None:
    own = member(certificate="99990119550307401643")
    assert own == {"certificate": {"type": "4", "grade": "3", "own": True}}
    other = "99990119550307402" + check_digit("99990119550307402")
    assert member(certificate=f"{other}43")["certificate"]["own"] is False


def test_the_householder_s_row_speaks_for_the_household() -> None:
    said = household(
        house_area="96.5", safe_water="否", risk_1="因病", identified_on="202603", measures="健康帮扶，低保"
    )
    assert said == {
        "house_area": "96.5",
        "safe_water": False,
        "risk_1": "illness",
        "identified_on": "202603",
        "measures": ["dibao", "health"],
    }


def test_what_is_no_value_is_left_out_and_named() -> None:
    row = read(labour="能干活", certificate="123", phone="12", road_km="很远")
    assert row.content["member"]["details"] == {"left_out": ["certificate", "labour"]}
    assert row.content["household"]["details"] == {"left_out": ["road_km", "phone"]}
    assert len(row.warnings) == 4


def test_a_file_of_version_1_is_one_of_version_2_without_details() -> None:
    first = layout_named("household_register", 1)
    assert {column.header for column in first.columns} <= {column.header for column in LAYOUT.columns}
    assert member() is None
    assert household() is None
