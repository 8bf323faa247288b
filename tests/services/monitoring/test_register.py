"""The household register: every change dated twice, made once, in the caller's range, with nothing overwritten."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from shared.clock import FixedClock
from shared.contracts.monitoring import RISK_CHANGED
from shared.db.scope import scoped
from shared.runtime import Runtime
from tests.services.monitoring.build import (
    OTHER_VILLAGE,
    VILLAGE,
    Home,
    assess_all,
    deliver,
    facts,
    number,
    observed,
    rostered,
    sent_at,
    settled,
    told,
)

HOUSEHOLDS = "/monitoring/v1/households"
Bearer = Callable[..., dict[str, str]]
Change = Callable[..., Awaitable[httpx.Response]]
REASON = {"reason": "派出所登记", "document_no": "登记12号"}


@pytest.fixture
async def village(monitoring_runtime: Runtime) -> Runtime:
    """A family of three here, a couple there."""
    runtime = monitoring_runtime
    homes = (Home(people=(1, 2, 5)), Home(no="F002", people=(3, 4), division=OTHER_VILLAGE, phone=None))
    await deliver(runtime, rostered(runtime.keys, *homes))
    await assess_all(runtime)
    return runtime


@pytest.fixture
def change(village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer) -> Change:
    async def make(
        kind: str, no: str = "F001", *, key: str | None = None, who: Any = None, **body: Any
    ) -> httpx.Response:
        headers = {**(who or bearer("county_admin")), "Idempotency-Key": key or uuid4().hex}
        json = {"change": kind, "on": "2026-03-10", **REASON, **body}
        return await monitoring_client.post(f"{HOUSEHOLDS}/{no}/changes", json=json, headers=headers)

    return make


@pytest.fixture
def get(monitoring_client: httpx.AsyncClient, bearer: Bearer) -> Callable[..., Awaitable[Any]]:
    async def read(path: str, headers: dict[str, str] | None = None) -> Any:
        answer = await monitoring_client.get(f"{HOUSEHOLDS}{path}", headers=headers or bearer("county_admin"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    return read


Get = Callable[..., Awaitable[Any]]


async def made(answer: Awaitable[httpx.Response]) -> dict[str, Any]:
    done = await answer
    assert done.status_code == 201, done.text
    found: dict[str, Any] = done.json()
    return found


async def refused(answer: Awaitable[httpx.Response]) -> tuple[int, str]:
    done = await answer
    body = done.json()
    return done.status_code, body["errors"][0]["code"] if body.get("errors") else body["code"]


def who(person: int) -> dict[str, str]:
    return {"identity_number": number(person)}


async def members(runtime: Runtime, no: str, on: str) -> dict[int, tuple[str, str]]:
    """Who belongs to a household on a day, as known now: serial -> relation, status."""
    rows = await runtime.worker_pool.fetch(
        """
        SELECT r.number_index, m.relation, m.status FROM household_member m JOIN resident r USING (resident_id)
        JOIN household h USING (household_id) WHERE h.household_no = $1 AND m.superseded_at IS NULL
          AND m.valid_from <= $2 AND (m.valid_to IS NULL OR $2 < m.valid_to)
        """,
        no,
        date.fromisoformat(on),
    )
    serials = {runtime.keys.blind_index(number(i)): i for i in range(30)}
    return {serials[row["number_index"]]: (row["relation"], row["status"]) for row in rows}


async def places(runtime: Runtime, no: str = "F001") -> tuple[str, str]:
    row = await runtime.worker_pool.fetchrow(
        "SELECT living_division, registered_division FROM household WHERE household_no = $1", no
    )
    assert row is not None
    return tuple(row)


async def due(runtime: Runtime) -> set[str]:
    return {
        row[0]
        for row in await runtime.worker_pool.fetch("SELECT household_no FROM household WHERE due_at < 'infinity'")
    }


# --- moves ---------------------------------------------------------------------------------------------------


async def test_a_household_that_lives_elsewhere_stays_registered(village: Runtime, change: Change, get: Get) -> None:
    view = await made(change("move", place="living", division=OTHER_VILLAGE))
    assert await places(village) == (OTHER_VILLAGE, VILLAGE)
    assert any("人户分离" in note for note in view["notes"])
    assert await due(village) == {"F001"}
    spans = [
        (p["role"], p["division"], p["valid_from"], p["valid_to"]) for p in (await get("/F001/history"))["places"]
    ]
    assert spans == [
        ("living", OTHER_VILLAGE, "2026-03-10", None),
        ("living", VILLAGE, None, "2026-03-10"),
        ("registered", VILLAGE, None, None),
    ]


async def test_either_place_sees_a_household_that_moved(
    village: Runtime, change: Change, get: Get, bearer: Bearer
) -> None:
    await made(change("move", place="living", division=OTHER_VILLAGE))
    for place in (VILLAGE, OTHER_VILLAGE):
        view = await get("/F001", bearer("village_secretary", place))
        assert (view["living_division"], view["registered_division"]) == (OTHER_VILLAGE, VILLAGE)


async def test_moves_entered_in_any_order_end_in_the_same_place(village: Runtime, change: Change, get: Get) -> None:
    third = "130624100202"
    await made(change("move", place="living", division=OTHER_VILLAGE, on="2026-03-10"))
    await made(change("move", place="living", division=third, on="2026-03-01"))
    assert (await places(village))[0] == OTHER_VILLAGE
    history = (await get("/F001/history"))["places"]
    now = [
        (p["division"], p["valid_from"], p["valid_to"])
        for p in history
        if p["role"] == "living" and not p["superseded_at"]
    ]
    assert sorted(now, key=str) == sorted(
        [
            (VILLAGE, None, "2026-03-01"),
            (third, "2026-03-01", "2026-03-10"),
            (OTHER_VILLAGE, "2026-03-10", None),
        ],
        key=str,
    )
    assert [p["division"] for p in history if p["superseded_at"]] == [VILLAGE], "what was known before is still there"


async def test_a_move_says_where_and_when(change: Change) -> None:
    assert await refused(change("move", place="living", division=VILLAGE)) == (409, "change_does_not_fit")
    assert await refused(change("move", place="living", division="130624999999")) == (422, "division_unknown")
    for day in ("2026-03-16", "1999-12-31"):
        assert await refused(change("move", place="living", division=OTHER_VILLAGE, on=day)) == (
            422,
            "day_out_of_range",
        )


async def test_nobody_moves_a_household_out_of_his_own_sight(
    change: Change, bearer: Bearer, village: Runtime
) -> None:
    township = bearer("county_admin", VILLAGE)
    away = change("move", place="both", division=OTHER_VILLAGE, who=township)
    assert await refused(away) == (403, "out_of_range")
    assert await places(village) == (VILLAGE, VILLAGE)
    await made(change("move", place="living", division=OTHER_VILLAGE, who=township))


async def test_an_older_roster_does_not_take_a_move_back(village: Runtime, change: Change) -> None:
    await made(change("move", place="both", division=OTHER_VILLAGE, on="2026-03-10"))
    await deliver(village, rostered(village.keys, Home(people=(1, 2, 5)), on="2026-03-01", sent=sent_at(12)))
    assert await places(village) == (OTHER_VILLAGE, OTHER_VILLAGE)
    await deliver(village, rostered(village.keys, Home(people=(1, 2, 5)), on="2026-03-11", sent=sent_at(13)))
    assert await places(village) == (VILLAGE, VILLAGE)


async def test_a_move_by_a_roster_is_written_down(village: Runtime, get: Get) -> None:
    moved = Home(people=(1, 2, 5), division=OTHER_VILLAGE)
    await deliver(village, rostered(village.keys, moved, on="2026-03-01", sent=sent_at(2)))
    history = (await get("/F001/history"))["places"]
    assert [(p["role"], p["division"], p["valid_from"]) for p in history if p["valid_to"] is None] == [
        ("living", OTHER_VILLAGE, "2026-03-01"),
        ("registered", OTHER_VILLAGE, "2026-03-01"),
    ]


# --- members -------------------------------------------------------------------------------------------------


async def test_a_newborn_is_a_member_from_the_day_on(village: Runtime, change: Change) -> None:
    child = number(7, "20260308")
    await made(
        change(
            "member_joined", because="born", identity_number=child, name="测试娃", relation="之女", on="2026-03-08"
        )
    )
    counts = [
        await village.worker_pool.fetchval(
            "SELECT count(*) FROM household_member m JOIN household USING (household_id) WHERE household_no = 'F001'"
            " AND m.valid_from <= $1 AND m.superseded_at IS NULL",
            day,
        )
        for day in (date(2026, 3, 7), date(2026, 3, 8))
    ]
    assert counts == [3, 4]
    row = await village.worker_pool.fetchrow("SELECT * FROM resident WHERE name = '测试娃'")
    assert row is not None
    assert (row["sex"], row["birth_date"]) == ("male", date(2026, 3, 8))
    opened = village.keys.open(row["sealed_number"], "resident", "sealed_number", row["number_index"].hex())
    assert opened == child


async def test_who_marries_in_leaves_the_former_household(village: Runtime, change: Change) -> None:
    joined = change(
        "member_joined", because="married_in", relation="之儿媳", name="测试戊", identity_number=number(4)
    )
    view = await made(joined)
    assert view["notes"] == ["已从原所在户转出"]
    assert 4 in await members(village, "F002", "2026-03-09")
    assert 4 not in await members(village, "F002", "2026-03-10")
    assert (await members(village, "F001", "2026-03-10"))[4] == ("之儿媳", "living")
    assert await due(village) == {"F001", "F002"}


async def test_of_a_household_out_of_range_nobody_is_taken_nor_told(
    village: Runtime, change: Change, bearer: Bearer
) -> None:
    here = bearer("county_admin", VILLAGE)
    answers = [
        await made(
            change(
                "member_joined",
                who=here,
                because="married_in",
                relation="其他",
                name="某某",
                identity_number=number(person),
            )
        )
        for person in (4, 9)
    ]
    assert [view["notes"] for view in answers] == [[], []]
    assert 4 in await members(village, "F002", "2026-03-10")


async def test_who_leaves_is_no_member_from_the_day_on(village: Runtime, change: Change) -> None:
    await made(change("member_left", because="married_out", member=who(5)))
    assert set(await members(village, "F001", "2026-03-09")) == {1, 2, 5}
    assert set(await members(village, "F001", "2026-03-10")) == {1, 2}
    assert await refused(change("member_left", because="other", member=who(5))) == (422, "not_a_member")
    assert await refused(change("member_left", because="other", member=who(3))) == (422, "not_a_member")


async def test_a_death_is_dated_and_can_be_withdrawn(village: Runtime, change: Change) -> None:
    view = await made(change("member_died", member=who(1), on="2026-03-05"))
    assert view["notes"], "the head died"
    assert (await members(village, "F001", "2026-03-04"))[1][1] == "living"
    assert (await members(village, "F001", "2026-03-05"))[1][1] == "deceased"
    assert await village.worker_pool.fetchval("SELECT died_on FROM resident WHERE died_on IS NOT NULL") == date(
        2026, 3, 5
    )
    assert await refused(change("member_died", member=who(1))) == (409, "change_does_not_fit")
    back = change("member_status", member=who(1), member_status="living")
    assert await refused(back) == (409, "change_does_not_fit")
    await made(change("death_withdrawn", member=who(1)))
    assert (await members(village, "F001", "2026-03-06"))[1][1] == "living"
    assert await village.worker_pool.fetchval("SELECT count(*) FROM resident WHERE died_on IS NOT NULL") == 0


async def test_the_dead_are_not_counted_and_rosters_do_not_raise_them(
    village: Runtime, change: Change, get: Get, bearer: Bearer
) -> None:
    await made(change("member_died", member=who(5), on="2026-03-05"))
    await deliver(village, rostered(village.keys, Home(people=(1, 2, 5)), on="2026-03-01", sent=sent_at(12)))
    await assess_all(village)
    assert (await get("/F001/assessment"))["members_counted"] == 2
    assert (await get("/F001/assessment?as_of=2026-03-04"))["members_counted"] == 3


async def test_status_and_relation_change_from_their_days_on(village: Runtime, change: Change) -> None:
    await made(change("member_status", member=who(5), member_status="imprisoned", on="2026-03-05"))
    await made(change("member_relation", member=who(5), relation="之子", on="2026-03-03"))
    await made(change("member_status", member=who(5), member_status="living", on="2026-03-08"))
    days = {"2026-03-02": "家庭成员", "2026-03-03": "之子", "2026-03-05": "之子", "2026-03-08": "之子"}
    found = {day: (await members(village, "F001", day))[5] for day in days}
    assert found == {
        "2026-03-02": ("家庭成员", "living"),
        "2026-03-03": ("之子", "living"),
        "2026-03-05": ("之子", "imprisoned"),
        "2026-03-08": ("之子", "living"),
    }
    assert (await refused(change("member_relation", member=who(5), relation="干爹")))[0] == 422
    assert await refused(change("member_relation", member=who(5), relation="户主")) == (422, "head")


async def test_a_household_has_one_head_whom_warnings_name(village: Runtime, change: Change, get: Get) -> None:
    await made(change("head_changed", member=who(2), former_head_relation="配偶"))
    assert await members(village, "F001", "2026-03-10") == {
        1: ("配偶", "living"),
        2: ("户主", "living"),
        5: ("家庭成员", "living"),
    }
    assert (await members(village, "F001", "2026-03-09"))[1] == ("户主", "living")
    assert (await get("/F001"))["head_name"] == "测试丙"
    second = change("member_joined", because="other", relation="户主", name="某", identity_number=number(9))
    assert await refused(second) == (422, "one_head")


async def test_a_member_is_named_by_the_id_the_view_gives(change: Change, get: Get) -> None:
    [*_, last] = (await get("/F001"))["members"]
    await made(change("member_left", because="moved_out", member={"member_id": last["member_id"]}))
    assert len((await get("/F001"))["members"]) == 2
    for wrong in ({}, {"member_id": 1, "identity_number": number(1)}):
        assert (await change("member_left", because="other", member=wrong)).status_code == 422
    assert await refused(change("member_died", member={"identity_number": "123"})) == (422, "wrong_length")


async def test_what_the_register_knows_from_later_stands_against_an_older_roster(
    village: Runtime, change: Change
) -> None:
    await made(change("member_left", because="married_out", member=who(5), on="2026-03-05"))
    child = number(8)
    await made(
        change("member_joined", because="born", relation="之子", name="娃", identity_number=child, on="2026-03-06")
    )
    await deliver(village, rostered(village.keys, Home(people=(1, 2, 5)), on="2026-03-01", sent=sent_at(12)))
    assert set(await members(village, "F001", "2026-03-04")) == {1, 2, 5}
    assert set(await members(village, "F001", "2026-03-06")) == {1, 2, 8}


# --- splits and mergers --------------------------------------------------------------------------------------


def split(change: Change, **more: Any) -> Awaitable[httpx.Response]:
    body = {"new_household_no": "F009", "members": [{"member": who(5), "relation": "户主"}], **more}
    return change("split", **body)


async def test_a_split_makes_a_household_from_the_day_on(village: Runtime, change: Change, get: Get) -> None:
    await deliver(village, settled(village.keys, 5, 90_000, on="2026-02-10"))
    view = await made(split(change))
    assert view["other_household_no"] == "F009"
    assert [set(await members(village, no, "2026-03-09")) for no in ("F001", "F009")] == [{1, 2, 5}, set()]
    assert [set(await members(village, no, "2026-03-10")) for no in ("F001", "F009")] == [{1, 2}, {5}]
    shown = await get("/F009")
    assert (shown["head_name"], shown["living_division"]) == ("测试己", VILLAGE)
    assert await due(village) == {"F001", "F009"}
    states = {f["kind"]: f["household_no"] for f in await facts(village) if f["household_no"] == "F009"}
    assert {kind for kind in states if kind.startswith("state.")} == {"state.base_group", "state.insured"}
    [bill] = [f for f in await facts(village) if f["kind"] == "expense.medical"]
    assert bill["household_no"] == "F009", "what he paid is counted where he is"
    await deliver(village, settled(village.keys, 5, 70_000, on="2026-03-11", record="S2"))
    assert [f["household_no"] for f in await facts(village) if f["record_key"].endswith("S2")] == ["F009"]
    for no in ("F001", "F009"):
        assert [c["change"] for c in (await get(f"/{no}/history"))["changes"]] == ["split"]


async def test_a_split_is_checked(village: Runtime, change: Change) -> None:
    head_and_rest = [{"member": who(i), "relation": "户主" if i == 1 else "其他"} for i in (1, 2, 5)]
    wrong: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"new_household_no": "F002"}, (409, "change_does_not_fit")),
        ({"members": head_and_rest}, (422, "nobody_left")),
        ({"members": [{"member": who(5), "relation": "之子"}]}, (422, "one_head")),
        ({"members": [{"member": who(5), "relation": "户主"}] * 2}, (422, "repeated")),
        ({"members": [{"member": who(3), "relation": "户主"}]}, (422, "not_a_member")),
        ({"living_division": "139999999999"}, (422, "division_unknown")),
    ]
    for body, expected in wrong:
        assert await refused(split(change, **body)) == expected, body
    assert await village.worker_pool.fetchval("SELECT count(*) FROM household") == 2


# --- what a household earned as a whole, divided on a split --------------------------------------------------

WAGES = {"kind": "income.wage", "period_to": "2025-12-31"}
NOTHING = [
    {"kind": kind, "period_to": "2025-12-31", "stays_yuan": "0", "goes_yuan": "0"}
    for kind in ("cost.production", "income.business_sales", "income.property", "income.transfer_regular")
]


def by_shares(stays: str, goes: str, *others: dict[str, str]) -> dict[str, Any]:
    shares = [{**WAGES, "stays_yuan": stays, "goes_yuan": goes}, *(others or NOTHING)]
    return {"income": {"choice": "shares", "shares": shares}}


async def wages(runtime: Runtime) -> dict[str, int]:
    """The total of wages that stands for each household."""
    found = [f for f in await facts(runtime) if f["kind"] == "income.wage" and f["period_to"] == date(2025, 12, 31)]
    return {f["household_no"]: f["amount_fen"] for f in found if f["household_no"] != "F002"}


async def per_head(get: Get, no: str) -> tuple[str | None, int]:
    shown = await get(f"/{no}/assessment")
    return shown["net_income_per_capita_yuan"], shown["members_counted"]


async def test_totals_are_divided_by_members_where_nothing_is_stated(
    village: Runtime, change: Change, get: Get
) -> None:
    """40,000 yuan of three: a third goes, and the fen that does not divide stays."""
    view = await made(split(change))
    assert await wages(village) == {"F001": 2_666_667, "F009": 1_333_333}
    assert view["detail"]["income"] == {
        "choice": "members",
        "members_staying": 2,
        "members_leaving": 1,
        "records": 5,
    }
    assert any("按计入人数平分" in note for note in view["notes"])
    await assess_all(village)
    assert [await per_head(get, no) for no in ("F001", "F009")] == [("13333.34", 2), ("13333.33", 1)]


async def test_totals_are_divided_as_stated_to_the_fen(village: Runtime, change: Change, get: Get) -> None:
    view = await made(split(change, **by_shares("39999.99", "0.01")))
    assert await wages(village) == {"F001": 3_999_999, "F009": 1}
    assert view["detail"]["income"]["choice"] == "shares"
    history = (await get("/F009/history"))["changes"]
    assert history[0]["detail"]["income"]["choice"] == "shares"
    assert "39999" not in str(history), "whoever reads the register does not read amounts"


async def test_all_may_stay(village: Runtime, change: Change, get: Get) -> None:
    await made(split(change, income={"choice": "stays"}))
    assert await wages(village) == {"F001": 4_000_000}
    await assess_all(village)
    assert await per_head(get, "F009") == (None, 1)


WRONG_SHARES = [
    (by_shares("30000.00", "9999.99"), "sum_differs"),
    (by_shares("30000.00", "10000.01"), "sum_differs"),
    (by_shares("30000.00", "10000.00", NOTHING[0]), "total_missing"),
    (by_shares("30000.00", "10000.00", *NOTHING, NOTHING[0]), "repeated"),
    (by_shares("30000.00", "10000.00", *NOTHING, {**NOTHING[0], "period_to": "2024-12-31"}), "total_unknown"),
    ({"income": {"choice": "shares"}}, "total_missing"),
    ({"income": {"choice": "members", "shares": NOTHING}}, "income_choice"),
    ({"income": {"choice": "evenly"}}, None),
    (by_shares("50000.00", "-10000.00"), "negative_amount"),
]


@pytest.mark.parametrize(("body", "code"), WRONG_SHARES)
async def test_shares_that_are_not_the_whole_are_refused(
    village: Runtime, change: Change, body: dict[str, Any], code: str | None
) -> None:
    answer = await split(change, **body)
    assert answer.status_code == 422, answer.text
    assert code in (None, answer.json()["errors"][0]["code"])
    assert await wages(village) == {"F001": 4_000_000}
    assert await village.worker_pool.fetchval("SELECT count(*) FROM household") == 2


async def test_the_whole_is_told_only_to_who_sees_amounts(change: Change, bearer: Bearer) -> None:
    told_to = {}
    for name, who_asks in (("county", None), ("system", bearer())):
        answer = await split(change, who=who_asks, **by_shares("1.00", "1.00"))
        assert answer.status_code == 422
        told_to[name] = "40000" in answer.text
    assert told_to == {"county": True, "system": False}


async def test_what_a_member_earned_follows_him_and_only_the_rest_is_divided(
    village: Runtime, change: Change, get: Get
) -> None:
    """His wages of February, as a department tells them, outrank the roster's total where he is."""
    paid = {"record": "W1", "op": "put", "kind": "income.wage", "occurred_on": "2026-02-10", "amount_fen": 500_000}
    him = {"person": village.keys.blind_index(number(5)).hex()}
    await deliver(village, observed([{**paid, **him}], feed="wages-1"))
    await made(split(change))
    await assess_all(village)
    where = {f["household_no"]: f["amount_fen"] for f in await facts(village) if f["record_key"].endswith("W1")}
    assert where == {"F009": 500_000}
    assert await per_head(get, "F009") == ("5000.00", 1)
    assert await per_head(get, "F001") == ("13333.34", 2)


