"""The generated folder: the same arguments give the same bytes, and every file is as described."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from demo_county.departments import EARLIER_INCOME_FILE, EARLIER_MEDICAL_FILE
from demo_county.generate import generate
from demo_county.manifest import Manifest, read_manifest
from tests.demo_county.small_county import UNTIL, VILLAGES, records, rows

County = tuple[Path, Manifest]
RELATIONS = {
    "户主",
    "配偶",
    "之子",
    "之女",
    "之儿媳",
    "之女婿",
    "之孙子",
    "之孙女",
    "之外孙子",
    "之外孙女",
    "之父",
    "之母",
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        generate(tmp_path / name, households=120, seed=3, until=UNTIL, villages=VILLAGES)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_another_seed_gives_another_county(tmp_path: Path) -> None:
    for seed in (3, 4):
        generate(tmp_path / str(seed), households=60, seed=seed, until=UNTIL, villages=VILLAGES)
    assert contents(tmp_path / "3")["truth.ndjson"] != contents(tmp_path / "4")["truth.ndjson"]


def test_order_of_villages_does_not_matter(tmp_path: Path) -> None:
    generate(tmp_path / "a", households=60, seed=3, until=UNTIL, villages=VILLAGES)
    generate(tmp_path / "b", households=60, seed=3, until=UNTIL, villages=VILLAGES[::-1])
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_second_run_leaves_no_month_of_the_first(tmp_path: Path) -> None:
    generate(tmp_path, households=20, seed=3, until=date(2025, 3, 1), villages=VILLAGES)
    generate(tmp_path, households=20, seed=3, until=UNTIL, villages=VILLAGES)
    months = sorted(path.stem[-6:] for path in tmp_path.glob("medical_settlement_*.csv"))
    assert tuple(months) == read_manifest(tmp_path).months


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    generate(
        tmp_path,
        households=300,
        seed=3,
        until=UNTIL,
        villages=VILLAGES,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(250, 300), (300, 300)]


@pytest.mark.parametrize("villages", [[], [*VILLAGES, ("520526100201", "别县村")]])
def test_villages_must_be_of_one_county(tmp_path: Path, villages: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match="one county"):
        generate(tmp_path, households=10, seed=1, until=UNTIL, villages=villages)


def test_manifest_counts_what_was_written(small_county: County) -> None:
    folder, manifest = small_county
    assert read_manifest(folder) == manifest
    assert (manifest.county, manifest.reporting_year) == ("130624", 2025)
    assert manifest.months[0] == "202511"
    assert manifest.months[-1] == "202610"
    for name, count in manifest.files.items():
        lines = len(records(folder / name)) if name.endswith("ndjson") else len(list(rows(folder / name)))
        assert lines == count.rows, name


def test_every_household_has_one_head_with_incomes_of_the_reporting_year(small_county: County) -> None:
    folder, manifest = small_county
    planted = {m["line"] for m in records(folder / "mistakes.ndjson") if m["file"] == "household_register.csv"}
    heads = Counter[str]()
    for line, row in rows(folder / "household_register.csv"):
        if line in planted:
            heads[row["户编号"]] += row["收入年度"] != "" and row["姓名"][-1:] != "甲"
            continue
        is_head = row["与户主关系"] == "户主"
        heads[row["户编号"]] += is_head
        assert row["与户主关系"] in RELATIONS
        assert re.fullmatch(r"130624\d{10}", row["户编号"])
        assert row["行政区划代码"] in dict(VILLAGES)
        assert row["户类型"] in ("脱贫户", "一般农户")
        assert row["收入年度"] == ("2025" if is_head else "")
        assert bool(re.fullmatch(r"\d+", row["转移性收入"])) == is_head
    assert len(heads) == manifest.households
    assert set(heads.values()) == {1}


def test_few_verified_incomes_lie_under_a_usual_line(small_county: County) -> None:
    folder, manifest = small_county
    sizes, incomes = Counter[str](), {}
    for _, row in rows(folder / "household_register.csv"):
        sizes[row["户编号"]] += 1
        if row["收入年度"]:
            wages, revenue, cost, rent, transfers = (int(v.replace(",", "")) for v in list(row.values())[-5:])
            incomes[row["户编号"]] = wages + revenue - cost + rent + transfers
    under = sum(income < 8_500 * sizes[number] for number, income in incomes.items())
    assert 0 < under < 0.025 * manifest.households


def test_files_come_in_the_encodings_of_their_offices(small_county: County) -> None:
    folder, _ = small_county
    assert (folder / "household_register.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    for path in [*folder.glob("medical_settlement_*.csv"), folder / "disability_register.csv"]:
        is_old_system = path.stem == "disability_register" or int(path.stem[-2:]) % 2
        path.read_bytes().decode("gb18030" if is_old_system else "utf-8")
        if is_old_system:
            with pytest.raises(UnicodeDecodeError):
                path.read_bytes().decode("utf-8")


def test_every_village_township_and_the_county_have_officers(small_county: County) -> None:
    folder, _ = small_county
    households = Counter[str]()
    for _, row in rows(folder / "household_register.csv"):
        households[row["行政区划代码"]] += bool(row["收入年度"])
    posts = Counter[tuple[str, str]]()
    for _, officer in rows(folder / "officers.csv"):
        posts[officer["角色"], officer["行政区划代码"]] += 1
        assert officer["邮箱"].endswith("@demo.invalid")
    assert posts["county_admin", "130624000000"] == 2
    for code, _name in VILLAGES:
        assert posts["village_secretary", code] == posts["first_secretary", code] == 1
        assert posts["grid_worker", code] * 100 >= households[code]
        assert posts["township_leader", code[:9] + "000"] == 1


def test_self_reports_name_a_listed_resident_of_the_household(small_county: County) -> None:
    folder, _ = small_county
    listed = {(r["户编号"], r["证件号码"], r["姓名"]) for _, r in rows(folder / "household_register.csv")}
    reports = records(folder / "self_reports.ndjson")
    hardships = {"illness", "disaster", "accident", "job_loss", "schooling", "other"}
    assert reports
    for report in reports:
        assert (report["household_no"], report["id_number"], report["name"]) in listed
        assert set(report["hardships"]) <= hardships
        assert date(2026, 9, 20) < date.fromisoformat(report["reported_on"]) <= UNTIL


def test_small_counties_of_any_day_can_be_generated(tmp_path: Path) -> None:
    for until in (date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31), date(2026, 12, 30)):
        manifest = generate(tmp_path, households=5, seed=1, until=until, villages=VILLAGES)
        assert manifest.reporting_year == until.year - 1


def test_what_was_known_before_the_files_begin_has_sheets_of_its_own(small_county: County) -> None:
    folder, manifest = small_county
    incomes = [row for _, row in rows(folder / EARLIER_INCOME_FILE)]
    assert {row["收入年度"] for row in incomes} == {str(manifest.reporting_year - 1)}
    assert len({row["户编号"] for row in incomes}) == len(incomes) == manifest.households
    first = f"{manifest.months[0][:4]}-{manifest.months[0][4:]}"
    days = [row["结算日期"] for _, row in rows(folder / EARLIER_MEDICAL_FILE)]
    assert min(days) < max(days) < first


def test_incomes_were_lower_the_year_before_by_the_growth_of_a_year(small_county: County) -> None:
    folder, _ = small_county
    earlier = sum(int(row["转移性收入"]) for _, row in rows(folder / EARLIER_INCOME_FILE))
    later = sum(
        int(row["转移性收入"].replace(",", ""))
        for _, row in rows(folder / "household_register.csv")
        if row["转移性收入"] and not row["姓名"].endswith("甲")
    )
    assert 1.03 < later / earlier < 1.09
