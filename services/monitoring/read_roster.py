"""Read facts out of a roster: what it says of each household, as entries for the ledger."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any

from services.monitoring.domain.ledger import Content, Entry, Key, Place, Said, Stored
from shared.contracts.intake import HouseholdRecord, HouseholdsRecorded, MemberRecord
from shared.vocabulary.division import county_of
from shared.vocabulary.terms import Source

BASE_GROUP, DWELLING, INSURED = "state.base_group", "state.dwelling", "state.insured"
HEALTH, LABOUR, SCHOOL = "state.health", "state.labour", "state.school"
STATES = (BASE_GROUP, DWELLING, INSURED, HEALTH, LABOUR, SCHOOL)
DEPARTMENT = Source.DEPARTMENT.value
ILLNESSES = ("healthy", "chronic", "serious")
# Stages of the roster that the policy's vocabulary counts among others.
STAGES: Mapping[str, str] = {"technician": "vocational"}
_county = lru_cache(county_of)

# Field of the roster's income -> kind of fact. A household's total of the year: nobody's in particular.
INCOMES: Mapping[str, str] = {
    "wage_fen": "income.wage",
    "business_sales_fen": "income.business_sales",
    "production_cost_fen": "cost.production",
    "property_fen": "income.property",
    "transfer_fen": "income.transfer_regular",
}


@dataclass(frozen=True, slots=True)
class State:
    """A state as the roster gives it; null fields of the roster give none, so what was known before stands.

    One that does not hold is known not to: what the roster said before of this subject has ended.
    """

    kind: str
    subject: str
    place: Place
    value: str | None
    attributes: dict[str, Any] = field(default_factory=dict)
    holds: bool = True
    person: str | None = None


def incomes_of(told: HouseholdsRecorded, record: HouseholdRecord, place: Place) -> Iterator[Entry]:
    """The components of the year's income, one record each; next year's are records of their own."""
    if record.income is None or record.income_year is None:
        return
    first, last = date(record.income_year, 1, 1), date(record.income_year, 12, 31)
    for name, kind in INCOMES.items():
        content = Content(
            occurred_on=last, period_from=first, period_to=last, amount_fen=getattr(record.income, name)
        )
        yield _entry(told, Key(told.data_set, f"{_base(told, record)}@{record.income_year}", kind), content, place)


def states_of(
    told: HouseholdsRecorded, record: HouseholdRecord, place: Place, residents: Mapping[bytes, int]
) -> Iterator[State]:
    """The states of a household and its members that the roster knows."""
    base = _base(told, record)
    yield State(BASE_GROUP, base, place, str(record.base_group))
    grade = record.dwelling_grade or record.occupied_grade
    if grade is not None:
        occupied = record.occupied_grade or grade
        # The roster lists one dwelling of the household, and the one it lives in if that is another.
        yield State(DWELLING, base, place, grade, {"occupied": occupied, "only": occupied == grade})
    for member in record.members:
        resident = Place(place.household_id, place.county, residents[bytes.fromhex(member.index)])
        for state in _member_states(member, f"{base}/{member.index[:32]}", resident):
            yield replace(state, person=member.index)


def _member_states(member: MemberRecord, subject: str, resident: Place) -> Iterator[State]:
    insured = _insured(member)
    if insured is not None:
        yield State(INSURED, subject, resident, insured)
    health = member.details.get("health")
    if health is not None:
        # Each illness is a state of its own: a person may have several, and only the missing ones end.
        for each in ILLNESSES:
            yield State(HEALTH, f"{subject}/{each}", resident, each, holds=each in health)
    labour = member.details.get("labour")
    if labour is not None:
        yield State(LABOUR, subject, resident, labour)
    school = _school(member.details.get("school"), member.details.get("absent_reason"))
    if school is not None:
        yield State(SCHOOL, subject, resident, *school)


def _school(stage: str | None, absent_reason: str | None) -> tuple[str | None, dict[str, Any]] | None:
    """The stage and whether the person attends it; nothing if the roster says neither a stage nor a reason."""
    if stage is not None and stage != "infant":
        return STAGES.get(stage, stage), {"in_school": True}
    if absent_reason is not None:
        return None, {"in_school": False, "absent_reason": absent_reason}
    return ("preschool", {"in_school": False}) if stage == "infant" else None


def changes_of_state(
    told: HouseholdsRecorded, states: Iterable[State], standing: Sequence[Stored]
) -> Iterator[Entry]:
    """What to tell the ledger, so that each state holds from the roster's date until a later one says otherwise.

    An unchanged state is not told again: it holds since the day it was first said.
    """
    known: dict[tuple[str, str], list[Stored]] = {}
    for stored in standing:
        subject = stored.entry.key.record_key.rpartition("@")[0]
        known.setdefault((stored.entry.key.kind, subject), []).append(stored)
    for state in states:
        yield from _change(told, state, known.get((state.kind, state.subject), ()))


def _change(told: HouseholdsRecorded, state: State, known: Sequence[Stored]) -> Iterator[Entry]:
    on = told.recorded_from
    holds = next((s for s in known if _holds(s, on)), None)
    if holds is not None and state.holds and _says(holds, state):
        return
    if holds is not None and (not state.holds or holds.entry.content.occurred_on < on):
        yield _entry(
            told, holds.entry.key, Content(holds.entry.content.occurred_on, ended_on=on), state.place, op="end"
        )
    if not state.holds:
        return
    later = min((s.entry.content.occurred_on for s in known if s.entry.content.occurred_on > on), default=None)
    content = Content(occurred_on=on, ended_on=later, value=state.value, attributes=state.attributes)
    entry = _entry(told, Key(told.data_set, f"{state.subject}@{on}", state.kind), content, state.place)
    yield replace(entry, person=state.person)


def _holds(stored: Stored, on: date) -> bool:
    content = stored.entry.content
    return content.occurred_on <= on and (content.ended_on is None or on < content.ended_on)


def _says(stored: Stored, state: State) -> bool:
    content = stored.entry.content
    return (content.value, content.attributes, stored.entry.place) == (state.value, state.attributes, state.place)


def _insured(member: MemberRecord) -> str | None:
    """One scheme is enough; without any it must be known that both are missing."""
    if member.insured_employee:
        return "employee"
    if member.insured_resident:
        return "resident"
    return "none" if member.insured_resident is False and member.insured_employee is False else None


def _base(told: HouseholdsRecorded, record: HouseholdRecord) -> str:
    return f"{_county(told.division)}/{record.record}"


def _entry(told: HouseholdsRecorded, key: Key, content: Content, place: Place, op: Any = "put") -> Entry:
    return Entry(
        key=key,
        said=Said(told.received_at, told.feed_id),
        content=content,
        source=DEPARTMENT,
        division=told.division,
        op=op,
        department=told.department,
        place=place,
    )
