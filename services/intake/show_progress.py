"""How far one's own report got, in plain words: what happened, what comes next and by when, whom to call."""

from datetime import date, timedelta
from uuid import UUID

import asyncpg

from services.intake import repository_appeals as appeals
from services.intake import repository_reports as repository
from services.intake.attach_files import settings_of
from services.intake.domain.self_report import ReportStage
from services.intake.report_view import TITLES
from services.intake.schemas import StageView
from services.intake.schemas_reports import ReportProgress
from services.intake.show_appeal import appeal_progress
from shared.clock import SHANGHAI
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.vocabulary.terms import Outcome

# What happened, what comes next, and within how many days of the report.
WORDS: dict[ReportStage, tuple[str, str, int]] = {
    ReportStage.RECEIVED: ("您的申报已收到并登记。", "系统正在核对您家的信息，随后派给村里的责任人。", 1),
    ReportStage.MATCHED: ("已在花名册中找到您家。", "正在评估，随后派给村里的责任人。", 1),
    ReportStage.ASSESSED: ("您家的情况已完成初步评估。", "马上派给村里的责任人。", 1),
    ReportStage.ROUTED: ("已派给村里的责任人。", "责任人会先与您联系，再入户核实。", 3),
    ReportStage.ACKNOWLEDGED: ("责任人已签收。", "责任人会入户或电话核实，请保持电话畅通。", 15),
    ReportStage.VERIFIED: ("责任人已经核实并作出答复。", "对答复不服的，可以凭受理码申诉，由另一位干部重新核实。", 0),
}
UNMATCHED = ("您的申报已收到，花名册中暂未找到您家。", "村里的责任人会联系您核对信息。", 3)
WITHDRAWN = ("您已撤回这份申报。", "需要时可以重新申报。", 0)


async def show_progress(connection: asyncpg.Connection, runtime: Runtime, root_id: UUID) -> ReportProgress:
    """The progress of a report and its corrections."""
    versions = await repository.versions_of(connection, root_id)
    root, newest = versions[0], versions[-1]
    today = runtime.clock.today()
    stages = stages_of(newest)
    reached = [one for one in stages if one.at is not None][-1].stage
    says, following, days = _words(root, newest, reached)
    return ReportProgress(
        status="withdrawn" if root["withdrawn_at"] else reached,
        title="已撤回" if root["withdrawn_at"] else TITLES[reached],
        says=says,
        next=following,
        by=_by(newest, days),
        call=await whom_to_call(runtime, root["division"]),
        stages=stages,
        versions=len(versions),
        withdrawn_at=root["withdrawn_at"],
        outcome=answer_of(newest),
        appeals=[
            appeal_progress(row, runtime.keys, today)
            for row in await appeals.of_reports(connection, [root["report_id"]])
        ],
    )


def stages_of(row: asyncpg.Record) -> list[StageView]:
    return [StageView(stage=stage, title=title, at=row[f"{stage}_at"]) for stage, title in TITLES.items()]


def answer_of(row: asyncpg.Record) -> str | None:
    """The answer of the visit in words."""
    return Outcome(row["outcome"]).zh if row["outcome"] in set(Outcome) else None


def _words(root: asyncpg.Record, newest: asyncpg.Record, reached: ReportStage) -> tuple[str, str, int]:
    if root["withdrawn_at"] is not None:
        return WITHDRAWN
    waits = newest["unmatched_at"] is not None and newest["matched_at"] is None
    return UNMATCHED if waits and reached is ReportStage.RECEIVED else WORDS[reached]


def _by(newest: asyncpg.Record, days: int) -> date | None:
    """By when the next step is due; a day that passed already is said as it is."""
    received: date = newest["received_at"].astimezone(SHANGHAI).date()
    return received + timedelta(days=days) if days else None


async def whom_to_call(runtime: Runtime, division: str) -> str:
    """The village and the hotline."""
    names = await name_places(runtime.directory_pool, [division], runtime.clock.today())
    village = names.get(division, "所在村").removesuffix("村民委员会").removesuffix("村委会")
    return f"{village}村委会，或拨打 {settings_of(runtime).help_phone}"
