"""Self-reports (农户自主申报): some households in need speak up, and a few speak up that are not."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.fate import Cause
from demo_county.life import Life
from demo_county.people import Person

SELF_REPORTS_FILE = "self_reports.ndjson"
LATEST_DAYS = 60

Hardship = Literal["illness", "disaster", "accident", "job_loss", "schooling", "other"]

HARDSHIP_OF: dict[Cause, Hardship] = {
    "illness": "illness",
    "accident": "accident",
    "disaster": "disaster",
    "job_loss": "job_loss",
    "schooling": "schooling",
    "business_failure": "other",
    "disability": "other",
    "death": "other",
    "low_income": "other",
}
TEXTS: dict[Hardship, tuple[str, ...]] = {
    "illness": ("家里有人长期住院, 积蓄已用完, 药费还欠着", "看病花了很多钱, 报销后还是负担不起"),
    "disaster": ("房屋和庄稼遭了水灾, 修缮的钱不够", "暴雨冲毁了大棚, 今年没有收成"),
    "accident": ("家人出了事故受伤, 不能干活, 还要治疗", "遇到意外, 医药费靠借"),
    "job_loss": ("在外务工没了活, 已经几个月没有收入", "工资一直没发, 生活困难"),
    "schooling": ("孩子上学费用高, 家里拿不出", "两个孩子读书, 学费靠借"),
    "other": ("家里收入少了, 生活困难, 请村里来看看", "欠债还不上, 日子过不下去"),
}


@dataclass(frozen=True, slots=True)
class SelfReport:
    """A household's own words, as intake takes them."""

    household_no: str
    id_number: str
    name: str
    phone: str
    division: str
    hardships: tuple[Hardship, ...]
    text: str
    reported_on: date


def self_report(
    life: Life, refused: frozenset[int], until: date, calibration: Calibration, chance: Chance
) -> SelfReport | None:
    """The household's report within the last 60 days, if it makes one and has a listed adult to sign it."""
    share = calibration.number("reports.true_share" if life.truth.needs_help else "reports.untrue_share")
    reporter = _reporter(life, refused)
    if reporter is None or life.truth.to_month is not None or not chance.happens(share):
        return None
    reason = life.truth.reason
    hardship = HARDSHIP_OF[reason] if reason else chance.one_of(tuple(TEXTS))
    return SelfReport(
        household_no=life.household.number,
        id_number=reporter.identity_number,
        name=reporter.name,
        phone=life.household.phone,
        division=life.household.division,
        hardships=(hardship,),
        text=chance.one_of(TEXTS[hardship]),
        reported_on=until - timedelta(days=chance.below(LATEST_DAYS)),
    )


def _reporter(life: Life, refused: frozenset[int]) -> Person | None:
    """The first living adult whose register row is accepted."""
    for position, person in enumerate(life.household.persons):
        if person.age >= 18 and position not in refused and position not in life.fate.deaths:
            return person
    return None
