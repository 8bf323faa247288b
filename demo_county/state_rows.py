"""What the other departments list as it stands now (名单类数据): insurance, schools, houses, water, loans, assets.

The dead have been taken off. Assets are those of households that get by: none is invented for one in need.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.event_rows import Row, birth, visit
from demo_county.fate import Cause
from demo_county.life import Life
from demo_county.months import LENGTH, Period
from demo_county.register_details import school_stage

RISKS: dict[Cause, str] = {
    "illness": "因病",
    "accident": "因意外事故",
    "disability": "因残",
    "death": "因缺劳动力",
    "job_loss": "因务工就业不稳",
    "disaster": "因自然灾害",
    "business_failure": "因产业失败",
    "schooling": "因学",
    "low_income": "其他",
}
LOAN_DAYS = 1_095
SCOPES = "银行存款、机动车、不动产、工商登记"
RECOGNISED_AFTER = 2  # Months of need after which a county that lists a household has listed it.


def state_rows(life: Life, period: Period, calibration: Calibration, chance: Chance) -> Iterator[Row]:
    """The rows of one household on every list it stands on."""
    for position in range(len(life.household.persons)):
        if position not in life.fate.deaths:
            yield from _member(life, position, period)
    yield from _house(life, period, chance)
    if _has_adult_head(life):
        yield from _loan(life, period, calibration, chance)
        yield from _permission(life, period, calibration, chance)
        yield from _assets(life, period, calibration, chance)
    yield from _listed(life, calibration, chance)
    if chance.happens(calibration.number("departments.visited")):
        yield visit(life, period.until - timedelta(days=chance.below(80)))


def _has_adult_head(life: Life) -> bool:
    return 0 not in life.fate.deaths and life.household.head.age >= 25


def _member(life: Life, position: int, period: Period) -> Iterator[Row]:
    person, year = life.household.persons[position], date(period.until.year, 1, 1)
    scheme = "居民" if person.resident_insured else "职工" if person.employee_insured else ""
    since = {"day": _in_words(max(year, birth(person)))}
    status = "正常参保" if person.is_insured else "未参保"
    yield "medical_enrolment", position, {"scheme": scheme, "status": status, **since}
    if (stage := school_stage(person)) and person.age >= 3:
        yield "school_status", position, {"stage": stage, "status": "在读", "day": _term(period).isoformat()}
    if life.household.gets_allowance:
        yield "civil_affairs_list", position, {"category": "低保", **since}
    if position in life.usual.wages and not _is_out_of_work(life, position):
        day = period.firsts[-1].isoformat().replace("-", "/")
        yield "employment", position, {"status": "务工", "away": "是", "day": day}


def _is_out_of_work(life: Life, position: int) -> bool:
    return any(loss.worker == position and loss.start + loss.months >= LENGTH for loss in life.fate.losses)


def _house(life: Life, period: Period, chance: Chance) -> Iterator[Row]:
    house = life.household
    only = "是" if house.registered_house == house.lived_in_house else "否"
    graded = period.until - timedelta(days=30 + chance.below(300))
    grades = {"grade": f"{house.registered_house}级", "lived_in": f"{house.lived_in_house}级"}
    yield "housing_grades", 0, {**grades, "only": only, "day": graded.isoformat()}
    supply = {"works": "村集中供水", "litres": str(40 + chance.below(40)), "minutes": "0", "guarantee": "97%"}
    yield "water_supply", 0, {**supply, "ok": "是", "days": "0", "day": graded.isoformat()}


def _loan(life: Life, period: Period, calibration: Calibration, chance: Chance) -> Iterator[Row]:
    """Loans of the formerly poor; late for as long as the household could pay neither needs nor debts."""
    if not life.household.is_formerly_poor or not chance.happens(calibration.number("departments.microcredit")):
        return
    issued = period.until - timedelta(days=100 + chance.below(900))
    principal = 10_000 * (1 + chance.below(5))
    unmet = next((n for n, each in enumerate(reversed(life.books.unmet)) if not each), LENGTH)
    cells = {"principal": f"{principal}.00", "balance": f"{principal * 6 // 10}.00", "late": str(30 * unmet)}
    due = issued + timedelta(days=LOAN_DAYS)
    days = {"day": issued.isoformat(), "due": due.isoformat(), "reported": period.until.isoformat()}
    yield "microcredit", 0, {**cells, **days}


def _permission(life: Life, period: Period, calibration: Calibration, chance: Chance) -> Iterator[Row]:
    if not chance.happens(calibration.number("departments.authorised")):
        return
    signed = period.until - timedelta(days=10 + chance.below(300))
    last = signed + timedelta(days=364)
    signers = [p.name for n, p in enumerate(life.household.persons) if p.age >= 18 and n not in life.fate.deaths]
    cells = {"signers": "、".join(signers), "count": str(len(signers)), "scope": SCOPES}
    yield "authorisations", 0, {**cells, "day": _in_words(signed), "until": _in_words(last)}


def _assets(life: Life, period: Period, calibration: Calibration, chance: Chance) -> Iterator[Row]:
    """A car, a flat in town or a firm, of those who earn more than most and are not in need."""
    rank = life.household.income_rank
    if life.truth.needs_help or rank < 0.6:
        return
    day = (period.until - timedelta(days=200 + chance.below(2_000))).isoformat()
    if chance.happens(calibration.number("departments.vehicles")):
        yield "vehicles", 0, {"purpose": "非营运", "day": day, "price": f"{40_000 + chance.below(60) * 1_000}.00"}
    if rank > 0.9 and chance.happens(calibration.number("departments.flats")):
        yield "property", 0, {"nature": "商品房", "day": day}
    if rank > 0.85 and life.usual.business_revenue and not life.usual.is_farm:
        yield "businesses", 0, {"type": "有限责任公司", "state": "存续", "day": day}


def _listed(life: Life, calibration: Calibration, chance: Chance) -> Iterator[Row]:
    """Households in need that the county listed already, and has not taken off while the need lasts."""
    truth = life.truth
    unmet = sum(life.books.unmet[-RECOGNISED_AFTER:])
    if truth.from_month is None or truth.reason is None or truth.to_month is not None or unmet < RECOGNISED_AFTER:
        return
    if chance.happens(calibration.number("departments.listed")):
        kind = "脱贫不稳定户" if life.household.is_formerly_poor else "突发严重困难户"
        cells = {"listed": kind, "day": truth.from_month.replace("-", ""), "removed": "否"}
        yield "monitored_list", 0, {**cells, "risk": RISKS[truth.reason]}


def _term(period: Period) -> date:
    """The first day of the school year."""
    year = period.until.year - (period.until.month < 9)
    return date(year, 9, 1)


def _in_words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
