"""A person confirms that a snapshot may end as much as it would (解除熔断)."""

from datetime import datetime
from uuid import UUID

import asyncpg

from services.intake import repository_feeds as repository
from shared.errors import Conflict, Forbidden, NotFound
from shared.security.audit import audit
from shared.security.principal import Principal


class FeedUnknown(NotFound):
    code, title = "feed_unknown", "没有这个报送批次"


class ConfirmedByAPerson(Forbidden):
    """Who sent the list must not let it pass by himself: the brake is there for a person to look."""

    code, title = "confirmed_by_a_person", "须由人员确认"


class FeedNotWaiting(Conflict):
    code, title = "feed_not_waiting", "该批次不在等待确认"


class FeedOvertaken(Conflict):
    code, title = "feed_overtaken", "已有更新的批次"


async def confirm_feed(connection: asyncpg.Connection, caller: Principal, feed_id: UUID, *, now: datetime) -> None:
    """Let a waiting feed go on; not if a later file of the same data set has been recorded since."""
    if not caller.is_person:
        raise ConfirmedByAPerson("系统令牌不能确认批次，请由部门联络员或县级管理员本人登录确认")
    if await repository.feed_by_id(connection, feed_id, caller.department) is None:
        raise FeedUnknown
    if await repository.newer_recorded(connection, feed_id):
        raise FeedOvertaken("此后已接收同一数据集的新文件，本批不能再确认；如有需要请重新报送")
    if not await repository.confirm(connection, feed_id, caller.subject, now):
        raise FeedNotWaiting("只有等待确认 (waiting_confirmation) 的批次可以确认")
    await audit(connection, caller, "feed.confirm", f"feed:{feed_id}", now=now)
