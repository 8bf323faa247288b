"""What a cadre with a login does to a report once it was submitted: corrects it, withdraws it, gives a new code."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.intake import repository_reports as reports
from services.intake.correct_report import Correction, correct_report
from services.intake.file_appeal import PersonNeeded
from services.intake.receipt import code_index, receipt_code
from services.intake.say_again import ReportUnknown, Speaker, note
from services.intake.schemas_reports import CodeGiven, Corrected, VersionMade, Withdrawn, WithReason
from services.intake.withdraw_report import withdraw_report
from shared.security.principal import Principal
from shared.vocabulary.money import parse_yuan
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.middleware import RequestContext
from shared.web.problem import problems
from shared.web.routing import Router

ReportWriter = Annotated[Principal, Depends(require("intake:reports:write"))]
ReportReader = Annotated[Principal, Depends(require("intake:reports:read"))]

router = Router()


def speaker_of(caller: Principal, context: RequestContext) -> Speaker:
    return Speaker(caller.division, context.request_id, context.traceparent, caller)


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
    made = await correct_report(connection, runtime, report_id, correction_of(body), speaker_of(caller, context))
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
    root = await withdraw_report(connection, runtime, report_id, body.reason, speaker_of(caller, context))
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
        speaker_of(caller, context),
        "receipt.replace",
        f"report:{root_id}",
        purpose=body.reason,
    )
    return CodeGiven(id=root_id, receipt_code=code)


def correction_of(body: Corrected) -> Correction:
    return Correction(
        reason=body.reason,
        hardships=tuple(sorted(set(body.hardships))) if body.hardships else None,
        description=body.description,
        amount_fen=None if body.amount_yuan is None else parse_yuan(body.amount_yuan),
        phone=body.phone,
        about_officer=body.about_officer,
    )
