"""Announce what happened: messages written with their cause."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any, Literal, TypeVar

import asyncpg

from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.report import WaitingReport
from services.monitoring.policy_in_force import policy_in_force
from shared.contracts.envelope import Event
from shared.contracts.intake import Observation, ObservationsRecorded, ReportNote
from shared.contracts.monitoring import (
    RISK_CHANGED,
    AnswerTerms,
    Clocks,
    Contact,
    EvidenceItem,
    Finding,
    RiskChanged,
    RiskItem,
)
from shared.contracts.progress import MONITORING_PROGRESS, Progress, ProgressItem
from shared.messaging.outbox import enqueue
from shared.policies.parameter_set import parameters_at
from shared.policies.unit import Unit
from shared.runtime import Runtime
from shared.vocabulary.terms import Hardship, Severity, Source

SOURCE = "fangpin/monitoring"
ITEMS_A_MESSAGE = 200
A_PERSON_WAITS, USUAL = 0, 5
HARDSHIP_REPORT: Literal["hardship_report"] = "hardship_report"
T = TypeVar("T")
_WITHOUT_BEING_TOLD = AnswerTerms()


async def announce_progress(
    connection: asyncpg.Connection, items: Sequence[ProgressItem], *, now: datetime, priority: int
) -> None:
    """Tell intake how far reports and feeds got."""
    for some in _slices(items, 1000):
        event = Event.make(SOURCE, MONITORING_PROGRESS, None, Progress(items=list(some)), now)
        await enqueue(connection, event, aggregate="progress", priority=priority)


async def announce_risks(
    connection: asyncpg.Connection, items: Sequence[RiskItem], *, policy_version: str, now: datetime
) -> None:
    """Tell alerts whose risk changed; what a person waits for goes ahead in messages of its own."""
    waited_for = [item for item in items if item.report_ids]
    others = [item for item in items if not item.report_ids]
    for priority, group in ((A_PERSON_WAITS, waited_for), (USUAL, others)):
        for some in _slices(group, ITEMS_A_MESSAGE):
            told = RiskChanged(policy_version=policy_version, items=list(some))
            subject = some[0].subject if len(some) == 1 else None
            event = Event.make(SOURCE, RISK_CHANGED, subject, told, now)
            await enqueue(connection, event, aggregate="risk", priority=priority)


async def announce_unmatched_report(
    connection: asyncpg.Connection, told: ObservationsRecorded, report: WaitingReport, runtime: Runtime
) -> None:
    """Send a report that fits no household to a person at once: whoever calls for help gets an answer."""
    division, today = told.observations[0].division or told.division, runtime.clock.today()
    package = (await policy_in_force(connection, division, today)).package
    first = (told.note.first_report_id if told.note else None) or report.report_id
    item = RiskItem(
        subject=f"report:{first}",
        facts_version=0,
        living_division=division,
        registered_division=division,
        contact=Contact(name=report.name, phone=report.phone),
        severity=Severity.ORANGE,
        findings=[_hardship(told)],
        notes=[told.note] if told.note else [],
        evidence=_evidence(told),
        reason=HARDSHIP_REPORT,
        report_ids=[report.report_id],
        opens=True,
        on=today,
        clocks=clocks_at(package, Severity.ORANGE, division, runtime),
        answer_terms=answer_terms_at(package, division, runtime),
    )
    await announce_risks(connection, [item], policy_version=package.version, now=runtime.clock.now())


def clocks_at(package: PolicyPackage, severity: Severity, division: str, runtime: Runtime) -> Clocks:
    """How long a warning may wait at a place.

    Asks for these two parameters only, so that a place where another one is missing still gets its warnings.
    """
    deadline = package.deadlines[severity]
    names = (deadline.acknowledge_hours, deadline.verify_days)
    wanted = {name: package.parameters[name] for name in names}
    clocks = package.clocks(severity, parameters_at(wanted, division, runtime.clock.today()))
    return Clocks.model_validate(
        {
            "acknowledge_hours": clocks.acknowledge_hours,
            "verify_days": clocks.verify_days,
            # Said only where it is not what receivers take without being told.
            "acknowledge_unit": None if clocks.acknowledge_unit is Unit.HOURS else clocks.acknowledge_unit.value,
            "verify_unit": None if clocks.verify_unit is Unit.DAYS else clocks.verify_unit.value,
        }
    )


def answer_terms_at(package: PolicyPackage, division: str, runtime: Runtime) -> AnswerTerms | None:
    """What is asked of answers at a place; said only where it is not what receivers take without being told."""
    names = package.answers
    wanted = {name: package.parameters[name] for name in astuple(names)}
    standing = parameters_at(wanted, division, runtime.clock.today())
    terms = AnswerTerms(
        second_officer_severities=[Severity(each) for each in standing.texts(names.second_officer_severities)],
        recheck_percent=standing.number(names.recheck_percent),
        recheck_working_days=standing.number(names.recheck_working_days),
        task_working_days=standing.number(names.task_working_days),
    )
    return None if terms == _WITHOUT_BEING_TOLD else terms


def hardship_finding(sentence: str) -> Finding:
    return Finding(indicator=HARDSHIP_REPORT, state="fired", severity=Severity.ORANGE, sentence=sentence)


def notes_of(waiting: Iterable[Mapping[str, Any]]) -> list[ReportNote]:
    """What reports that wait say of earlier ones: corrections, withdrawals, appeals."""
    return [ReportNote.model_validate(report["note"]) for report in waiting if report.get("note")]


def _said(told: ObservationsRecorded) -> list[Observation]:
    """What the report says now; of a withdrawal, what it takes back."""
    return [one for one in told.observations if one.op == "put"] or told.observations


def _hardship(told: ObservationsRecorded) -> Finding:
    named = [Hardship(one.value).zh for one in _said(told) if one.value in set(Hardship)]
    return hardship_finding(f"农户自主申报：{'、'.join(named) or '有困难'}。未在农户名册中找到申报人，请核对。")


def _evidence(told: ObservationsRecorded) -> list[EvidenceItem]:
    return [
        EvidenceItem(
            kind=one.kind,
            occurred_on=one.occurred_on,
            source=told.source,
            department=told.department,
            summary=f"{Source(told.source).zh}：{Hardship(one.value).zh if one.value in set(Hardship) else '困难'}",
            about_officer=one.attributes.get("about_officer"),
        )
        for one in _said(told)
    ]


def _slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
