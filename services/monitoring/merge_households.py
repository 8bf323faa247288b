"""Merge households (合户): one goes on with the people and facts of both; the other's history stays readable."""

from dataclasses import replace

from services.monitoring import repository_register as register
from services.monitoring.append_facts import take_over_facts
from services.monitoring.domain.ledger import Place
from services.monitoring.domain.relation import HEAD, OTHER
from services.monitoring.domain.timeline import joined, parted
from services.monitoring.register_desk import Desk, Done, Home, check_living, refused
from services.monitoring.repository_register import Belonging
from services.monitoring.schemas_register import Merge

USUAL = 5


async def merge_households(desk: Desk, home: Home, change: Merge) -> Done:
    """Let the absorbed household's members, and what is known of it, be this household's from the day on."""
    absorbed = desk.homes[change.absorbed_household_no]
    if absorbed.id == home.id:
        raise refused("absorbed_household_no", "same_household", "不能与本户合户", "另一户的户编号")
    check_living(absorbed)
    relations = await _relations(desk, absorbed, change)
    members = [
        resident for resident in sorted(absorbed.people) if await _take_in(desk, home, absorbed, resident, relations)
    ]
    await register.end_household(desk.connection, absorbed.id, desk.on, home.id)
    now = desk.runtime.clock.now()
    place = Place(home.id, home.county)
    await take_over_facts(desk.connection, absorbed.id, absorbed.county, place, now=now, priority=USUAL)
    detail = {"absorbed_household_no": change.absorbed_household_no, "members": members}
    notes = _notes(home, absorbed)
    # Whoever belonged to it at any time: his facts go on in the household that goes on.
    return Done(detail, notes, {home.id, absorbed.id}, set(absorbed.people), other=absorbed.id)


async def _relations(desk: Desk, absorbed: Home, change: Merge) -> dict[int, str]:
    found = {}
    for i, each in enumerate(change.relations):
        resident_id, _ = await desk.find(absorbed, each.member, f"relations/{i}/member")
        found[resident_id] = each.relation
    if HEAD in found.values():
        raise refused("relations", "one_head", "并入成员不能为户主；需要时另办变更户主", "户主以外的关系")
    return found


async def _take_in(desk: Desk, home: Home, absorbed: Home, resident_id: int, relations: dict[int, str]) -> bool:
    """Let somebody belong here as he did there from the day on; False if he left before."""
    stayed, went = parted(absorbed.people[resident_id], desk.on)
    if not went:
        return False
    await desk.write(absorbed, resident_id, stayed)
    here, _ = parted(home.people.get(resident_id, ()), went[0].valid_from or desk.on)
    if home.belongs(resident_id, desk.on) is None:
        there = [replace(span, value=_as_here(span.value, relations.get(resident_id))) for span in went]
        await desk.write(home, resident_id, joined([*here, *there]))
    return True


def _as_here(there: Belonging, relation: str | None) -> Belonging:
    return Belonging(relation or (OTHER if there.relation == HEAD else there.relation), there.status)


def _notes(home: Home, absorbed: Home) -> list[str]:
    notes = []
    if absorbed.row["listed_as"] is not None:
        notes.append("被并户是监测对象：其类别未并入，请对被并户作出消除决定，并研判合并后的户")
    if home.row["living_division"] != absorbed.row["living_division"]:
        notes.append("两户居住地不同，合并后以本户居住地为准")
    return notes
