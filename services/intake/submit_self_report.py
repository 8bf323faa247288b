"""A household reports hardship (农户自主申报): kept under its natural key for ever, and on its way at once."""

from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg

from services.intake import repository_reports as repository
from services.intake.attach_files import attach, check_attachments
from services.intake.check_report import check_report
from services.intake.domain.report_limit import LimitKind
from services.intake.keep_limits import Use, use_index_once, use_once
from services.intake.prepare_report import Submission, prepare_report
from services.intake.receipt import receipt_code
from services.intake.report_desk import ReportDesk
from services.intake.repository_reports import NewReport
from services.intake.village_register import VillageRegister
from shared.db.scope import scoped
from shared.errors import Conflict
from shared.runtime import Runtime
from shared.web.idempotency import IdempotencyKeyReused


class RequestUnderWay(Conflict):
    code, title = "request_under_way", "同一幂等键的请求仍在处理"


@dataclass(frozen=True, slots=True)
class Submitted:
    """The report's id and receipt code; `replayed` if it was known before.

    The code goes to whoever made the report first, under the same key: to nobody who merely repeats what he heard.
    """

    report_id: UUID
    replayed: bool
    receipt_code: str | None


async def submit_self_report(
    runtime: Runtime, villages: VillageRegister, desk: ReportDesk, submission: Submission
) -> Submitted:
    """Take a report in, or answer with the first one that said the same; durable when this returns."""
    await check_report(runtime, villages, submission.report, submission.caller)
    await check_attachments(runtime, submission)
    new = prepare_report(runtime, submission)
    done = await _submit(runtime, desk, submission, new)
    await attach(runtime, submission, done.report_id)
    return done


async def _submit(runtime: Runtime, desk: ReportDesk, submission: Submission, new: NewReport) -> Submitted:
    if await desk.submit(runtime.pool, new):
        runtime.waker.wake("relay")
        return Submitted(new.report_id, False, receipt_code(runtime.keys, new.report_id))
    return await _known(runtime, submission, new) or await _further(runtime, submission, new)


async def _known(runtime: Runtime, submission: Submission, new: NewReport) -> Submitted | None:
    """The report that was made before, under this key or another; None if it is one more of its person today."""
    async with scoped(runtime.pool, submission.caller.division) as connection:
        before = await repository.key_used(connection, new.client, new.key)
        if before is not None and before["fingerprint"] != new.fingerprint:
            raise IdempotencyKeyReused("这个幂等键已用于另一内容；新的申报请换一个新的幂等键")
        first = await repository.first_report(connection, new)
        if first is None and before is not None:
            raise RequestUnderWay("请稍后用同一幂等键重试", headers={"Retry-After": "1"})
        if first is None:
            return None
        if before is None:
            await repository.remember_key(connection, new, first)
        no = await repository.receipt_no(connection, first) if before and before["made"] == first else None
    return Submitted(first, True, receipt_code(runtime.keys, first, no) if no else None)


async def _further(runtime: Runtime, submission: Submission, new: NewReport) -> Submitted:
    """Another report of the same person on the same day: within the limits it is taken like the first."""
    async with scoped(runtime.pool, submission.caller.division) as connection:
        if await repository.reported_since(connection, new.person_index, new.day):
            await _count(connection, runtime, submission, new)
        stored = await repository.submit_all(connection, [replace(new, counted=True)])
    if not stored:
        raise RequestUnderWay("请稍后用同一幂等键重试", headers={"Retry-After": "1"})
    runtime.waker.wake("relay")
    return Submitted(new.report_id, False, receipt_code(runtime.keys, new.report_id))


async def _count(connection: asyncpg.Connection, runtime: Runtime, submission: Submission, new: NewReport) -> None:
    """Count it of person, phone and address; the first limit reached refuses it, and nothing is counted."""
    await use_index_once(connection, runtime, LimitKind.PERSON, new.person_index)
    if submission.report.phone:
        await use_once(connection, runtime, Use(LimitKind.PHONE, submission.report.phone))
    if submission.address:
        await use_once(connection, runtime, Use(LimitKind.ADDRESS, submission.address))
