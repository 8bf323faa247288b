"""What a person reads of a day (日汇总) and of a month (月度清单): counts by place, and no one's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.alerts.domain.message import Text
from services.alerts.domain.work_time import WorkCalendar
from shared.vocabulary.terms import Outcome

COMPARISON_DAY = 20
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One village in one person's digest; `digested` and `deferred` are messages, the others households."""

    place: str
    new: int = 0
    due: int = 0
    overdue: int = 0
    digested: int = 0
    deferred: int = 0

    @property
    def says_something(self) -> bool:
        return any((self.new, self.due, self.overdue, self.digested, self.deferred))

    @property
    def words(self) -> str:
        named = (
            ("新增", self.new, "户"),
            ("即将到期", self.due, "户"),
            ("超期", self.overdue, "户"),
            ("未单独推送", self.digested, "条"),
            ("顺延推送", self.deferred, "条"),
        )
        return "，".join(f"{name} {count} {unit}" for name, count, unit in named if count)


def digest_text(lines: Sequence[DigestLine]) -> Text:
    """The letter: all together, then village by village."""
    all_ = total(lines)
    rows = [f"{line.place}：{line.words}" for line in lines]
    return Text("今日预警汇总", "\n".join([f"合计：{all_.words}。请当天查看处置。", *rows]))


def digest_push(lines: Sequence[DigestLine]) -> Text:
    """What leaves the system of a digest: counts alone."""
    return Text("今日预警汇总", f"今日汇总：{total(lines).words}。请登录后查看。")


def total(lines: Sequence[DigestLine]) -> DigestLine:
    names = ("new", "due", "overdue", "digested", "deferred")
    return DigestLine("合计", **{name: sum(getattr(line, name) for line in lines) for name in names})


def next_workday(day: date, calendar: WorkCalendar) -> date:
    """The first working day after a day."""
    day += _DAY
    while not calendar.is_workday(day):
        day += _DAY
    return day


def sheet_day(month: date, calendar: WorkCalendar) -> date:
    """The day of a month's sheet: the first working day after the comparison on the 20th, whatever day that is."""
    return next_workday(month.replace(day=COMPARISON_DAY), calendar)


def sheet_period(month: date) -> tuple[date, date]:
    """What a month's sheet tells of: from the day after the last comparison until before the day after this one."""
    this = month.replace(day=COMPARISON_DAY) + _DAY
    return (month.replace(day=1) - _DAY).replace(day=COMPARISON_DAY) + _DAY, this


@dataclass(frozen=True, slots=True)
class Sheet:
    """One township's month."""

    place: str
    open: int
    overdue: int
    opened: int
    outcomes: Mapping[str, int]

    @property
    def says_something(self) -> bool:
        return any((self.open, self.opened, *self.outcomes.values()))

    @property
    def words(self) -> str:
        answers = "、".join(f"{one.zh} {self.outcomes[one]}" for one in Outcome if self.outcomes.get(one))
        closed = sum(self.outcomes.values())
        done = f"办结 {closed} 户（{answers}）" if answers else f"办结 {closed} 户"
        return f"新增 {self.opened} 户，{done}，在办 {self.open} 户，其中超期 {self.overdue} 户"


def sheet_text(month: date, sheets: Sequence[Sheet]) -> Text:
    """The letter with the sheets of the townships that a person answers for."""
    return Text(
        f"{month.year}年{month.month}月预警处置清单", "\n".join(f"{one.place}：{one.words}" for one in sheets)
    )
