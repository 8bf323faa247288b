"""A department sends a file (部门报送): kept sealed as it came, due for ingestion; sent again it is the same feed.

Unless another file of the data set came between: then it says how things stand now, and is taken in as a new one.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.intake import repository_feeds as repository
from services.intake.catalogue import owner_of
from services.intake.domain.feed import FeedMode, Period, parse_period
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.file_options import PLAIN, FileOptions
from services.intake.file_limits import limits_of, settings_of
from services.intake.first_look import READ_AT_ONCE
from services.intake.look_at_file import PACKED, FeedFormatUnsupported, FileLook
from services.intake.repository_feeds import NewFeed
from services.intake.sealed_file import SealedFile
from services.intake.spool import Spool
from shared.db.scope import scoped
from shared.errors import DivisionOutOfRange, FieldError, Forbidden, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import covers
from shared.vocabulary.identifiers import new_id
from shared.web.spreadsheet import XLSX

MEDIA_TYPES = {
    "text/csv": "text/csv",
    "application/csv": "text/csv",
    "text/tab-separated-values": "text/csv",
    "application/x-ndjson": "application/x-ndjson",
    "application/json": "application/json",
    "application/jsonl": "application/x-ndjson",
    "application/x-jsonlines": "application/x-ndjson",
    XLSX: XLSX,
    "application/gzip": PACKED,
    "application/x-gzip": PACKED,
}


class LayoutOfAnotherDepartment(Forbidden):
    code, title = "layout_of_another_department", "该数据集属于其他部门"


class PeriodRefused(Unprocessable):
    code, title = "period_refused", "报送期次不正确"


@dataclass(frozen=True, slots=True)
class FeedOrder:
    """What is being sent, whose, and what is to happen with bad rows."""

    layout: FeedLayout
    division: str
    period: str
    mode: FeedMode
    media_type: str
    options: FileOptions = PLAIN


@dataclass(frozen=True, slots=True)
class ReceivedFeed:
    """The feed a file made; `fresh` is False when it was received before; `small` if its rows may be waited for."""

    feed_id: UUID
    fresh: bool
    small: bool = False


async def receive_feed(
    runtime: Runtime, caller: Principal, order: FeedOrder, body: AsyncIterator[bytes], *, traceparent: str | None
) -> ReceivedFeed:
    """Take in the body and store it in one transaction; no connection is held while the client sends."""
    now, period = runtime.clock.now(), period_of(order.period, runtime.clock.today())
    check_order(caller, order)
    feed_id = new_id()  # Of the machine's own time: files of one data set are taken in by the order of their ids.
    key, sealed_key = runtime.keys.new_file_key(*key_place(feed_id))
    look = FileLook(order.media_type, limits_of(settings_of(runtime)))
    with Spool(lambda piece, seq: key.seal(piece, chunk_place(feed_id, seq)), look.take) as spool:
        await spool.take(body)
        opened = SealedFile(lambda seq: key.open(spool.sealed_piece(seq), chunk_place(feed_id, seq)), spool.size)
        await asyncio.to_thread(look.finish, io.BufferedReader(opened))
        new = NewFeed(
            feed_id=feed_id,
            client=caller.subject,
            department=order.layout.department,
            division=order.division,
            period_text=order.period,
            period=period,
            mode=order.mode,
            media_type=look.media_type,
            options=order.options,
            digest=spool.digest,
            size_bytes=spool.size,
            chunks=spool.pieces,
            received_at=now,
            sealed_key=sealed_key,
            traceparent=traceparent,
        )
        received = await _store(runtime, caller, new, order.layout, spool)
    runtime.waker.wake("ingest")
    return replace(received, small=look.rows <= READ_AT_ONCE)


def check_order(caller: Principal, order: FeedOrder) -> None:
    """A caller sends for divisions of its own range, and a department only its own data sets."""
    if not covers(caller.division, order.division):
        raise DivisionOutOfRange(f"只能报送 {caller.division} 范围内的数据")
    owner = owner_of(order.layout.name)
    if owner is not None and not covers(owner, order.division):
        raise DivisionOutOfRange(f"{order.layout.title} 只能由 {owner} 报送")
    if caller.department is not None and caller.department != order.layout.department:
        raise LayoutOfAnotherDepartment(f"{order.layout.title} 由 {order.layout.department_title} 报送")


def media_type_of(header: str | None, encoding: str | None = None) -> str:
    """The media type we read, by the Content-Type header; whether the body is packed, its bytes say."""
    if (encoding or "identity").strip().lower() not in {"identity", "gzip", "x-gzip"}:
        raise FeedFormatUnsupported("内容编码不支持；应为 gzip 或不压缩")
    given = (header or "").split(";")[0].strip().lower()
    try:
        return MEDIA_TYPES[given]
    except KeyError:
        right = (
            "text/csv、text/tab-separated-values、application/json、application/x-ndjson、XLSX 或 application/gzip"
        )
        raise FeedFormatUnsupported(f"内容类型“{given[:60] or '未注明'}”不支持；应为 {right}") from None


def period_of(text: str, today: date) -> Period:
    """The days the file speaks of, none after today; without a period it speaks of today."""
    if not text:
        return Period(today, today)
    try:
        period = parse_period(text)
    except ValueError as error:
        raise _period_refused(str(error)) from None
    if period.first > today:
        raise _period_refused("期次不能晚于今天")
    return Period(period.first, min(period.last, today))


def _period_refused(reason: str) -> PeriodRefused:
    error = FieldError("query/period", "period_refused", reason, "年、年-月或年-月-日", "2026-01")
    return PeriodRefused(reason, errors=[error])


def key_place(feed_id: UUID) -> tuple[str, str, str]:
    """Table, column and row that the key of a raw file is sealed for."""
    return "feed", "sealed_key", str(feed_id)


def chunk_place(feed_id: UUID, seq: int) -> tuple[str, str, str]:
    """Table and row that a piece of a raw file is sealed for."""
    return "feed_chunk", str(feed_id), str(seq)


async def _store(runtime: Runtime, caller: Principal, new: NewFeed, layout: FeedLayout, spool: Spool) -> ReceivedFeed:
    async with scoped(runtime.pool, caller.division) as connection:
        follows = await repository.file_before(connection, new, layout)
        if not await repository.add_feed(connection, new, layout, follows):
            known = await repository.same_feed(connection, new, layout, follows)
            assert known is not None
            await repository.try_again(connection, known["feed_id"], new.received_at)
            return ReceivedFeed(known["feed_id"], False)
        await repository.add_chunks(connection, new.feed_id, spool.sealed_pieces())
        await audit(
            connection,
            caller,
            "feed.receive",
            f"feed:{new.feed_id}",
            now=new.received_at,
            detail={"layout": layout.name, "mode": new.mode, "division": new.division, "digest": new.digest.hex()},
        )
        return ReceivedFeed(new.feed_id, True)