async def test_what_was_divided_comes_together_again_when_they_merge(village: Runtime, change: Change) -> None:
    await made(split(change, **by_shares("12345.67", "27654.33")))
    await made(change("merge", absorbed_household_no="F009", on="2026-03-12"))
    found = [f for f in await facts(village) if f["kind"] == "income.wage" and f["household_no"] == "F001"]
    assert sum(f["amount_fen"] for f in found) == 4_000_000
    await assess_all(village)


async def test_as_known_before_the_split_nothing_was_divided(
    village: Runtime, change: Change, get: Get, admin: asyncpg.Connection
) -> None:
    before = (await admin.fetchval("SELECT clock_timestamp()")).isoformat().replace("+", "%2B")
    asked = f"/F001/assessment?as_of=2026-03-15&known_at={before}"
    was = await get(asked)
    await made(split(change))
    await assess_all(village)
    assert await get(asked) == was
    assert (was["net_income_per_capita_yuan"], was["members_counted"]) == ("13333.33", 3)


async def test_the_roster_that_is_older_than_the_split_undoes_nothing(village: Runtime, change: Change) -> None:
    await made(split(change))
    homes = (Home(people=(1, 2, 5)), Home(no="F002", people=(3, 4), division=OTHER_VILLAGE, phone=None))
    await deliver(village, rostered(village.keys, *homes, feed="again"))
    assert await wages(village) == {"F001": 2_666_667, "F009": 1_333_333}
    assert set(await members(village, "F009", "2026-03-10")) == {5}


