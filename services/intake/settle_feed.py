"""A feed is read to its end: check rows against each other, then decide what becomes of it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from services.intake import repository_crosswalk as crosswalk
from services.intake import repository_held as held
from services.intake import repository_ingest as repository
from services.intake.catalogue import layout_named
from services.intake.domain.feed import FeedMode, FeedStatus, brakes
from services.intake.domain.feed_layout import FeedLayout, HouseholdSpec, Kind
from services.intake.domain.layout_changes import layout_changes
from services.intake.note_authorisations import discard_unauthorised
from services.intake.repository_replays import version_before

MEND_OR_PARTIAL = "请核对金额后重新报送，或以部分方式报送、待人员确认"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the feed: its next status, why (for an end that records nothing), and what the report adds."""

    status: FeedStatus
    problem: dict[str, Any] | None = None
    report: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows taken in, how many of them repeat another, and the records they make; rows that are staged."""

    accepted: int
    duplicates: int
    records: int
    rows: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows read but those discarded, rows taken in or held, and what recording the records would do.

    Of the held rows `released_before` say what a person released before.
    """

    read: int
    accepted: int
    held: int
    released_before: int
    added: int
    changed: int
    unchanged: int
    unlisted: int
    live: int

    @property
    def rejected(self) -> int:
        return self.read - self.accepted - self.held

    @property
    def waiting(self) -> int:
        """Rows that wait for a person."""
        return self.held - self.released_before


async def settle_feed(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, today: date
) -> Decision:
    """Discard what nobody allowed, reject rows that contradict each other, count, and decide.

    In the caller's transaction.
    """
    await repository.expect_many(connection)
    discarded = await discard_unauthorised(connection, feed, layout, today)
    staged = await _check_across_rows(connection, feed, layout, feed["staged"] - discarded)
    counted = await _count(connection, feed, layout, staged, discarded)
    decision = await _decide(connection, feed, layout, counted)
    report = {**(decision.report or {}), **_review_report(counted), **await _replay_report(connection, feed, layout)}
    report |= _codes_report(await crosswalk.note_two_owners(connection, feed, layout))
    if report:
        await repository.add_report(connection, feed["feed_id"], report)
    if decision.status is FeedStatus.RECORDING and layout.holds_rows:
        await held.overtake(connection, feed)
    if decision.status is FeedStatus.CHECKED:
        ending = counted.unlisted if ends_unlisted(layout, counted.rejected) else 0
        await repository.set_comparison(
            connection,
            feed["feed_id"],
            added=counted.added,
            changed=counted.changed,
            unchanged=counted.unchanged,
            ended=ending,
        )
    if decision.status is FeedStatus.RECORDING:
        await repository.note_known(connection, feed["feed_id"], counted.changed + counted.unchanged)
    if decision.status is FeedStatus.RECORDING and counted.added + counted.changed == 0:
        await repository.skip_merging(connection, feed["feed_id"], counted.unchanged)
        await crosswalk.learn(connection, feed, layout)
    return decision


def ends_unlisted(layout: FeedLayout, rejected: int) -> bool:
    """A snapshot ends what it does not list, but not if a refused row may be what it fails to list."""
    return layout.kind is Kind.SNAPSHOT and rejected == 0


async def _check_across_rows(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, rows: int
) -> Staged:
    if layout.household is None:
        return await _one_row_each(connection, feed, layout, rows)
    await _check_households(connection, feed, layout, layout.household)
    counted = await repository.count_staged(connection, feed["feed_id"])
    return Staged(counted["rows"], counted["duplicates"], counted["records"], counted["rows"])


async def _one_row_each(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, rows: int
) -> Staged:
    """Reject rows of one key that differ, and leave one of those that do not."""
    rejected, repeated = 0, 0
    if await repository.any_repeated(connection, feed["feed_id"]):
        key = layout.column(layout.natural_key[0]).header
        rejected = await repository.reject_rows(
            connection,
            feed["feed_id"],
            repository.CONFLICTING_ROWS,
            header=key,
            code="rows_conflict",
            reason=f"第 % 行的{key}相同而内容不同，无法判断哪一行正确",
            expected="每个编号只保留正确的一行",
        )
        repeated = await repository.drop_repeated(connection, feed["feed_id"])
    left = rows - rejected - repeated
    return Staged(rows - rejected, repeated, left, left)


