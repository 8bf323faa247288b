"""The HTTP surface of a report's attachments (附件), for cadres with a login."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.responses import Response as PlainResponse

from services.intake import repository_attachments as attachments
from services.intake import repository_reports as reports
from services.intake.attach_files import AttachmentUnknown, Upload, attach_file, open_file
from services.intake.domain.attachment import EXTENSIONS
from services.intake.endpoints_reports import ReportReader, ReportWriter, speaker_of
from services.intake.keep_report_files import erase_attachment
from services.intake.say_again import ReportUnknown, note
from services.intake.schemas_reports import AttachmentKept, AttachmentView, DownloadRequest, WithReason
from shared.db.scope import scoped
from shared.errors import Forbidden
from shared.security.access import field_classes
from shared.security.audit import post_of
from shared.security.principal import Principal
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection
from shared.web.page import Page
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr

FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "一个文件的原始内容：JPEG、PNG、WebP、HEIC 或 PDF；类型按内容识别",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

router = Router()


class FilesNotForPost(Forbidden):
    code, title = "files_not_for_post", "您的岗位不能查看附件"


def _file_reader(caller: ReportReader) -> Principal:
    """Who may read a report's description may see its photos."""
    if "contact" not in field_classes(caller):
        raise FilesNotForPost
    return caller


FileReader = Annotated[Principal, Depends(_file_reader)]


@router.post(
    "/intake/v1/attachments",
    status_code=201,
    tags=["attachments"],
    summary="上传附件",
    responses=problems(401, 403, 404, 409, 422),
    openapi_extra=FILE,
)
async def post_attachment(
    request: Request,
    division: Annotated[DivisionStr, Query()],
    caller: ReportWriter,
    runtime: RuntimeDep,
    context: ContextDep,
    report_id: Annotated[UUID | None, Query(description="已有的申报；不填：先上传，申报时引用")] = None,
) -> AttachmentKept:
    """请求体就是文件；一天内没有申报引用的会销毁。"""
    upload = Upload(await request.body(), caller, division, report_id, context.request_id)
    kept = await attach_file(runtime, upload)
    return AttachmentKept(id=kept.attachment_id, media_type=kept.media_type)


@router.get(
    "/intake/v1/self-reports/{report_id}/attachments",
    tags=["attachments"],
    summary="申报的附件目录",
    responses=problems(401, 403, 404, 422),
)
async def get_attachments(
    report_id: UUID, caller: FileReader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> Page[AttachmentView]:
    """附件的类型、大小、是否已销毁。"""
    root = await _root(connection, report_id)
    rows = await attachments.of_report(connection, root)
    await note(
        connection, runtime, speaker_of(caller, context), "attachment.list", f"report:{root}", detail=post_of(caller)
    )
    return Page(items=[_attachment(row) for row in rows])


@router.post(
    "/intake/v1/attachments/{attachment_id}/download",
    tags=["attachments"],
    summary="下载附件",
    response_class=PlainResponse,
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        **problems(401, 403, 404, 410, 415, 422),
    },
)
async def post_download(
    attachment_id: UUID,
    body: DownloadRequest,
    caller: FileReader,
    runtime: RuntimeDep,
    context: ContextDep,
) -> Response:
    """写明用途，留痕；只下载，不在浏览器中打开。"""
    async with scoped(runtime.pool, caller.division) as connection:
        row = await attachments.by_id(connection, attachment_id)
        if row is None or (row["report_id"] is None and row["client"] != caller.subject):
            raise AttachmentUnknown
        subject = f"report:{row['report_id']}" if row["report_id"] else f"attachment:{attachment_id}"
        detail = {**post_of(caller), "attachment": str(attachment_id)}
        await note(
            connection,
            runtime,
            speaker_of(caller, context),
            "attachment.download",
            subject,
            purpose=body.purpose,
            detail=detail,
        )
    content = await open_file(runtime, row)
    name = f"{attachment_id}.{EXTENSIONS[row['media_type']]}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Attachment-Type": row["media_type"],
    }
    return Response(content, 200, headers, "application/octet-stream")


@router.post(
    "/intake/v1/attachments/{attachment_id}/erasure",
    tags=["attachments"],
    summary="销毁附件",
    responses=problems(401, 403, 404, 415, 422),
)
async def post_erasure(
    attachment_id: UUID,
    body: WithReason,
    caller: ReportWriter,
    runtime: RuntimeDep,
    context: ContextDep,
) -> AttachmentView:
    """销毁密钥即不可恢复；文件随后删除。"""
    now = runtime.clock.now()
    async with scoped(runtime.pool, caller.division) as connection:
        if await attachments.by_id(connection, attachment_id) is None:
            raise AttachmentUnknown
        if await attachments.destroy(connection, [attachment_id], now):
            await note(
                connection,
                runtime,
                speaker_of(caller, context),
                "attachment.destroyed",
                f"attachment:{attachment_id}",
                purpose=body.reason,
            )
        row = await attachments.by_id(connection, attachment_id)
    await erase_attachment(runtime, attachment_id)
    return _attachment(row)


async def _root(connection: ScopedConnection, report_id: UUID) -> UUID:
    row = await reports.report_by_id(connection, report_id)
    if row is None:
        raise ReportUnknown
    root: UUID = row["root_id"] or row["report_id"]
    return root


def _attachment(row: Any) -> AttachmentView:
    return AttachmentView(
        id=row["attachment_id"],
        media_type=row["media_type"],
        metadata=row["metadata"],
        size_bytes=row["size_bytes"],
        received_at=row["received_at"],
        destroyed_at=row["destroyed_at"],
    )
