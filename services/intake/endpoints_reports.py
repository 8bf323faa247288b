"""The HTTP surface around a report, but for submitting it: for cadres with a login, for households with a code.

The routes below /receipts ask for no token: the receipt code, in the body and never in an address, opens one report
and nothing else.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import Response as PlainResponse

from services.intake import repository_appeals as appeals
from services.intake import repository_attachments as attachments
from services.intake import repository_reports as reports
from services.intake.attach_files import AttachmentUnknown, Upload, attach_file, open_file, settings_of
from services.intake.consents_in_force import consent_texts
from services.intake.correct_report import Correction, correct_report
from services.intake.decide_appeal import AppealUnknown, decide_appeal
from services.intake.domain.appeal import AppealState
from services.intake.domain.attachment import EXTENSIONS
from services.intake.domain.consent import in_force
from services.intake.domain.report_limit import HOURLY, LimitKind
from services.intake.file_appeal import HouseholdAppeal, PersonNeeded, appeal_for_household, appeal_report
from services.intake.keep_limits import TITLES, most_of
from services.intake.keep_report_files import erase_attachment
from services.intake.open_receipt import open_receipt
from services.intake.own_record import own_record
from services.intake.receipt import code_index, receipt_code
from services.intake.say_again import ReportUnknown, Speaker, note
from services.intake.schemas_reports import (
    AppealByCode,
    AppealCreate,
    AppealDecision,
    AppealFiled,
    AppealView,
    AttachmentKept,
    AttachmentView,
    ByCode,
    CodeGiven,
    ConsentView,
    Corrected,
    CorrectionByCode,
    DownloadRequest,
    LimitView,
    OwnRecordRequest,
    OwnRecordView,
    ReportingRules,
    ReportProgress,
    VersionMade,
    WithdrawalByCode,
    Withdrawn,
    WithReason,
)
from services.intake.show_appeal import RIGHT, view_appeal
from services.intake.show_progress import show_progress
from services.intake.withdraw_report import withdraw_report
from shared.db.scope import scoped
from shared.errors import Forbidden, NotFound
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import post_of
from shared.security.principal import Principal
from shared.vocabulary.money import parse_yuan
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.middleware import RequestContext
from shared.web.page import Cursor, Limit, Page, before_id, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr

ReportWriter = Annotated[Principal, Depends(require("intake:reports:write"))]
ReportReader = Annotated[Principal, Depends(require("intake:reports:read"))]
AppealDecider = Annotated[Principal, Depends(require("intake:appeals:decide"))]
FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "一个文件的原始内容：JPEG、PNG、WebP、HEIC 或 PDF；类型按内容识别",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

router = Router()
open_router = Router()


class FilesNotForPost(Forbidden):
    code, title = "files_not_for_post", "您的岗位不能查看附件"


class ConsentMissing(NotFound):
    code, title = "consent_missing", "没有现行的告知与授权文本"


def _file_reader(caller: ReportReader) -> Principal:
    """Who may read a report's description may see its photos."""
    if "contact" not in field_classes(caller):
        raise FilesNotForPost
    return caller


FileReader = Annotated[Principal, Depends(_file_reader)]


def _speaker(caller: Principal, context: RequestContext) -> Speaker:
    return Speaker(caller.division, context.request_id, context.traceparent, caller)


@asynccontextmanager
async def _by_code(
    runtime: Runtime, code: str, address: str, context: RequestContext
) -> AsyncIterator[tuple[asyncpg.Connection, UUID, Speaker]]:
    """One transaction of whoever holds a receipt code: the report it opens, and he who speaks."""
    opened = await open_receipt(runtime, code, address)
    async with scoped(runtime.pool, opened.division) as connection:
        yield connection, opened.report_id, Speaker(opened.division, context.request_id, context.traceparent)


async def address_of(request: Request) -> str:
    """The client's address, as the trusted proxy tells it (FORWARDED_ALLOW_IPS)."""
    return request.client.host if request.client else ""


Address = Annotated[str, Depends(address_of)]


# --- for everybody -------------------------------------------------------------------------------------------


