"""List changes (风险变动): the same messages that subscriptions push, for systems that would rather ask."""

from collections.abc import Mapping
from typing import Any

from services.monitoring import repository_changes as repository
from services.monitoring.announce import SOURCE
from services.monitoring.read_household import CAUSE, CLASS
from services.monitoring.schemas_changes import ChangedView, ChangesPage
from shared.contracts.outside import as_told_outside
from shared.db.scope import transaction
from shared.errors import Gone
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.web.page import decode_cursor, encode_cursor

OF_CLASS = ("recommendation", "previous_recommendation", "listed_as", "score")
OF_CAUSE = ("causes",)


class ChangesExpired(Gone):
    """What lies between is not kept any more, or was never given out by this database."""

    code, title = "changes_expired", "该位置之后的变动已不全"


async def list_changes(
    caller: Principal, runtime: Runtime, *, after: str | None, limit: int, request_id: str
) -> ChangesPage:
    """The changes behind a place in the caller's range; without a place, from the oldest that is kept.

    `next_after` is given always: asking with it later continues without a gap and without a repeat.
    """
    position = decode_cursor(after, after=int)
    async with transaction(runtime.worker_pool) as connection:
        await repository.number_new(connection)
    async with transaction(runtime.worker_pool) as connection:
        first, last = await repository.kept(connection)
        start = position["after"] if position else first - 1
        if not first - 1 <= start <= last:
            raise ChangesExpired("请重新读取农户名单，再不带 after 从头读取变动")
        rows = await repository.after(connection, start, limit)
        items = [told for row in rows if (told := _told(row, caller)) is not None]
        if items:
            await audit(
                connection,
                caller,
                "changes.read",
                f"division:{caller.division}",
                now=runtime.clock.now(),
                request_id=request_id,
                detail={"messages": len(items), "households": sum(len(each.data["items"]) for each in items)},
            )
    reached = rows[-1]["position"] if rows else start
    return ChangesPage(items=items, next_after=encode_cursor({"after": reached}), more=reached < last)


def _told(row: Mapping[str, Any], caller: Principal) -> ChangedView | None:
    """The message as a subscriber for the caller's range would get it, in the fields of the caller's post."""
    data = as_told_outside(row["type"], row["payload"], caller.division)
    if data is None:
        return None
    sees = field_classes(caller)
    hidden = {*(() if CLASS in sees else OF_CLASS), *(() if CAUSE in sees else OF_CAUSE)}
    items = [{name: value for name, value in item.items() if name not in hidden} for item in data["items"]]
    return ChangedView(
        id=row["id"], source=SOURCE, type=row["type"], time=row["created_at"], data={**data, "items": items}
    )
