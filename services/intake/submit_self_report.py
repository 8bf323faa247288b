"""A household reports hardship (农户自主申报): kept under its natural key for ever, and on its way at once."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from services.intake import repository_reports as repository
from services.intake.domain.self_report import DATA_SET, SelfReport, observations
from services.intake.report_desk import ReportDesk
from services.intake.repository_reports import NewReport
from services.intake.village_register import VillageRegister
from shared.db.scope import scoped
from shared.errors import Conflict, FieldError, Forbidden, Unprocessable
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.division import code_range, covers
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.identity_number import IdentityNumberError, parse_identity_number
from shared.web.idempotency import IdempotencyKeyReused
from shared.web.middleware import RequestContext


class RequestUnderWay(Conflict):
    code, title = "request_under_way", "同一幂等键的请求仍在处理"


class ReportRefused(Unprocessable):
    code, title = "report_refused", "申报内容有误"


class DivisionOutOfRange(Forbidden):
    code, title = "division_out_of_range", "超出您的行政区划范围"


@dataclass(frozen=True, slots=True)
class Submission:
    """A report, and by whom, under which key and with what payload it was sent."""

    report: SelfReport
    caller: Principal
    key: str
    payload: bytes
    context: RequestContext


@dataclass(frozen=True, slots=True)
class Submitted:
    """The report's id; `replayed` if it was known before."""

    report_id: UUID
    replayed: bool


async def submit_self_report(
    runtime: Runtime, villages: VillageRegister, desk: ReportDesk, submission: Submission
) -> Submitted:
    """Take a report in, or answer with the first one that said the same; durable when this returns."""
    await _check(runtime, villages, submission)
    new = _prepare(runtime, submission)
    if await desk.submit(runtime.pool, new):
        runtime.waker.wake("relay")
        return Submitted(new.report_id, False)
    return await _known(runtime, submission, new)


async def _check(runtime: Runtime, villages: VillageRegister, submission: Submission) -> None:
    report, today = submission.report, runtime.clock.today()
    if not covers(submission.caller.division, report.division):
        raise DivisionOutOfRange("只能为本人负责区划内的农户申报")
    if not await villages.knows(runtime, report.division):
        message, expected = "没有这个村 (社区) 代码", "现行12位村级代码"
        raise _refused("body/division", "division_unknown", message, expected, "130624100201")
    if report.reported_on > today:
        raise _refused("body/reported_on", "date_in_future", "申报日期晚于今天", "今天或以前", today.isoformat())


def _prepare(runtime: Runtime, submission: Submission) -> NewReport:
    """All rows of the report: what is personal sealed, the message made."""
    report, caller, keys, now = submission.report, submission.caller, runtime.keys, runtime.clock.now()
    number = _number(runtime, report.identity_number)
    report_id, person = new_id(now), keys.blind_index(number)

    def seal(column: str, text: str | None) -> bytes | None:
        return keys.seal(text, "self_report", column, str(report_id)) if text else None

    sealed_number = seal("sealed_number", number)
    assert sealed_number is not None
    return NewReport(
        scope=code_range(caller.division),
        client=caller.subject,
        client_kind=caller.kind,
        key=submission.key,
        fingerprint=hashlib.sha256(submission.payload).digest(),
        report_id=report_id,
        now=now,
        division=report.division,
        household_no=report.household_no,
        person_index=person,
        sealed_number=sealed_number,
        reporter_name=report.reporter_name,
        sealed_phone=seal("sealed_phone", report.phone),
        sealed_description=seal("sealed_description", report.description),
        hardships=report.hardships,
        amount_fen=report.amount_fen,
        on_behalf_of=report.on_behalf_of,
        reported_on=report.reported_on,
        event_id=new_id(now),
        payload=_message(report, str(report_id), person.hex(), now.isoformat()),
        traceparent=submission.context.traceparent,
        audit_id=new_id(now),
        request_id=submission.context.request_id,
    )


def _number(runtime: Runtime, text: str) -> str:
    try:
        return parse_identity_number(text, runtime.clock.today()).number
    except IdentityNumberError as error:
        where = "body/reporter/identity_number"
        raise _refused(where, error.code, error.message_zh, "18位公民身份号码", "999901195503074016") from None


def _message(report: SelfReport, report_id: str, person: str, received_at: str) -> dict[str, object]:
    """What monitoring is told: an ObservationsRecorded of one report."""
    reporter = {"name": report.reporter_name, **({"phone": report.phone} if report.phone else {})}
    return {
        "source": "self_report",
        "data_set": DATA_SET,
        "report_id": report_id,
        "division": report.division,
        "received_at": received_at,
        "reporter": reporter,
        "observations": observations(report, report_id, person),
    }


def _refused(where: str, code: str, message: str, expected: str, example: str) -> ReportRefused:
    return ReportRefused(message, errors=[FieldError(where, code, message, expected, example)])


async def _known(runtime: Runtime, submission: Submission, new: NewReport) -> Submitted:
    """Why nothing was stored: the key was used before, or the same report was made before under another key."""
    async with scoped(runtime.pool, submission.caller.division) as connection:
        before = await repository.fingerprint_of(connection, new.client, new.key)
        if before is not None and before != new.fingerprint:
            raise IdempotencyKeyReused("这个幂等键已用于另一内容；新的申报请换一个新的幂等键")
        first = await repository.first_report(connection, new)
    if first is None:
        raise RequestUnderWay("请稍后用同一幂等键重试", headers={"Retry-After": "1"})
    return Submitted(first, True)
