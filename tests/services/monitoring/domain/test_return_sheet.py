"""The lines of a return sheet: whole for the county, without small figures for who sees no households."""

from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.domain.return_sheet import (
    HIDDEN,
    ROUTES,
    RULES,
    RuleLine,
    ShareLine,
    miss_lines,
    rule_lines,
)
from services.monitoring.domain.suppression import FEWEST


def line(verified: int, identified: int, need_met: int, wrong: int = 0) -> RuleLine:
    def share(count: int) -> ShareLine:
        return ShareLine(count, 100 * count / verified if verified else None, 0.0, 100.0)

    return RuleLine(
        "自付费用", "v1", "医疗保障", "某镇", verified, share(identified), share(identified + need_met), wrong
    )


def printed(rule: RuleLine, *, hides_few: bool) -> list[str]:
    _, row = rule_lines([rule], hides_few=hides_few)
    assert len(row) == len(RULES)
    return row


def test_the_county_reads_every_figure() -> None:
    row = printed(line(4, 1, 1, wrong=1), hides_few=False)
    assert row[4:] == ["4", "1", "25.0", "0.0", "100.0", "2", "50.0", "0.0", "100.0", "1"]


def test_both_sides_of_the_least_figure() -> None:
    assert printed(line(4, 0, 0), hides_few=True)[4:] == [HIDDEN, *[""] * 9]
    assert printed(line(5, 0, 0), hides_few=True)[4:6] == ["5", "0"]
    assert printed(line(20, 4, 0), hides_few=True)[5] == HIDDEN
    assert printed(line(20, 5, 0), hides_few=True)[5] == "5"


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_no_small_figure_is_shown_or_can_be_computed(plain: int, identified: int, need_met: int, wrong: int) -> None:
    rule = line(plain + identified + need_met, identified, need_met, wrong)
    row = printed(rule, hides_few=True)
    shown = {
        name: int(row[at]) for name, at in (("all", 4), ("in", 5), ("useful", 9), ("wrong", 13)) if row[at].isdigit()
    }
    found = [*shown.values()]
    if {"all", "in"} <= shown.keys():
        found.append(shown["all"] - shown["in"])
    if {"all", "useful"} <= shown.keys():
        found.append(shown["all"] - shown["useful"])
    if {"in", "useful"} <= shown.keys():
        found.append(shown["useful"] - shown["in"])
    assert not [count for count in found if 0 < count < FEWEST]
    percents = [row[at] for at, count in ((6, 5), (10, 9)) if not row[count].isdigit()]
    assert set(percents) <= {""}


def test_misses_by_the_way_they_were_found() -> None:
    head, *rows = miss_lines({"hotline": 7, "visit": 2}, hides_few=True)
    assert head[1] == "户数"
    assert dict(rows) == {**dict.fromkeys(ROUTES.values(), "0"), "热线": "7", "干部走访": HIDDEN}
    assert ["干部走访", "2"] in list(miss_lines({"visit": 2}, hides_few=False))
