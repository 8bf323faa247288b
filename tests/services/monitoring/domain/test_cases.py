"""The worked cases hold, by the evaluator and by the compiled text alike."""

from datetime import date
from typing import Any

import pytest

from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.compiler import compile_policy
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.judgement import assessment_from_row
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.rendering import per_head_yuan
from shared.vocabulary.money import yuan
from tests.services.monitoring.domain.case_reader import CLASSES, Case, read_cases
from tests.services.monitoring.domain.ledger_database import COUNTY, KNOWN, LedgerWriter

STATES = {"触发": "fired", "正常": "clear", "未知": "unknown"}


def _answer(assessment: Assessment, wanted: str) -> Any:
    """What the assessment says in the words of a case."""
    members = assessment.members_counted
    return {
        "建议": lambda: assessment.recommendation,
        "等级": lambda: assessment.severity.zh if assessment.severity else "无",
        "人均纯收入": lambda: per_head_yuan(assessment.net_income_fen, members) or "未知",
        "刚性支出": lambda: "未知" if assessment.rigid_outlay_fen is None else yuan(assessment.rigid_outlay_fen),
        "计入人口": lambda: members,
        "原因": lambda: [each.zh for each in assessment.causes],
        "提示": lambda: list(assessment.flags),
        "信息完整度": lambda: assessment.confidence_percent,
        "窗口": lambda: [assessment.window.first, assessment.window.last],
    }[wanted]()


def _check(case: Case, assessment: Assessment) -> None:
    for wanted, expected in case.expected.items():
        if wanted == "指标":
            found = {name: assessment.indicator(name).state for name in expected}
            assert found == {name: STATES[state] for name, state in expected.items()}
        elif wanted == "提示":
            assert set(expected) <= set(assessment.flags)
        else:
            assert _answer(assessment, wanted) == (CLASSES[expected] if wanted == "建议" else expected)


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.name)
async def test_case(case: Case, ledger: LedgerWriter) -> None:
    package = load_policy()
    parameters = package.parameters_for(f"{case.county}000000", case.on).override(case.overrides)
    evaluated = evaluate(package, parameters, case.household, case.on)
    _check(case, evaluated)

    compiled = compile_policy(package)
    ids = await ledger.write([case.household])
    binds = compiled.bind(county=COUNTY, household_ids=ids, on=case.on, known_at=KNOWN, parameters=parameters)
    row = await ledger.connection.fetchrow(compiled.households_sql, *binds)
    assert row is not None
    assert assessment_from_row(package, dict(row), parameters, case.on).canonical() == evaluated.canonical()


def test_every_case_has_its_own_name() -> None:
    names = [case.name for case in read_cases()]
    assert len(names) == len(set(names))
    assert all(case.on >= date(2024, 1, 1) for case in read_cases())