async def test_the_dead_and_the_imprisoned_have_no_part(village: Runtime, change: Change) -> None:
    await made(change("member_status", member=who(5), member_status="imprisoned", on="2026-03-02"))
    view = await made(split(change))
    assert await wages(village) == {"F001": 4_000_000, "F009": 0}
    assert (view["detail"]["income"]["members_staying"], view["detail"]["income"]["members_leaving"]) == (2, 0)


async def test_a_merged_household_goes_on_in_the_other(village: Runtime, change: Change, get: Get) -> None:
    await deliver(village, settled(village.keys, 3, 80_000))
    view = await made(change("merge", absorbed_household_no="F002"))
    assert view["other_household_no"] == "F002"
    assert await members(village, "F002", "2026-03-10") == {}
    assert set(await members(village, "F001", "2026-03-10")) == {1, 2, 3, 4, 5}
    assert (await members(village, "F001", "2026-03-10"))[3] == ("其他", "living")
    assert set(await members(village, "F002", "2026-03-09")) == {3, 4}
    assert {f["household_no"] for f in await facts(village) if not f["kind"].startswith("state.")} == {"F001"}
    assert await due(village) == {"F001", "F002"}
    await assess_all(village)
    assert [each["household_no"] for each in (await get(""))["items"]] == ["F001"]
    ended = await get("/F002")
    assert (ended["ended_on"], ended["members"], ended["recommendation"]) == ("2026-03-10", [], None)
    # What comes late about its people, or under its number, is the other household's.
    await deliver(village, settled(village.keys, 3, 60_000, on="2026-02-20", record="S3"))
    assert [f["household_no"] for f in await facts(village) if f["record_key"].endswith("S3")] == ["F001"]


