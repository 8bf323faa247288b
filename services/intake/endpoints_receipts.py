"""What needs no login: the rules, for everybody, and one report, for whoever holds its receipt code (受理码).

The routes below /receipts ask for no token: the receipt code, in the body and never in an address, opens one report
and nothing else.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends, Header, Request

from services.intake import repository_appeals as appeals
from services.intake.attach_files import Upload, attach_file, settings_of
from services.intake.consents_in_force import consent_texts
from services.intake.correct_report import correct_report
from services.intake.domain.attachment import EXTENSIONS
from services.intake.domain.consent import in_force
from services.intake.domain.report_limit import HOURLY, LimitKind
from services.intake.endpoints_attachments import FILE
from services.intake.endpoints_reports import correction_of
from services.intake.file_appeal import appeal_report
from services.intake.keep_limits import TITLES, most_of
from services.intake.open_receipt import open_receipt
from services.intake.own_record import own_record
from services.intake.say_again import Speaker, note
from services.intake.schemas_reports import (
    AppealByCode,
    AppealFiled,
    AttachmentKept,
    ByCode,
    ConsentView,
    CorrectionByCode,
    LimitView,
    OwnRecordRequest,
    OwnRecordView,
    ReportingRules,
    ReportProgress,
    VersionMade,
    WithdrawalByCode,
    Withdrawn,
)
from services.intake.show_appeal import RIGHT
from services.intake.show_progress import show_progress
from services.intake.withdraw_report import withdraw_report
from shared.db.scope import scoped
from shared.errors import NotFound
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.web.dependencies import ContextDep, RuntimeDep, WakeDep
from shared.web.middleware import RequestContext
from shared.web.problem import problems
from shared.web.routing import Router

router = Router()


class ConsentMissing(NotFound):
    code, title = "consent_missing", "没有现行的告知与授权文本"


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


@router.get("/intake/v1/consent", tags=["self-reports"], summary="现行的告知与授权文本", responses=problems(404, 422))
async def get_consent(runtime: RuntimeDep) -> ConsentView:
    """申报前读给农户或显示给农户；申报时填写其版本。"""
    text = in_force(consent_texts(), runtime.clock.today())
    if text is None:
        raise ConsentMissing
    return ConsentView(version=text.version, valid_from=text.valid_from, title=text.title, text=text.text)


@router.get(
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


@router.post(
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


@router.post(
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
        made = await correct_report(connection, runtime, report_id, correction_of(body), holder)
    wake("relay")
    return VersionMade(id=made, corrects=report_id)


@router.post(
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


@router.post(
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


@router.post(
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


@router.post(
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
