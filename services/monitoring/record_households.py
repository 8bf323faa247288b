"""Record households of a roster: who lives where with whom, and what the roster says of them."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from services.monitoring import repository_details as details
from services.monitoring import repository_facts as ledger
from services.monitoring import repository_freshness as freshness
from services.monitoring import repository_households as households
from services.monitoring import repository_quality_due as due
from services.monitoring import repository_register as register
from services.monitoring import repository_rosters as rosters
from services.monitoring import repository_waiting as waiting
from services.monitoring.announce import announce_progress
from services.monitoring.append_facts import Appended, append_facts, move_facts
from services.monitoring.domain.ledger import Entry, Place
from services.monitoring.domain.timeline import Span, moved_to
from services.monitoring.match_waiting import match_entries
from services.monitoring.note_identity import note_identity
from services.monitoring.propose_identity import propose_doubts, propose_told_twice
from services.monitoring.read_message import check_divisions, check_indices, open_sealed
from services.monitoring.read_roster import STATES, changes_of_state, incomes_of, states_of
from services.monitoring.refuse_foreign import refuse_foreign
from services.monitoring.repository_details import Detail
from services.monitoring.repository_rosters import Home, Membership, Person
from shared.contracts.envelope import Event
from shared.contracts.intake import HouseholdRecord, HouseholdsRecorded, MemberRecord
from shared.contracts.progress import FeedCounts, ProgressItem
from shared.errors import Unprocessable
from shared.runtime import Runtime
from shared.security.keys import Keyring
from shared.vocabulary.division import county_of

BULK = 9


class IndexDoesNotFit(Unprocessable):
    """A sealed number and its blind index name different people."""

    code, title = "index_does_not_fit", "身份证号与索引不一致"


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster message with what the database knows of it; `late` households have a newer roster already."""

    told: HouseholdsRecorded
    homes: dict[str, asyncpg.Record]
    residents: dict[bytes, int]

    @property
    def counties(self) -> list[str]:
        return sorted({home["county"] for home in self.homes.values()})

    def ids(self, *, late: bool = False) -> list[int]:
        return [home["household_id"] for home in self.homes.values() if home["newest"] is not late]

    def members(self, *, late: bool = False) -> list[Membership]:
        return [
            Membership(self.homes[h.household_no]["household_id"], self.residents[_index(m)], m.relation)
            for h in self.told.households
            if self.homes[h.household_no]["newest"] is not late
            for m in self._once(h)
        ]

    def _once(self, record: HouseholdRecord) -> list[MemberRecord]:
        """Its members, each person once: a number used for two counts for the first, a joined person for one."""
        return list({self.residents[_index(m)]: m for m in reversed(record.members)}.values())[::-1]

    def told_twice(self) -> list[tuple[int, int, str]]:
        """Numbers a household lists under a second name: resident, household, that name."""
        first = {(h.household_no, m.index): m for h in self.told.households for m in reversed(h.members)}
        return [
            (self.residents[_index(m)], self.homes[h.household_no]["household_id"], m.name)
            for h in self.told.households
            for m in h.members
            if first[h.household_no, m.index] is not m
        ]

    def details(self) -> list[Detail]:
        """What is said of households and members of which this is the newest roster."""
        homes = [(h, self.homes[h.household_no]) for h in self.told.households]
        newest = [(h, home["household_id"]) for h, home in homes if home["newest"]]
        said = [Detail(home, None, h.details) for h, home in newest if h.details]
        members = [
            Detail(home, self.residents[_index(m)], m.details | _schemes(m))
            for h, home in newest
            for m in self._once(h)
            if m.details
        ]
        return said + members

    def place(self, record: HouseholdRecord) -> Place:
        home = self.homes[record.household_no]
        return Place(home["household_id"], home["county"])


