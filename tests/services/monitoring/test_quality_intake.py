"""Checks that intake makes row by row: what they refuse never reaches the register."""

from datetime import date

import pytest

from services.intake.domain.feed_row import BadRow, RawRow, RowChecker, RowContext
from services.monitoring.quality_book import quality_book
from tests.services.monitoring.quality_cases import CASES, DOUBTFUL, LAYOUT, RIGHT

ROW = {
    "户编号": "H001",
    "姓名": "测试甲",
    "与户主关系": "户主",
    "行政区划代码": "130624100201",
    "户类型": "一般农户",
}


def refusals(number: str) -> set[str]:
    context = RowContext(date(2026, 3, 15), ("130624000000", "130625000000"), lambda _: b"\x01" * 32)
    row = ROW | {"证件号码": number}
    checked = RowChecker(LAYOUT, context).check(RawRow(2, [row.get(column.header, "") for column in LAYOUT.columns]))
    return {error.code for error in checked.errors} if isinstance(checked, BadRow) else set()


@pytest.mark.parametrize("code", CASES["拒收"])
def test_intake_refuses_the_doubtful_row_with_a_code_of_the_check(code: str) -> None:
    check, sides = quality_book().checks[code], CASES["拒收"][code]
    assert refusals(sides[DOUBTFUL]) <= set(check.codes)
    assert refusals(sides[DOUBTFUL])
    assert refusals(sides[RIGHT]) == set()
