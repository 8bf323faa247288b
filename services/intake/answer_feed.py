"""What a client that waited for its feed is told: the feed with its row errors, or why it was refused as a whole."""

from collections.abc import Sequence

from services.intake import repository_feeds as repository
from services.intake.await_feed import feed_at_end, seconds_preferred
from services.intake.domain.feed import FeedStatus
from services.intake.receive_feed import ReceivedFeed
from services.intake.schemas import FeedSettled, FeedView, RowErrorView
from shared.db.scope import scoped
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.principal import Principal

MOST_ERRORS = 1000
MOST_IN_PROBLEM = 100


class FeedRejected(Unprocessable):
    code, title = "feed_rejected", "整批未接收"


async def answer_feed(
    runtime: Runtime, caller: Principal, received: ReceivedFeed, prefer: Sequence[str]
) -> FeedSettled | None:
    """The settled feed with its first row errors, if the client waits and the rows are few; None: answer as ever.

    FeedRejected if nothing of it was taken.
    """
    seconds = seconds_preferred(prefer) if received.small else 0
    feed = await feed_at_end(runtime, caller, received.feed_id, seconds=seconds) if seconds else None
    if feed is None:
        return None
    async with scoped(runtime.pool, caller.division) as connection:
        rows = await repository.row_errors(connection, received.feed_id, after=(0, 0), limit=MOST_ERRORS)
        count = await repository.count_errors(connection, received.feed_id)
    view, errors = FeedView.of(feed), [RowErrorView.of(row) for row in rows]
    if feed["status"] in (FeedStatus.REJECTED, FeedStatus.FAILED):
        raise _rejected(view, errors, count)
    return FeedSettled(**view.model_dump(), errors=errors, error_count=count, repeated=not received.fresh)


def _rejected(view: FeedView, errors: list[RowErrorView], count: int) -> FeedRejected:
    why = view.problem
    fields = [
        FieldError(f"{e.line}/{e.column or ''}".rstrip("/"), e.code, e.reason, e.expected, e.example)
        for e in errors[:MOST_IN_PROBLEM]
    ]
    if why is not None:
        fields = [FieldError("body", why.code, why.detail, why.expected), *fields]
    detail = why.detail if why is not None else FeedRejected.title
    headers = {"Location": f"/intake/v1/feeds/{view.id}", "Preference-Applied": "wait"}
    return FeedRejected(detail, errors=fields, headers=headers, feed=view.model_dump(mode="json"), error_count=count)
