"""What becomes of one push to one person (推送取舍): now, later, into the digest, or not at all, and why.

Decided in order: a message told already, one that is silenced (both are others' to find), a milder one about a
household of which something more urgent was told, the working day and the quiet hours, the severity, the day's limit.
The letter in the inbox is written whatever is decided here: it disturbs nobody. An urgent push is never held back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.alerts.domain.work_time import SHANGHAI, Quiet, WorkCalendar
from shared.vocabulary.terms import Severity


class Push(StrEnum):
    """What is decided of a push."""

    SEND = "send"
    DEFER = "defer"
    DIGEST = "digest"
    SUPPRESS = "suppress"


class Ending(StrEnum):
    """What a message came to in the end; one that was suppressed ended as it began."""

    SENT = "sent"
    DIGESTED = "digested"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a push; everything but `send` has a reason, `defer` the moment before which it does not go."""

    push: Push
    reason: str | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message as far as the decision goes; a group's robot (`is_for_group`) has no digest and no limit."""

    severity: Severity | None
    is_urgent: bool = False
    is_for_group: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What was told already: this very message; something more urgent about the household; pushes of this day."""

    is_told: bool = False
    is_outdone: bool = False
    pushes_today: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The county's wishes; `digest_at` is the moment of this day's digest."""

    calendar: WorkCalendar
    quiet: Quiet | None
    digest_at: datetime
    most_a_day: int


LOW = frozenset({Severity.BLUE, Severity.YELLOW})
# Urgent whatever the severity: somebody waits for an answer, or a clock ran out.
URGENT_KINDS = frozenset({"reported", "reminder", "escalation"})
_SEND = Decision(Push.SEND)
TOLD, OUTDONE = "同一消息已发送", "同一户已有更紧急的消息，并入该条"
NO_WAY_OUT, GONE = "推送渠道已停用，没有推送", "收件人已离岗，不再汇总"
_LOW, _MANY = "低等级预警，列入每日汇总", "当日推送已达上限，列入每日汇总"
_NIGHT, _DAY_OFF, _LATER = "免打扰时段，顺延推送", "非工作日，顺延推送", "低等级预警，汇总时段再推送工作群"


def decide(message: Message, known: Known, rules: Rules, now: datetime) -> Decision:
    """Decide one push at `now`."""
    if known.is_told:
        return Decision(Push.SUPPRESS, TOLD)
    if message.is_urgent:
        return _SEND
    if known.is_outdone:
        return Decision(Push.SUPPRESS, OUTDONE)
    if message.severity in LOW:
        return _low(message, rules, now)
    if (slot := next_slot(now, rules)) > now:
        return Decision(Push.DEFER, _why(now, rules), slot)
    if not message.is_for_group and known.pushes_today >= rules.most_a_day:
        return Decision(Push.DIGEST, _MANY)
    return _SEND


def _low(message: Message, rules: Rules, now: datetime) -> Decision:
    """What can wait goes into the digest; a group has none, and is told at the hour of the digest."""
    if not message.is_for_group:
        return Decision(Push.DIGEST, _LOW)
    slot = next_slot(max(now, rules.digest_at), rules)
    return Decision(Push.DEFER, _LATER, slot) if slot > now else _SEND


def next_slot(moment: datetime, rules: Rules) -> datetime:
    """The first moment from `moment` on at which a push may go: itself, or in the next working day's waking hours."""
    if rules.quiet is not None:
        return rules.calendar.next_slot(moment, rules.quiet)
    nothing = Quiet(datetime.min.time(), datetime.min.time())
    return rules.calendar.next_slot(moment, nothing)


def _why(now: datetime, rules: Rules) -> str:
    return _NIGHT if rules.calendar.is_workday(now.astimezone(SHANGHAI).date()) else _DAY_OFF


# --- groups: the pushes of one village and kind to one person are one message --------------------------------


@dataclass(frozen=True, slots=True)
class SentSet:
    """The last set that a group was told of, and when; nothing was told yet without `at`."""

    members: frozenset[str] = frozenset()
    at: datetime | None = None


def needs_sending(
    sent: SentSet, open_: Collection[str], now: datetime, *, repeat: timedelta | None = None, resolved: bool = False
) -> bool:
    """Whether a group has news (Alertmanager's rule): a new member, or the same ones after `repeat`.

    A set that shrank is news only where what is `resolved` is told too; one that is empty is never sent otherwise.
    """
    members = frozenset(open_)
    if not members:
        return resolved and bool(sent.members)
    if sent.at is None or not members <= sent.members:
        return True
    if resolved and members < sent.members:
        return True
    return repeat is not None and now >= sent.at + repeat
