"""What the other departments report when something happens (事件类数据): the signals of signals.py, as rows.

A signal that became known is a row, and nothing else is: a department that never hears of an event sends nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from demo_county.chance import Chance
from demo_county.life import Life
from demo_county.people import Person
from demo_county.self_reports import HARDSHIP_OF
from demo_county.signals import Signal

Cells = dict[str, str]
Row = tuple[str, int, Cells]  # Data set, position of the member it is about, cells.

PRODUCTS = ("生猪", "肉鸡", "食用菌", "大枣", "核桃", "苹果")
COMPLAINTS = {
    "illness": "因病",
    "disaster": "因灾",
    "accident": "意外事故",
    "job_loss": "收入减少",
    "schooling": "因学",
    "other": "其他困难",
}
TROUBLES = {"illness": "患大病", "job_loss": "失业", "schooling": "上学负担"}


def event_rows(life: Life, signals: Sequence[Signal], until: date, chance: Chance) -> Iterator[Row]:
    """The rows of one household's events known by `until`."""
    known = [signal for signal in signals if signal.known_on <= until]
    for signal in known:
        if tell := TELL.get(signal.kind):
            yield tell(life, signal, chance)
    yield from _disasters(life, known)
    yield from _hardships(life, known)


def position_of(life: Life, signal: Signal) -> int:
    """The member a signal is about; the head when it is about the household."""
    numbers = [person.identity_number for person in life.household.persons]
    return 0 if signal.person is None else numbers.index(signal.person)


def _illness(life: Life, signal: Signal, _: Chance) -> Row:
    position = position_of(life, signal)
    return "disease_register", position, {"category": "大病专项救治", "day": _slashed(signal.occurred_on)}


def _chronic(life: Life, signal: Signal, _: Chance) -> Row:
    position = position_of(life, signal)
    day = max(signal.occurred_on, birth(life.household.persons[position]))
    return "disease_register", position, {"category": "慢性病", "day": _slashed(day)}


def _school_fee(life: Life, signal: Signal, _: Chance) -> Row:
    position = position_of(life, signal)
    stage = "普通高中" if life.household.persons[position].age < 18 else "高职高专"
    cells = {"stage": stage, "day": signal.occurred_on.isoformat(), **signal.details}
    return "education_cost", position, cells


def _job_loss(life: Life, signal: Signal, _: Chance) -> Row:
    cells = {"day": _slashed(signal.occurred_on), "status": "失业返乡", "away": "否"}
    return "employment", position_of(life, signal), cells


def _death(life: Life, signal: Signal, _: Chance) -> Row:
    return "deaths", position_of(life, signal), {"event": "死亡登记", "day": _compact(signal.occurred_on)}


def _accident(life: Life, signal: Signal, chance: Chance) -> Row:
    cells = {"type": chance.one_of(("交通事故", "坠落", "其他")), "outcome": chance.one_of(("轻伤", "重伤"))}
    return "accidents", position_of(life, signal), {**cells, "day": _slashed(signal.occurred_on)}


def _failure(life: Life, signal: Signal, chance: Chance) -> Row:
    cells = {"product": chance.one_of(PRODUCTS), "cause": chance.one_of(("价格下跌", "项目失败", "疫病"))}
    return "production_losses", 0, {**cells, "degree": "产业失败", "day": signal.occurred_on.isoformat()}


TELL: Mapping[str, Callable[[Life, Signal, Chance], Row]] = {
    "event.serious_illness": _illness,
    "state.health": _chronic,
    "expense.education": _school_fee,
    "event.job_loss": _job_loss,
    "event.death": _death,
    "event.accident": _accident,
    "event.business_failure": _failure,
}


def _disasters(life: Life, known: Sequence[Signal]) -> Iterator[Row]:
    """One row an event, with what repair costs and the relief that has been paid by now."""
    for event in (each for each in known if each.kind == "event.disaster"):
        paid = [s for s in known if s.kind == "expense.disaster" and s.occurred_on == event.occurred_on]
        cells = {"hazard": "洪涝灾害", "day": _slashed(event.occurred_on), "damage": "未受损"}
        for cell, name in (("outlay", "amount"), ("relief", "relief")):
            cells[cell] = f"{sum(Decimal(s.details[name]) for s in paid) / 10_000:.6f}"
        yield "disasters", 0, cells


def _hardships(life: Life, known: Sequence[Signal]) -> Iterator[Row]:
    """What visitors found, and what households said on the telephone."""
    reason = life.truth.reason
    said = HARDSHIP_OF[reason] if reason else "other"
    for signal in (each for each in known if each.kind == "event.hardship_report"):
        if signal.source == "visit":
            yield visit(life, signal.occurred_on, TROUBLES.get(said, ""), in_want=True)
        else:
            cells = {"channel": "12345热线", "category": COMPLAINTS[said], "day": _slashed(signal.occurred_on)}
            yield "complaints", 0, {**cells, "text": "反映家庭生活困难"}


def visit(life: Life, day: date, trouble: str = "", *, in_want: bool = False) -> Row:
    """The form a visitor fills in; the one for formerly poor households has no line for a trouble."""
    household = life.household
    cells = {
        "day": day.isoformat(),
        "visitors": "张干部、李干部",
        "food": "是" if in_want and (household.is_formerly_poor or not trouble) else "否",
        "clothes": "否",
        "grade": household.registered_house,
        "lived_in": household.lived_in_house,
        "litres": "45",
        "ok": "√",
        "trouble": trouble,
    }
    return ("household_visit" if household.is_formerly_poor else "household_visit_general"), 0, cells


def birth(person: Person) -> date:
    return date.fromisoformat(person.identity_number[6:14])


def _slashed(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _compact(day: date) -> str:
    return f"{day:%Y%m%d}"
