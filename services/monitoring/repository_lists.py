"""Lists of households behind every figure: filters as conditions, each of which a figure's count is made of too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg

from services.monitoring.domain.dashboard import NONE, Answer, Happening, Stage, Visit
from services.monitoring.domain.tag import TAG_KINDS
from services.monitoring.repository_readings import SUMMARY

_TAG_KINDS = ", ".join(map(repr, TAG_KINDS))
_ANSWERED = "FROM verification v WHERE v.household_id = h.household_id"
_DECIDED = "FROM decision d WHERE d.household_id = h.household_id"
_SHANGHAI = "AT TIME ZONE 'Asia/Shanghai'"

VISITS: Mapping[str, str] = {
    Visit.OPEN: "h.warned_at IS NOT NULL",
    Visit.EXPECTED: "h.warned_at IS NULL AND h.severity IS NOT NULL AND h.answered IS NULL",
}

# How far a household `h` got that was first warned at `w.first`.
_VISITED = f"EXISTS (SELECT {_ANSWERED} AND v.verified_at >= w.first)"
_IDENTIFIED = (
    f"(EXISTS (SELECT {_ANSWERED} AND v.verified_at >= w.first AND v.outcome = 'identify')"
    f" OR EXISTS (SELECT {_DECIDED} AND d.recorded_at >= w.first AND d.action = 'enter'))"
)
_HELPED = (
    f"(EXISTS (SELECT {_ANSWERED} AND v.verified_at >= w.first AND v.outcome = 'need_met')"
    " OR EXISTS (SELECT FROM fact f WHERE f.county = h.county AND f.household_id = h.household_id"
    "            AND f.kind = 'event.measure' AND f.superseded_at IS NULL"
    f"            AND f.occurred_on >= (w.first {_SHANGHAI})::date))"
)
STAGES: Mapping[str, str] = {
    Stage.WARNED: "true",
    Stage.VISITED: _VISITED,
    Stage.IDENTIFIED: f"{_VISITED} AND {_IDENTIFIED}",
    Stage.HELPED: f"{_VISITED} AND {_IDENTIFIED} AND {_HELPED}",
}
YEAR = f"extract(year FROM opened_at {_SHANGHAI})::int"

# What happened to household `h`, with the month in which it did.
_VERIFIED_IN = f"to_char(v.verified_at {_SHANGHAI}, 'YYYY-MM')"
_DECIDED_IN = "to_char(d.decided_on, 'YYYY-MM')"
HAPPENINGS: Mapping[str, str] = {
    Happening.WARNED: f"SELECT to_char(o.opened_at {_SHANGHAI}, 'YYYY-MM') AS month FROM warning_opened o"
    " WHERE o.household_id = h.household_id",
    Happening.VISITED: f"SELECT {_VERIFIED_IN} AS month {_ANSWERED}",
    Happening.IDENTIFIED: f"SELECT {_VERIFIED_IN} AS month {_ANSWERED} AND v.outcome = 'identify'",
    Happening.ENTERED: f"SELECT {_DECIDED_IN} AS month {_DECIDED} AND d.action = 'enter'",
    Happening.REMOVED: f"SELECT {_DECIDED_IN} AS month {_DECIDED} AND d.action = 'remove'",
}
ANSWERS: Mapping[str, str] = {Answer.VERIFIED: "true", Answer.IDENTIFIED: "v.outcome = 'identify'"}


@dataclass(slots=True)
class Wanted:
    """Which households a list holds: conditions on `household h`, and their binds."""

    conditions: list[str] = field(default_factory=lambda: ["h.ended_on IS NULL"])
    binds: list[Any] = field(default_factory=list)

    def add(self, condition: str, *binds: object) -> None:
        """A condition with {} for each bind."""
        first = len(self.binds) + 1
        self.conditions.append(condition.format(*(f"${first + i}" for i in range(len(binds)))))
        self.binds += binds

    def equals(self, column: str, value: object) -> None:
        if value == NONE:
            self.add(f"h.{column} IS NULL")
        else:
            self.add(f"h.{column} = {{}}", value)

    def assessment(self, condition: str, *binds: object) -> None:
        """A condition on the assessment `a` that stands."""
        standing = "standing s JOIN assessment a USING (household_id, assessment_id)"
        self.add(f"EXISTS (SELECT FROM {standing} WHERE s.household_id = h.household_id AND {condition})", *binds)

    def assessed(self, yes: bool) -> None:
        standing = "SELECT FROM standing s WHERE s.household_id = h.household_id AND s.assessment_id IS NOT NULL"
        self.add(f"{'' if yes else 'NOT '}EXISTS ({standing})")

    def stage(self, stage: str, year: int) -> None:
        opened = f"warning_opened WHERE household_id = h.household_id AND {YEAR} = {{}}"
        first = f"SELECT min(opened_at) AS first FROM {opened}"
        self.add(f"EXISTS (SELECT FROM ({first}) w WHERE w.first IS NOT NULL AND {STAGES[stage]})", year)

    def happening(self, event: str, month: str) -> None:
        self.add(f"EXISTS (SELECT FROM ({HAPPENINGS[event]}) x WHERE x.month = {{}})", month)

    def answer(self, indicator: str, answer: str) -> None:
        self.add(f"EXISTS (SELECT {_ANSWERED} AND {{}} = ANY (v.indicators) AND {ANSWERS[answer]})", indicator)

    def data_set(self, name: str) -> None:
        self.add(
            "EXISTS (SELECT FROM fact f WHERE f.county = h.county AND f.household_id = h.household_id"
            " AND f.superseded_at IS NULL AND f.data_set = {})",
            name,
        )

    def tag(self, kind: str, value: str | None, on: date) -> None:
        """A state that stands; the list of kinds tells the planner of the index that holds these few facts only."""
        said = "f.value <> 'none'" if value is None else "f.value = {}"
        self.add(
            "h.household_id IN (SELECT f.household_id FROM fact f WHERE f.superseded_at IS NULL"
            " AND f.occurred_on <= {} AND coalesce(f.ended_on > {}, true)"
            f" AND f.kind IN ({_TAG_KINDS}) AND f.kind = {{}} AND {said})",
            on,
            on,
            *((kind,) if value is None else (kind, value)),
        )

    @property
    def where(self) -> str:
        return " AND ".join(self.conditions)


async def households(connection: asyncpg.Connection, wanted: Wanted, after: int, limit: int) -> list[dict[str, Any]]:
    """The next households that fit, in the order of their numbers."""
    at = len(wanted.binds)
    rows = await connection.fetch(
        f"SELECT {SUMMARY} FROM household h WHERE {wanted.where} AND h.household_id > ${at + 1}"
        f" ORDER BY h.household_id LIMIT ${at + 2}",
        *wanted.binds,
        after,
        limit,
    )
    return [dict(row) for row in rows]


async def count(connection: asyncpg.Connection, wanted: Wanted, most: int) -> int:
    """How many households fit; one more than `most` if there are more than that."""
    found: int = await connection.fetchval(
        f"SELECT count(*) FROM (SELECT FROM household h WHERE {wanted.where} LIMIT {most + 1}) x", *wanted.binds
    )
    return found


async def within(connection: asyncpg.Connection, milliseconds: int) -> None:
    """Until the end of the transaction no statement runs longer: an abandoned list would starve all others."""
    await connection.execute("SELECT set_config('statement_timeout', $1, true)", str(milliseconds))