async def test_a_household_that_ended_changes_no_more(change: Change) -> None:
    assert await refused(change("merge", absorbed_household_no="F001")) == (422, "same_household")
    await made(change("merge", absorbed_household_no="F002"))
    assert await refused(change("merge", absorbed_household_no="F002")) == (409, "change_does_not_fit")
    assert await refused(change("move", "F002", place="living", division=VILLAGE)) == (409, "change_does_not_fit")


async def test_as_known_before_the_merger_the_facts_lie_where_they_lay(
    village: Runtime, change: Change, admin: asyncpg.Connection
) -> None:
    await deliver(village, settled(village.keys, 3, 80_000))
    before = await admin.fetchval("SELECT clock_timestamp()")
    await made(change("merge", absorbed_household_no="F002"))
    rows = await admin.fetch(
        "SELECT household_no FROM monitoring.fact f JOIN monitoring.household USING (household_id)"
        " WHERE kind = 'expense.medical' AND recorded_at <= $1 AND (superseded_at IS NULL OR superseded_at > $1)",
        before,
    )
    assert [row["household_no"] for row in rows] == ["F002"]


# --- tags ----------------------------------------------------------------------------------------------------


async def test_a_tag_holds_from_its_day_until_it_ends(village: Runtime, change: Change, get: Get) -> None:
    await made(change("tag_set", tag="dibao", on="2026-02-01"))
    [tag] = (await get("/F001"))["tags"]
    assert (tag["tag"], tag["label"], tag["since"]) == ("dibao", "低保", "2026-02-01")
    assert [h["household_no"] for h in (await get("?tag=dibao"))["items"]] == ["F001"]
    assert (await get("?tag=tekun"))["items"] == []
    assert await refused(change("tag_set", tag="dibao")) == (409, "change_does_not_fit")
    await made(change("tag_ended", tag="dibao", on="2026-03-15"))
    assert ((await get("/F001"))["tags"], (await get("?tag=dibao"))["items"]) == ([], [])
    [entry, *_] = (await get("/F001/history"))["tags"]
    assert (entry["since"], entry["until"]) == ("2026-02-01", "2026-03-15")
    assert await refused(change("tag_ended", tag="dibao", on="2026-03-15")) == (409, "change_does_not_fit")


