"""Worked cases (算例): a household and what should come of it, as officials write and sign it in YAML."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from services.monitoring import case_words as words
from services.monitoring.domain.assessment import Assessment, IndicatorResult
from services.monitoring.domain.household import HouseholdFacts
from services.monitoring.domain.rendering import per_head_yuan
from shared.policies.document import Node
from shared.policies.package import HOME
from shared.vocabulary.money import Fen, yuan
from shared.vocabulary.terms import Severity

SHIPPED_CASES = HOME / "cases"
CASES = SHIPPED_CASES if SHIPPED_CASES.is_dir() else Path(__file__).parents[2] / "tests" / "cases"
"""Beside the packages in an installed wheel, else where they are kept."""


@dataclass(frozen=True, slots=True)
class Case:
    """One worked household and what should come of it; `county` has six digits, `overrides` are parameters.

    `at`: where it is written, if it was.
    """

    name: str
    county: str
    on: date
    overrides: dict[str, Any]
    household: HouseholdFacts
    expected: dict[str, Any]
    at: Node | None = None


def expectations() -> tuple[str, ...]:
    """Every word for what may come of a case."""
    return (*OF_ONE, *OF_ALL, NOT_TOLD)


def differences(case: Case, assessment: Assessment) -> list[str]:
    """What does not come out as written, a sentence each; empty if the case is green."""
    return [
        f"{wanted}应为{expected}，实为{found}"
        for wanted, expected in case.expected.items()
        if not _agrees(wanted, expected, found := _found(assessment, wanted, expected))
    ]


def _agrees(wanted: str, expected: Any, found: Any) -> bool:
    """Flags may be more than those written; everything else is exactly as written."""
    return set(expected) <= set(found) if wanted == "提示" else bool(expected == found)


def _found(assessment: Assessment, wanted: str, expected: Any) -> Any:
    """What the assessment says, in the words of a case."""
    if wanted in OF_ONE:
        return {name: OF_ONE[wanted](assessment, name) for name in expected}
    if wanted == NOT_TOLD:
        return [each for each in expected if each not in assessment.flags]
    return OF_ALL[wanted](assessment)


def _class(code: str | None) -> str:
    return next((word for word, known in words.CLASSES.items() if known == code), str(code))


def _severity(severity: Severity | None) -> str:
    return severity.zh if severity else "无"


def _state(assessment: Assessment, name: str) -> str:
    found = _indicator(assessment, name)
    return NONE_SUCH if found is None else next(word for word, code in words.STATES.items() if code == found.state)


def _grade(assessment: Assessment, name: str) -> str:
    found = _indicator(assessment, name)
    return NONE_SUCH if found is None else _severity(found.severity)


def _measured(assessment: Assessment, name: str) -> str | None:
    found = _indicator(assessment, name)
    return NONE_SUCH if found is None else found.measured


def _indicator(assessment: Assessment, name: str) -> IndicatorResult | None:
    return next((each for each in assessment.indicators if each.id == name), None)


def _hit(assessment: Assessment, name: str) -> str:
    found = next((each for each in assessment.exclusions if each.id == name), None)
    if found is None:
        return NONE_SUCH
    return next(word for word, hit in words.HITS.items() if hit == (found.state, found.exempt))


def _income(fen: Fen | None, assessment: Assessment) -> str:
    return per_head_yuan(fen, assessment.members_counted) or UNKNOWN


UNKNOWN, NONE_SUCH, NOT_TOLD = "未知", "（没有这一项）", "没有提示"
NUMBERS = frozenset(("分值", "计入人口", "信息完整度"))
DAYS = frozenset(("窗口",))
FLAGS = frozenset(("原因", "提示", "数据质量", "民政线索", "不能消除", NOT_TOLD))
OF_ONE: Mapping[str, Callable[[Assessment, str], str | None]] = {
    "指标": _state,
    "指标等级": _grade,
    "实测": _measured,
    "排除": _hit,
}
OF_ALL: Mapping[str, Callable[[Assessment], Any]] = {
    "建议": lambda a: _class(a.recommendation),
    "不计排除的建议": lambda a: _class(a.recommendation_without_exclusions),
    "等级": lambda a: _severity(a.severity),
    "分值": lambda a: a.score,
    "人均纯收入": lambda a: _income(a.net_income_fen, a),
    "人均参考收入": lambda a: _income(a.reference_income_fen, a),
    "人均今后收入": lambda a: a.forward_income_per_head() or UNKNOWN,
    "刚性支出": lambda a: UNKNOWN if a.rigid_outlay_fen is None else yuan(a.rigid_outlay_fen),
    "计入人口": lambda a: a.members_counted,
    "原因": lambda a: [each.zh for each in a.causes],
    "提示": lambda a: list(a.flags),
    "数据质量": lambda a: list(a.quality_flags),
    "民政线索": lambda a: [each.id for each in a.civil_affairs],
    "不能消除": lambda a: list(a.removal_blockers),
    "信息完整度": lambda a: a.confidence_percent,
    "窗口": lambda a: [a.window.first, a.window.last],
}
