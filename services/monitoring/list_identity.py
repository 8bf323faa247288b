"""List doubtful identities side by side, within the caller's range and what his post sees; every look is audited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.monitoring import repository_identity as repository
from services.monitoring.domain.identity_pair import QUESTIONS, Reason
from services.monitoring.read_household import CONTACT
from services.monitoring.schemas_identity import (
    PairCount,
    PairCounts,
    PairDecided,
    PairSide,
    PairView,
    WaitingCount,
    WaitingCounts,
)
from shared.errors import NotFound
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import audit
from shared.security.masking import mask_name, mask_number
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.web.page import Page, next_cursor

COMPARED = ("name", "sex", "birth_date", "number", "household_no")


class PairNotFound(NotFound):
    """Nobody learns whether a pair exists outside his range."""

    code, title = "identity_pair_not_found", "没有找到这一对"


@dataclass(frozen=True, slots=True)
class PairQuery:
    """Which pairs are asked for."""

    division: str
    state: str | None
    reason: str | None
    after: int
    limit: int


async def list_identity(
    scoped: asyncpg.Connection, query: PairQuery, caller: Principal, runtime: Runtime, *, request_id: str
) -> Page[PairView]:
    """A page of the queue, the oldest first."""
    lo, hi = code_range(query.division)
    rows = await repository.pairs(
        scoped, lo, hi, state=query.state, reason=query.reason, after=query.after, limit=query.limit + 1
    )
    shown = rows[: query.limit]
    detail = {"division": query.division, "shown": len(shown)}
    now = runtime.clock.now()
    await audit(scoped, caller, "identity.list", "identity_pair", now=now, request_id=request_id, detail=detail)
    more = next_cursor(rows, query.limit, after="pair_id")
    return Page(items=await _views(scoped, shown, caller, runtime), next_cursor=more)


async def show_pair(
    scoped: asyncpg.Connection, pair_id: int, caller: Principal, runtime: Runtime, *, request_id: str
) -> PairView:
    """One pair; PairNotFound outside the caller's range."""
    rows = await repository.pairs(scoped, *code_range(caller.division), pair_id=pair_id)
    if not rows:
        raise PairNotFound
    now = runtime.clock.now()
    await audit(scoped, caller, "identity.read", f"identity_pair:{pair_id}", now=now, request_id=request_id)
    return (await _views(scoped, rows, caller, runtime))[0]


async def count_identity(scoped: asyncpg.Connection, division: str) -> PairCounts:
    """Open pairs by township and reason."""
    rows = await repository.pair_counts(scoped, *code_range(division))
    items = [PairCount(**dict(row)) for row in rows]
    return PairCounts(items=items, total=sum(each.pairs for each in items))


async def count_waiting(scoped: asyncpg.Connection, division: str, now: datetime) -> WaitingCounts:
    """What waits for its person, by department and place, with the age of the oldest."""
    rows = await repository.waiting_counts(scoped, *code_range(division))
    items = [WaitingCount(**dict(row), oldest_days=max((now - row["oldest"]).days, 0)) for row in rows]
    return WaitingCounts(items=items, rows=sum(each.rows for each in items))


async def _views(
    scoped: asyncpg.Connection, rows: Sequence[Mapping[str, Any]], caller: Principal, runtime: Runtime
) -> list[PairView]:
    ids = [row[name] for row in rows for name in ("resident_id", "other_resident_id") if row[name] is not None]
    home_ids = [row[name] for row in rows for name in ("household_id", "other_household_id") if row[name] is not None]
    known = _Known(
        await repository.people(scoped, ids),
        await repository.seen_homes(scoped, home_ids),
        await repository.relations(scoped, ids),
        CONTACT in field_classes(caller),
        runtime,
    )
    decided = await repository.decisions(scoped, [row["pair_id"] for row in rows])
    return [known.view(row, decided.get(row["pair_id"])) for row in rows]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the caller's scope shows of the people and households of a page."""

    people: Mapping[int, Mapping[str, Any]]
    homes: Mapping[int, Mapping[str, Any]]
    relations: Mapping[tuple[int, int], str]
    sees_contact: bool
    runtime: Runtime

    def view(self, row: Mapping[str, Any], decided: Mapping[str, Any] | None) -> PairView:
        reason, age = Reason(row["reason"]), self.runtime.clock.now() - row["proposed_at"]
        sides = [self._side(row["resident_id"], row["household_id"]), self._other(row)]
        return PairView(
            pair_id=row["pair_id"],
            reason=reason.value,
            question=QUESTIONS[reason],
            state=row["state"],
            proposed_at=row["proposed_at"],
            waiting_days=max(age.days, 0),
            sides=sides,
            differs=_differs(*sides),
            decided=decided and _decided(decided),
        )

    def _other(self, row: Mapping[str, Any]) -> PairSide:
        if row["other_resident_id"] is not None:
            return self._side(row["other_resident_id"], row["other_household_id"])
        if row["told_by"] is not None or row["told_name"] is not None:
            return _side(name=self._name(row["told_name"]), told_by=row["told_by"])
        return self._side(row["resident_id"], row["other_household_id"] or row["household_id"])

    def _side(self, resident_id: int, household_id: int | None) -> PairSide:
        """A resident in a household; nothing of a household, and of one in it, that the caller does not see."""
        home, person = self.homes.get(household_id or 0), self.people.get(resident_id)
        if home is None or person is None:
            return _side()
        return _side(
            member_id=resident_id,
            household_no=home["household_no"],
            division=home["living_division"],
            relation=self.relations.get((resident_id, household_id or 0)),
            name=self._name(person["name"]),
            sex=person["sex"],
            birth_date=person["birth_date"] if self.sees_contact else None,
            number=self._number(person),
            no_id_reason=person["no_id_reason"],
        )

    def _name(self, name: str | None) -> str | None:
        return name if name is None or self.sees_contact else mask_name(name)

    def _number(self, person: Mapping[str, Any]) -> str | None:
        if person["sealed_number"] is None or not self.sees_contact:
            return None
        index = person["number_index"].hex()
        return mask_number(self.runtime.keys.open(person["sealed_number"], "resident", "sealed_number", index))


def _side(**known: Any) -> PairSide:
    return PairSide(**{**dict.fromkeys(PairSide.model_fields), **known})


def _differs(one: PairSide, other: PairSide) -> list[str]:
    """What the two have otherwise, as far as both are seen."""
    both = ((name, getattr(one, name), getattr(other, name)) for name in COMPARED)
    return [name for name, a, b in both if a is not None and b is not None and a != b]


def _decided(row: Mapping[str, Any]) -> PairDecided:
    return PairDecided(
        decision=row["decision"],
        survivor_member_id=row["survivor_id"],
        reason=row["reason"],
        notes=row["notes"],
        decided_by_name=row["decided_by_name"],
        decided_at=row["decided_at"],
    )
