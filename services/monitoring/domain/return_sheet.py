"""The monthly return sheet to a department (月度反馈单): what came of the warnings its data made, as lines of text.

Whoever has no access to the rows behind a figure is not shown one of fewer than five households. No totals stand in
the sheet, so that a hidden figure cannot be computed from the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.monitoring.domain.suppression import FEWEST

Line = list[str]
TITLE = "月度反馈单"
HIDDEN = f"少于{FEWEST}户"
RULES = (
    "指标",
    "政策版本",
    "部门",
    "乡镇",
    "核实户数",
    "建议纳入",
    "建议纳入率%",
    "区间下限%",
    "区间上限%",
    "有用（建议纳入或困难已解决）",
    "有用率%",
    "区间下限%",
    "区间上限%",
    "数据有误",
)
MISSES = ("漏警（新纳入而此前90天没有预警）", "户数")
ROUTES: Mapping[str, str] = {
    "self_report": "农户自主申报",
    "hotline": "热线",
    "visit": "干部走访",
    "department_list": "部门名单",
    "decision": "直接认定",
}


@dataclass(frozen=True, slots=True)
class ShareLine:
    """A share as it is printed."""

    count: int
    percent: float | None
    low: float | None
    high: float | None

    def cells(self) -> Line:
        return [str(self.count), *(_number(value) for value in (self.percent, self.low, self.high))]


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule, in one version, in one township."""

    label: str
    version: str
    department: str
    place: str
    verified: int
    identified: ShareLine
    useful: ShareLine
    data_wrong: int


def rule_lines(rules: Sequence[RuleLine], *, hides_few: bool) -> Iterator[Line]:
    """The table of rules with its head."""
    yield list(RULES)
    for rule in rules:
        named = [rule.label, rule.version, rule.department, rule.place]
        if hides_few and rule.verified < FEWEST:
            yield [*named, HIDDEN, *[""] * (len(RULES) - len(named) - 1)]
        else:
            yield [*named, str(rule.verified), *_shares(rule, hides_few)]


def _shares(rule: RuleLine, hides_few: bool) -> Line:
    """How it was answered; a few households among many are hidden with their share, and so is what they leave."""
    if not hides_few:
        return [*rule.identified.cells(), *rule.useful.cells(), str(rule.data_wrong)]
    return [
        *_guarded(rule.identified, rule.verified),
        *_guarded(rule.useful, rule.verified, beside=rule.identified.count),
        _few(rule.data_wrong),
    ]


def _guarded(share: ShareLine, of: int, beside: int = 0) -> Line:
    """A share with its count, unless count, remainder or the difference to the count beside it are few."""
    telling = (share.count, of - share.count, share.count - beside)
    return [HIDDEN, "", "", ""] if any(0 < count < FEWEST for count in telling) else share.cells()


def miss_lines(by_route: Mapping[str, int], *, hides_few: bool) -> Iterator[Line]:
    """How many came onto the list without a warning, by the way they were found; a table of its own."""
    yield list(MISSES)
    for route, name in ROUTES.items():
        count = by_route.get(route, 0)
        yield [name, _few(count) if hides_few else str(count)]


def _few(count: int) -> str:
    return HIDDEN if 0 < count < FEWEST else str(count)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
