"""What the other departments send: what is true, as far as they heard of it, and nothing else."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

from demo_county.feeds import FEEDS
from demo_county.manifest import Manifest
from tests.demo_county.small_county import UNTIL, Row, records, rows

County = tuple[Path, Manifest]


def sent(folder: Path, data_set: str) -> list[Row]:
    """The rows of a data set that are written as they should be."""
    file = next(feed.file for feed in FEEDS if feed.data_set == data_set)
    spoilt = {m["line"] for m in records(folder / "mistakes.ndjson") if m["file"] == file}
    return [row for line, row in rows(folder / file) if line not in spoilt]


def people_in_need(folder: Path) -> set[str]:
    needy = {t["household_no"] for t in records(folder / "truth.ndjson") if t["needs_help"]}
    return {row["证件号码"] for _, row in rows(folder / "household_register.csv") if row["户编号"] in needy}


def test_events_are_told_when_they_became_known_and_not_otherwise(small_county: County) -> None:
    folder, manifest = small_county
    learned = Counter(s["kind"] for s in records(folder / "department_signals.ndjson") if s["source"] == "department")
    for data_set, kind in (
        ("deaths", "event.death"),
        ("accidents", "event.accident"),
        ("disasters", "event.disaster"),
        ("production_losses", "event.business_failure"),
        ("education_cost", "expense.education"),
    ):
        file = next(feed.file for feed in FEEDS if feed.data_set == data_set)
        assert manifest.files[file].rows == learned[kind] > 0, data_set


def test_about_three_percent_of_rows_are_spoilt(small_county: County) -> None:
    folder, manifest = small_county
    files = {feed.file for feed in FEEDS}
    spoilt = sum(m["file"] in files for m in records(folder / "mistakes.ndjson"))
    assert 0.02 < spoilt / sum(manifest.files[file].rows for file in files) < 0.04


def test_nobody_in_need_has_an_asset(small_county: County) -> None:
    folder, _ = small_county
    needy = people_in_need(folder)
    for data_set, number in (("vehicles", "身份证号"), ("property", "证件号码"), ("businesses", "身份证号")):
        listed = sent(folder, data_set)
        assert listed
        assert needy.isdisjoint(row[number] for row in listed), data_set


def test_some_households_with_assets_allowed_nobody_to_look(small_county: County) -> None:
    folder, _ = small_county
    allowed = {row["农户编号"] for row in sent(folder, "authorisations")}
    household_of = {row["证件号码"]: row["户编号"] for _, row in rows(folder / "household_register.csv")}
    owners = {household_of.get(row["身份证号"], "") for row in sent(folder, "vehicles")}
    assert owners & allowed
    assert owners - allowed


def test_the_dead_of_whom_the_police_know_are_on_no_list(small_county: County) -> None:
    folder, _ = small_county
    dead = {row["公民身份号码"] for row in sent(folder, "deaths")}
    assert dead.isdisjoint(row["身份证号"] for row in sent(folder, "medical_enrolment"))
    assert dead.isdisjoint(row["证件号码"] for row in sent(folder, "school_status"))


def test_damage_is_written_in_units_of_ten_thousand(small_county: County) -> None:
    folder, _ = small_county
    signals = [s for s in records(folder / "department_signals.ndjson") if s["kind"] == "expense.disaster"]
    told = {Decimal(s["details"]["amount"]) for s in signals if s["known_on"] <= UNTIL.isoformat()}
    for row in sent(folder, "disasters"):
        assert Decimal(row["修缮支出(万元)"]) * 10_000 in told


def test_houses_are_graded_as_the_register_grades_them(small_county: County) -> None:
    folder, _ = small_county
    register = {row["户编号"]: row["住房等级"] for _, row in rows(folder / "household_register.csv")}
    graded = [(row["家庭编号"], row["鉴定等级"]) for row in sent(folder, "housing_grades")]
    assert sum(register[number] + "级" == grade for number, grade in graded) > 0.99 * len(graded)
