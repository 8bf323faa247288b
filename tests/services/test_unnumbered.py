"""People without an identity number (newborn, lost), from a roster's file through intake into monitoring."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from tests.services.intake.build import COUNTY, Department, csv_text, number, register_row

BIRTH = "2010-01-01"
NEW = {"无证件号码原因": "", "性别": "", "出生日期": ""}
PAIRS = "/monitoring/v1/identity-pairs"


def head(household: int = 1, **changes: str) -> dict[str, str]:
    return register_row(household, **NEW, **changes)


def child(household: int = 1, **changes: str) -> dict[str, str]:
    """A child whose number is not known, unless `changes` name it."""
    told = {"姓名": "王小宝", "证件号码": "", "无证件号码原因": "新生儿", "性别": "男", "出生日期": BIRTH}
    return register_row(household, 1, **(told | changes))


def numbered(i: int) -> dict[str, str]:
    """The same child with the i-th number, which is of his birthday and sex."""
    return {"证件号码": NUMBERS[i], "无证件号码原因": "", "性别": "", "出生日期": ""}


# Of males born on BIRTH: the ordinal number is odd.
NUMBERS = [found for i in range(45_000, 45_020) if (found := number(i))[6:14] == "20100101" and int(found[16]) % 2]


@pytest.fixture
def department(client: httpx.AsyncClient, house: Any, bearer: Callable[..., dict[str, str]]) -> Department:
    return Department(client, house, bearer(), bearer("county_admin", COUNTY))


async def send(department: Department, *rows: Mapping[str, str], period: str = "2025") -> Any:
    feed = await department.send("household_register", csv_text(rows), period=period)
    await department.house.settle()
    return feed


async def members(admin: Any, household_no: str = "H000001") -> list[tuple[str, str | None, bool]]:
    """Name, why he has no number, and whether he has one, of who belongs to the household now."""
    rows = await admin.fetch(
        "SELECT r.name, r.no_id_reason, r.sealed_number IS NOT NULL FROM monitoring.household_member m"
        " JOIN monitoring.household h USING (household_id) JOIN monitoring.resident r USING (resident_id)"
        " WHERE h.household_no = $1 AND m.superseded_at IS NULL AND m.valid_to IS NULL ORDER BY 1",
        household_no,
    )
    return [tuple(row) for row in rows]


async def errors(department: Department, feed: Any) -> list[tuple[str, str | None, str]]:
    return [(e["code"], e["column"], e["level"]) for e in await department.errors(feed["id"])]


async def test_a_newborn_without_a_number_is_a_member(department: Department, admin: Any) -> None:
    feed = await send(department, head(), child())
    assert (feed["status"], feed["counts"]["rejected"]) == ("recorded", 0), await errors(department, feed)
    assert await members(admin) == [("王小宝", "newborn", False), ("王小明", None, True)]


async def test_the_same_roster_again_knows_him_again(department: Department, admin: Any) -> None:
    await send(department, head(), child())
    again = await send(department, child(), head(), period="2026-01")
    assert (again["counts"]["changed"], again["counts"]["unchanged"]) == (0, 1)
    moved = await send(department, head(), child(参加居民医保="否"), period="2026-02")
    assert moved["counts"]["changed"] == 1
    assert await members(admin) == [("王小宝", "newborn", False), ("王小明", None, True)]
    assert await admin.fetchval("SELECT count(*) FROM monitoring.resident") == 2


async def test_when_his_number_arrives_he_is_the_one_he_was(
    department: Department, admin: Any, bearer: Callable[..., dict[str, str]]
) -> None:
    await send(department, head(), child())
    feed = await send(department, head(), child(**numbered(0)), period="2026-02")
    assert (feed["status"], feed["counts"]["changed"]) == ("recorded", 1)
    assert await members(admin) == [("王小宝", None, True), ("王小明", None, True)]
    answer = await department.client.get(
        PAIRS, params={"state": "same"}, headers=bearer("county_admin", COUNTY, officer_no="C-1")
    )
    [pair] = answer.json()["items"]
    assert (pair["reason"], pair["state"]) == ("no_number", "same")


async def test_of_two_alike_a_person_says_who_got_the_number(
    department: Department, bearer: Callable[..., dict[str, str]]
) -> None:
    """The second has the same name and sex, and a number already."""
    await send(department, head(), child())
    second = register_row(1, 2, **{**NEW, "姓名": "王小宝", "证件号码": NUMBERS[1]})
    await send(department, head(), child(**numbered(0)), second, period="2026-02")
    answer = await department.client.get(PAIRS, headers=bearer("county_admin", COUNTY, officer_no="C-1"))
    assert "no_number" in {pair["reason"] for pair in answer.json()["items"]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"无证件号码原因": ""}, [("number_or_reason", "证件号码", "error")]),
        ({"无证件号码原因": "不知道"}, [("unknown_code", "无证件号码原因", "error")]),
        ({"出生日期": ""}, [("required", "出生日期", "error")]),
        ({"性别": ""}, [("required", "性别", "error")]),
        ({"出生日期": "2026-02-30"}, [("no_such_date", "出生日期", "error")]),
        ({"性别": "?"}, [("unknown_code", "性别", "error")]),
        ({"证件号码": "999901201001010011"}, [("wrong_check_digit", "证件号码", "error")]),
        (numbered(0) | {"无证件号码原因": "新生儿"}, [("number_and_reason", "无证件号码原因", "warning")]),
        (numbered(0) | {"出生日期": "2010-01-02"}, [("birth_date_disagrees", "出生日期", "warning")]),
        (numbered(0) | {"出生日期": "不详"}, [("date_form", "出生日期", "warning")]),
        (numbered(0) | {"出生日期": BIRTH}, []),
    ],
)
async def test_what_must_be_known_of_him(department: Department, changes: dict[str, str], said: Any) -> None:
    feed = await send(department, head(), child(**changes))
    assert await errors(department, feed) == said
    assert feed["counts"]["rejected"] == len([one for one in said if one[2] == "error"])


async def test_two_rows_of_one_stand_in_that_differ_are_both_refused(department: Department) -> None:
    feed = await send(department, head(), child(), child(参加居民医保="否"))
    assert [code for code, _, _ in await errors(department, feed)] == ["rows_conflict"] * 2
    [one, _] = await department.errors(feed["id"])
    assert "姓名、出生日期相同" in one["reason"]


async def test_a_stand_in_is_of_the_household_the_name_and_the_birthday_and_no_number_s(
    department: Department, admin: Any, intake_runtime: Any
) -> None:
    others = (child(2), child(2, 姓名="王小贝"), child(2, 出生日期="2010-01-02"))
    await send(department, head(), child(), head(2), *others)
    rows = await admin.fetch("SELECT number_index FROM monitoring.resident WHERE no_id_reason IS NOT NULL")
    assert len({row["number_index"] for row in rows}) == 4
    index = intake_runtime.keys.blind_index
    told = {
        index(f"no_number\x00{no}\x00{name}\x00{BIRTH}")
        for no, name in (("H000001", "王小宝"), ("H000002", "王小贝"))
    }
    assert told <= {row["number_index"] for row in rows}
