"""Split a household (分户): some of its members become one of their own from a day on."""

from dataclasses import replace

from services.monitoring import repository_households as households
from services.monitoring import repository_register as register
from services.monitoring.append_facts import append_facts
from services.monitoring.divide_income import divide_income
from services.monitoring.domain.ledger import Content, Entry, Key, Place, Said
from services.monitoring.domain.relation import HEAD
from services.monitoring.domain.timeline import joined, parted
from services.monitoring.read_roster import BASE_GROUP
from services.monitoring.register_desk import DECEASED, ChangeDoesNotFit, Desk, Done, Home, refused
from services.monitoring.repository_register import Belonging, NewHousehold
from services.monitoring.schemas_register import Split
from shared.vocabulary.division import county_of
from shared.vocabulary.terms import Source

REGISTER = "register"
USUAL = 5


async def split_household(desk: Desk, home: Home, change: Split) -> Done:
    """Make the new household with its members; what is known of each of them comes along, the rest is divided."""
    leavers = await _leavers(desk, home, change)
    new = await _found(desk, home, change, leavers)
    divided = await divide_income(desk, home, new, leavers, change.income)
    for resident_id, relation in leavers.items():
        stayed, went = parted(home.people[resident_id], desk.on)
        await desk.write(home, resident_id, stayed)
        there = [replace(span, value=Belonging(relation, span.value.status)) for span in went]
        await desk.write(new, resident_id, joined(there))
    await _keep_base_group(desk, home, new)
    detail = {
        "new_household_no": change.new_household_no,
        "members": sorted(leavers),
        "income": divided.detail,
    }
    return Done(detail, [divided.note, *_notes(desk, home)], {home.id, new.id}, set(leavers), other=new.id)


async def _leavers(desk: Desk, home: Home, change: Split) -> dict[int, str]:
    """Who leaves, and what each is in the new household."""
    found = [
        (await desk.find(home, each.member, f"members/{i}/member"), each.relation)
        for i, each in enumerate(change.members)
    ]
    leavers = {resident_id: relation for (resident_id, _), relation in found}
    if len(leavers) < len(found):
        raise refused("members", "repeated", "同一成员出现了不止一次", "每人一次")
    if sum(relation == HEAD for relation in leavers.values()) != 1:
        raise refused("members", "one_head", "新户须有且只有一名户主", "其中一人的 relation 为户主")
    if any(belonging.status == DECEASED for (_, belonging), _ in found):
        raise refused("members", "deceased", "已去世的成员不能分户", "在世成员")
    staying = {
        resident for resident, each in home.members_on(desk.on).items() if each.status != DECEASED
    } - leavers.keys()
    if not staying:
        raise refused("members", "nobody_left", "原户至少应留一名在世成员；整户搬迁请用迁移", "部分成员")
    return leavers


async def _found(desk: Desk, home: Home, change: Split, leavers: dict[int, str]) -> Home:
    living = change.living_division or home.row["living_division"]
    registered = change.registered_division or home.row["registered_division"]
    for division, where in ((living, "living_division"), (registered, "registered_division")):
        if getattr(change, where) is not None:
            await desk.require_place(division, where)
    desk.require_range(living, registered)
    head = next(resident for resident, relation in leavers.items() if relation == HEAD)
    name = await register.name_of(desk.connection, head)
    county = county_of(registered)
    await households.ensure_counties(desk.connection, [county])
    new = NewHousehold(change.new_household_no, county, registered, living, name, change.phone)
    household_id = await register.add_household(desk.connection, new)
    if household_id is None:
        raise ChangeDoesNotFit(f"户编号 {change.new_household_no} 已被使用")
    return Home((await register.homes(desk.connection, [household_id]))[household_id], {})


async def _keep_base_group(desk: Desk, home: Home, new: Home) -> None:
    """Who leaves a household that was lifted out of poverty stays one that was (脱贫户分户仍为脱贫户)."""
    states = await register.standing_states(desk.connection, home.id, home.county, [BASE_GROUP], desk.on)
    if states:
        entry = Entry(
            key=Key(REGISTER, f"{desk.change_id}", BASE_GROUP),
            said=Said(desk.runtime.clock.now(), str(desk.change_id)),
            content=Content(desk.on, value=states[0]["value"]),
            source=Source.DEPARTMENT.value,
            division=new.row["registered_division"],
            place=Place(new.id, new.county),
        )
        await append_facts(desk.connection, [entry], now=desk.runtime.clock.now(), priority=USUAL)


def _notes(desk: Desk, home: Home) -> list[str]:
    notes = ["新户的住房、饮水等整户情况尚未采集；采集前相关指标为未知"]
    if home.row["listed_as"] is not None:
        notes.append("原户是监测对象，新户未自动纳入，请研判")
    if not any(each.relation == HEAD for each in home.members_on(desk.on).values()):
        notes.append("原户已无户主，请办理变更户主")
    return notes