async def test_a_tag_is_listed_from_its_first_day_on(
    village: Runtime, change: Change, get: Get, clock: FixedClock
) -> None:
    await made(change("tag_set", tag="relocated", on="2026-03-15"))
    assert [h["household_no"] for h in (await get("?tag=relocated"))["items"]] == ["F001"]
    clock.at -= timedelta(days=1)
    assert (await get("?tag=relocated"))["items"] == []


async def test_a_tag_is_shown_to_posts_that_see_the_class(
    village: Runtime, change: Change, get: Get, bearer: Bearer, monitoring_client: httpx.AsyncClient
) -> None:
    await made(change("tag_set", tag="tekun", member=who(2)))
    assert (await get("/F001", bearer("grid_worker", VILLAGE)))["tags"] == []
    assert len((await get("/F001", bearer("village_secretary", VILLAGE)))["tags"]) == 1
    answer = await monitoring_client.get(f"{HOUSEHOLDS}?tag=tekun", headers=bearer("grid_worker", VILLAGE))
    assert (answer.status_code, answer.json()["code"]) == (403, "filter_not_allowed")


# --- once, by whom, within which range -----------------------------------------------------------------------


async def test_the_same_request_again_is_answered_and_not_made_again(village: Runtime, change: Change) -> None:
    body = {"because": "married_out", "member": who(5)}
    first = await change("member_left", key="k1", **body)
    again = await change("member_left", key="k1", **body)
    assert (first.status_code, again.status_code, again.headers["idempotent-replay"]) == (201, 201, "true")
    assert first.json() == again.json()
    assert await village.worker_pool.fetchval("SELECT count(*) FROM household_change") == 1
    assert await refused(change("member_left", key="k1", because="other", member=who(2))) == (
        422,
        "idempotency_key_reused",
    )
    assert await refused(change("member_left", "F002", key="k1", **body)) == (422, "idempotency_key_reused")


