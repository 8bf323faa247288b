"""File an appeal (申诉, 错剔召回): a new look by somebody else begins at once, and a clock for the decision."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.intake import repository_appeals as repository
from services.intake import repository_reports as reports
from services.intake.attach_files import settings_of
from services.intake.domain.appeal import Against
from services.intake.domain.self_report import DATA_SET
from services.intake.domain.working_days import working_days_after
from services.intake.say_again import (
    ReportUnknown,
    ReportWithdrawn,
    Speaker,
    message_about,
    note,
    observed_of_household,
    tell_monitoring,
)
from shared.errors import Conflict, DivisionOutOfRange, Forbidden
from shared.runtime import Runtime
from shared.vocabulary.division import covers
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Outcome

SENTENCES = {
    Against.NO_RISK: "农户对“无返贫致贫风险”的答复提出申诉，请由另一位干部重新核实。",
    Against.REMOVED: "农户对移出监测名单提出申诉，请由另一位干部重新核实。",
    Against.NOT_LISTED: "农户对未纳入监测提出申诉，请由另一位干部重新核实。",
    Against.OTHER_ANSWER: "农户对答复提出申诉，请由另一位干部重新核实。",
}


class NothingToAppeal(Conflict):
    code, title = "nothing_to_appeal", "还没有可以申诉的答复"


class AppealOpen(Conflict):
    code, title = "appeal_open", "申诉正在办理"


class PersonNeeded(Forbidden):
    """Filing for a household and deciding are a person's deeds, under his officer's number."""

    code, title = "person_needed", "此操作须由登记在册的干部本人完成"


@dataclass(frozen=True, slots=True)
class HouseholdAppeal:
    """An appeal written down for a household by a person of the county: about which answer, and whose."""

    household_no: str
    division: str
    against: Against
    answered_by: str
    reason: str


async def appeal_report(
    connection: asyncpg.Connection,
    runtime: Runtime,
    report_id: UUID,
    reason: str,
    speaker: Speaker,
    against: Against | None = None,
) -> UUID:
    """Appeal the answer to a report, in the caller's transaction; the appeal's id."""
    root = await reports.lock_root(connection, report_id)
    if root is None:
        raise ReportUnknown
    if root["withdrawn_at"] is not None:
        raise ReportWithdrawn("已撤回的申报不能申诉；可以重新申报")
    answered = _answered(await reports.versions_of(connection, root["report_id"]))
    appeal_id = new_id(runtime.clock.now())
    against = against or _against(answered["outcome"])
    row = {
        "subject": f"report:{root['report_id']}",
        "report_id": root["report_id"],
        "division": root["division"],
        "household_no": root["household_no"],
        "answered_by": answered["answered_by"],
    }
    await _file(connection, runtime, appeal_id, against, reason, row, speaker)
    said = observed_of_household(
        appeal_id,
        division=root["division"],
        household_no=root["household_no"],
        on=runtime.clock.today(),
        person=root["person_index"],
    )
    about = _note(against, answered["answered_by"], root["report_id"])
    message = message_about(runtime, answered, [said], report_id=appeal_id, note=about, at=runtime.clock.now())
    await tell_monitoring(connection, runtime, message, speaker.traceparent)
    return appeal_id


async def appeal_for_household(
    connection: asyncpg.Connection, runtime: Runtime, appeal: HouseholdAppeal, speaker: Speaker
) -> UUID:
    """Write an appeal down for a household that has no report, in the caller's transaction; the appeal's id."""
    caller = speaker.principal
    if caller is None or not caller.is_person or not caller.officer_no:
        raise PersonNeeded
    if not covers(speaker.division, appeal.division):
        raise DivisionOutOfRange("只能为本人负责区划内的农户提出申诉")
    appeal_id = new_id(runtime.clock.now())
    row = {
        "subject": f"household:{appeal.household_no}",
        "division": appeal.division,
        "household_no": appeal.household_no,
        "answered_by": appeal.answered_by,
    }
    await _file(connection, runtime, appeal_id, appeal.against, appeal.reason, row, speaker)
    said = observed_of_household(
        appeal_id, division=appeal.division, household_no=appeal.household_no, on=runtime.clock.today()
    )
    message = {
        "source": "self_report",
        "data_set": DATA_SET,
        "report_id": str(appeal_id),
        "division": appeal.division,
        "received_at": runtime.clock.now().isoformat(),
        "observations": [said],
        "note": _note(appeal.against, appeal.answered_by, None),
    }
    await tell_monitoring(connection, runtime, message, speaker.traceparent)
    return appeal_id


def _answered(versions: list[asyncpg.Record]) -> asyncpg.Record:
    """The newest version that has an answer."""
    answered = [row for row in versions if row["verified_at"] is not None]
    if not answered:
        raise NothingToAppeal("干部核实答复之后才能申诉；申报仍在办理，可随时查询进度")
    return answered[-1]


def _against(outcome: str | None) -> Against:
    return Against.NO_RISK if outcome == Outcome.NO_RISK else Against.OTHER_ANSWER


def _note(against: Against, answered_by: str | None, root_id: UUID | None) -> dict[str, Any]:
    note = {
        "nature": "appeal",
        "sentence": SENTENCES[against],
        "answered_by": answered_by,
        "first_report_id": str(root_id) if root_id else None,
    }
    return {name: value for name, value in note.items() if value is not None}


async def _file(
    connection: asyncpg.Connection,
    runtime: Runtime,
    appeal_id: UUID,
    against: Against,
    reason: str,
    about: dict[str, Any],
    speaker: Speaker,
) -> None:
    settings, today = settings_of(runtime), runtime.clock.today()
    due_on = working_days_after(today, settings.appeal_working_days, settings.holidays, settings.extra_working_days)
    row = {
        **about,
        "appeal_id": appeal_id,
        "against": against,
        "client": speaker.name,
        "sealed_reason": runtime.keys.seal(reason, "appeal", "sealed_reason", str(appeal_id)),
        "filed_at": runtime.clock.now(),
        "due_on": due_on,
    }
    if not await repository.add(connection, row):
        raise AppealOpen("这个答复已有一件申诉在办理，裁定前不能重复提出")
    await note(connection, runtime, speaker, "appeal.file", f"appeal:{appeal_id}", detail={"against": against})
