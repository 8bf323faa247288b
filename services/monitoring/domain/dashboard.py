"""What the dashboard counts (大屏指标): figures, their keys, and the list filters that each stands for.

A figure is kept by living and registered place; its key names one of its numbers. The list that a number counts is
asked for by filters of `GET /monitoring/v1/households`, so whoever reads the number can see whom it counts.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from services.monitoring.domain.suppression import TOTAL, Cell, Group
from shared.vocabulary.terms import Cause, Outcome, Severity, Term

NONE = "none"
MONTHS_SHOWN = 12


class Stage(Term):
    """How far warnings led (漏斗); each stage is part of the one before."""

    WARNED = "warned", "预警"
    VISITED = "visited", "已入户核实"
    IDENTIFIED = "identified", "确认纳入"
    HELPED = "helped", "已落实帮扶"


class Visit(Term):
    """A visit that is owed (待办走访): a warning is open, or weak findings stand that nobody looked at yet."""

    OPEN = "open", "待核实预警"
    EXPECTED = "expected", "走访清单"


class Happening(Term):
    """What happened to a household in a month (月度动态)."""

    WARNED = "warned", "新增预警"
    VISITED = "visited", "完成核实"
    IDENTIFIED = "identified", "核实建议纳入"
    ENTERED = "entered", "决定纳入"
    REMOVED = "removed", "决定消除"


class Answer(Term):
    """Of households with a warning in which an indicator fired: visited, and found to need identification."""

    VERIFIED = "verified", "已核实"
    IDENTIFIED = "identified", "核实建议纳入"


class Figure(StrEnum):
    """The names under which counts are kept."""

    TOTAL = "total"
    ASSESSED = "assessed"
    UNKNOWN = "unknown"
    RECOMMENDATION = "recommendation"
    LISTED_AS = "listed_as"
    SEVERITY = "severity"
    LAST_OUTCOME = "last_outcome"
    CAUSE = "cause"
    STAGE = "stage"
    VISIT = "visit"
    HAPPENING = "event"
    INDICATOR = "indicator"
    DATA_SET = "data_set"


# The class is decided by a county person: posts that do not see it see no figure that follows from it.
OF_CLASS = frozenset({Figure.RECOMMENDATION, Figure.LISTED_AS})
OF_CLASS_KEYS = frozenset({Stage.IDENTIFIED, Stage.HELPED, Happening.ENTERED, Happening.REMOVED})

ASSESSED, UNKNOWN = Cell(Figure.ASSESSED), Cell(Figure.UNKNOWN)


def is_county(place: str) -> bool:
    """Whether a place is a whole county, in which some live that are of no village."""
    return place.endswith("000000")


def filters_of(cell: Cell) -> Mapping[str, str]:
    """The filters of the list that a number counts."""
    if cell == TOTAL:
        return {}
    if cell.figure in {Figure.ASSESSED, Figure.UNKNOWN}:
        return {cell.figure: "true"}
    first, _, second = cell.key.partition(":")
    match cell.figure:
        case Figure.STAGE:
            return {"year": first, "stage": second}
        case Figure.HAPPENING:
            return {"month": first, "event": second}
        case Figure.INDICATOR:
            return {"indicator": first, "answer": second}
    return {cell.figure: cell.key or NONE}


def months_before(on: date, count: int = MONTHS_SHOWN) -> list[str]:
    """The months up to that of `on`, oldest first, as YYYY-MM."""
    last = on.year * 12 + on.month - 1
    return [f"{each // 12:04}-{each % 12 + 1:02}" for each in range(last - count + 1, last + 1)]


SUMMARY_STEPS = Group("steps", (ASSESSED, UNKNOWN))
SEVERITIES = Group("parts", tuple(Cell(Figure.SEVERITY, each) for each in [*Severity, NONE]))
OUTCOMES = Group("parts", tuple(Cell(Figure.LAST_OUTCOME, each) for each in [*Outcome, NONE]))
CAUSES = Group("alone", tuple(Cell(Figure.CAUSE, each) for each in Cause))
VISITS = Group("alone", tuple(Cell(Figure.VISIT, each) for each in Visit))


def stages_of(year: int) -> Group:
    return Group("steps", tuple(Cell(Figure.STAGE, f"{year}:{each}") for each in Stage))


def happenings_in(month: str) -> Group:
    return Group("alone", tuple(Cell(Figure.HAPPENING, f"{month}:{each}") for each in Happening))


def answers_to(indicator: str) -> Group:
    return Group("steps", tuple(Cell(Figure.INDICATOR, f"{indicator}:{each}") for each in Answer))
