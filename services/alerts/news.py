"""News of a risk, as the alert it makes: a new one, or the open one with what was added."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from services.alerts.domain.alert import worse
from services.alerts.domain.answer_terms import AnswerTerms
from services.alerts.domain.clocks import Clocks, ClockUnit, Length
from services.alerts.domain.work_time import WorkCalendar
from services.alerts.repository import Row
from shared.contracts import monitoring
from shared.contracts.envelope import Event
from shared.contracts.intake import ReportNote
from shared.contracts.monitoring import EvidenceItem, RiskChanged, RiskItem
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Severity

# Where a household lives and is registered; whoever answers for either sees its alert.
PLACES = ("living_division", "registered_division")


@dataclass(frozen=True, slots=True)
class Heard:
    """One item of a message, with the message and the policy by which it was assessed."""

    item: RiskItem
    event_id: UUID
    policy_version: str


@dataclass(frozen=True, slots=True)
class News:
    """One item of a message with what it does: the alert as it will be, and as it was (None: it opens)."""

    item: RiskItem
    event_id: UUID
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
    def is_moved(self) -> bool:
        """Whether the household lives, or is registered, elsewhere than the open alert says (随户迁移)."""
        return self.before is not None and any(self.alert[name] != self.before[name] for name in PLACES)

    @property
    def sentences(self) -> tuple[str, ...]:
        fired = (finding.sentence for finding in self.item.findings if finding.state == "fired")
        return (*(note.sentence for note in self.item.notes), *fired)

    @property
    def barred(self) -> frozenset[str]:
        """Officers whose answer is appealed: they are not asked again."""
        return frozenset(note.answered_by for note in self.item.notes if note.answered_by)


def heard_in(event: Event) -> list[Heard]:
    """The items of a message, one per subject: the newest; what older ones reported or opened is kept."""
    told = RiskChanged.model_validate(event.data)
    newest: dict[str, RiskItem] = {}
    for item in sorted(told.items, key=lambda i: i.facts_version):
        before = newest.get(item.subject)
        newest[item.subject] = item if before is None else _joined(before, item)
    return [Heard(item, event.id, told.policy_version) for item in newest.values()]


def _joined(before: RiskItem, item: RiskItem) -> RiskItem:
    reports = sorted({*before.report_ids, *item.report_ids})
    notes = [*before.notes, *item.notes]
    return item.model_copy(update={"report_ids": reports, "notes": notes, "opens": before.opens or item.opens})


def opening(
    heard: Heard, follows: UUID | None, calendar: WorkCalendar, *, now: datetime, today: date
) -> dict[str, Any]:
    """The row of a new alert."""
    item = heard.item
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
        "policy_version": heard.policy_version,
        "status": "open",
        "follows": follows,
        "opened_at": now,
        "opened_on": today,
        **_acknowledge_clock(item, calendar, now),
        **_verify_clock(item, calendar, now),
        **_answer_columns(_terms_told(item)),
        "version": 1,
    }


def extended(
    before: Row,
    heard: Heard,
    new_reports: Sequence[str],
    calendar: WorkCalendar,
    *,
    now: datetime,
) -> dict[str, Any]:
    """The open alert with the news: nothing is lowered or withdrawn.

    A worse one has the nearer deadlines, and what is asked of its answer is the stricter. It goes where newer news
    says that the household is; its clocks run on as they were.
    """
    item = heard.item
    severity = worse(severity_of(before), item.severity)
    matters = severity != severity_of(before) or bool(new_reports)
    newer = item.facts_version >= before["facts_version"]
    places = {name: getattr(item, name) if newer else before[name] for name in PLACES}
    has_moved = any(places[name] != before[name] for name in PLACES)
    told = {**_acknowledge_clock(item, calendar, now), **_verify_clock(item, calendar, now)}
    return {
        **before,
        **places,
        "severity": severity,
        "recommendation": (item.recommendation if newer else None) or before["recommendation"],
        "causes": list(dict.fromkeys([*before["causes"], *item.causes])),
        "report_ids": [*before["report_ids"], *new_reports],
        "contact_phone": item.contact.phone or before["contact_phone"],
        "facts_version": max(item.facts_version, before["facts_version"]),
        "policy_version": heard.policy_version if newer else before["policy_version"],
        **_nearer(before, told if matters else before, now),
        **(_answer_columns(answer_terms_of(before).stricter(_terms_told(item))) if matters else {}),
        "version": before["version"] + (matters or has_moved),
    }


def _nearer(before: Row, told: Row, now: datetime) -> dict[str, Any]:
    """The clocks of the nearer deadlines. One that is past stays past; the levels it goes to have the new time."""
    clocks: dict[str, Any] = {}
    for names in (_ACKNOWLEDGE_CLOCK, _VERIFY_CLOCK):
        *length, _, due_at = names
        is_nearer = told[due_at] < before[due_at]
        clocks.update((name, (told if is_nearer else before)[name]) for name in names)
        if before[due_at] <= now:
            clocks.update((name, told[name]) for name in length)
    return clocks


_ACKNOWLEDGE_CLOCK = ("acknowledge_hours", "acknowledge_unit", "ack_from", "ack_due_at")
_VERIFY_CLOCK = ("verify_days", "verify_unit", "verify_from", "verify_due_at")
_WITHOUT_BEING_TOLD = monitoring.AnswerTerms()
ANSWER_COLUMNS = ("second_officer_severities", "recheck_percent", "recheck_working_days", "task_working_days")
_EXTENSION = (
    "alert_id",
    *PLACES,
    "severity",
    "recommendation",
    "causes",
    "report_ids",
    "contact_phone",
    "facts_version",
    "policy_version",
    *_ACKNOWLEDGE_CLOCK,
    *_VERIFY_CLOCK,
    *ANSWER_COLUMNS,
    "version",
)


def extension(alert: Row) -> dict[str, Any]:
    """The columns of an open alert that news may change."""
    return {name: alert[name] for name in _EXTENSION}


def _acknowledge_clock(item: RiskItem, calendar: WorkCalendar, now: datetime) -> dict[str, Any]:
    length = Length(item.clocks.acknowledge_hours, ClockUnit(item.clocks.acknowledge_unit or ClockUnit.HOURS))
    told = (length.number, length.unit, now, length.after(now, calendar))
    return dict(zip(_ACKNOWLEDGE_CLOCK, told, strict=True))


def _verify_clock(item: RiskItem, calendar: WorkCalendar, now: datetime) -> dict[str, Any]:
    length = Length(item.clocks.verify_days, ClockUnit(item.clocks.verify_unit or ClockUnit.DAYS))
    told = (length.number, length.unit, now, length.after(now, calendar))
    return dict(zip(_VERIFY_CLOCK, told, strict=True))


def clocks_of(alert: Row) -> Clocks:
    """The lengths of an alert's clocks, as its row has them."""
    return Clocks(
        Length(alert["acknowledge_hours"], ClockUnit(alert["acknowledge_unit"])),
        Length(alert["verify_days"], ClockUnit(alert["verify_unit"])),
    )


def answer_terms_of(alert: Row) -> AnswerTerms:
    """What is asked of the answer to an alert, as its row has it."""
    asked, *numbers = (alert[name] for name in ANSWER_COLUMNS)
    return AnswerTerms(frozenset(Severity(each) for each in asked), *numbers)


def _terms_told(item: RiskItem) -> AnswerTerms:
    told = item.answer_terms or _WITHOUT_BEING_TOLD
    return AnswerTerms(
        frozenset(told.second_officer_severities),
        told.recheck_percent,
        told.recheck_working_days,
        told.task_working_days,
    )


def _answer_columns(terms: AnswerTerms) -> dict[str, Any]:
    return {
        "second_officer_severities": [each for each in Severity if each in terms.second_officer_severities],
        "recheck_percent": terms.recheck_percent,
        "recheck_working_days": terms.recheck_working_days,
        "task_working_days": terms.task_working_days,
    }


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
    named: dict[str, Any] = {"about_officer": note.about_officer} if note.about_officer else {}
    if note.also_about:
        named["also_about"] = sorted(note.also_about)
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
    return hashlib.sha256(orjson.dumps([kind, item], option=orjson.OPT_SORT_KEYS)).hexdigest()
