"""Tag a household (标签): a standing fact that the register itself keeps begins or ends on a day."""

from typing import Literal

from services.monitoring import repository_register as register
from services.monitoring.append_facts import append_facts
from services.monitoring.domain.ledger import Content, Entry, Key, Place, Said
from services.monitoring.domain.tag import TAGS, Tag
from services.monitoring.register_desk import ChangeDoesNotFit, Desk, Done, Home
from services.monitoring.schemas_register import TagEnded, TagSet
from shared.vocabulary.terms import Source

REGISTER = "register"
USUAL = 5


async def set_tag(desk: Desk, home: Home, change: TagSet) -> Done:
    """The tag holds from the day on, for the household or for one member."""
    tag, resident_id = TAGS[change.tag], None
    if change.member is not None:
        resident_id, _ = await desk.find(home, change.member, "member")
    for fact in await register.standing_states(desk.connection, home.id, home.county, [tag.kind], desk.on):
        if tag.is_said_by(fact["kind"], fact["value"]) and fact["resident_id"] == resident_id:
            raise ChangeDoesNotFit(f"本户自 {fact['occurred_on']} 起已是“{tag.label}”")
    content = Content(desk.on, value=tag.value or tag.code)
    await _tell(desk, home, tag, str(desk.change_id), content, "put", resident_id)
    return Done({"tag": change.tag, **({"member_id": resident_id} if resident_id else {})}, [], {home.id})


async def end_tag(desk: Desk, home: Home, change: TagEnded) -> Done:
    """The tag holds no more from the day on; what a department's data say is the department's to end."""
    tag = TAGS[change.tag]
    states = await register.standing_states(desk.connection, home.id, home.county, [tag.kind], desk.on)
    said = [fact for fact in states if tag.is_said_by(fact["kind"], fact["value"])]
    own = [fact for fact in said if fact["data_set"] == REGISTER]
    if not own:
        raise ChangeDoesNotFit(
            f"“{tag.label}”来自部门数据，应由部门更正" if said else f"本户当日没有标签“{tag.label}”"
        )
    for fact in own:
        content = Content(fact["occurred_on"], ended_on=desk.on)
        await _tell(desk, home, tag, fact["record_key"], content, "end", fact["resident_id"])
    notes = [f"部门数据仍显示“{tag.label}”"] if len(own) < len(said) else []
    return Done({"tag": change.tag}, notes, {home.id})


async def _tell(
    desk: Desk,
    home: Home,
    tag: Tag,
    record: str,
    content: Content,
    op: Literal["put", "end"],
    resident_id: int | None,
) -> None:
    now = desk.runtime.clock.now()
    entry = Entry(
        key=Key(REGISTER, record, tag.kind),
        said=Said(desk.at, str(desk.change_id)),
        content=content,
        source=Source.DEPARTMENT.value,
        division=home.row["registered_division"],
        op=op,
        place=Place(home.id, home.county, resident_id),
    )
    await append_facts(desk.connection, [entry], now=now, priority=USUAL)
