"""What monitoring says: the risk of a household changed."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.intake import Contract, ReportNote
from shared.vocabulary.terms import Severity, Source

RISK_CHANGED = "cn.fangpin.monitoring.risk_changed.v1"
OWN_RECORD_TOLD = "cn.fangpin.monitoring.own_record_told.v1"


class Contact(Contract):
    """Whom the cadre asks for."""

    name: str
    phone: str | None = None


class Finding(Contract):
    """One indicator of the assessment, as a person reads it; amounts are decimal strings in `unit`."""

    indicator: str
    state: Literal["fired", "clear", "unknown"]
    severity: Severity | None = None
    cause: str | None = None
    measured: str | None = None
    threshold: str | None = None
    margin: str | None = None
    unit: str | None = None
    sentence: str


class EvidenceItem(Contract):
    """One fact behind the warning, without amounts or diagnosis.

    `about_officer`: the number of the officer whom a complaint names (信访、热线反映的干部); he hears nothing of it.
    """

    kind: str
    occurred_on: date
    source: Source
    department: str | None = None
    summary: str
    about_officer: str | None = None


class Clocks(Contract):
    """How soon the warning must be acknowledged and verified; policy parameters.

    The units say how the two numbers are counted; without them they are hours of working days, and days.
    """

    acknowledge_hours: int
    verify_days: int
    acknowledge_unit: Literal["hours", "working_hours", "working_days"] | None = None
    verify_unit: Literal["days", "working_days"] | None = None


class AnswerTerms(Contract):
    """What is asked of the answer to the warning (核实要求); policy parameters.

    `second_officer_severities`: on which "no risk" waits for a second officer. `recheck_percent`: how many of the
    answers that identify nobody are re-checked, within `recheck_working_days`. `task_working_days`: how long a
    department has for each round of a task that the answer leads to. What is not said is as it stands here.
    """

    second_officer_severities: list[Severity] = Field(default=[Severity.RED], max_length=len(Severity))
    recheck_percent: int = Field(default=5, ge=0, le=100)
    recheck_working_days: int = Field(default=10, ge=1, le=366)
    task_working_days: int = Field(default=10, ge=1, le=366)


class RiskItem(Contract):
    """The risk of one subject: "household:<no>", or "report:<id>" while a report is matched to no household.

    `opens` says whether a warning opens; otherwise `withheld_because` says why not. Receivers ignore an item whose
    `facts_version` is older than one they have seen. Without `answer_terms` they are as AnswerTerms says.
    """

    subject: str
    household_no: str | None = None
    facts_version: int
    living_division: str
    registered_division: str
    contact: Contact
    recommendation: str | None = None
    previous_recommendation: str | None = None
    listed_as: str | None = None
    severity: Severity | None = None
    score: int = 0
    causes: list[str] = Field(default_factory=list)
    findings: list[Finding] = Field(default_factory=list)
    evidence: list[EvidenceItem] = Field(default_factory=list)
    reason: Literal["recommendation", "finding", "hardship_report"]
    report_ids: list[str] = Field(default_factory=list)
    notes: list[ReportNote] = Field(default_factory=list)
    opens: bool
    withheld_because: str | None = None
    on: date
    clocks: Clocks
    answer_terms: AnswerTerms | None = None


class RiskChanged(Contract):
    policy_version: str
    items: list[RiskItem] = Field(min_length=1, max_length=200)


class Holding(Contract):
    """A category of data held about a person: from which department, how many facts, from when to when."""

    category: str
    department: str | None = None
    source: Source
    facts: int
    first_on: date
    last_on: date


class Access(Contract):
    """A look at a person's household: when, by which post of which place, what for; never by whom by name."""

    at: AwareDatetime
    role: str | None = None
    organisation: str | None = None
    action: str
    purpose: str | None = None


class OwnRecordTold(Contract):
    """The answer to OwnRecordAsked; `known` is false for somebody no roster lists."""

    request_id: str
    known: bool
    holdings: list[Holding] = Field(default_factory=list, max_length=200)
    accesses: list[Access] = Field(default_factory=list, max_length=200)
