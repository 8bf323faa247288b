"""Attach photos and PDFs to a report: checked, cleaned, sealed, on disk, and only then in the database."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from services.intake import file_store
from services.intake import repository_attachments as repository
from services.intake import repository_reports as reports
from services.intake.check_report import refused
from services.intake.domain.attachment import AttachmentUnfit, Cleaned, clean
from services.intake.prepare_report import Submission
from services.intake.say_again import ReportUnknown, ReportWithdrawn
from services.intake.settings import IntakeSettings
from shared.clock import SHANGHAI
from shared.db.scope import scoped
from shared.errors import Conflict, DivisionOutOfRange, Gone, NotFound, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import covers
from shared.vocabulary.identifiers import new_id


class AttachmentRefused(Unprocessable):
    """The file is not of a kind that is taken; `reason` is its stable code."""

    code, title = "attachment_refused", "附件不能接收"


class AttachmentUnknown(NotFound):
    code, title = "attachment_unknown", "没有这个附件"


class AttachmentDestroyed(Gone):
    code, title = "attachment_destroyed", "附件已销毁"


class TooManyAttachments(Conflict):
    code, title = "too_many_attachments", "附件数量已达上限"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was kept, and what it was found to be."""

    attachment_id: UUID
    media_type: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, by whom, for which place, and for which report if it is known."""

    content: bytes
    caller: Principal
    division: str
    report_id: UUID | None
    request_id: str


async def attach_file(runtime: Runtime, upload: Upload) -> Kept:
    """Keep a file. It is durable when this returns."""
    if not covers(upload.caller.division, upload.division):
        raise DivisionOutOfRange("只能为本人负责区划内的农户上传附件")
    cleaned = await asyncio.to_thread(_cleaned, upload.content)
    await _check_room(runtime, upload)
    name = new_id(runtime.clock.now())
    key, sealed_key = runtime.keys.new_file_key(*_aad(name))
    sealed = await asyncio.to_thread(key.seal, cleaned.content, _aad(name))
    await asyncio.to_thread(file_store.write, folder_of(runtime), name, sealed)
    await _record(runtime, upload, cleaned, name, sealed_key)
    return Kept(name, cleaned.media_type)


def _cleaned(content: bytes) -> Cleaned:
    try:
        return clean(content)
    except AttachmentUnfit as error:
        raise AttachmentRefused(error.message, reason=error.code) from None


async def _check_room(runtime: Runtime, upload: Upload) -> None:
    """Ask early, so that a file too many is not written at all."""
    async with scoped(runtime.pool, upload.caller.division) as connection:
        await _room(connection, runtime, upload)


async def _room(connection: asyncpg.Connection, runtime: Runtime, upload: Upload) -> UUID | None:
    """The first version of the report, locked, not withdrawn, with room for one more."""
    most = settings_of(runtime).attachments_per_report
    if upload.report_id is None:
        return None
    root = await reports.lock_root(connection, upload.report_id)
    if root is None or root["division"] != upload.division:
        raise ReportUnknown
    if root["withdrawn_at"] is not None:
        raise ReportWithdrawn("已撤回的申报不再接收附件；需要时请重新申报，再上传附件")
    root_id: UUID = root["report_id"]
    if await repository.count_of(connection, root_id) >= most:
        raise TooManyAttachments(f"每份申报最多 {most} 个附件")
    return root_id


async def _record(runtime: Runtime, upload: Upload, cleaned: Cleaned, name: UUID, sealed_key: bytes) -> None:
    now = runtime.clock.now()
    async with scoped(runtime.pool, upload.caller.division) as connection:
        row = {
            "attachment_id": name,
            "report_id": await _room(connection, runtime, upload),
            "division": upload.division,
            "client": upload.caller.subject,
            "media_type": cleaned.media_type,
            "metadata": cleaned.metadata,
            "size_bytes": len(cleaned.content),
            "digest": hashlib.sha256(cleaned.content).digest(),
            "sealed_key": sealed_key,
            "received_at": now,
        }
        await repository.add(connection, row)
        await audit(
            connection, upload.caller, "attachment.add", f"attachment:{name}", now=now, request_id=upload.request_id
        )


async def check_attachments(runtime: Runtime, submission: Submission) -> None:
    """Refuse a report that names attachments which are not its writer's own, or more than a report may have."""
    wanted, most = submission.report.attachments, settings_of(runtime).attachments_per_report
    if not wanted:
        return
    if len(wanted) > most:
        raise refused("body/attachments", "too_many_attachments", "附件过多", f"最多 {most} 个", "")
    caller = submission.caller
    async with scoped(runtime.pool, caller.division) as connection:
        found = await repository.usable(connection, wanted, caller.subject, submission.report.division)
    if len(found) != len(wanted):
        raise refused("body/attachments", "attachment_unknown", "有附件不存在或不属于本次申报", "先行上传的编号", "")


async def attach(runtime: Runtime, submission: Submission, report_id: UUID) -> None:
    """Give the report its attachments; again changes nothing, so a retry finishes what a crash left.

    Nothing is given to a report that was withdrawn meanwhile: what no report has is destroyed within a day.
    """
    if not submission.report.attachments:
        return
    async with scoped(runtime.pool, submission.caller.division) as connection:
        await repository.link(connection, submission.report.attachments, report_id)


async def open_file(runtime: Runtime, row: asyncpg.Record) -> bytes:
    """The bytes of an attachment; AttachmentDestroyed once its key is gone."""
    if row["sealed_key"] is None:
        raise AttachmentDestroyed(f"已于 {row['destroyed_at'].astimezone(SHANGHAI).date()} 销毁")
    aad = _aad(row["attachment_id"])
    key = runtime.keys.open_file_key(row["sealed_key"], *aad)
    sealed = await asyncio.to_thread(file_store.read, folder_of(runtime), row["attachment_id"])
    return await asyncio.to_thread(key.open, sealed, aad)


def folder_of(runtime: Runtime) -> Path:
    return settings_of(runtime).files_folder


def settings_of(runtime: Runtime) -> IntakeSettings:
    assert isinstance(runtime.settings, IntakeSettings)
    return runtime.settings


def _aad(name: UUID) -> tuple[str, ...]:
    return ("attachment", str(name))
