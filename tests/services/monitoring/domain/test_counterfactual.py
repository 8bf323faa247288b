"""Counterfactuals: what is said to be enough is enough, and one fen less is not."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.monitoring.domain import facts_changed as change
from services.monitoring.domain.assessment import CLEAR, Assessment
from services.monitoring.domain.counterfactual import Change, Counterfactual, Way, find_counterfactual, least
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.lever import LEVERS, Towards
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.window import windows_on

ON = date(2026, 3, 15)
LONG_SINCE = date(2020, 1, 1)
PACKAGE = load_policy()
PARAMETERS = PACKAGE.parameters_for("130624000000", ON)
WINDOWS = windows_on(ON, PARAMETERS)
LINE = PARAMETERS.number("monitoring_line")


def judge(household: HouseholdFacts) -> Assessment:
    return evaluate(PACKAGE, PARAMETERS, household, ON)


def find(household: HouseholdFacts) -> Counterfactual:
    return find_counterfactual(judge, household, WINDOWS)


def home(*facts: Fact, wage: int, people: int = 2, grade: str = "A", group: str = "general") -> HouseholdFacts:
    """A household about which everything usual is known."""
    members = tuple(Member(str(key), birth_date=date(1980, 1, 1)) for key in range(1, people + 1))
    insured = [Fact("state.insured", LONG_SINCE, each.key, value="resident") for each in members]
    return HouseholdFacts(
        members,
        (
            Fact("state.base_group", LONG_SINCE, value=group),
            Fact("state.dwelling", LONG_SINCE, value=grade, attributes={"occupied": grade, "only": True}),
            *insured,
            Fact("income.wage", WINDOWS.account.last, "1", amount_fen=wage),
            *facts,
        ),
    )


def bill(fen: int, on: date = ON, member: str = "1", other: int = 0) -> Fact:
    return Fact(
        "expense.medical", on, member, gross_fen=fen + other, compliant_fen=fen, other_fen=other, visit="inpatient"
    )


def disabled(member: str = "2") -> Fact:
    return Fact("state.disability", LONG_SINCE, member, value="4-1", attributes={"types": [4], "grade": 1})


def said(way: Way) -> list[tuple[str, int | None]]:
    return [(each.lever.name, each.amount_fen) for each in way.changes]


def ways_of(found: Counterfactual) -> list[object]:
    return [said(way) for way in found.ways]


def test_a_poor_household_in_an_unsafe_house_is_helped_by_repair_or_by_income() -> None:
    found = find(home(wage=2 * LINE - 100, grade="C"))
    assert found.before.recommendation == "marginal_at_risk"
    assert [said(each) for each in found.ways] == [[("dwelling_repaired", None)], [("more_income", 100)]]
    assert all(each.by_help for each in found.ways)


def test_disability_is_what_help_cannot_change() -> None:
    found = find(home(disabled(), wage=2 * LINE - 1))
    by_help = {way.changes[0].lever.name: way.by_help for way in found.ways}
    assert by_help == {"without_disability": False, "more_income": True}
    assert found.ways[0].changes[0].member == "2"


def test_two_risks_are_a_pair() -> None:
    found = find(home(disabled(), wage=2 * LINE - 1, grade="D"))
    assert [("dwelling_repaired", None), ("without_disability", None)] in ways_of(found)
    assert found.ways[0].size == (1, 1)


def test_three_risks_are_three_changes() -> None:
    found = find(home(disabled(), Fact("event.accident", ON), wage=2 * LINE - 1, grade="D"))
    assert ways_of(found) == [
        [("more_income", 1)],
        [("dwelling_repaired", None), ("without_disability", None), ("without_accident", None)],
    ]
    assert [way.by_help for way in found.ways] == [True, False]


def test_three_outlays_of_which_any_two_are_too_much_are_covered_together() -> None:
    outlays = [
        Fact(kind, ON, amount_fen=2_000_000, relief_fen=0) for kind in ("expense.disaster", "expense.accident")
    ]
    found = find(home(bill(2_000_000), *outlays, wage=2 * LINE + 1_500_000))
    assert found.before.recommendation == "sudden_hardship"
    assert [
        ("medical_covered", 500_000),
        ("disaster_covered", 2_000_000),
        ("accident_covered", 2_000_000),
    ] in ways_of(found)
    assert not [way for way in found.ways if len(way.changes) == 2]


def test_where_everything_is_wrong_the_search_ends_soon() -> None:
    everything = [each for facts, _, _ in RISKS.values() for each in facts]
    asked = 0

    def counted(household: HouseholdFacts) -> Assessment:
        nonlocal asked
        asked += 1
        return judge(household)

    find_counterfactual(counted, home(*everything, disabled(), wage=2 * LINE - 100, grade="D"), WINDOWS)
    assert asked < 1_000


def test_sudden_hardship_ends_when_enough_is_covered() -> None:
    """The reference income falls 4,000 yuan short; covering as much, or earning as much more, is enough."""
    found = find(home(bill(1_000_000), wage=2 * LINE + 600_000))
    assert found.before.recommendation == "sudden_hardship"
    assert [("medical_covered", 400_000)] in ways_of(found)
    assert [("more_income", 400_000)] in ways_of(found)


def test_each_finding_has_its_remedies_in_a_class_or_not() -> None:
    for wage in (2 * LINE - 100, 9 * LINE):
        found = find(home(wage=wage, grade="C"))
        remedies = {(each.indicator, each.change.lever.name) for each in found.remedies}
        assert ("dwelling_unsafe", "dwelling_repaired") in remedies


RISKS: dict[str, tuple[list[Fact], str, bool]] = {
    "bad water": ([Fact("state.water", LONG_SINCE, attributes={"litres": 10})], "water_supplied", True),
    "no water": ([Fact("event.water_failure", ON)], "water_supplied", True),
    "a child out of school": (
        [Fact("state.school", LONG_SINCE, "2", value="junior", attributes={"in_school": False})],
        "back_in_school",
        True,
    ),
    "a child who left": ([Fact("event.dropout", ON, "2")], "back_in_school", True),
    "tuition": ([Fact("expense.education", ON, "2", amount_fen=3_000_000, relief_fen=0)], "education_covered", True),
    "bills": ([bill(3_000_000)], "medical_covered", True),
    "serious illness": ([Fact("event.serious_illness", ON, "1")], "without_illness", False),
    "chronic illness": (
        [Fact("state.health", LONG_SINCE, "1", value="chronic"), bill(300_000)],
        "without_illness",
        False,
    ),
    "no labour": ([Fact("state.labour", LONG_SINCE, key, value="none") for key in "12"], "able_to_work", False),
    "accident": ([Fact("event.accident", ON)], "without_accident", False),
    "disaster": ([Fact("event.disaster", ON)], "without_disaster", False),
    "job loss": ([Fact("event.job_loss", ON, "1")], "without_job_loss", False),
    "business failure": ([Fact("event.business_failure", ON)], "without_business_failure", False),
}


@pytest.mark.parametrize(("facts", "lever", "by_help"), RISKS.values(), ids=RISKS)
def test_each_risk_of_a_poor_household_has_its_lever(facts: list[Fact], lever: str, by_help: bool) -> None:
    poor = home(*facts, wage=2 * LINE - 100)
    child = replace(poor.members[1], birth_date=date(2014, 1, 1))
    found = find(replace(poor, members=(poor.members[0], child)))
    assert found.before.recommendation == "marginal_at_risk"
    ways = {way.changes[0].lever.name: way.by_help for way in found.ways if len(way.changes) == 1}
    assert ways[lever] is by_help
    assert ways["more_income"]


def test_income_that_is_being_lost_is_not_what_should_grow() -> None:
    """After a loss of work more of the lost wage would change nothing; income of another kind does."""
    found = find(home(Fact("event.job_loss", ON, "1"), wage=2 * LINE + 100))
    assert found.before.recommendation == "sudden_hardship"
    assert [("more_income", 2 * LINE)] in ways_of(found)


def test_a_household_above_the_line_enters_by_bills_or_by_a_fall_of_income_with_a_risk() -> None:
    found = find(home(wage=2 * LINE + 1_000_000, grade="C"))
    assert (found.towards, found.before.recommendation) == (Towards.IN, None)
    ways = list(map(said, found.ways))
    assert [("less_income", 1_000_001)] in ways
    assert any(way[0][0] == "more_medical" for way in ways)


def test_without_income_known_nothing_is_claimed() -> None:
    found = find(HouseholdFacts((Member("1"),), ()))
    assert found.before.recommendation is None
    assert all(way.assessment.recommendation is not None for way in found.ways)


def test_a_lever_says_its_amount_if_and_only_if_it_has_one() -> None:
    assert len({each.name for each in LEVERS}) == len(LEVERS)
    whole = home(
        bill(100_000),
        disabled(),
        Fact("expense.education", ON, "1", amount_fen=100, relief_fen=0),
        Fact("loan.overdue", ON, attributes={"days": 3}),
        wage=LINE,
        grade="C",
    )
    for way in (*find(whole).ways, *find(home(wage=9 * LINE)).ways):
        for each in way.changes:
            assert ("{amount}" in each.lever.sentence) == (each.amount_fen is not None)


# --- what holds of all ----------------------------------------------------------------------------------------

AMOUNTS = st.sampled_from([1, 99, 100_000, 500_001, 1_000_000, 2_000_001, 5_000_000])
DAYS = st.sampled_from([ON, ON - timedelta(days=20), ON - timedelta(days=100), WINDOWS.account.first])


@st.composite
def households(draw: st.DrawFn) -> HouseholdFacts:
    """Households around the line, with what may be a risk."""
    people = draw(st.integers(1, 3))
    keys = st.sampled_from([str(key) for key in range(1, people + 1)])
    facts = [bill(draw(AMOUNTS), draw(DAYS), draw(keys)) for _ in range(draw(st.integers(0, 3)))]
    outlays = ["expense.education", "expense.disaster", "expense.accident"]
    for kind in draw(st.lists(st.sampled_from(outlays), max_size=2)):
        relief = draw(st.sampled_from([0, 50_000]))
        facts.append(Fact(kind, draw(DAYS), "1", amount_fen=draw(AMOUNTS), relief_fen=relief))
    if draw(st.booleans()):
        facts.append(disabled(draw(keys)))
    if draw(st.booleans()):
        facts.append(Fact("event.disability_certified", draw(DAYS), "1"))
    over = draw(st.sampled_from([-600_000, -1, 0, 1, 300_000, 2_000_000, 8_000_000]))
    return home(
        *facts,
        wage=max(people * LINE + over, 0),
        people=people,
        grade=draw(st.sampled_from("AAABCD")),
        group=draw(st.sampled_from(["general", "lifted_out"])),
    )


def arrives(found: Counterfactual, household: HouseholdFacts, *changes: Change) -> bool:
    for each in changes:
        household = each.of(household)
    assessment = judge(household)
    if found.towards is Towards.OUT:
        return assessment.recommendation is None and set(assessment.unknown) <= set(found.before.unknown)
    return assessment.recommendation is not None


def less(each: Change) -> list[Change]:
    return [replace(each, amount_fen=each.amount_fen - 1)] if each.amount_fen else []


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(household=households())
def test_every_way_is_enough_and_nothing_less_is(household: HouseholdFacts) -> None:
    before = judge(household)
    found = find(household)
    for way in found.ways:
        assert arrives(found, household, *way.changes), said(way)
        for each in way.changes:
            others = [one for one in way.changes if one is not each]
            assert not arrives(found, household, *others), said(way)
            for smaller in less(each):
                assert not arrives(found, household, smaller, *others), said(way)
    for remedy in found.remedies:
        assert judge(remedy.change.of(household)).indicator(remedy.indicator).state == CLEAR
        for smaller in less(remedy.change):
            assert judge(smaller.of(household)).indicator(remedy.indicator).state != CLEAR
    assert [way.size for way in found.ways] == sorted(way.size for way in found.ways)
    assert judge(household).canonical() == before.canonical() == found.before.canonical()


@given(limit=st.integers(1, 10**12), line=st.integers(1, 10**12), guesses=st.lists(st.integers(-5, 10**12)))
def test_the_least_amount_is_the_line_itself_whatever_was_guessed(limit: int, line: int, guesses: list[int]) -> None:
    if line <= limit:
        for some in (guesses, [*guesses, line], [line + 1], [line - 1]):
            assert least(lambda amount: amount >= line, 0, limit, some) == line


def test_what_is_covered_is_covered_newest_first_and_compliant_first() -> None:
    old, new = bill(100, WINDOWS.account.first, other=10), bill(50, ON, other=5)
    household = HouseholdFacts((Member("1"),), (old, new))

    def left(amount: int) -> list[tuple[int | None, int | None]]:
        return [(each.compliant_fen, each.other_fen) for each in change.covered([old, new])(household, amount).facts]

    assert [left(amount) for amount in (0, 50, 60, 150, 157, 165)] == [
        [(100, 10), (50, 5)],
        [(100, 10), (0, 5)],
        [(90, 10), (0, 5)],
        [(0, 10), (0, 5)],
        [(0, 8), (0, 0)],
        [(0, 0), (0, 0)],
    ]


def test_equal_facts_share_what_is_taken_from_both() -> None:
    wage = Fact("income.wage", ON, amount_fen=100)
    household = HouseholdFacts((), (wage, wage))
    changed = change.lowered([wage, wage])(household, 150)
    assert [each.amount_fen for each in changed.facts] == [0, 50]
    assert [each.amount_fen for each in household.facts] == [100, 100]
