"""Planted mistakes: all of them are written down, and every other row is clean."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from demo_county.manifest import Manifest
from shared.vocabulary.identity_number import IdentityNumberError, parse_identity_number
from tests.demo_county.small_county import UNTIL, Row, records, rows

County = tuple[Path, Manifest]


def planted(folder: Path) -> dict[tuple[str, int], dict[str, Any]]:
    return {(m["file"], m["line"]): m for m in records(folder / "mistakes.ndjson")}


def data_files(folder: Path) -> list[Path]:
    registers = (folder / name for name in ("household_register.csv", "disability_register.csv"))
    return sorted([*registers, *folder.glob("medical_settlement_*.csv")])


def clean_rows(folder: Path) -> Iterator[tuple[Path, int, Row]]:
    mistakes = planted(folder)
    for path in data_files(folder):
        for line, row in rows(path):
            if (path.name, line) not in mistakes:
                yield path, line, row


def test_about_half_to_one_percent_of_rows_are_spoilt(small_county: County) -> None:
    folder, _ = small_county
    files = {path.name for path in data_files(folder)}
    total = sum(1 for path in data_files(folder) for _ in rows(path))
    assert 0.004 < sum(name in files for name, _ in planted(folder)) / total < 0.011


def test_clean_rows_have_right_identity_numbers_of_the_reserved_area(small_county: County) -> None:
    folder, _ = small_county
    for _, _, row in clean_rows(folder):
        read = parse_identity_number(row["证件号码"], UNTIL)
        assert read.number == row["证件号码"]
        assert read.area == "990624"
        assert read.notes == ()
        assert row["姓名"]


def test_identity_numbers_of_clean_register_rows_are_unique(small_county: County) -> None:
    folder, _ = small_county
    register = [r["证件号码"] for p, _, r in clean_rows(folder) if p.name == "household_register.csv"]
    assert len(set(register)) == len(register)


def test_clean_settlements_add_up_to_the_fen(small_county: County) -> None:
    folder, _ = small_county
    numbers = Counter[str]()
    for path, _, row in clean_rows(folder):
        if not path.name.startswith("medical"):
            continue
        gross, *parts = (Decimal(value) for value in list(row.values())[6:])
        assert gross == sum(parts)
        assert min(parts) >= 0
        assert row["就诊类别"] in ("住院", "门诊", "门诊慢特病")
        assert bool(row["住院号"]) == (row["就诊类别"] == "住院")
        assert row["就诊类别"] != "门诊" or gross > 100
        assert date.fromisoformat(row["结算日期"]).strftime("%Y%m") == path.stem[-6:]
        numbers[row["结算单号"]] += 1
    assert set(numbers.values()) == {1}


def test_clean_certificates_say_number_type_and_grade(small_county: County) -> None:
    folder, _ = small_county
    for path, _, row in clean_rows(folder):
        if path.name == "disability_register.csv":
            assert row["残疾证号"] == row["证件号码"] + row["残疾类别"] + row["残疾等级"]
            assert row["残疾类别"] in "1234567"
            assert row["残疾等级"] in "1234"
            assert date.fromisoformat(row["发证日期"]) <= UNTIL


def refusal(text: str) -> str | None:
    try:
        parse_identity_number(text, UNTIL)
    except IdentityNumberError as error:
        return error.code
    return None


def test_a_planted_identity_number_is_refused_or_read_as_its_kind_says(small_county: County) -> None:
    folder, _ = small_county
    expected: dict[str, set[str | None]] = {
        "wrong_check_digit": {"wrong_check_digit", "precision_lost"},
        "impossible_date": {"wrong_birth_date"},
        "scientific_notation_id": {"precision_lost"},
        "lower_case_x": {None},
        "fullwidth_id": {None},
        "unknown_person": {None},
        "blank_required": {"blank"},
    }
    mistakes, seen = planted(folder), set()
    for path in data_files(folder):
        for line, row in rows(path):
            mistake = mistakes.get((path.name, line))
            if mistake and mistake["column"] == "证件号码":
                assert refusal(row["证件号码"]) in expected[mistake["kind"]]
                seen.add(mistake["kind"])
    assert {"wrong_check_digit", "scientific_notation_id", "unknown_person"} <= seen


def test_a_conflict_repeats_the_key_of_the_line_before_with_other_content(small_county: County) -> None:
    folder, _ = small_county
    conflicts = [m for m in planted(folder).values() if m["kind"] == "duplicate_row_conflict"]
    assert conflicts
    for mistake in conflicts:
        lines = dict(rows(folder / mistake["file"]))
        later, earlier = lines[mistake["line"]], lines[mistake["conflicts_with_line"]]
        assert mistake["rejected"]
        assert {c for c in later if later[c] != earlier[c]} == {mistake["column"]}


def test_manifest_tells_how_many_rows_a_reader_refuses_and_cannot_match(small_county: County) -> None:
    folder, manifest = small_county
    mistakes = planted(folder)
    refused = {key for key, m in mistakes.items() if m["rejected"]}
    listed: set[str] = set()
    for path in sorted(data_files(folder), key=lambda p: p.name != "household_register.csv"):
        rejected = unmatched = 0
        for line, row in rows(path):
            if (path.name, line) in refused:
                rejected += 1
                continue
            number = parse_identity_number(row["证件号码"], UNTIL).number
            if path.name == "household_register.csv":
                listed.add(number)
            unmatched += number not in listed
        count = manifest.files[path.name]
        assert (rejected, unmatched) == (count.rejected, count.unmatched), path.name