async def record_households(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Write residents, households and membership; append facts; match what waited for these people."""
    listed = HouseholdsRecorded.model_validate(event.data)
    check_divisions([listed.division, *(h.division for h in listed.households)])
    check_indices(m.index for h in listed.households for m in h.members)
    told = await refuse_foreign(connection, listed, runtime)
    if told is None:
        return ("relay",)
    roster = await _put_people_and_homes(connection, told, event, runtime)
    moved = await _put_members(connection, roster)
    now = runtime.clock.now()
    await _put_details(connection, roster, now)
    appended = await append_facts(connection, await _entries(connection, roster), now=now, priority=BULK)
    matched = await _match_waiting(connection, roster, runtime)
    followed = await move_facts(
        connection, sorted({resident for _, resident in moved}), told.data_set, now=now, priority=BULK
    )
    await note_identity(connection, appended.entries, now=now)
    # Membership counts heads, so a household that lost or gained somebody is due though no fact changed.
    recounted = {household for household, _ in moved} - appended.households - matched.households - followed
    await households.mark_changed(connection, sorted(recounted), now=now, priority=BULK)
    await propose_doubts(connection, sorted({*roster.residents.values()}), runtime)
    await propose_told_twice(connection, roster.told_twice(), told.department, now)
    await freshness.record(connection, told.division, told.data_set, _newest(told), told.received_at)
    progress = _progress(told, appended, matched, runtime)
    await announce_progress(connection, [progress], now=now, priority=BULK)
    return ("relay", "assess")


def _newest(told: HouseholdsRecorded) -> date:
    """The last day a roster speaks of: the end of its incomes' year, or the day it holds from."""
    years = [date(h.income_year, 12, 31) for h in told.households if h.income_year is not None]
    return max([told.recorded_from, *years])


async def _put_people_and_homes(
    connection: asyncpg.Connection, told: HouseholdsRecorded, event: Event, runtime: Runtime
) -> Roster:
    homes = [_home(record) for record in told.households]
    await households.plan_afresh(connection)
    await households.lock_rosters(connection, [home.county for home in homes])
    await households.ensure_counties(connection, [home.county for home in homes])
    rows = await rosters.put_households(connection, homes, on=told.recorded_from, received_at=told.received_at)
    await _move_between_counties(connection, rows)
    await _note_moves(connection, rows, told)
    known = {row["household_no"]: row for row in rows}
    return Roster(told, known, await _put_people(connection, told, known, event, runtime))


async def _put_people(
    connection: asyncpg.Connection,
    told: HouseholdsRecorded,
    homes: dict[str, asyncpg.Record],
    event: Event,
    runtime: Runtime,
) -> dict[bytes, int]:
    """Add the people not known yet, correct the others from newer rosters only; everybody's resident_id."""
    people = {_index(m): (h, i, m) for h in told.households for i, m in reversed(list(enumerate(h.members)))}
    known = await rosters.resident_ids(connection, list(people))
    new = [_person(runtime.keys, event, *people[index]) for index in people if index not in known]
    await rosters.put_residents(connection, new)
    listed = [(x, m) for x, (h, _, m) in people.items() if x in known and homes[h.household_no]["newest"]]
    await rosters.correct_residents(connection, [(x, m.name, m.sex, m.birth_date) for x, m in listed])
    return known | await rosters.resident_ids(connection, [person.number_index for person in new])


async def _move_between_counties(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> None:
    moved = [row for row in rows if row["newest"] and row["former_county"] != row["county"]]
    if moved:
        await rosters.move_to_county(
            connection, [row["household_id"] for row in moved], [row["county"] for row in moved]
        )


async def _note_moves(
    connection: asyncpg.Connection, rows: Sequence[asyncpg.Record], told: HouseholdsRecorded
) -> None:
    """Write down where households were registered and lived until a roster moved them."""
    moved = [row for row in rows if row["newest"] and row["former_registered"] != row["registered_division"]]
    at = await households.database_time(connection) if moved else None
    for row in moved:
        assert at is not None
        lives_there = row["former_living"] == row["former_registered"]
        for role in ("registered", *(["living"] if lives_there else [])):
            spans = await register.places(connection, row["household_id"], role)
            spans = spans or [Span(row["former_registered"], None)]
            after = moved_to(row["registered_division"], spans, told.recorded_from)
            await register.rewrite_places(connection, row["household_id"], role, after, told.feed_id, at)


async def _put_members(connection: asyncpg.Connection, roster: Roster) -> set[tuple[int, int]]:
    """Write who belongs to whom; returns what changed: household and resident."""
    at, on = await households.database_time(connection), roster.told.recorded_from
    changed = await rosters.put_members(connection, roster.members(), roster.ids(), on=on, at=at)
    until = {home["household_id"]: home["former_roster_on"] for home in roster.homes.values() if not home["newest"]}
    late = [member for member in roster.members(late=True) if on < until[member.household_id]]
    return changed | await rosters.reach_back(connection, late, until, on=on, at=at)


async def _put_details(connection: asyncpg.Connection, roster: Roster, now: datetime) -> None:
    """Keep what the newest roster says beyond facts; the checks of quality read it again."""
    told, at = roster.told, await households.database_time(connection)
    changed = await details.put(
        connection,
        roster.details(),
        on=told.recorded_from,
        received_at=told.received_at,
        origin=told.feed_id,
        at=at,
    )
    await due.mark(connection, sorted(changed), now=now)


async def _entries(connection: asyncpg.Connection, roster: Roster) -> list[Entry]:
    told = roster.told
    standing = await ledger.states_that_stand(
        connection, [home["household_id"] for home in roster.homes.values()], roster.counties, told.data_set, STATES
    )
    entries = [entry for h in told.households for entry in incomes_of(told, h, roster.place(h))]
    states = [state for h in told.households for state in states_of(told, h, roster.place(h), roster.residents)]
    return entries + list(changes_of_state(told, states, standing))


async def _match_waiting(connection: asyncpg.Connection, roster: Roster, runtime: Runtime) -> Appended:
    """Append what waited for these people or households; a report among it waits for the assessment now."""
    waited = await waiting.of(connection, list(roster.residents), list(roster.homes))
    return await match_entries(connection, waited, runtime)


def _schemes(member: MemberRecord) -> dict[str, bool]:
    """Both schemes as the roster has them; the fact made of them keeps only the better one."""
    said = {"insured_resident": member.insured_resident, "insured_employee": member.insured_employee}
    return {name: value for name, value in said.items() if value is not None}


def _home(record: HouseholdRecord) -> Home:
    head = next((m for m in record.members if m.relation == "户主"), record.members[0])
    return Home(record.household_no, county_of(record.division), record.division, head.name, record.phone)


def _person(keys: Keyring, event: Event, household: HouseholdRecord, i: int, member: MemberRecord) -> Person:
    """Open the number that travelled sealed, check it against its index, and seal it for our own table."""
    if member.sealed is None:
        return Person(_index(member), None, member.name, member.sex, member.birth_date, member.no_id_reason)
    number = open_sealed(keys, member.sealed, str(event.id), f"members/{household.household_no}/{i}")
    index = _index(member)
    if not hmac.compare_digest(keys.blind_index(number), index):
        raise IndexDoesNotFit(f"户 {household.household_no} 第 {i + 1} 名成员")
    sealed = keys.seal(number, "resident", "sealed_number", member.index)
    return Person(index, sealed, member.name, member.sex, member.birth_date)


def _index(member: MemberRecord) -> bytes:
    return bytes.fromhex(member.index)


def _progress(told: HouseholdsRecorded, appended: Appended, matched: Appended, runtime: Runtime) -> ProgressItem:
    changed = len(appended.households | matched.households)
    counts = FeedCounts(matched=len(told.households), changed=changed)
    return ProgressItem(feed_id=told.feed_id, stage="matched", at=runtime.clock.now(), counts=counts)