async def test_two_at_once_are_one(village: Runtime, change: Change) -> None:
    both = [change("member_left", key="k2", because="married_out", member=who(5)) for _ in range(2)]
    answers = await asyncio.gather(*both)
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


async def test_a_refused_change_leaves_its_key_free(village: Runtime, change: Change) -> None:
    assert (await change("member_left", key="k3", because="other", member=who(3))).status_code == 422
    await made(change("member_left", key="k3", because="other", member=who(5)))


async def test_a_key_is_asked_for(monitoring_client: httpx.AsyncClient, village: Runtime, bearer: Bearer) -> None:
    body = {"change": "tag_set", "tag": "dibao", "on": "2026-03-10", "reason": "x"}
    answer = await monitoring_client.post(f"{HOUSEHOLDS}/F001/changes", json=body, headers=bearer("county_admin"))
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_refused")


async def test_a_household_out_of_range_looks_like_none(village: Runtime, change: Change, bearer: Bearer) -> None:
    here = bearer("county_admin", VILLAGE)
    hidden = await change("tag_set", "F002", who=here, tag="dibao")
    missing = await change("tag_set", "F777", who=here, tag="dibao")
    absorbed = [await change("merge", who=here, absorbed_household_no=no) for no in ("F002", "F777")]
    for one, other in ((hidden, missing), (absorbed[0], absorbed[1])):
        assert (one.status_code, other.status_code) == (404, 404)
        assert {**one.json(), "instance": 0} == {**other.json(), "instance": 0}
    assert await village.worker_pool.fetchval("SELECT count(*) FROM household_change") == 0


