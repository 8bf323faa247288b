"""What a roster says beyond names: facts of the policy's vocabulary, and details that checks of quality read."""

from typing import Any

from shared.runtime import Runtime
from tests.services.monitoring.build import Home, deliver, facts, rostered, sent_at

SICK = {"health": ["chronic", "disabled"], "labour": "weak"}
PUPIL = {"school": "primary", "health": ["healthy"], "labour": "none"}


async def states(runtime: Runtime) -> list[tuple[str, str | None, Any]]:
    """The states of members that hold: kind, value, attributes."""
    told = [fact for fact in await facts(runtime) if fact["resident_id"] and fact["ended_on"] is None]
    return sorted((f["kind"], f["value"], f["attributes"]) for f in told if f["kind"] != "state.insured")


async def details(runtime: Runtime, *, standing: bool = True) -> list[dict[str, Any]]:
    which = "superseded_at IS NULL" if standing else "true"
    rows = await runtime.worker_pool.fetch(f"SELECT details FROM roster_detail WHERE {which} ORDER BY detail_id")
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
