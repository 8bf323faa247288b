"""Change who belongs to a household and how: somebody joins, leaves, dies, goes away, becomes the head."""

from datetime import date

from services.monitoring import repository_register as register
from services.monitoring import repository_rosters as rosters
from services.monitoring.domain.relation import HEAD
from services.monitoring.domain.timeline import altered, begun
from services.monitoring.register_desk import DECEASED, ChangeDoesNotFit, Desk, Done, Home, number_index, refused
from services.monitoring.repository_register import Belonging
from services.monitoring.repository_rosters import Person
from services.monitoring.schemas_register import (
    DeathWithdrawn,
    HeadChanged,
    MemberDied,
    MemberJoined,
    MemberLeft,
    MemberRelation,
    MemberStatus,
)
from shared.vocabulary.identity_number import parse_identity_number

NO_HEAD = "本户已无在世户主，请办理变更户主"
LIVING = "living"


async def let_join(desk: Desk, home: Home, change: MemberJoined) -> Done:
    """Somebody belongs to the household from the day on, and to no other household of the caller's range."""
    resident_id = await _resident(desk, change)
    if home.belongs(resident_id, desk.on) is not None:
        raise ChangeDoesNotFit("此人当日已是本户成员")
    if change.relation == HEAD and _head_of(desk, home) is not None:
        raise refused("relation", "one_head", "本户已有户主", "其他关系，或先办理变更户主")
    spans = begun(home.people.get(resident_id, ()), desk.on, Belonging(change.relation, LIVING))
    await desk.write(home, resident_id, spans)
    done = Done({"member_id": resident_id, "because": change.because}, [], {home.id}, {resident_id})
    for other in desk.homes.values():
        if other.id != home.id and other.belongs(resident_id, desk.on) is not None:
            await _end(desk, other, resident_id)
            done.touched.add(other.id)
            # Without its number: whoever reads this later may not see that household.
            done.notes.append("已从原所在户转出")
    return done


async def let_leave(desk: Desk, home: Home, change: MemberLeft) -> Done:
    """A member belongs to the household no more, from the day on."""
    resident_id, former = await desk.find(home, change.member, "member")
    await _end(desk, home, resident_id)
    notes = [NO_HEAD] if former.relation == HEAD else []
    return Done({"member_id": resident_id, "because": change.because}, notes, {home.id}, {resident_id})


async def record_death(desk: Desk, home: Home, change: MemberDied) -> Done:
    """A member died: he stays in the household's books, is not counted, and his last bills still are (自然减少)."""
    resident_id, former = await desk.find(home, change.member, "member")
    if former.status == DECEASED:
        raise ChangeDoesNotFit("此人当日已登记死亡")
    await register.set_death(desk.connection, resident_id, desk.on)
    touched = set()
    for each in desk.homes.values():
        if each.belongs(resident_id, desk.on) is not None:
            spans = altered(
                each.people[resident_id],
                desk.on,
                lambda value: value._replace(status=DECEASED),
                alike=lambda _, __: True,
            )
            await desk.write(each, resident_id, spans)
            touched.add(each.id)
    notes = [NO_HEAD] if former.relation == HEAD else []
    return Done({"member_id": resident_id}, notes, touched)


async def withdraw_death(desk: Desk, home: Home, change: DeathWithdrawn) -> Done:
    """The death of a member was a mistake: he lives, and did all the time."""
    resident_id, former = await desk.find(home, change.member, "member")
    if former.status != DECEASED:
        raise ChangeDoesNotFit("此人没有死亡登记")
    await register.set_death(desk.connection, resident_id, None)
    touched = set()
    for each in desk.homes.values():
        dead = [span for span in each.people.get(resident_id, ()) if span.value.status == DECEASED]
        if dead:
            day = min(span.valid_from for span in dead if span.valid_from is not None)
            await _restate(desk, each, resident_id, LIVING, day)
            touched.add(each.id)
    return Done({"member_id": resident_id}, [], touched)


