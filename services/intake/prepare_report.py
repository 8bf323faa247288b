"""All that taking in a report writes: what is personal sealed, the message made."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from services.intake.check_report import refused
from services.intake.domain.report_limit import LimitKind, window_of
from services.intake.domain.self_report import DATA_SET, SelfReport, observations
from services.intake.keep_limits import local_now
from services.intake.receipt import code_index, receipt_code
from services.intake.repository_reports import NewReport
from shared.db.pool import to_json
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.identity_number import IdentityNumberError, parse_identity_number
from shared.web.middleware import RequestContext


@dataclass(frozen=True, slots=True)
class Submission:
    """A report, and by whom, from which address, under which key and with what payload it was sent."""

    report: SelfReport
    caller: Principal
    key: str
    payload: bytes
    context: RequestContext
    address: str = ""


def prepare_report(runtime: Runtime, submission: Submission) -> NewReport:
    """The rows of a first version."""
    report, caller, keys, now = submission.report, submission.caller, runtime.keys, runtime.clock.now()
    number = identity_number(runtime, report.identity_number)
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
        payload=message_of(report, observations(report, str(report_id), person.hex()), report_id, now.isoformat()),
        traceparent=submission.context.traceparent,
        audit_id=new_id(now),
        request_id=submission.context.request_id,
        channel=report.channel,
        ticket_no=report.ticket_no,
        filed_by=report.filed_by,
        sealed_filer=seal("sealed_filer", to_json(asdict(report.relative)) if report.relative else None),
        consent_version=report.consent_version,
        basis=report.basis,
        code_index=code_index(keys, receipt_code(keys, report_id)),
        day=window_of(LimitKind.PERSON, local_now(runtime)).start,
        about_officer=report.about_officer,
    )


def message_of(
    report: SelfReport,
    said: list[dict[str, Any]],
    report_id: UUID,
    received_at: str,
    note: dict[str, Any] | None = None,
) -> dict[str, object]:
    """What monitoring is told: an ObservationsRecorded of one report."""
    reporter = {"name": report.reporter_name, **({"phone": report.phone} if report.phone else {})}
    return {
        "source": report.source,
        "data_set": DATA_SET,
        "report_id": str(report_id),
        "division": report.division,
        "received_at": received_at,
        "reporter": reporter,
        "observations": said,
        **({"note": note} if note else {}),
    }


def identity_number(runtime: Runtime, text: str) -> str:
    """The number in its one form; ReportRefused with what is wrong about it."""
    try:
        return parse_identity_number(text, runtime.clock.today()).number
    except IdentityNumberError as error:
        where = "body/reporter/identity_number"
        raise refused(where, error.code, error.message_zh, "18位公民身份号码", "999901195503074016") from None
