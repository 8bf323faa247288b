"""A warning opens for a reason, and what does not open says why."""

from dataclasses import replace

import pytest

from services.monitoring.domain.warning import Answered, FiredIndicator, Risk, decide
from shared.vocabulary.terms import Outcome, Severity

BILL = FiredIndicator("medical_self_paid", Severity.ORANGE, "12000.00", "10000.00")
HOUSE = FiredIndicator("dwelling_unsafe", Severity.RED, "D")
POOR = FiredIndicator("income_below_line", None, "7000.00", "9500.00")
WEAK = FiredIndicator("not_insured", Severity.BLUE, "1")
CLASS = "marginal_at_risk"
LISTED = Risk(CLASS, Severity.ORANGE, (POOR, BILL))


def bill(measured: str) -> FiredIndicator:
    return FiredIndicator("medical_self_paid", Severity.ORANGE, measured, "10000.00")


@pytest.mark.parametrize(
    ("risk", "listed_as", "opens", "reason"),
    [
        (LISTED, None, True, "recommendation"),
        (LISTED, "sudden_hardship", True, "recommendation"),
        (LISTED, CLASS, True, "finding"),
        (Risk(CLASS, Severity.YELLOW, (POOR,)), CLASS, False, "recommendation"),
        (Risk(None, Severity.RED, (HOUSE,)), None, True, "finding"),
        (Risk(None, Severity.BLUE, (WEAK,)), None, False, "finding"),
        (Risk(), None, False, "recommendation"),
    ],
)
def test_before_any_answer(risk: Risk, listed_as: str | None, opens: bool, reason: str) -> None:
    warning = decide(risk, listed_as=listed_as, answered=None, newer=(), reports=())
    assert (warning.opens, warning.reason, warning.withheld_because is None) == (opens, reason, opens)


@pytest.mark.parametrize(
    ("risk", "newer", "opens"),
    [
        (LISTED, (), False),
        (Risk(CLASS, Severity.ORANGE, (POOR, bill("12999.99"))), ("medical_self_paid",), False),
        (Risk(CLASS, Severity.ORANGE, (POOR, bill("13000.00"))), ("medical_self_paid",), True),
        (Risk(CLASS, Severity.ORANGE, (POOR, bill("13000.00"))), (), False),
        (Risk("sudden_hardship", Severity.ORANGE, (BILL,)), (), True),
        (Risk(CLASS, Severity.RED, (POOR, BILL, HOUSE)), (), True),
        (Risk(None, Severity.ORANGE, (BILL, WEAK)), ("not_insured",), False),
        (Risk(None, Severity.RED, (HOUSE,)), (), True),
    ],
)
def test_after_an_answer_only_news_opens(risk: Risk, newer: tuple[str, ...], opens: bool) -> None:
    answered = Answered(Outcome.NO_RISK, 3, LISTED)
    warning = decide(risk, listed_as=None, answered=answered, newer=newer, reports=())
    assert warning.opens is opens
    assert opens or "无返贫致贫风险" in str(warning.withheld_because)


def test_a_newer_fact_without_an_amount_is_news() -> None:
    unsafe = Risk(None, Severity.RED, (HOUSE,))
    answered = Answered(Outcome.NEED_MET, 3, unsafe)
    assert not decide(unsafe, listed_as=None, answered=answered, newer=(), reports=()).opens
    assert decide(unsafe, listed_as=None, answered=answered, newer=("dwelling_unsafe",), reports=()).opens


@pytest.mark.parametrize("risk", [Risk(), LISTED, Risk(None, Severity.BLUE, (WEAK,))])
@pytest.mark.parametrize("answered", [None, Answered(Outcome.NO_RISK, 9, LISTED)])
def test_a_report_opens_whatever_else_holds(risk: Risk, answered: Answered | None) -> None:
    warning = decide(risk, listed_as=CLASS, answered=answered, newer=(), reports=("R1",))
    assert (warning.opens, warning.reason) == (True, "hardship_report")


@pytest.mark.parametrize(
    ("measured", "opens"),
    [("6050.01", False), ("6050.00", True), ("3000.00", True), ("7950.00", False), ("9499.00", False)],
)
def test_an_income_that_rose_is_no_news_though_newer_facts_moved_it(measured: str, opens: bool) -> None:
    """A bill of last year leaves the window while a small one arrives: the household is better off than it was."""
    poorer = FiredIndicator("reference_income_below_line", None, measured, "9500.00")
    before = Risk("sudden_hardship", Severity.ORANGE, (replace(poorer, measured="7000.00"),))
    answered = Answered(Outcome.NO_RISK, 3, before)
    now = Risk("sudden_hardship", Severity.ORANGE, (poorer,))
    newer = ("reference_income_below_line",)
    assert decide(now, listed_as=None, answered=answered, newer=newer, reports=()).opens is opens


def test_a_cost_over_a_line_that_was_raised_meanwhile_is_news_only_if_it_grew() -> None:
    answered = Answered(Outcome.NO_RISK, 3, Risk(None, Severity.ORANGE, (bill("22000.00"),)))
    for measured, opens in (("20500.00", False), ("24000.00", True)):
        now = Risk(None, Severity.ORANGE, (replace(bill(measured), threshold="20000.00"),))
        newer = ("medical_self_paid",)
        assert decide(now, listed_as=None, answered=answered, newer=newer, reports=()).opens is opens


def test_what_cleared_meanwhile_is_news_when_it_comes_back() -> None:
    cleared = Answered(Outcome.NO_RISK, 3, LISTED).after(Risk())
    assert decide(LISTED, listed_as=None, answered=cleared, newer=(), reports=()).opens


def test_risks_and_answers_survive_json() -> None:
    answered = Answered(Outcome.NO_RISK, 3, LISTED)
    assert Answered.from_json(answered.as_json()) == answered