async def change_status(desk: Desk, home: Home, change: MemberStatus) -> Done:
    """A member is in prison, missing, away for long, or back."""
    resident_id, former = await desk.find(home, change.member, "member")
    if former.status == DECEASED:
        raise ChangeDoesNotFit("此人已登记死亡；误报请办理更正（death_withdrawn）")
    if former.status == change.member_status:
        raise ChangeDoesNotFit("此人当日已是这个状态")
    await _restate(desk, home, resident_id, change.member_status, desk.on)
    return Done({"member_id": resident_id, "member_status": change.member_status}, [], {home.id})


async def change_relation(desk: Desk, home: Home, change: MemberRelation) -> Done:
    """How a member stands to the head."""
    resident_id, former = await desk.find(home, change.member, "member")
    if HEAD in (former.relation, change.relation):
        raise refused("relation", "head", "户主的变更请用 head_changed", "户主以外的关系")
    if former.relation == change.relation:
        raise ChangeDoesNotFit("此人当日已是这个关系")
    await _relate(desk, home, resident_id, change.relation)
    return Done({"member_id": resident_id, "relation": change.relation}, [], {home.id})


async def change_head(desk: Desk, home: Home, change: HeadChanged) -> Done:
    """Another living member is the head; it is he whom a warning names."""
    resident_id, former = await desk.find(home, change.member, "member")
    if former.status == DECEASED or former.relation == HEAD:
        raise ChangeDoesNotFit("新户主应为在世的其他成员")
    if change.former_head_relation == HEAD:
        raise refused("former_head_relation", "one_head", "原户主的新关系不能是户主", "户主以外的关系")
    for member, belonging in home.members_on(desk.on).items():
        if belonging.relation == HEAD:
            await _relate(desk, home, member, change.former_head_relation)
    await _relate(desk, home, resident_id, HEAD)
    await register.set_head(desk.connection, home.id, await register.name_of(desk.connection, resident_id))
    notes = ["其他成员与户主的关系请核对"]
    return Done({"member_id": resident_id}, notes, {home.id})


async def _resident(desk: Desk, change: MemberJoined) -> int:
    """The person's resident_id; a person not known yet is added, one who is known keeps his name."""
    number, index = number_index(desk.runtime, change.identity_number, "identity_number")
    known = await register.resident_of(desk.connection, index)
    if known is None:
        read = parse_identity_number(number, desk.runtime.clock.today())
        sealed = desk.runtime.keys.seal(number, "resident", "sealed_number", index.hex())
        person = Person(index, sealed, change.name, str(read.sex), read.birth_date)
        await rosters.put_residents(desk.connection, [person])
        known = await register.resident_of(desk.connection, index)
        assert known is not None
    resident_id: int = known["resident_id"]
    return resident_id


async def _end(desk: Desk, home: Home, resident_id: int) -> None:
    ended = altered(home.people[resident_id], desk.on, lambda _: None, alike=lambda _, __: True)
    await desk.write(home, resident_id, ended)


async def _restate(desk: Desk, home: Home, resident_id: int, status: str, day: date) -> None:
    spans = altered(
        home.people[resident_id],
        day,
        lambda value: value._replace(status=status),
        alike=lambda one, other: one.status == other.status,
    )
    await desk.write(home, resident_id, spans)


async def _relate(desk: Desk, home: Home, resident_id: int, relation: str) -> None:
    spans = altered(
        home.people[resident_id],
        desk.on,
        lambda value: value._replace(relation=relation),
        alike=lambda one, other: one.relation == other.relation,
    )
    await desk.write(home, resident_id, spans)


def _head_of(desk: Desk, home: Home) -> int | None:
    heads = (m for m, each in home.members_on(desk.on).items() if each.relation == HEAD and each.status != DECEASED)
    return next(heads, None)
