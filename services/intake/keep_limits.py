"""Keep to the published limits: count, and refuse with the rule and the time to wait."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.intake import repository_limits as repository
from services.intake.domain.report_limit import LimitKind, network_of, window_of
from services.intake.settings import IntakeSettings
from shared.clock import SHANGHAI
from shared.errors import TooMany
from shared.runtime import Runtime

TITLES = {
    LimitKind.PERSON: "同一人每天申报次数",
    LimitKind.PHONE: "同一电话每天追加申报次数",
    LimitKind.ADDRESS: "同一网络地址每天追加申报次数",
    LimitKind.CODE_READ: "同一受理码每小时使用次数",
    LimitKind.WRONG_CODE: "同一网络地址每小时输错受理码次数",
    LimitKind.OWN_RECORD: "同一受理码每天查询本人记录次数",
}


class LimitReached(TooMany):
    """A published limit is reached; the answer names it and says when to come back."""

    code, title = "limit_reached", "次数已达上限"


@dataclass(frozen=True, slots=True)
class Use:
    """One thing done by somebody that a limit counts."""

    kind: LimitKind
    subject: str


def most_of(settings: IntakeSettings, kind: LimitKind) -> int:
    """The published number of a limit."""
    most: int = getattr(settings, f"limit_{kind.value}")
    return most


def local_now(runtime: Runtime) -> datetime:
    return runtime.clock.now().astimezone(SHANGHAI)


def subject_index(runtime: Runtime, use: Use) -> bytes:
    subject = network_of(use.subject) if use.kind in {LimitKind.ADDRESS, LimitKind.WRONG_CODE} else use.subject
    return runtime.keys.keyed_digest(f"limit.{use.kind.value}", subject)


async def use_once(connection: asyncpg.Connection, runtime: Runtime, use: Use) -> None:
    """Count one use; LimitReached if it is one too many."""
    await use_index_once(connection, runtime, use.kind, subject_index(runtime, use))


async def use_index_once(connection: asyncpg.Connection, runtime: Runtime, kind: LimitKind, subject: bytes) -> None:
    """The same of a subject whose digest is known already."""
    settings, now = runtime.settings, local_now(runtime)
    assert isinstance(settings, IntakeSettings)
    most = most_of(settings, kind)
    if not await repository.use_once(connection, kind, subject, window_of(kind, now).start, most):
        raise refused(kind, most, now)


def refused(kind: LimitKind, most: int, now: datetime) -> LimitReached:
    """The refusal, with the rule as it is published."""
    left = window_of(kind, now).seconds_left(now)
    detail = f"{TITLES[kind]}为 {most} 次，已用完；请稍后再试，紧急情况请直接联系村委会或拨打12317"
    return LimitReached(detail, headers={"Retry-After": str(left)}, rule=kind.value, most=most)
