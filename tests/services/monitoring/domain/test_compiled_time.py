"""The compiled text reads what was true on a day and known at a moment, of one county."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from services.monitoring.domain.compiler import compile_policy
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.policy import load_policy
from services.monitoring.tables_facts import MOST_FEN
from tests.services.monitoring.domain.ledger_database import COUNTY, KNOWN, RECORDED, LedgerWriter

ON = date(2026, 3, 15)
PACKAGE = load_policy()
COMPILED = compile_policy(PACKAGE)
BILL = Fact("expense.medical", date(2026, 2, 1), member="甲", compliant_fen=50_000, other_fen=0)
HOUSEHOLD = HouseholdFacts((Member("甲"), Member("乙")), (BILL,))


async def _row(ledger: LedgerWriter, household_id: int, **changes: Any) -> Mapping[str, Any] | None:
    arguments: dict[str, Any] = {
        "county": COUNTY,
        "household_ids": [household_id],
        "on": ON,
        "known_at": KNOWN,
        "parameters": PACKAGE.parameters_for("130624100201", ON),
        **changes,
    }
    rows: list[Mapping[str, Any]] = await ledger.connection.fetch(
        COMPILED.households_sql, *COMPILED.bind(**arguments)
    )
    return rows[0] if rows else None


async def _outlay(ledger: LedgerWriter, household_id: int, **changes: Any) -> int | None:
    row = await _row(ledger, household_id, **changes)
    assert row is not None
    outlay: int | None = row["rigid_outlay_fen"]
    return outlay


async def test_fact_counts_from_the_moment_it_was_recorded(ledger: LedgerWriter) -> None:
    (household,) = await ledger.write([HOUSEHOLD])
    assert await _outlay(ledger, household, known_at=RECORDED) == 50_000
    assert await _outlay(ledger, household, known_at=datetime(2023, 12, 31, tzinfo=UTC)) == 0


async def test_superseded_fact_counts_only_until_it_was_superseded(ledger: LedgerWriter) -> None:
    (household,) = await ledger.write([HOUSEHOLD])
    corrected = datetime(2026, 3, 1, tzinfo=UTC)
    await ledger.connection.execute(
        "update fact set superseded_at = $1 where household_id = $2", corrected, household
    )
    assert await _outlay(ledger, household, known_at=datetime(2026, 2, 28, tzinfo=UTC)) == 50_000
    assert await _outlay(ledger, household, known_at=corrected) == 0


async def test_member_who_left_takes_the_facts_along(ledger: LedgerWriter) -> None:
    (household,) = await ledger.write([HOUSEHOLD])
    await ledger.connection.execute(
        "update household_member set valid_to = $1 where household_id = $2"
        " and resident_id = (select min(resident_id) from household_member where household_id = $2)",
        ON,
        household,
    )
    assert await _outlay(ledger, household) == 0
    assert await _outlay(ledger, household, on=date(2026, 3, 14)) == 50_000


async def test_other_county_sees_nothing(ledger: LedgerWriter) -> None:
    (household,) = await ledger.write([HOUSEHOLD])
    assert await _row(ledger, household, county="130625") is None


async def test_household_without_members_or_facts_is_all_unknown(ledger: LedgerWriter) -> None:
    (household,) = await ledger.write([HouseholdFacts((), ())])
    row = await _row(ledger, household)
    assert row is not None
    assert (row["members_counted"], row["net_income_fen"], row["class_code"]) == (0, None, None)
    assert row["rigid_outlay_fen"] == 0


async def test_huge_amounts_do_not_overflow(ledger: LedgerWriter) -> None:
    wages = [Fact("income.wage", date(2025, 6, day), member="甲", amount_fen=MOST_FEN) for day in range(1, 11)]
    losses = [
        Fact("expense.disaster", date(2025, 6, day), amount_fen=MOST_FEN - (day == 1), relief_fen=0)
        for day in range(1, 11)
    ]
    (household,) = await ledger.write([HouseholdFacts((Member("甲"),), (*wages, *losses))])
    row = await _row(ledger, household)
    assert row is not None
    assert (row["reference_income_fen"], row["class_code"]) == (1, "sudden_hardship")
