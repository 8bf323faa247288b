"""News of a risk, as the alert it makes: a new one, or the open one with what was added."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.alerts.domain.alert import Deadlines, deadlines, worse
from services.alerts.repository import Row
from shared.contracts.intake import ReportNote
from shared.contracts.monitoring import EvidenceItem, RiskItem
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Severity


@dataclass(frozen=True, slots=True)
class News:
    """One item of a message with what it does: the alert as it will be, and as it was (None: it opens)."""

    item: RiskItem
    alert: dict[str, Any]
    before: Row | None
    new_reports: tuple[str, ...]

    @property
    def alert_id(self) -> UUID:
        found: UUID = self.alert["alert_id"]
        return found

    @property
    def is_worse(self) -> bool:
        return self.before is not None and self.alert["severity"] != severity_of(self.before)

    @property
    def sentences(self) -> tuple[str, ...]:
        fired = (finding.sentence for finding in self.item.findings if finding.state == "fired")
        return (*(note.sentence for note in self.item.notes), *fired)

    @property
    def barred(self) -> frozenset[str]:
        """Officers whose answer is appealed: they are not asked again."""
        return frozenset(note.answered_by for note in self.item.notes if note.answered_by)


def newest_of_each(items: Sequence[RiskItem]) -> list[RiskItem]:
    """One item per subject, the newest; what older ones of the same message reported or opened is kept."""
    newest: dict[str, RiskItem] = {}
    for item in sorted(items, key=lambda i: i.facts_version):
        before = newest.get(item.subject)
        newest[item.subject] = item if before is None else _joined(before, item)
    return list(newest.values())


def _joined(before: RiskItem, item: RiskItem) -> RiskItem:
    reports = sorted({*before.report_ids, *item.report_ids})
    notes = [*before.notes, *item.notes]
    return item.model_copy(update={"report_ids": reports, "notes": notes, "opens": before.opens or item.opens})


def opening(
    item: RiskItem, policy_version: str, follows: UUID | None, *, now: datetime, today: date
) -> dict[str, Any]:
    """The row of a new alert."""
    due = _deadlines(item, now)
    return {
        "alert_id": new_id(now),
        "subject": item.subject,
        "household_no": item.household_no,
        "living_division": item.living_division,
        "registered_division": item.registered_division,
        "contact_name": item.contact.name,
        "contact_phone": item.contact.phone,
        "severity": item.severity,
        "recommendation": item.recommendation,
        "listed_as": item.listed_as,
        "causes": item.causes,
        "reason": item.reason,
        "report_ids": item.report_ids,
        "facts_version": item.facts_version,
        "policy_version": policy_version,
        "acknowledge_hours": item.clocks.acknowledge_hours,
        "verify_days": item.clocks.verify_days,
        "status": "open",
        "follows": follows,
        "opened_at": now,
        "opened_on": today,
        "ack_due_at": due.acknowledge_by,
        "verify_due_at": due.verify_by,
        "version": 1,
    }


def extended(
    before: Row, item: RiskItem, policy_version: str, new_reports: Sequence[str], *, now: datetime
) -> dict[str, Any]:
    """The open alert with the news: nothing is lowered or withdrawn, a worse one has the nearer deadlines."""
    severity = worse(severity_of(before), item.severity)
    matters = severity != severity_of(before) or bool(new_reports)
    newer = item.facts_version >= before["facts_version"]
    due = _deadlines(item, now)
    return {
        **before,
        "severity": severity,
        "recommendation": (item.recommendation if newer else None) or before["recommendation"],
        "causes": list(dict.fromkeys([*before["causes"], *item.causes])),
        "report_ids": [*before["report_ids"], *new_reports],
        "contact_phone": item.contact.phone or before["contact_phone"],
        "facts_version": max(item.facts_version, before["facts_version"]),
        "policy_version": policy_version if newer else before["policy_version"],
        "ack_due_at": min(before["ack_due_at"], due.acknowledge_by) if matters else before["ack_due_at"],
        "verify_due_at": min(before["verify_due_at"], due.verify_by) if matters else before["verify_due_at"],
        "version": before["version"] + matters,
    }


_EXTENSION = (
    "alert_id",
    "severity",
    "recommendation",
    "causes",
    "report_ids",
    "contact_phone",
    "facts_version",
    "policy_version",
    "ack_due_at",
    "verify_due_at",
    "version",
)


def extension(alert: Row) -> dict[str, Any]:
    """The columns of an open alert that news may change."""
    return {name: alert[name] for name in _EXTENSION}


def _deadlines(item: RiskItem, now: datetime) -> Deadlines:
    clocks = item.clocks
    return deadlines(now, acknowledge_hours=clocks.acknowledge_hours, verify_days=clocks.verify_days)


def severity_of(alert: Row) -> Severity | None:
    return Severity(alert["severity"]) if alert["severity"] else None


_STATED = {"recommendation": "评估结论变化", "finding": "指标触发", "hardship_report": "农户申报困难"}


def evidence_of(item: RiskItem) -> list[tuple[str, dict[str, Any]]]:
    """What fired, and the facts behind it; where a message brings neither, what it says itself."""
    found = [("finding", f.model_dump(mode="json")) for f in item.findings if f.state == "fired"]
    found += [("finding", _note(note)) for note in item.notes]
    found += [("fact", _fact(e)) for e in item.evidence]
    if not found:
        stated = {"kind": item.reason, "occurred_on": item.on.isoformat(), "summary": _STATED[item.reason]}
        found.append(("fact", {**stated, "source": "self_report" if item.report_ids else "department"}))
    return found


def _fact(fact: EvidenceItem) -> dict[str, Any]:
    """A fact as evidence; what names nobody reads as it did before there were names, so that it stays the same."""
    return fact.model_dump(mode="json", exclude=None if fact.about_officer else {"about_officer"})


def _note(note: ReportNote) -> dict[str, Any]:
    """A correction, withdrawal or appeal as evidence; who gave the appealed answer is barred from the next (回避)."""
    barred = {"barred": note.answered_by} if note.answered_by else {}
    named = {"about_officer": note.about_officer} if note.about_officer else {}
    return {
        "indicator": note.nature,
        "state": "fired",
        "note": note.sentence,
        "about": note.first_report_id,
        **barred,
        **named,
    }


def digest_of(kind: str, item: dict[str, Any]) -> str:
    """What makes a piece of evidence the same as another."""
    text = json.dumps([kind, item], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
