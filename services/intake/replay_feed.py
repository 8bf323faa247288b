"""Read a raw file again by the newest version of its layout (重放): what it says otherwise then is recorded.

The raw file becomes another feed, as if it had been sent again. By the version it was read by already it is the same
feed, and nothing happens; rows that say the same under the new version change nothing either. A workbook made from
an older template is read by its headers; the report says what the versions have otherwise.
"""

from collections.abc import AsyncIterator
from uuid import UUID

from services.intake import repository_feeds as feeds
from services.intake import repository_ingest as repository
from services.intake.catalogue import layout_named
from services.intake.confirm_feed import FeedUnknown
from services.intake.domain.feed import FeedMode
from services.intake.domain.file_options import FileOptions, Unknown
from services.intake.receive_feed import FeedOrder, ReceivedFeed, chunk_place, key_place, receive_feed
from shared.db.scope import scoped, transaction
from shared.errors import Conflict
from shared.runtime import Runtime
from shared.security.principal import Principal


class RawFileDestroyed(Conflict):
    code, title = "raw_file_destroyed", "原始文件已销毁"


async def replay_feed(
    runtime: Runtime, caller: Principal, feed_id: UUID, mode: FeedMode, *, traceparent: str | None
) -> ReceivedFeed:
    """The feed that the raw file makes now."""
    async with scoped(runtime.pool, caller.division) as connection:
        row = await feeds.feed_by_id(connection, feed_id, caller.department)
    if row is None:
        raise FeedUnknown
    if row["raw_destroyed_at"] is not None:
        raise RawFileDestroyed("原始文件已过保存期限并销毁，请重新报送")
    layout = layout_named(row["layout"])
    if (row["layout_version"], row["mode"]) == (layout.version, mode) and row["status"] != "failed":
        return ReceivedFeed(feed_id, False)
    options = FileOptions(Unknown(row["unknown"]), row["sheet"])
    order = FeedOrder(layout, row["division"], row["period"], mode, row["media_type"], options)
    return await receive_feed(runtime, caller, order, _pieces(runtime, feed_id), traceparent=traceparent)


async def _pieces(runtime: Runtime, feed_id: UUID) -> AsyncIterator[bytes]:
    """The raw file as it came."""
    async with transaction(runtime.worker_pool) as connection:
        feed = await repository.load_feed(connection, feed_id)
    key = runtime.keys.open_file_key(feed["sealed_key"], *key_place(feed_id))
    for seq in range(feed["chunks"]):
        async with transaction(runtime.worker_pool) as connection:
            sealed = await repository.load_chunk(connection, feed_id, seq)
        yield key.open(sealed, chunk_place(feed_id, seq))
