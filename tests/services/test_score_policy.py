"""The policy in force, scored on the demo county: it finds what single thresholds miss, with few visits."""

from datetime import date
from pathlib import Path

import pytest

from demo_county.generate import generate
from demo_county.score import Figures, any_signal_practice
from services.known_county import read_county
from services.score_policy import DraftRefused, drafted, policy_practice
from tests.demo_county.small_county import UNTIL, VILLAGES

HOUSEHOLDS = 700


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    generate(folder, households=HOUSEHOLDS, seed=4, until=UNTIL, villages=VILLAGES)
    return folder


def test_the_policy_finds_nearly_everybody_with_few_visits(county: Path) -> None:
    policy, plain = policy_practice(county), any_signal_practice(county)
    assert policy.in_need == plain.in_need >= 4
    assert policy.recall >= 0.75 > plain.recall
    assert policy.warned <= 0.10 * HOUSEHOLDS  # The goal is 0.06; see benchmarks/RESULTS.md.
    assert policy.precision > plain.precision


def test_a_draft_is_scored_beside_the_policy_in_force(county: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "draft.csv"
    sheet.write_text("参数,取值,生效日期,文号\nmonitoring_line,1000.00,2027-01-01,示例1号\n", encoding="utf-8")
    policy, lower = policy_practice(county), policy_practice(county, drafted(sheet))
    assert lower.warned <= policy.warned
    assert lower.in_need == policy.in_need
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


def test_a_folder_in_which_nobody_is_warned_has_a_precision_of_zero() -> None:
    assert Figures(0, 0, 3).precision == 0.0
