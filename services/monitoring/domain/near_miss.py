"""Near misses (临界): rules that almost fired, and the day on which a line will be crossed at the pace so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from services.monitoring.domain.assessment import CLEAR, Assessment, IndicatorResult
from services.monitoring.domain.compiled_columns import decided_columns, mask_columns
from services.monitoring.domain.expression import names_in
from services.monitoring.domain.indicator import Indicator
from services.monitoring.domain.judgement import MASK_BITS
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.rendering import spoken
from services.monitoring.domain.window import Window
from shared.policies.parameter_set import ParameterSet
from shared.policies.unit import Unit
from shared.vocabulary.money import Fen

PERCENT_PARAMETER = "almost_fired_percent"
PERCENT = 10
YEAR_TO_DATE = "year_to_date"


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and where in a stored outcome (counted from 1) stands what is held against it.

    The line is `threshold`, or stands at `threshold_at`. `choice`: the row must have chosen this of several lines.
    `heads_at`: the line is of one head, the number of the household. The bit of `fired_at` says that it was crossed.
    `grows_through_year`: the number counts up from 1 January.
    """

    indicator: str
    measured_at: int
    threshold: int | None
    threshold_at: int | None
    choice_at: int | None
    choice: int | None
    heads_at: int | None
    fired_at: int
    fired_bit: int
    grows_through_year: bool


def almost_percent(parameters: ParameterSet) -> int:
    """How near to its line a rule has almost fired, percent of the line; a parameter if the package has one."""
    return parameters.number(PERCENT_PARAMETER) if PERCENT_PARAMETER in parameters else PERCENT


def almost_fired(assessment: Assessment, percent: int) -> tuple[IndicatorResult, ...]:
    """The indicators that are clear, and whose measured value lies within `percent` of its line."""
    return tuple(each for each in assessment.indicators if each.state == CLEAR and is_near(each, percent))


def almost_said(almost: Sequence[IndicatorResult], package: PolicyPackage) -> str:
    """What almost fired, in a sentence; empty if nothing did."""
    said = "；".join(_said(each, package.indicators[each.id].label_zh) for each in almost)
    return f"接近界线而未触发：{said}。" if said else ""


def _said(each: IndicatorResult, label: str) -> str:
    unit = Unit(each.unit)
    measured, line, apart = (_spoken(text, unit) for text in (each.measured, each.threshold, each.margin))
    return f"{label}（实测{measured}，界线{line}，相差{apart.lstrip('-')}）"


def _spoken(text: str | None, unit: Unit) -> str:
    return f"{spoken(text or '', unit)}{'元' if unit.is_money else ''}"


def is_near(result: IndicatorResult, percent: int) -> bool:
    """Whether a measured value is no further from a line above zero than `percent` of it."""
    if result.measured is None or result.threshold is None or not _is_number(result):
        return False
    measured, line = Decimal(result.measured), Decimal(result.threshold)
    return line > 0 and abs(measured - line) * 100 <= percent * line


def crossing_day(so_far: Fen, line: Fen, on: date) -> date | None:
    """The day of this year on which what was paid since 1 January exceeds the line if it goes on as so far.

    Self-pay a day until now times the days; None if the year ends first, or nothing was paid.
    """
    days = on.timetuple().tm_yday
    if so_far <= 0:
        return None
    day = date(on.year, 1, 1) + timedelta(days=max(line * days // so_far, 0))
    return max(day, on) if day.year == on.year else None


def lines_at(package: PolicyPackage, parameters: ParameterSet) -> Iterator[Line]:
    """The lines of every indicator that holds a number against one, at a place and date."""
    at = {name: place for place, (name, _) in enumerate(decided_columns(package), 1)}
    masks = mask_columns("fired", len(package.indicators))
    for position, indicator in enumerate(package.indicators.values()):
        kind = indicator.measured_type
        if kind is None or kind.in_basis or not kind.unit.is_numeric:
            continue
        several = indicator.varies_in_threshold
        line = Line(
            indicator=indicator.name,
            measured_at=at[f"measured_{indicator.name if indicator.rules else indicator.measured}"],
            threshold=None,
            threshold_at=None,
            choice_at=at[f"choice_{indicator.name}"] if several else None,
            choice=None,
            heads_at=at["members_counted"] if indicator.per_person else None,
            fired_at=at[masks[position // MASK_BITS]],
            fired_bit=position % MASK_BITS,
            grows_through_year=_grows_through_year(package, indicator, parameters),
        )
        if indicator.rules is not None:
            yield replace(line, threshold_at=at[f"threshold_{indicator.name}"])
        for index, threshold in enumerate(indicator.thresholds):
            number = parameters.number(threshold.parameter)
            yield replace(line, threshold=number, choice=index if several else None)


def unit_of(package: PolicyPackage, indicator: Indicator) -> Unit:
    """The unit of an indicator's line: that of its parameter, else of what it measures."""
    if indicator.thresholds:
        return package.parameters[indicator.thresholds[0].parameter].unit
    return indicator.measured_type.unit if indicator.measured_type is not None else Unit.CNY


def _grows_through_year(package: PolicyPackage, indicator: Indicator, parameters: ParameterSet) -> bool:
    """Whether all that an indicator measures is counted from 1 January on."""
    if indicator.rules is not None:
        return all(each.window == YEAR_TO_DATE for each in parameters.rules(indicator.rules))
    windows = {package.measures[name].window for name in _measures_behind(package, indicator)}
    return windows == {Window.YEAR}


def _measures_behind(package: PolicyPackage, indicator: Indicator) -> set[str]:
    names, reached = {indicator.measured or ""}, set[str]()
    while names:
        name = names.pop()
        if name not in reached:
            reached.add(name)
            names |= set(names_in(package.derived[name].expression)) if name in package.derived else set()
    return reached & package.measures.keys()


def _is_number(result: IndicatorResult) -> bool:
    return result.unit is not None and Unit(result.unit).is_numeric
