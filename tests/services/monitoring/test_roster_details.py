"""What a roster says beyond names: facts of the policy's vocabulary, and details that checks of quality read."""

from collections.abc import Callable
from typing import Any

import httpx

from services.intake.catalogue import layouts
from services.intake.domain.feed_layout import ColumnType
from services.monitoring.domain.roster_detail import SHOWN_WITH
from shared.runtime import Runtime
from tests.services.monitoring.build import COUNTY, VILLAGE, Home, deliver, facts, rostered, sent_at

SICK = {"health": ["chronic", "disabled"], "labour": "weak"}
PUPIL = {"school": "primary", "health": ["healthy"], "labour": "none"}


async def states(runtime: Runtime) -> list[tuple[str, str | None, Any]]:
    """The states of members that hold: kind, value, attributes."""
    told = [fact for fact in await facts(runtime) if fact["resident_id"] and fact["ended_on"] is None]
    return sorted((f["kind"], f["value"], f["attributes"]) for f in told if f["kind"] != "state.insured")


async def details(runtime: Runtime, *, standing: bool = True) -> list[dict[str, Any]]:
    which = "superseded_at IS NULL" if standing else "true"
    order = "resident_id NULLS FIRST, detail_id"  # Those of one message are written in no order.
    rows = await runtime.worker_pool.fetch(f"SELECT details FROM roster_detail WHERE {which} ORDER BY {order}")
    return [row["details"] for row in rows]


async def test_what_the_policy_speaks_of_becomes_facts(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(member_details=(SICK, PUPIL))))
    assert await states(runtime) == [
        ("state.health", "chronic", {}),
        ("state.health", "healthy", {}),
        ("state.labour", "none", {}),
        ("state.labour", "weak", {}),
        ("state.school", "primary", {"in_school": True}),
    ]


async def test_an_illness_that_a_newer_roster_leaves_out_has_ended(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    ill = Home(people=(1,), member_details=({"health": ["chronic", "serious"]},))
    well = Home(people=(1,), member_details=({"health": ["chronic"]},))
    await deliver(runtime, rostered(runtime.keys, ill))
    await deliver(runtime, rostered(runtime.keys, well, on="2026-02-01", sent=sent_at(2)))
    assert await states(runtime) == [("state.health", "chronic", {})]


async def test_a_reason_for_not_attending_school_is_kept_without_a_stage(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(people=(1,), member_details=({"absent_reason": "health"},))))
    assert await states(runtime) == [("state.school", None, {"in_school": False, "absent_reason": "health"})]


async def test_the_newest_roster_s_details_stand_and_earlier_ones_stay_readable(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    first, second = ({"toilet": True, "house_area": "80"}, {"toilet": False, "house_area": "80"})
    await deliver(runtime, rostered(runtime.keys, Home(details=first), on="2026-01-01"))
    await deliver(runtime, rostered(runtime.keys, Home(details=second), on="2026-02-01", sent=sent_at(2)))
    await deliver(runtime, rostered(runtime.keys, Home(details=first), on="2026-01-15", sent=sent_at(3)))
    assert await details(runtime) == [second]
    assert await details(runtime, standing=False) == [first, second]


async def test_the_same_roster_again_and_one_without_details_change_nothing(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(details={"toilet": True}, member_details=(SICK,))))
    again = Home(details={"toilet": True}, member_details=(SICK,))
    await deliver(runtime, rostered(runtime.keys, again, on="2026-02-01", sent=sent_at(2)))
    await deliver(runtime, rostered(runtime.keys, Home(), on="2026-02-02", sent=sent_at(3)))
    insured = {"insured_resident": True, "insured_employee": False}
    assert await details(runtime, standing=False) == [{"toilet": True}, SICK | insured]


async def test_a_roster_makes_its_households_due_for_the_checks(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(details={"toilet": True})))
    assert await runtime.worker_pool.fetchval("SELECT count(*) FROM quality_due") == 1


async def test_a_post_sees_the_details_of_its_field_classes(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Callable[..., dict[str, str]]
) -> None:
    runtime = monitoring_runtime
    member = {
        **SICK,
        "work_wage": 380_000,
        "member_phone": "19900000011",
        "nation": "汉族",
        "left_out": ["certificate"],
    }
    household = {
        "toilet": True,
        "risk_1": "illness",
        "after_per_head": 1_700_000,
        "monitored_class": "marginal_at_risk",
    }
    home = Home(people=(1,), details=household, member_details=(member,))
    await deliver(runtime, rostered(runtime.keys, home))
    seen = {}
    for role, division in (("grid_worker", VILLAGE), ("township_leader", "130624100000"), ("county_admin", COUNTY)):
        view = (await client.get("/monitoring/v1/households/F001", headers=bearer(role, division))).json()
        seen[role] = (set(view["members"][0]["details"]), view["details"])
    known = {"nation", "labour", "insured_resident", "insured_employee", "member_phone"}
    assert seen["grid_worker"] == (known, {"toilet": True, "risk_1": "illness"})
    assert seen["township_leader"][0] == known | {"work_wage"}
    assert seen["county_admin"][0] == known | {"work_wage", "health"}
    assert seen["county_admin"][1]["after_per_head"] == "17000.00"


def test_every_amount_phone_and_illness_of_the_layout_has_a_field_class() -> None:
    layout = layouts()["household_register"]
    assert layout.household is not None
    names = (*layout.household.member_details, *layout.household.household_details)
    for name in names:
        column = layout.column(name)
        if column.type is ColumnType.MONEY_YUAN:
            assert SHOWN_WITH[name] == "amount"
        if column.personal and name != "certificate":
            assert SHOWN_WITH[name] == "contact"
    assert set(SHOWN_WITH) <= set(names)