@open_router.get(
    "/intake/v1/consent", tags=["self-reports"], summary="现行的告知与授权文本", responses=problems(404, 422)
)
async def get_consent(runtime: RuntimeDep) -> ConsentView:
    """申报前读给农户或显示给农户；申报时填写其版本。"""
    text = in_force(consent_texts(), runtime.clock.today())
    if text is None:
        raise ConsentMissing
    return ConsentView(version=text.version, valid_from=text.valid_from, title=text.title, text=text.text)


@open_router.get(
    "/intake/v1/reporting-rules", tags=["self-reports"], summary="申报次数、附件与申诉期限", responses=problems(422)
)
async def get_reporting_rules(runtime: RuntimeDep) -> ReportingRules:
    """公布的规则；任何限制都不会拒绝一个人当天的第一次申报。"""
    settings = settings_of(runtime)
    return ReportingRules(
        limits=[
            LimitView(
                rule=kind, title=TITLES[kind], most=most_of(settings, kind), per="hour" if kind in HOURLY else "day"
            )
            for kind in LimitKind
        ],
        attachment_types=list(EXTENSIONS),
        attachment_limit_bytes=settings.attachment_limit_bytes,
        attachments_per_report=settings.attachments_per_report,
        appeal_working_days=settings.appeal_working_days,
        help_phone=settings.help_phone,
    )


# --- with a receipt code -------------------------------------------------------------------------------------


@open_router.post(
    "/intake/v1/receipts/progress",
    tags=["receipts"],
    summary="凭受理码查询进度",
    responses=problems(404, 415, 422, 429),
)
async def post_progress(body: ByCode, runtime: RuntimeDep, context: ContextDep, address: Address) -> ReportProgress:
    """到了哪一步、下一步是什么、最迟哪天、找谁。"""
    async with _by_code(runtime, body.receipt_code, address, context) as (connection, report_id, holder):
        await note(connection, runtime, holder, "receipt.progress", f"report:{report_id}")
        return await show_progress(connection, runtime, report_id)


@open_router.post(
    "/intake/v1/receipts/corrections",
    status_code=201,
    tags=["receipts"],
    summary="凭受理码更正申报",
    responses=problems(404, 409, 415, 422, 429),
)
async def post_correction_by_code(
    body: CorrectionByCode, runtime: RuntimeDep, context: ContextDep, address: Address, wake: WakeDep
) -> VersionMade:
    """形成新的版本，原版本保留；责任人会看到更正。"""
    async with _by_code(runtime, body.receipt_code, address, context) as (connection, report_id, holder):
        made = await correct_report(connection, runtime, report_id, _correction(body), holder)
    wake("relay")
    return VersionMade(id=made, corrects=report_id)


@open_router.post(
    "/intake/v1/receipts/withdrawal",
    tags=["receipts"],
    summary="凭受理码撤回申报",
    responses=problems(404, 415, 422, 429),
)
async def post_withdrawal_by_code(
    body: WithdrawalByCode, runtime: RuntimeDep, context: ContextDep, address: Address, wake: WakeDep
) -> Withdrawn:
    """重复撤回不再改变什么。"""
    async with _by_code(runtime, body.receipt_code, address, context) as (connection, report_id, holder):
        root = await withdraw_report(connection, runtime, report_id, body.reason, holder)
    wake("relay")
    return Withdrawn(id=root)


@open_router.post(
    "/intake/v1/receipts/appeals",
    status_code=201,
    tags=["receipts"],
    summary="凭受理码申诉",
    responses=problems(404, 409, 415, 422, 429),
)
async def post_appeal_by_code(
    body: AppealByCode, runtime: RuntimeDep, context: ContextDep, address: Address, wake: WakeDep
) -> AppealFiled:
    """对核实答复不服时提出；由另一位干部重新核实，再由未作出答复的人裁定。"""
    async with _by_code(runtime, body.receipt_code, address, context) as (connection, report_id, holder):
        appeal_id = await appeal_report(connection, runtime, report_id, body.reason, holder, body.against)
        filed = await appeals.by_id(connection, appeal_id)
    wake("relay")
    assert filed is not None
    return AppealFiled(id=appeal_id, due_on=filed["due_on"], right=RIGHT)


