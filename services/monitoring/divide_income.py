"""Divide a household's income on a split (分户划分收入): nothing is lost, nothing is counted twice."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from services.monitoring import repository_facts as ledger
from services.monitoring.append_facts import append_facts
from services.monitoring.domain.household import COUNTED_STATUSES
from services.monitoring.domain.income_division import Division, Parts, Total, is_account
from services.monitoring.domain.ledger import Entry, Place, Said, Stored
from services.monitoring.register_desk import Desk, Home, refused
from services.monitoring.schemas_register import IncomeDivision
from services.monitoring.show_assessment import AMOUNT
from shared.security.access import field_classes
from shared.vocabulary.money import parse_yuan, yuan

USUAL = 5
BY_MEMBERS = IncomeDivision(choice="members")
SAID = {
    "members": "按计入人数平分",
    "shares": "按申报的数额划分（没有统计期的收入按计入人数平分）",
    "stays": "全部留在原户",
}


@dataclass(frozen=True, slots=True)
class Divided:
    """What was divided and how, without amounts: not everybody who reads the register sees those."""

    division: Division
    records: int

    @property
    def detail(self) -> dict[str, object]:
        return {
            "choice": self.division.choice,
            "members_staying": self.division.staying,
            "members_leaving": self.division.leaving,
            "records": self.records,
        }

    @property
    def note(self) -> str:
        if not self.records:
            return "原户没有整户收入可划分；个人名下的收支随本人转入新户"
        return f"原户 {self.records} 项整户收支{SAID[self.division.choice]}；个人名下的收支随本人转入新户"


async def divide_income(
    desk: Desk, home: Home, new: Home, leavers: Collection[int], asked: IncomeDivision | None
) -> Divided:
    """Divide what the household earned or spent on earning as a whole before the day, record by record.

    Each record is superseded by its two parts, so that as known before nothing is otherwise. What a member earned
    himself is not divided: it follows him. The leavers still belong to the household when this is asked.
    """
    facts = await ledger.facts_of_household(desk.connection, home.id, home.county)
    whole = [fact for fact in facts if _is_divided(fact, desk)]
    division = _division(desk, home, leavers, asked or BY_MEMBERS, whole)
    if division.choice == "stays":
        return Divided(division, 0)
    entries = [entry for fact in whole for entry in _parts(desk, fact, new, division)]
    await append_facts(desk.connection, entries, now=desk.runtime.clock.now(), priority=USUAL)
    return Divided(division, len(whole))


def _is_divided(fact: Stored, desk: Desk) -> bool:
    content = fact.entry.content
    return (
        is_account(fact.entry.key.kind)
        and content.amount_fen is not None
        and content.occurred_on < desk.on
        and content.ended_on is None
    )


def _total_of(fact: Stored) -> Total | None:
    content = fact.entry.content
    return None if content.period_to is None else Total(fact.entry.key.kind, content.period_to)


def _division(
    desk: Desk, home: Home, leavers: Collection[int], asked: IncomeDivision, whole: Sequence[Stored]
) -> Division:
    counted = {who for who, each in home.members_on(desk.on).items() if each.status in COUNTED_STATUSES}
    leaving = len(counted.intersection(leavers))
    shares = _shares(desk, asked, whole) if asked.choice == "shares" else {}
    return Division(asked.choice, len(counted) - leaving, leaving, shares)


def _shares(desk: Desk, asked: IncomeDivision, whole: Sequence[Stored]) -> dict[Total, Parts]:
    """The stated parts; refused unless each total is divided once, and exactly."""
    amounts = {total: fact.entry.content.amount_fen for fact in whole if (total := _total_of(fact)) is not None}
    several = Counter(total for fact in whole if (total := _total_of(fact)) is not None)
    if twice := [total for total, number in several.items() if number > 1]:
        told = "、".join(f"{kind}（至 {day}）" for kind, day in twice)
        raise refused("income", "several_sources", f"{told} 有多个来源的合计，不能按数额划分", "choice 为 members")
    stated: dict[Total, Parts] = {}
    for i, each in enumerate(asked.shares):
        total, where = Total(each.kind, each.period_to), f"income/shares/{i}"
        if total in stated:
            raise refused(where, "repeated", "同一合计出现了不止一次", "每项合计一次")
        if total not in amounts:
            known = "、".join(f"{kind}（至 {day}）" for kind, day in sorted(amounts)) or "无"
            raise refused(where, "total_unknown", "原户没有这项合计", known)
        parts = Parts(parse_yuan(each.stays_yuan), parse_yuan(each.goes_yuan))
        if sum(parts) != amounts[total]:
            raise refused(where, "sum_differs", "留下与转出之和不等于原合计", _whole(desk, amounts[total]))
        stated[total] = parts
    if missing := sorted(amounts.keys() - stated.keys()):
        told = "、".join(f"{kind}（至 {day}）" for kind, day in missing)
        raise refused("income/shares", "total_missing", f"没有写明如何划分：{told}", "每项合计各写一行")
    return stated


def _whole(desk: Desk, amount: int | None) -> str:
    """The whole, for those who see amounts."""
    assert amount is not None
    return f"两数之和为 {yuan(amount)} 元" if AMOUNT in field_classes(desk.caller) else "两数之和等于原合计"


def _parts(desk: Desk, fact: Stored, new: Home, division: Division) -> Iterator[Entry]:
    entry, change = fact.entry, str(desk.change_id)
    assert entry.content.amount_fen is not None
    stays, goes = division.of(_total_of(fact), entry.content.amount_fen)
    # Later than what the source said of it, whatever its clock: else the part would not replace the whole.
    said = Said(max(desk.runtime.clock.now(), entry.said.received_at + timedelta(microseconds=1)), change)
    yield replace(entry, said=said, content=replace(entry.content, amount_fen=stays))
    key = entry.key._replace(record_key=f"{entry.key.record_key}/{change}")
    place = Place(new.id, new.county)
    yield replace(entry, key=key, said=said, place=place, content=replace(entry.content, amount_fen=goes))