async def test_a_system_keeps_the_register_and_a_cadre_does_not(change: Change, bearer: Bearer) -> None:
    await made(change("member_died", who=bearer(), member=who(5)))
    for role in ("village_secretary", "township_leader", "auditor", "liaison"):
        assert await refused(change("tag_set", who=bearer(role), tag="dibao")) == (403, "scope_missing")


async def test_a_change_is_audited_without_the_number(
    village: Runtime, change: Change, admin: asyncpg.Connection
) -> None:
    await made(change("member_died", member=who(5)))
    row = await admin.fetchrow("SELECT * FROM monitoring.audit_log WHERE action = 'household.member_died'")
    assert row is not None
    assert (row["object"], row["purpose"], row["actor"]) == ("household:F001", "登记12号", "county_admin")
    kept = await admin.fetch(
        "SELECT row_to_json(c)::text AS said FROM monitoring.household_change c"
        " UNION ALL SELECT row_to_json(a)::text FROM monitoring.audit_log a"
        " UNION ALL SELECT row_to_json(k)::text FROM monitoring.idempotency_key k"
    )
    assert kept
    assert not [each for each in kept if number(5) in each["said"]]


async def test_the_database_shows_changes_and_places_of_the_scope_only(village: Runtime, change: Change) -> None:
    await made(change("move", "F002", place="registered", division="130624101202"))
    for division, expected in ((VILLAGE, 0), (OTHER_VILLAGE, 1)):
        async with scoped(village.pool, division) as connection:
            assert await connection.fetchval("SELECT count(*) FROM household_change") == expected
            assert await connection.fetchval("SELECT count(*) > 0 FROM household_place") is bool(expected)
    for sql in (
        "UPDATE household_change SET reason = ''",
        "DELETE FROM household_place",
        "INSERT INTO monitored_import SELECT",
        "UPDATE monitored_entry SET head_name = ''",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await village.pool.execute(sql)
    for sql in ("DELETE FROM household_change", "UPDATE household_place SET division = ''"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await village.worker_pool.execute(sql)


# --- search by name ------------------------------------------------------------------------------------------


async def _found(client: httpx.AsyncClient, headers: dict[str, str], name: str, division: str) -> list[str]:
    body = {"name": name, "division": division, "purpose": "核对"}
    answer = await client.post(f"{HOUSEHOLDS}/search", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return [one["household_no"] for one in answer.json()["items"]]


async def test_a_name_is_found_by_its_beginning_in_its_village(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, change: Change
) -> None:
    name = {"because": "other", "relation": "其他", "identity_number": number(9), "name": "阿依·古丽"}
    await made(change("member_joined", **name))
    county = bearer("county_admin")
    cases = [
        ("测试乙", VILLAGE, ["F001"]),
        ("测试", VILLAGE, ["F001"]),
        ("测 试", "130624000000", ["F001", "F002"]),
        ("测试丁", VILLAGE, []),
        ("试乙", VILLAGE, []),
        ("阿依•古", VILLAGE, ["F001"]),
        ("％", VILLAGE, []),
        ("_", VILLAGE, []),
        ("\\", VILLAGE, []),
    ]
    for text, division, expected in cases:
        assert await _found(monitoring_client, county, text, division) == expected, text
    here = bearer("village_secretary", VILLAGE)
    assert await _found(monitoring_client, here, "测试", "130624000000") == ["F001"]


async def test_a_search_is_by_number_or_by_name_and_for_a_purpose(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    wrong: list[dict[str, Any]] = [
        {"purpose": "x"},
        {"name": "测试", "purpose": "x"},
        {"name": "测试", "division": VILLAGE},
        {"division": VILLAGE, "purpose": "x"},
        {"name": "测试", "division": VILLAGE, "identity_number": number(1), "purpose": "x"},
    ]
    for body in wrong:
        answer = await monitoring_client.post(f"{HOUSEHOLDS}/search", json=body, headers=bearer("county_admin"))
        assert answer.status_code == 422, body
    hidden = {"name": "测试", "division": VILLAGE, "purpose": "x"}
    answer = await monitoring_client.post(f"{HOUSEHOLDS}/search", json=hidden, headers=bearer("auditor"))
    assert answer.status_code == 403
    await _found(monitoring_client, bearer("county_admin"), "测试", VILLAGE)
    row = await admin.fetchrow("SELECT * FROM monitoring.audit_log WHERE action = 'household.search'")
    assert row is not None
    assert (row["purpose"], row["detail"]) == ("核对", {"found": 1, "by": "name"})


async def test_no_text_of_a_change_takes_an_identity_number(village: Runtime, change: Change) -> None:
    leaver = [{"member": who(5), "relation": "户主"}]
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("tag_set", {"tag": "dibao", "reason": f"本人{number(1)}"}),
        ("tag_set", {"tag": "dibao", "document_no": number(1)}),
        ("split", {"new_household_no": number(1), "members": leaver}),
        ("member_joined", {"because": "born", "relation": "之子", "identity_number": number(9), "name": number(9)}),
    ]
    for kind, body in wrong:
        answer = await change(kind, **body)
        assert answer.status_code == 422, body
        assert number(1) not in answer.text
    unknown = await change("divorce")
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (422, "change_unknown")


async def test_a_warning_after_the_move_names_the_living_place(village: Runtime, change: Change) -> None:
    """After the move the next warning goes to the living place; the message keeps its form."""
    await made(change("move", place="living", division=OTHER_VILLAGE))
    poor = Home(people=(1, 2, 5), wage_fen=1_000_000)
    await deliver(village, rostered(village.keys, poor, on="2026-03-11", sent=sent_at(12)))
    await deliver(village, settled(village.keys, 1, 1_500_000))
    await assess_all(village)
    [item] = await told(village, RISK_CHANGED)
    assert (item["living_division"], item["registered_division"]) == (OTHER_VILLAGE, VILLAGE)
