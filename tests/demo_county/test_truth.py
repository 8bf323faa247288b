"""The welfare rule, the layers of insurance and the months, each on its own."""

from datetime import date

import pytest

from demo_county.calibration import load_calibration
from demo_county.cash_flow import Books, Flows
from demo_county.incomes import UsualIncome
from demo_county.insurance import Insurance, Treatment, uninsured
from demo_county.months import LENGTH, period_until
from demo_county.truth import Truth, judge

PERIOD = period_until(date(2026, 11, 22))
USUAL = UsualIncome({0: 24_000.0}, 0.0, 0.0, False, 0.0, 0.0)


def books(unmet_months: set[int], lost_to_illness: float = 0.0) -> Books:
    nothing = [0.0] * LENGTH
    flows = Flows([2_000.0] * LENGTH, nothing, nothing, 0.0, nothing, {"illness": [lost_to_illness] * LENGTH})
    return Books(flows, USUAL, tuple(m in unmet_months for m in range(LENGTH)))


def truth_of(unmet_months: set[int], lost_to_illness: float = 0.0) -> Truth:
    return judge("1306240000000001", books(unmet_months, lost_to_illness), PERIOD, 3)


@pytest.mark.parametrize(
    ("unmet", "needs_help", "start", "end"),
    [
        (set(), False, None, None),
        ({20, 21}, False, None, None),
        ({18, 19, 21, 22}, False, None, None),
        ({20, 21, 22}, True, "2026-07", "2026-09"),
        ({21, 22, 23}, True, "2026-08", None),
        ({9, 10, 11}, False, None, None),
        ({10, 11, 12}, True, "2025-09", "2025-11"),
        ({15, 16, 17, 23}, True, "2026-02", "2026-04"),
    ],
)
def test_three_unmet_months_in_a_row_reaching_into_the_last_year_need_help(
    unmet: set[int], needs_help: bool, start: str | None, end: str | None
) -> None:
    truth = truth_of(unmet)
    assert (truth.needs_help, truth.from_month, truth.to_month) == (needs_help, start, end)


def test_the_reason_is_what_took_most_or_low_income_when_nothing_took_much() -> None:
    assert truth_of({21, 22, 23}, lost_to_illness=500.0).reason == "illness"
    assert truth_of({21, 22, 23}, lost_to_illness=50.0).reason == "low_income"


def test_net_income_is_of_the_reporting_year() -> None:
    assert truth_of(set()).net_income == 24_000


@pytest.mark.parametrize(
    ("until", "first", "last"),
    [
        (date(2026, 11, 22), date(2024, 11, 1), date(2026, 10, 1)),
        (date(2026, 11, 30), date(2024, 12, 1), date(2026, 11, 1)),
        (date(2026, 1, 1), date(2024, 1, 1), date(2025, 12, 1)),
        (date(2024, 2, 29), date(2022, 3, 1), date(2024, 2, 1)),
    ],
)
def test_the_period_ends_with_the_last_full_month(until: date, first: date, last: date) -> None:
    period = period_until(until)
    assert (period.firsts[0], period.firsts[-1], len(period.firsts)) == (first, last, 24)
    assert [period.firsts[m].month for m in period.reporting_months] == list(range(1, 13))


def stay(gross_yuan: int, third_party: float = 0.0) -> Treatment:
    return Treatment(0, 3, "住院", 2, gross_yuan * 100, 0.2, third_party)


@pytest.mark.parametrize("gross", [1, 900, 5_000, 60_000, 400_000])
@pytest.mark.parametrize("third_party", [0.0, 0.7])
def test_a_bill_adds_up_whoever_pays(gross: int, third_party: float) -> None:
    for is_formerly_poor, gets_allowance in ((False, False), (True, False), (True, True)):
        insurance = Insurance(load_calibration(), is_formerly_poor, gets_allowance)
        bill = insurance.pay(stay(gross, third_party), 2026)
        paid = bill.basic + bill.critical + bill.assistance + bill.other
        assert paid + bill.self_paid == gross * 100
        assert min(bill.basic, bill.critical, bill.assistance, bill.other, bill.self_compliant) >= 0


def test_critical_illness_insurance_adds_up_over_a_year_and_starts_anew() -> None:
    insurance = Insurance(load_calibration(), False, False)
    first, second = insurance.pay(stay(40_000), 2026), insurance.pay(stay(40_000), 2026)
    assert second.critical > first.critical
    assert insurance.pay(stay(40_000), 2027).critical == first.critical


def test_the_uninsured_pay_everything() -> None:
    assert uninsured(stay(5_000)).self_paid == 500_000
