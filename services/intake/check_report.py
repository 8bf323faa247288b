"""What a report must fulfil before it is taken in: place, day, who writes it, and his consent."""

from datetime import date

from services.intake.consents_in_force import consent_texts
from services.intake.domain.consent import in_force, is_accepted
from services.intake.domain.self_report import HOTLINES, SelfReport
from services.intake.village_register import VillageRegister
from shared.errors import DivisionOutOfRange, FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.division import covers


class ReportRefused(Unprocessable):
    code, title = "report_refused", "申报内容有误"


async def check_report(runtime: Runtime, villages: VillageRegister, report: SelfReport, caller: Principal) -> None:
    """Refuse what cannot be taken in, with what is right."""
    today = runtime.clock.today()
    if not covers(caller.division, report.division):
        raise DivisionOutOfRange("只能为本人负责区划内的农户申报")
    if not await villages.knows(runtime, report.division):
        message, expected = "没有这个村 (社区) 代码", "现行12位村级代码"
        raise refused("body/division", "division_unknown", message, expected, "130624100201")
    if report.reported_on > today:
        raise refused("body/reported_on", "date_in_future", "申报日期晚于今天", "今天或以前", today.isoformat())
    _check_filer(report)
    _check_basis(report, today)


def _check_filer(report: SelfReport) -> None:
    if report.relative and report.on_behalf_of:
        message = "代报人只能是亲属或干部之一"
        raise refused("body/relative", "filer_ambiguous", message, "relative 或 on_behalf_of", "")
    if report.channel in HOTLINES and report.ticket_no is None:
        raise refused(
            "body/ticket_no", "ticket_required", "热线转办须填写工单编号", "热线的工单编号", "20260314000123"
        )
    if report.channel not in HOTLINES and (report.ticket_no or report.basis):
        where = "body/ticket_no" if report.ticket_no else "body/basis"
        raise refused(where, "hotline_only", "仅热线转办可以填写", "不填", "")


def _check_basis(report: SelfReport, today: date) -> None:
    """A hotline states the law it hands on by; everybody else the consent that was given."""
    if report.channel in HOTLINES:
        if report.basis is None:
            message, example = "热线转办须写明个人信息转交的依据", "《政府信访工作条例》转办"
            raise refused("body/basis", "basis_required", message, "法律法规或协议名称", example)
        return
    current = in_force(consent_texts(), today)
    expected = f"现行版本 {current.version} (GET /intake/v1/consent)" if current else "GET /intake/v1/consent"
    example = current.version if current else ""
    if report.consent_version is None:
        raise refused("body/consent", "consent_required", "缺少申报人对告知与授权的同意", expected, example)
    if not is_accepted(consent_texts(), report.consent_version, signed_on=report.reported_on, today=today):
        raise refused("body/consent/version", "consent_outdated", "告知与授权的版本不是现行版本", expected, example)


def refused(where: str, code: str, message: str, expected: str, example: str) -> ReportRefused:
    return ReportRefused(message, errors=[FieldError(where, code, message, expected, example or None)])
