"""Put the risk of a household into words for alerts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from services.monitoring.announce import HARDSHIP_REPORT, answer_terms_at, clocks_at, hardship_finding, notes_of
from services.monitoring.domain.assessment import IndicatorResult
from services.monitoring.domain.evidence import kinds_behind, label_of
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.judge_household import Judged
from shared.contracts.monitoring import Contact, EvidenceItem, Finding, RiskItem
from shared.runtime import Runtime
from shared.vocabulary.terms import Severity, Source

EVIDENCE_SHOWN = 20


def risk_item(
    one: Judged,
    package: PolicyPackage,
    evidence: Mapping[int, Sequence[Mapping[str, Any]]],
    on: date,
    runtime: Runtime,
) -> RiskItem:
    """One household's news, with what fired, what it rests on, and how long it may wait."""
    standing, found = one.standing, one.found
    reports = [report["report_id"] for report in standing["waiting_reports"]]
    severity = found.severity or (Severity.ORANGE if reports else None)
    return RiskItem(
        **_whose(standing),
        facts_version=standing["facts_version"],
        recommendation=found.recommendation,
        previous_recommendation=standing["recommendation"],
        listed_as=standing["listed_as"],
        severity=severity,
        score=found.score,
        causes=[str(cause) for cause in found.causes],
        findings=[_finding(each) for each in found.fired],
        evidence=_evidence(evidence.get(standing["household_id"], ()), package, found.fired),
        reason=one.warning.reason,
        report_ids=reports,
        notes=notes_of(standing["waiting_reports"]),
        opens=one.warning.opens,
        withheld_because=one.warning.withheld_because,
        on=on,
        clocks=clocks_at(package, severity or Severity.BLUE, standing["living_division"], runtime),
        answer_terms=answer_terms_at(package, standing["living_division"], runtime),
    )


def report_only_item(standing: Mapping[str, Any], package: PolicyPackage, runtime: Runtime) -> RiskItem:
    """The report of a household that cannot be assessed yet."""
    return RiskItem(
        **_whose(standing),
        facts_version=standing["facts_version"],
        listed_as=standing["listed_as"],
        severity=Severity.ORANGE,
        findings=[hardship_finding("农户自主申报困难；本地政策参数不全，暂未评估。")],
        notes=notes_of(standing["waiting_reports"]),
        reason=HARDSHIP_REPORT,
        report_ids=[report["report_id"] for report in standing["waiting_reports"]],
        opens=True,
        on=runtime.clock.today(),
        clocks=clocks_at(package, Severity.ORANGE, standing["living_division"], runtime),
        answer_terms=answer_terms_at(package, standing["living_division"], runtime),
    )


def _whose(standing: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subject": f"household:{standing['household_no']}",
        "household_no": standing["household_no"],
        "living_division": standing["living_division"],
        "registered_division": standing["registered_division"],
        "contact": _contact(standing),
    }


def _contact(standing: Mapping[str, Any]) -> Contact:
    """Who reported last, if a report waits; otherwise the head of the household."""
    named = [report for report in standing["waiting_reports"] if report["name"]]
    if named:
        return Contact(name=named[-1]["name"], phone=named[-1]["phone"] or standing["phone"])
    return Contact(name=standing["head_name"], phone=standing["phone"])


def _finding(each: IndicatorResult) -> Finding:
    return Finding(
        indicator=each.id,
        state=each.state,
        severity=each.severity,
        cause=each.cause,
        measured=each.measured,
        threshold=each.threshold,
        margin=each.margin,
        unit=each.unit,
        sentence=each.sentence,
    )


def _evidence(
    facts: Iterable[Mapping[str, Any]], package: PolicyPackage, fired: Sequence[IndicatorResult]
) -> list[EvidenceItem]:
    """The facts behind what fired, newest first; without amounts, since whoever gets the message may not see any.

    A complaint that names an officer is told whatever fired: he must hear nothing of the household's alert.
    """
    kinds = {kind for each in fired for kind in kinds_behind(package, each.id)}
    told = [fact for fact in facts if fact["kind"] in kinds or fact.get("about_officer")]
    shown = sorted(told, key=lambda fact: not fact.get("about_officer"))[:EVIDENCE_SHOWN]
    return [
        EvidenceItem(
            kind=fact["kind"],
            occurred_on=fact["occurred_on"],
            source=fact["source"],
            department=fact["department"],
            summary=f"{fact['department'] or Source(fact['source']).zh}：{label_of(fact['kind'])}",
            about_officer=fact.get("about_officer"),
        )
        for fact in shown
    ]