@open_router.post(
    "/intake/v1/receipts/own-record",
    tags=["receipts"],
    summary="本人查询：申报、数据来源、谁看过",
    responses=problems(404, 415, 422, 429),
)
async def post_own_record(
    body: OwnRecordRequest, runtime: RuntimeDep, context: ContextDep, address: Address
) -> OwnRecordView:
    """凭受理码和本人身份证号后六位；首次查询后几秒再查一次即完整。"""
    opened = await open_receipt(runtime, body.receipt_code, address)
    return await own_record(runtime, opened, body.number_ending, context.request_id)


@open_router.post(
    "/intake/v1/receipts/attachments",
    status_code=201,
    tags=["receipts"],
    summary="凭受理码补交附件",
    responses=problems(404, 409, 422, 429),
    openapi_extra=FILE,
)
async def post_attachment_by_code(
    request: Request,
    runtime: RuntimeDep,
    context: ContextDep,
    address: Address,
    code: Annotated[str, Header(alias="Receipt-Code", max_length=64, examples=["7KQ2-M4XH-R9TB-6WCD"])],
) -> AttachmentKept:
    """受理码写在请求头 Receipt-Code 中；照片的位置等拍摄信息会去除。"""
    opened = await open_receipt(runtime, code, address)
    caller = Principal("receipt", "person", opened.division)
    upload = Upload(await request.body(), caller, opened.division, opened.report_id, context.request_id)
    kept = await attach_file(runtime, upload)
    return AttachmentKept(id=kept.attachment_id, media_type=kept.media_type)


# --- for cadres ----------------------------------------------------------------------------------------------


