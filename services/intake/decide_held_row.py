"""A person decides about a row that is held for its amount (待核行): release it as it is, or refuse it. Once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from services.intake import repository_feeds as feeds
from services.intake import repository_held as repository
from services.intake.confirm_feed import FeedUnknown
from shared.errors import Conflict, Forbidden, NotFound
from shared.security.audit import audit
from shared.security.principal import Principal


class HeldDecision(StrEnum):
    """What a person may say of a held row."""

    RELEASE = "release"
    REFUSE = "refuse"


class HeldRowUnknown(NotFound):
    code, title = "held_row_unknown", "没有这个待核行"


class HeldRowDecided(Conflict):
    code, title = "held_row_decided", "该行已有结论"


class HeldRowOvertaken(Conflict):
    code, title = "held_row_overtaken", "该行已有更新的内容"


class HeldRowExpired(Conflict):
    code, title = "held_row_expired", "待核行已过保存期限"


class DecidedByAPerson(Forbidden):
    """Who sent the amount must not let it pass by himself: the row is held for a person to look."""

    code, title = "decided_by_a_person", "须由人员确认"


@dataclass(frozen=True, slots=True)
class HeldRowAnswer:
    """Which row, what is decided, and why."""

    feed_id: UUID
    line: int
    decision: HeldDecision
    reason: str


async def decide_held_row(
    connection: asyncpg.Connection, caller: Principal, answer: HeldRowAnswer, *, now: datetime
) -> asyncpg.Record:
    """The row with its decision; a released one is recorded by the next turn of ingestion."""
    if not caller.is_person:
        raise DecidedByAPerson("系统令牌不能确认待核行，请由部门联络员或县级管理员本人登录确认")
    row = await _held_row(connection, caller, answer)
    if not await repository.decide(
        connection, answer.feed_id, answer.line, answer.decision, answer.reason, caller.subject, now
    ):
        if row["overtaken_by"] is not None:
            raise HeldRowOvertaken("同一编号已有更新或正确的行，本行不再入库")
        raise HeldRowDecided("该行已放行或退回，不能再改；如需更正请重新报送该行")
    detail = {"line": answer.line, "decision": answer.decision}
    await audit(connection, caller, "feed.held_row", f"feed:{answer.feed_id}", now=now, detail=detail)
    decided = await repository.row_at(connection, answer.feed_id, answer.line)
    assert decided is not None
    return decided


async def _held_row(connection: asyncpg.Connection, caller: Principal, answer: HeldRowAnswer) -> asyncpg.Record:
    """The row, if its feed is in range, of the caller's department and recorded."""
    feed = await feeds.feed_by_id(connection, answer.feed_id, caller.department)
    if feed is None:
        raise FeedUnknown
    row = await repository.row_at(connection, answer.feed_id, answer.line) if feed["status"] == "recorded" else None
    if row is None:
        raise HeldRowUnknown("该批次没有这一行待核，或批次尚未处理完")
    if row["decision"] is None and feed["raw_destroyed_at"] is not None:
        raise HeldRowExpired("超过原始文件保存期限，本行内容已销毁，请重新报送")
    return row
