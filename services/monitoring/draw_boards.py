"""The boards of the dashboard (大屏): what each reads, which of its cells belong together, and how it is drawn."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.monitoring.domain.dashboard import (
    ASSESSED,
    CAUSES,
    MONTHS_SHOWN,
    NONE,
    OUTCOMES,
    SEVERITIES,
    SUMMARY_STEPS,
    UNKNOWN,
    VISITS,
    Answer,
    Figure,
    Happening,
    Stage,
    Visit,
    answers_to,
    happenings_in,
    months_before,
    stages_of,
)
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.suppression import TOTAL, Cell, Group
from services.monitoring.draw_figures import Drawing
from services.monitoring.read_figures import Numbers
from services.monitoring.schemas_dashboard import (
    Board,
    CausesView,
    CoverageView,
    DashboardSummary,
    DataSetCoverage,
    DataSetFreshness,
    DivisionFigure,
    DivisionFigures,
    DivisionPrecision,
    DivisionTrend,
    FunnelView,
    IndicatorPrecision,
    Month,
    PrecisionView,
    TrendView,
    WorkloadView,
)
from services.monitoring.schemas_dashboard import Figure as Shown
from shared.vocabulary.terms import Cause, Outcome, Severity, Term

Head = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BoardKind:
    """A board: the figures it reads, and the groups of cells by which small ones are hidden."""

    name: str
    figures: tuple[Figure, ...]
    groups: Callable[[PolicyPackage, Counter[Cell], date], Sequence[Group]]
    draw: Callable[[Drawing, Head], Board]


# --- summary -------------------------------------------------------------------------------------------------


def _classes(package: PolicyPackage, counts: Counter[Cell], figure: Figure) -> Group:
    """The classes of the policy, those of former ones that somebody still has, and none."""
    codes = [each.code for each in package.classes if each.code is not None]
    found = sorted({cell.key for cell in counts if cell.figure == figure} - {*codes, NONE})
    return Group("parts", tuple(Cell(figure, key) for key in [*codes, *found, NONE]))


def _summary_groups(package: PolicyPackage, counts: Counter[Cell], _: date) -> list[Group]:
    classes = [_classes(package, counts, figure) for figure in (Figure.RECOMMENDATION, Figure.LISTED_AS)]
    return [SUMMARY_STEPS, *classes, SEVERITIES, OUTCOMES]


def _draw_summary(drawing: Drawing, head: Head) -> DashboardSummary:
    return DashboardSummary(
        **head,
        **_assessed(drawing),
        by_recommendation=_by_class(drawing, Figure.RECOMMENDATION),
        by_listed_as=_by_class(drawing, Figure.LISTED_AS),
        by_severity=_by_term(drawing, SEVERITIES, list(Severity)),
        by_last_outcome=_by_term(drawing, OUTCOMES, list(Outcome)),
        by_division=[
            DivisionFigure(
                **drawing.figure(child, TOTAL, drawing.places[child.division], child.division).model_dump(),
                drill_down=drawing.drill_down(child.division),
            )
            for child in drawing.figures.children
        ],
    )


def _assessed(drawing: Drawing) -> dict[str, Any]:
    whole = drawing.whole
    return {
        "total": drawing.total(whole),
        "assessed": drawing.figure(whole, ASSESSED, "已评估"),
        "unknown": drawing.figure(whole, UNKNOWN, "有指标不能判断"),
        "unknown_share": drawing.share(whole, UNKNOWN, ASSESSED),
    }


def _by_class(drawing: Drawing, figure: Figure) -> list[Shown] | None:
    if not drawing.reader.sees_class:
        return None
    label = drawing.package.label
    cells = _classes(drawing.package, drawing.whole.counts, figure).cells
    return [_of_key(drawing, cell, "无" if cell.key == NONE else label(cell.key)) for cell in cells]


def _by_term(drawing: Drawing, group: Group, terms: Sequence[Term]) -> list[Shown]:
    labels = {str(term): term.zh for term in terms}
    return [_of_key(drawing, cell, labels.get(cell.key, "无")) for cell in group.cells]


def _of_key(drawing: Drawing, cell: Cell, label: str) -> Shown:
    return drawing.figure(drawing.whole, cell, label, None if cell.key == NONE else cell.key)


# --- trend, causes, funnel, workload -------------------------------------------------------------------------


def _trend_groups(_: PolicyPackage, counts: Counter[Cell], __: date) -> list[Group]:
    """Whatever months there are: which of them are shown must not change what is hidden."""
    months = sorted({cell.key.partition(":")[0] for cell in counts if cell.figure == Figure.HAPPENING})
    return [happenings_in(month) for month in months]


def _draw_trend(drawing: Drawing, head: Head) -> TrendView:
    below = [
        DivisionTrend(**drawing.place(child), months=_months(drawing, child)) for child in drawing.figures.children
    ]
    return TrendView(**head, months=_months(drawing, drawing.whole), by_division=below)


def _months(drawing: Drawing, numbers: Numbers) -> list[Month]:
    happenings = list(Happening)
    return [
        Month(month=month, events=drawing.terms(numbers, happenings_in(month).cells, happenings))
        for month in months_before(drawing.today, MONTHS_SHOWN)
    ]


def _draw_causes(drawing: Drawing, head: Head) -> CausesView:
    causes = list(Cause)
    return CausesView(
        **head,
        total=drawing.total(drawing.whole),
        causes=drawing.terms(drawing.whole, CAUSES.cells, causes),
        by_division=drawing.below(CAUSES.cells, causes),
    )


def _draw_funnel(drawing: Drawing, head: Head) -> FunnelView:
    year = drawing.today.year
    cells, stages = stages_of(year).cells, list(Stage)
    return FunnelView(
        **head,
        year=year,
        stages=drawing.terms(drawing.whole, cells, stages),
        by_division=drawing.below(cells, stages),
    )


def _draw_workload(drawing: Drawing, head: Head) -> WorkloadView:
    visits = list(Visit)
    return WorkloadView(
        **head,
        visits=drawing.terms(drawing.whole, VISITS.cells, visits),
        by_division=drawing.below(VISITS.cells, visits),
    )


# --- precision -----------------------------------------------------------------------------------------------


def _indicators(counts: Counter[Cell]) -> list[str]:
    return sorted({cell.key.partition(":")[0] for cell in counts if cell.figure == Figure.INDICATOR})


def _precision_groups(_: PolicyPackage, counts: Counter[Cell], __: date) -> list[Group]:
    return [answers_to(indicator) for indicator in _indicators(counts)]


def _draw_precision(drawing: Drawing, head: Head) -> PrecisionView:
    labels = {name: each.label_zh for name, each in drawing.package.indicators.items()}
    return PrecisionView(
        **head,
        indicators=[
            IndicatorPrecision(
                indicator=name,
                label=labels.get(name, name),
                **_precision(drawing, drawing.whole, name),
                by_division=[
                    DivisionPrecision(**drawing.place(child), **_precision(drawing, child, name))
                    for child in drawing.figures.children
                ],
            )
            for name in _indicators(drawing.whole.counts)
        ],
    )


def _precision(drawing: Drawing, numbers: Numbers, indicator: str) -> dict[str, Any]:
    verified, identified = answers_to(indicator).cells
    return {
        "verified": drawing.figure(numbers, verified, Answer.VERIFIED.zh),
        "identified": drawing.figure(numbers, identified, Answer.IDENTIFIED.zh),
        "share": drawing.share(numbers, identified, verified),
    }


# --- coverage ------------------------------------------------------------------------------------------------


def _data_sets(package: PolicyPackage, counts: Counter[Cell]) -> list[str]:
    found = {cell.key for cell in counts if cell.figure == Figure.DATA_SET}
    return [*package.data_sets, *sorted(found - set(package.data_sets))]


def _coverage_groups(package: PolicyPackage, counts: Counter[Cell], _: date) -> list[Group]:
    cells = (Cell(Figure.DATA_SET, name) for name in _data_sets(package, counts))
    return [SUMMARY_STEPS, Group("alone", tuple(cells))]


def _draw_coverage(drawing: Drawing, head: Head) -> CoverageView:
    names = _data_sets(drawing.package, drawing.whole.counts)
    below = [
        DivisionFigures(
            **drawing.place(child),
            figures=[
                drawing.figure(child, ASSESSED, "已评估", "assessed"),
                drawing.figure(child, UNKNOWN, "有指标不能判断", "unknown"),
                *(_covered(drawing, child, name) for name in names),
            ],
        )
        for child in drawing.figures.children
    ]
    return CoverageView(
        **head, **_assessed(drawing), data_sets=[_data_set(drawing, name) for name in names], by_division=below
    )


def _covered(drawing: Drawing, numbers: Numbers, name: str) -> Shown:
    known = drawing.package.data_sets.get(name)
    return drawing.figure(numbers, Cell(Figure.DATA_SET, name), known.label_zh if known else name, name)


def _data_set(drawing: Drawing, name: str) -> DataSetCoverage:
    covered = _covered(drawing, drawing.whole, name)
    return DataSetCoverage(
        data_set=name,
        label=covered.label,
        covered=covered,
        share=drawing.share(drawing.whole, Cell(Figure.DATA_SET, name), TOTAL),
        freshness=[
            DataSetFreshness(**{field: row[field] for field in DataSetFreshness.model_fields})
            for row in drawing.freshness
            if row["data_set"] == name
        ],
    )


KINDS: Mapping[str, BoardKind] = {
    kind.name: kind
    for kind in (
        BoardKind(
            "summary",
            (
                Figure.TOTAL,
                Figure.ASSESSED,
                Figure.UNKNOWN,
                Figure.RECOMMENDATION,
                Figure.LISTED_AS,
                Figure.SEVERITY,
                Figure.LAST_OUTCOME,
            ),
            _summary_groups,
            _draw_summary,
        ),
        BoardKind("trend", (Figure.TOTAL, Figure.HAPPENING), _trend_groups, _draw_trend),
        BoardKind("causes", (Figure.TOTAL, Figure.CAUSE), lambda *_: [CAUSES], _draw_causes),
        BoardKind(
            "funnel",
            (Figure.TOTAL, Figure.STAGE),
            lambda _, __, today: [stages_of(today.year)],
            _draw_funnel,
        ),
        BoardKind("workload", (Figure.TOTAL, Figure.VISIT), lambda *_: [VISITS], _draw_workload),
        BoardKind("precision", (Figure.TOTAL, Figure.INDICATOR), _precision_groups, _draw_precision),
        BoardKind(
            "coverage",
            (Figure.TOTAL, Figure.ASSESSED, Figure.UNKNOWN, Figure.DATA_SET),
            _coverage_groups,
            _draw_coverage,
        ),
    )
}
