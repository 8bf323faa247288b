"""The hidden truth is rare, and single-threshold practice confirms what counties publish: 0.7 to 5 %."""

from datetime import date
from pathlib import Path

import pytest

from demo_county.generate import DEFAULT_SEED, generate
from demo_county.score import Figures, Need, any_signal_practice, single_threshold_practice
from tests.demo_county.small_county import UNTIL, VILLAGES, records

HOUSEHOLDS = 10_000


@pytest.mark.parametrize("seed", [DEFAULT_SEED, 3])
def test_single_threshold_practice_confirms_what_counties_publish(tmp_path: Path, seed: int) -> None:
    manifest = generate(tmp_path, households=HOUSEHOLDS, seed=seed, until=UNTIL, villages=VILLAGES)
    assert 0.003 * HOUSEHOLDS <= manifest.needs_help <= 0.01 * HOUSEHOLDS
    for practice in (single_threshold_practice(tmp_path), any_signal_practice(tmp_path)):
        assert practice.in_need == manifest.needs_help
        assert 0.007 <= practice.precision <= 0.05
        assert practice.recall < 0.5


def test_every_household_has_a_truth_with_a_reason_only_when_it_needs_help(tmp_path: Path) -> None:
    generate(tmp_path, households=800, seed=11, until=UNTIL, villages=VILLAGES)
    truths = records(tmp_path / "truth.ndjson")
    assert len({t["household_no"] for t in truths}) == 800
    for truth in truths:
        assert truth["needs_help"] == (truth["from_month"] is not None) == (truth["reason"] is not None)


def test_figures_of_nobody_are_zero() -> None:
    nobody = Figures(0, 0, 0, 0)
    assert (nobody.precision, nobody.recall, nobody.share) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("need", "felt"),
    [
        (Need("2025-12", "2026-02"), True),
        (Need("2025-12", None), True),
        (Need("2025-11", "2025-12"), True),
        (Need("2025-09", "2025-11"), False),
        (Need("2026-01", None), False),
    ],
)
def test_a_need_is_felt_in_its_months(need: Need, felt: bool) -> None:
    assert need.is_felt(date(2025, 12, 6)) is felt
