"""The calibration: every number says where it comes from, and the curve means what it says."""

from pathlib import Path

import pytest

from demo_county.calibration import FILE, load_calibration
from demo_county.incomes import per_head


def test_every_entry_has_a_source_and_recalled_ones_are_not_verified() -> None:
    for name, entry in load_calibration().entries.items():
        assert entry.source, name
        assert entry.unit, name
        if any(word in entry.source for word in ("recalled", "assumption", "tuned", "derived")):
            assert not entry.verified, name


def test_every_entry_is_used() -> None:
    code = "".join(path.read_text("utf-8") for path in FILE.parent.glob("*.py"))
    assert [name for name in load_calibration().entries if f'"{name}"' not in code] == []


def test_the_income_curve_has_the_mean_it_is_scaled_by_and_a_short_lower_tail() -> None:
    calibration = load_calibration()
    heads = [per_head(calibration, (i + 0.5) / 10_000) for i in range(10_000)]
    assert heads == sorted(heads)
    assert sum(heads) / 10_000 == pytest.approx(calibration.number("income.mean_per_head"), rel=0.03)
    assert sum(head < 8_500 for head in heads) / 10_000 < 0.015


def test_a_number_is_not_taken_for_a_list() -> None:
    calibration = load_calibration()
    with pytest.raises(TypeError, match="is a list"):
        calibration.number("income.curve_shares")
    with pytest.raises(TypeError, match="is one number"):
        calibration.numbers("income.pension")


def test_an_entry_without_source_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "calibration.toml"
    file.write_text('as_of = 2026-11-22\n[income.pension]\nvalue = 1\nunit = "yuan"\nverified = false\n', "utf-8")
    with pytest.raises(ValueError, match=r"income\.pension lacks source"):
        load_calibration(file)