@router.post(
    "/intake/v1/self-reports/{report_id}/corrections",
    status_code=201,
    tags=["self-reports"],
    summary="更正申报",
    responses=problems(401, 403, 404, 409, 415, 422, 429),
)
async def post_correction(
    report_id: UUID,
    body: Corrected,
    caller: ReportWriter,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> VersionMade:
    """干部代农户更正；形成新的版本，原版本保留。"""
    made = await correct_report(connection, runtime, report_id, _correction(body), _speaker(caller, context))
    root = await reports.lock_root(connection, made)
    wake("relay")
    assert root is not None
    return VersionMade(id=made, corrects=root["report_id"])


@router.post(
    "/intake/v1/self-reports/{report_id}/withdrawal",
    tags=["self-reports"],
    summary="撤回申报",
    responses=problems(401, 403, 404, 415, 422),
)
async def post_withdrawal(
    report_id: UUID,
    body: WithReason,
    caller: ReportWriter,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> Withdrawn:
    """干部代农户撤回；已派出的预警不自动关闭，由责任人据实办结。"""
    root = await withdraw_report(connection, runtime, report_id, body.reason, _speaker(caller, context))
    wake("relay")
    return Withdrawn(id=root)


@router.post(
    "/intake/v1/self-reports/{report_id}/receipt",
    status_code=201,
    tags=["self-reports"],
    summary="补发受理码",
    responses=problems(401, 403, 404, 415, 422),
)
async def post_receipt(
    report_id: UUID,
    body: WithReason,
    caller: ReportWriter,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
) -> CodeGiven:
    """核对农户身份证后补发；原受理码作废。"""
    if not caller.is_person:
        raise PersonNeeded
    root = await reports.lock_root(connection, report_id)
    if root is None:
        raise ReportUnknown
    root_id, number = root["report_id"], root["receipt_no"] + 1
    code = receipt_code(runtime.keys, root_id, number)
    await reports.replace_receipt(connection, root_id, number, code_index(runtime.keys, code), root["division"])
    await note(
        connection,
        runtime,
        _speaker(caller, context),
        "receipt.replace",
        f"report:{root_id}",
        purpose=body.reason,
    )
    return CodeGiven(id=root_id, receipt_code=code)


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
        connection, runtime, _speaker(caller, context), "attachment.list", f"report:{root}", detail=post_of(caller)
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
            _speaker(caller, context),
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
                _speaker(caller, context),
                "attachment.destroyed",
                f"attachment:{attachment_id}",
                purpose=body.reason,
            )
        row = await attachments.by_id(connection, attachment_id)
    await erase_attachment(runtime, attachment_id)
    return _attachment(row)


@router.post(
    "/intake/v1/appeals",
    status_code=201,
    tags=["appeals"],
    summary="代农户提出申诉",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_appeal(
    body: AppealCreate,
    caller: ReportWriter,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> AppealFiled:
    """对某份申报的答复 (report_id)，或对移出、未纳入名单 (户编号、区划、答复人) 提出；须由干部本人登记。"""
    speaker = _speaker(caller, context)
    if not caller.is_person:
        raise PersonNeeded
    appeal_id = await _file(connection, runtime, body, speaker)
    filed = await appeals.by_id(connection, appeal_id)
    wake("relay")
    assert filed is not None
    return AppealFiled(id=appeal_id, due_on=filed["due_on"], right=RIGHT)


@router.get("/intake/v1/appeals", tags=["appeals"], summary="申诉列表", responses=problems(401, 403, 422))
async def get_appeals(
    caller: ReportReader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    state: AppealState | None = None,
    overdue: Annotated[bool, Query(description="true：只看超期未裁定的")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[AppealView]:
    """最新的在前。"""
    today = runtime.clock.today()
    rows = await appeals.listed(
        connection,
        state=state,
        overdue_on=today if overdue else None,
        before=before_id(cursor),
        limit=limit + 1,
    )
    items = [view_appeal(row, caller, runtime.keys, today) for row in rows[:limit]]
    following = next_cursor(rows, limit, before="appeal_id")
    return Page(items=items, next_cursor=following)


@router.get(
    "/intake/v1/appeals/{appeal_id}", tags=["appeals"], summary="一件申诉", responses=problems(401, 403, 404, 422)
)
async def get_appeal(
    appeal_id: UUID, caller: ReportReader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> AppealView:
    """不在本人范围内的与不存在的一样。"""
    row = await appeals.by_id(connection, appeal_id)
    if row is None:
        raise AppealUnknown
    await note(connection, runtime, _speaker(caller, context), "appeal.read", f"appeal:{appeal_id}")
    return view_appeal(row, caller, runtime.keys, runtime.clock.today())


@router.post(
    "/intake/v1/appeals/{appeal_id}/decision",
    tags=["appeals"],
    summary="裁定申诉",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_decision(
    appeal_id: UUID,
    body: AppealDecision,
    caller: AppealDecider,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
) -> AppealView:
    """由未作出原答复、也未重新核实的人裁定；维持原答复须在重新核实之后。"""
    speaker = _speaker(caller, context)
    row = await decide_appeal(connection, runtime, appeal_id, body.outcome, body.reason, speaker)
    return view_appeal(row, caller, runtime.keys, runtime.clock.today())


async def _file(connection: ScopedConnection, runtime: Runtime, body: AppealCreate, speaker: Speaker) -> UUID:
    if body.report_id is not None:
        return await appeal_report(connection, runtime, body.report_id, body.reason, speaker, body.against)
    assert body.household_no is not None
    assert body.division is not None
    assert body.against is not None
    assert body.answered_by is not None
    appeal = HouseholdAppeal(body.household_no, body.division, body.against, body.answered_by, body.reason)
    return await appeal_for_household(connection, runtime, appeal, speaker)


async def _root(connection: ScopedConnection, report_id: UUID) -> UUID:
    row = await reports.report_by_id(connection, report_id)
    if row is None:
        raise ReportUnknown
    root: UUID = row["root_id"] or row["report_id"]
    return root


def _correction(body: Corrected) -> Correction:
    return Correction(
        reason=body.reason,
        hardships=tuple(sorted(set(body.hardships))) if body.hardships else None,
        description=body.description,
        amount_fen=None if body.amount_yuan is None else parse_yuan(body.amount_yuan),
        phone=body.phone,
        about_officer=body.about_officer,
    )


def _attachment(row: Any) -> AttachmentView:
    return AttachmentView(
        id=row["attachment_id"],
        media_type=row["media_type"],
        metadata=row["metadata"],
        size_bytes=row["size_bytes"],
        received_at=row["received_at"],
        destroyed_at=row["destroyed_at"],
    )
