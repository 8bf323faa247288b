"""The policy in force, scored on the demo county: it finds what single thresholds miss, with few visits."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from demo_county.generate import generate
from demo_county.score import Figures, Need, any_signal_practice
from services.known_county import Known, read_county
from services.monitoring.domain.household import Fact, Member
from services.monitoring.domain.policy import load_policy
from services.score_policy import DraftRefused, Told, Watch, drafted, policy_practice
from tests.demo_county.small_county import UNTIL, VILLAGES

HOUSEHOLDS = 700
DAYS = [date(2024 + (month + 11) // 12, (month + 11) % 12 + 1, 6) for month in range(24)]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    generate(folder, households=HOUSEHOLDS, seed=4, until=UNTIL, villages=VILLAGES)
    return folder


def watched(household: Known, need: Need | None = None) -> Told:
    return Watch(load_policy(), DAYS).of(household, need)


def told_of_hardship(*days: date) -> Known:
    """A household of one, with an income over the line, that visitors reported on these days."""
    member = Member("m1", birth_date=date(1970, 1, 1))
    income = [
        Fact("income.wage", date(year, 12, 31), period_to=date(year, 12, 31), amount_fen=2_000_000)
        for year in (2023, 2024, 2025)
    ]
    reports = [Fact("event.hardship_report", day, source="visit") for day in days]
    facts = [(fact.occurred_on, fact) for fact in income + reports]
    return Known("130624100201", {"m1": member}, {}, facts)


def test_the_policy_finds_nearly_everybody_with_few_visits(county: Path) -> None:
    policy, plain = policy_practice(county).running, any_signal_practice(county)
    assert policy.in_need == plain.in_need >= 4
    assert policy.households == plain.households == HOUSEHOLDS
    assert policy.recall >= 0.75 > plain.recall
    assert policy.share <= 0.075  # The goal is 0.06 in a county of some size; see benchmarks/RESULTS.md.
    assert policy.precision > plain.precision


def test_a_first_year_warns_of_more_than_one_that_was_watched_before(county: Path) -> None:
    scored = policy_practice(county)
    assert scored.from_cold.warned > scored.running.warned
    assert scored.from_cold.in_need == scored.running.in_need


def test_what_was_answered_in_the_year_before_warns_only_a_county_that_begins() -> None:
    assert watched(told_of_hardship(DAYS[8])) == Told(running=False, from_cold=True)
    assert watched(told_of_hardship(DAYS[8], DAYS[15])) == Told(running=True, from_cold=True)
    assert watched(told_of_hardship()) == Told()


def test_a_household_found_in_need_in_the_year_before_is_on_the_list() -> None:
    found = told_of_hardship(DAYS[8])
    assert watched(found, Need("2025-06", None)).running
    assert watched(found, Need(DAYS[8].isoformat()[:7], "2025-12")).running
    assert not watched(found, Need("2026-02", "2026-04")).running


def test_a_line_that_rises_makes_households_due() -> None:
    """Nothing was told of it since; the line of 2026 lies above its income, that of 2025 below."""
    household = told_of_hardship()
    income = [Fact("income.wage", date(2024, 12, 31), period_to=date(2024, 12, 31), amount_fen=920_000)]
    states = [Fact("state.labour", DAYS[0], "m1", value="none"), Fact("state.base_group", DAYS[0], value="general")]
    household.facts = [(DAYS[0], fact) for fact in income + states]
    assert watched(household) == Told(running=True, from_cold=True)
    household.facts = [
        (DAYS[0], fact)
        for fact in [
            Fact("income.wage", date(2024, 12, 31), period_to=date(2024, 12, 31), amount_fen=960_000),
            *states,
        ]
    ]
    assert watched(household) == Told()


def test_a_draft_is_scored_beside_the_policy_in_force(county: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "draft.csv"
    sheet.write_text("参数,取值,生效日期,文号\nmonitoring_line,1000.00,2027-01-01,示例1号\n", encoding="utf-8")
    policy, lower = policy_practice(county), policy_practice(county, drafted(sheet))
    assert lower.running.warned <= policy.running.warned
    assert lower.running.in_need == policy.running.in_need
    sheet.write_text("参数,取值,生效日期,文号\nmonitoring_line,1.00,2027-01-01,示例1号\n", encoding="utf-8")
    with pytest.raises(DraftRefused, match="第1行/value"):
        drafted(sheet)


def test_nothing_is_known_before_its_day(county: Path) -> None:
    households = read_county(county, date(2025, 1, 1))
    assert len(households) > 0.95 * HOUSEHOLDS
    some = next(h for h in households.values() if len({told for told, _ in h.facts}) > 2)
    days = sorted({told for told, _ in some.facts})
    known = [len(some.by(day).facts) for day in days]
    assert known == sorted(set(known))
    assert some.has_news(days[0], days[1])
    assert not some.has_news(days[-1], date.max)


def test_nobody_counts_before_birth_nor_is_dead_before_the_death_is_known() -> None:
    born, died, told = date(2025, 6, 1), date(2025, 3, 3), date(2025, 4, 4)
    members = {"old": Member("old", birth_date=date(1950, 1, 1)), "new": Member("new", birth_date=born)}
    household = Known("130624100201", members, {"old": (told, died)}, [])
    before, after = household.by(told - timedelta(days=1)), household.by(told)
    assert [(m.key, m.status) for m in before.members] == [("old", "living")]
    assert [(m.key, m.status, m.died_on) for m in after.members] == [("old", "deceased", died)]
    assert [m.key for m in household.by(born).members] == ["old", "new"]


def test_a_years_total_is_news_when_the_year_is_over() -> None:
    total = Fact("income.wage", date(2025, 12, 31), period_to=date(2025, 12, 31), amount_fen=1)
    household = Known("130624100201", {}, {}, [(date(2025, 1, 1), total)])
    assert household.has_news(date(2025, 12, 6), date(2026, 1, 6))
    assert not household.has_news(date(2025, 11, 6), date(2025, 12, 6))


def test_a_folder_in_which_nobody_is_warned_has_a_precision_of_zero() -> None:
    assert (Figures(0, 0, 3, 5).precision, Figures(0, 0, 3, 0).share) == (0.0, 0.0)
