"""A database with only the tables the compiled text reads, and a writer of households into them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateSequence, CreateTable

from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.tables_facts import FACT_NUMBERS
from services.monitoring.tables_facts import Fact as FactTable
from services.monitoring.tables_register import Household, HouseholdMember, Resident

COUNTY = "130624"
LONG_AGO = date(1990, 1, 1)
RECORDED = datetime(2024, 1, 1, tzinfo=UTC)
KNOWN = datetime(2026, 6, 1, tzinfo=UTC)

FACT_COLUMNS = (
    "kind",
    "occurred_on",
    "ended_on",
    "period_from",
    "period_to",
    "amount_fen",
    "gross_fen",
    "compliant_fen",
    "other_fen",
    "relief_fen",
    "visit",
    "stay",
    "value",
    "verified",
    "attributes",
    "source",
)


async def create_ledger(connection: asyncpg.Connection) -> None:
    """Create the tables as the service defines them, one county's partition, no roles and no row security."""
    await connection.execute("create schema monitoring")
    dialect = postgresql.dialect()
    await connection.execute(str(CreateSequence(FACT_NUMBERS).compile(dialect=dialect)))
    for table in (Household, Resident, HouseholdMember, FactTable):
        definition: Any = table.__table__  # type: ignore[attr-defined]
        await connection.execute(str(CreateTable(definition).compile(dialect=dialect)))
        for index in definition.indexes:
            await connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    await connection.execute(
        f"create table monitoring.fact_{COUNTY} partition of monitoring.fact for values in ('{COUNTY}')"
    )
    await connection.execute("set search_path to monitoring")
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_jsonb, decoder=lambda data: json.loads(data[1:])
    )


def _jsonb(value: object) -> bytes:
    """COPY is binary; jsonb's binary form is a version byte and the text."""
    return b"\x01" + json.dumps(value).encode()


@dataclass
class LedgerWriter:
    """Stores households; numbers residents across them, so that one person may belong to two households."""

    connection: asyncpg.Connection
    residents: int = 0
    households: int = 0

    async def write(self, households: Sequence[HouseholdFacts]) -> list[int]:
        """Store the households; their ids, in order."""
        ids = [self.households + index for index in range(1, len(households) + 1)]
        self.households += len(households)
        members, residents, facts = [], [], []
        for household_id, household in zip(ids, households, strict=True):
            numbers = {}
            for member in household.members:
                self.residents += 1
                numbers[member.key] = self.residents
                residents.append(_resident(self.residents, member))
                members.append((household_id, self.residents, *_membership(member)))
            facts += [_fact(household_id, each, numbers) for each in household.facts]
        await self._copy("household", HOUSEHOLD, [(i, COUNTY, f"H{i}", *["130624100201"] * 2) for i in ids])
        await self._copy("resident", RESIDENT, residents)
        await self._copy("household_member", MEMBER, members)
        await self._copy("fact", FACT, [(f"{ids[0]}-{i}", *each) for i, each in enumerate(facts)])
        return ids

    async def _copy(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        await self.connection.copy_records_to_table(table, records=list(rows), columns=list(columns))


HOUSEHOLD = ("household_id", "county", "household_no", "registered_division", "living_division")
RESIDENT = ("resident_id", "number_index", "sealed_number", "name", "sex", "birth_date", "died_on")
MEMBER = (
    "household_id",
    "resident_id",
    "county",
    "relation",
    "status",
    "valid_from",
    "recorded_at",
    "born",
    "died_on",
)
FACT = (
    "record_key",
    "household_id",
    "resident_id",
    "county",
    "data_set",
    "received_at",
    "recorded_at",
    *FACT_COLUMNS,
)


def _resident(number: int, member: Member) -> tuple[Any, ...]:
    index = number.to_bytes(32, "big")
    return number, index, b"", "某人", "male", member.birth_date or LONG_AGO, member.died_on


def _membership(member: Member) -> tuple[Any, ...]:
    born = (member.birth_date or LONG_AGO).strftime("%Y%m%d")
    return COUNTY, "成员", member.status, LONG_AGO, RECORDED, int(born), member.died_on


def _fact(household_id: int, fact: Fact, numbers: dict[str, int]) -> tuple[Any, ...]:
    resident = None if fact.member is None else numbers[fact.member]
    values = (getattr(fact, name) if name != "attributes" else dict(fact.attributes) for name in FACT_COLUMNS)
    return household_id, resident, COUNTY, fact.data_set or "test", RECORDED, RECORDED, *values
