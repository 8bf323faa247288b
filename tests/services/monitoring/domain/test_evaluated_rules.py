"""Medical rules where something is not known, and which of several is told."""

from dataclasses import replace
from datetime import date

from services.monitoring.domain.evaluated_measures import MeasuredHousehold
from services.monitoring.domain.evaluated_rules import MedicalAccount, RuleFinding
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.window import windows_on
from shared.policies.medical_rule import MedicalRule

PACKAGE, ON = load_policy(), date(2024, 3, 15)
WINDOWS = windows_on(ON, PACKAGE.parameters_for("130624100201", ON))
ALL = frozenset(("inpatient", "outpatient", "chronic_outpatient"))
RULE = MedicalRule(
    "household", "year_to_date", ALL, frozenset(("general",)), "compliant", 1_000_000, None, inclusive=False
)


def judged(
    *rules: MedicalRule, bills: tuple[Fact, ...] = (), base_group: str | None = "general", monitored: bool = False
) -> RuleFinding:
    measured = MeasuredHousehold(PACKAGE, HouseholdFacts((Member("甲"), Member("乙")), bills), WINDOWS)
    return MedicalAccount(measured, base_group, monitored, 2_000_000).judged(rules)


def bill(fen: int | None, *, member: str = "甲", visit: str | None = "inpatient", stay: str | None = None) -> Fact:
    return Fact("expense.medical", date(2024, 2, 1), member, compliant_fen=fen, visit=visit, stay=stay)


def test_a_bill_whose_visit_is_not_known_leaves_a_rule_on_some_visits_open() -> None:
    some = replace(RULE, visits=frozenset(("inpatient",)))
    assert judged(some, bills=(bill(2_000_000, visit=None),)) == RuleFinding(None, None, None)
    assert judged(RULE, bills=(bill(2_000_000, visit=None),)).fired is True


def test_an_amount_not_known_leaves_the_rule_open_unless_another_fires() -> None:
    bills = (bill(None), bill(1_500_000, member="乙", visit="outpatient"))
    other = replace(RULE, visits=frozenset(("outpatient",)))
    assert judged(RULE, bills=bills).fired is None
    assert judged(RULE, other, bills=bills) == RuleFinding(True, 1_500_000, 1_000_000)


def test_an_unknown_base_group_leaves_its_rules_open() -> None:
    assert judged(RULE, base_group=None) == RuleFinding(None, None, None)
    monitored = replace(RULE, groups=frozenset(("general", "monitored")))
    assert judged(monitored, base_group=None, monitored=True) == RuleFinding(False, 0, 1_000_000)


def test_a_monitored_general_household_is_under_the_rules_of_general_households_too() -> None:
    assert judged(RULE, bills=(bill(1_000_001),), monitored=True).fired is True


def test_of_two_overstepped_alike_the_first_is_told() -> None:
    double = replace(RULE, threshold_fen=500_000, visits=frozenset(("outpatient",)))
    bills = (bill(1_200_000), bill(600_000, visit="outpatient"))
    found = judged(replace(RULE, visits=frozenset(("inpatient",))), double, bills=bills)
    assert (found.measured, found.threshold) == (1_200_000, 1_000_000)


def test_a_share_is_held_exactly_and_shown_rounded() -> None:
    third = replace(RULE, threshold_fen=None, share_basis=3333)
    found = judged(third, bills=(bill(666_601),))
    assert found == RuleFinding(True, 666_601, 666_600)


def test_one_stay_of_two_payers_is_one_in_a_households_account_and_two_among_persons() -> None:
    bills = (bill(600_000, stay="s1"), bill(600_000, member="乙", stay="s1"))
    stay = replace(RULE, window="single_stay")
    assert judged(stay, bills=bills).measured == 1_200_000
    assert judged(replace(stay, scope="person"), bills=bills).measured == 600_000