async def _check_households(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, spec: HouseholdSpec
) -> None:
    key = layout.column(layout.natural_key[0]).header

    async def reject(sql: str, header: str, code: str, reason: str, expected: str) -> None:
        await repository.reject_rows(
            connection, feed["feed_id"], sql, header=header, code=code, reason=reason, expected=expected
        )

    person = layout.column(spec.member["number"]).header
    same = f"{person}相同" + ("，或都没有而姓名、出生日期相同" if spec.tells_unnumbered else "")
    await reject(
        repository.CONFLICTING_MEMBERS,
        person,
        "rows_conflict",
        f"第 % 行是同一户的同一人 ({same}) 而内容不同，无法判断哪一行正确",
        "每人只保留正确的一行",
    )
    relation, head = layout.column(spec.relation).header, spec.head
    await reject(
        repository.TWO_HEADS,
        relation,
        "household_has_two_heads",
        f"同一{key}有两个{head} (第 % 行)，整户未接收",
        f"每户一个{head}",
    )
    await reject(
        repository.NO_HEAD,
        relation,
        "household_without_head",
        f"本户没有正确的{head}行，整户未接收；同户有错的行: %",
        f"每户一行{head}，先改正{head}行",
    )


async def _count(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, staged: Staged, discarded: int
) -> Counted:
    read, aside = feed["read"] - discarded, feed["held"]
    await repository.set_counts(
        connection,
        feed["feed_id"],
        accepted=staged.accepted,
        rejected=read - staged.accepted - aside,
        unauthorised=discarded,
        duplicates=staged.duplicates,
        records=staged.records,
        staged=staged.rows,
    )
    found = await repository.compare(connection, feed, layout, staged.records)
    known = await held.settle_known(connection, feed) if aside else 0
    return Counted(read, staged.accepted, aside, known, **found)


async def _decide(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, counted: Counted
) -> Decision:
    if feed["mode"] == FeedMode.DRY_RUN:
        return Decision(FeedStatus.CHECKED, report=_ending_report(layout, counted))
    if counted.rejected and feed["mode"] == FeedMode.ATOMIC:
        return _rejected("rows_rejected", f"有 {counted.rejected} 行有错；整批方式下全部不接收，请改正后重新报送")
    if counted.waiting and feed["mode"] == FeedMode.ATOMIC:
        return _rejected("rows_held", f"有 {counted.waiting} 行金额异常待核；整批方式下全部不接收，{MEND_OR_PARTIAL}")
    if counted.rejected and not counted.accepted and not counted.held:
        return _rejected("no_good_row", "没有一行正确，全部不接收")
    newer = await repository.newer_snapshot_on(connection, feed["feed_id"]) if layout.kind is Kind.SNAPSHOT else None
    if newer is not None:
        return _rejected("snapshot_outdated", f"已接收过 {newer.isoformat()} 的全量清单，比本批新")
    if _must_wait(feed, layout, counted):
        return Decision(FeedStatus.WAITING_CONFIRMATION, report=_ending_report(layout, counted))
    return Decision(FeedStatus.RECORDING, report=_ending_report(layout, counted))


def _must_wait(feed: asyncpg.Record, layout: FeedLayout, counted: Counted) -> bool:
    if feed["confirmed_at"] is not None or not ends_unlisted(layout, counted.rejected):
        return False
    return brakes(ending=counted.unlisted, live=counted.live, listed=counted.accepted)


def _ending_report(layout: FeedLayout, counted: Counted) -> dict[str, Any] | None:
    """What a snapshot ends, would end, or does not end and why."""
    if layout.kind is not Kind.SNAPSHOT:
        return None
    skipped = not ends_unlisted(layout, counted.rejected)
    said: dict[str, Any] = {"unlisted": counted.unlisted, "live": counted.live, "ends": not skipped}
    if skipped:
        said["why"] = "rows_rejected"
        said["message"] = "有行未被接收，无法确定哪些人已不在清单上，本批不结束任何记录"
    return {"ending": said}


def _review_report(counted: Counted) -> dict[str, Any]:
    """How many rows are held, and what comes of them."""
    if not counted.held:
        return {}
    message = f"{counted.waiting} 行金额异常，暂存待核，由部门或县级人员逐行确认后才入库"
    if counted.released_before:
        message += f"；{counted.released_before} 行与此前已确认的内容相同，不再待核"
    return {"review": {"held": counted.held, "released_before": counted.released_before, "message": message}}


def _codes_report(two_owners: int) -> dict[str, Any]:
    """How many of the department's own codes were given to two."""
    if not two_owners:
        return {}
    message = f"{two_owners} 个本部门编码先后对应不同的人、户或区划，以较新的为准；涉及的行见提示"
    return {"own_codes": {"two_owners": two_owners, "message": message}}


async def _replay_report(connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout) -> dict[str, Any]:
    """By which version the file was read before, and what is otherwise now."""
    before = await version_before(connection, feed)
    if before is None:
        return {}
    changes = layout_changes(layout_named(layout.name, before), layout)
    return {"replay": {"version_before": before, "version": layout.version, "changes": changes}}


def _rejected(code: str, detail: str) -> Decision:
    return Decision(FeedStatus.REJECTED, {"code": code, "detail": detail})
