"""What a cadre answers (核实): an outcome, and for most outcomes a visit or a call that others can check."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.alerts.domain.household_check import Finding, Need, Seen, lacking
from services.alerts.domain.sector import Sector, sectors_of
from shared.vocabulary.terms import Outcome, Severity


class Method(StrEnum):
    """How the household was met."""

    VISIT = "visit"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Contact:
    """A visit or a call: who went, on which day, whom he met, how many minutes it took (入户或电话核实)."""

    method: Method
    by: str
    on: date
    met: str | None = None
    minutes: int | None = None

    @property
    def visit_minutes(self) -> int | None:
        """What a visit took; a call says nothing about the way to the village."""
        return self.minutes if self.method is Method.VISIT else None


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer that closes an alert; `household_check`: what was seen of 两不愁三保障; `needs`: what is lacking."""

    outcome: Outcome
    causes: tuple[str, ...] = ()
    contact: Contact | None = None
    helped_by: str | None = None
    note: str | None = None
    household_check: tuple[Finding, ...] = ()
    needs: tuple[Sector, ...] = ()


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an answer is not accepted: the field, a stable code, and what is right."""

    field: str
    code: str
    message: str
    example: str | None = None


# These can be known at the desk; closing them takes seconds.
WITHOUT_VISIT = frozenset({Outcome.ALREADY_MONITORED, Outcome.DATA_WRONG, Outcome.MOVED, Outcome.DECEASED})
_CONTACT_EXAMPLE = '{"method": "visit", "on": "2026-11-22", "met": "户主本人"}'


def objections(
    verification: Verification, severity: Severity | None, *, opened_on: date, today: date
) -> list[Objection]:
    """What is missing in an answer; empty: it closes the alert.

    `no_risk` on a red or orange alert, or on a report that was never assessed, says who, when and whom.
    """
    found = []
    contact = verification.contact
    if contact is None and verification.outcome not in WITHOUT_VISIT:
        found.append(
            Objection("contact", "contact_required", "此结论须先入户或电话核实：谁、何时、见了谁", _CONTACT_EXAMPLE)
        )
    if contact is None and verification.needs and not found:
        found.append(Objection("contact", "contact_required", "发现三保障或饮水问题须写明如何核实", _CONTACT_EXAMPLE))
    if contact is not None:
        found += _contact_objections(verification, contact, severity, opened_on, today)
    if verification.outcome is Outcome.NEED_MET and not verification.helped_by:
        found.append(Objection("helped_by", "helped_by_required", "困难已解决须写明由哪个部门帮扶", "民政局"))
    if verification.outcome is Outcome.IDENTIFY and not verification.causes:
        found.append(Objection("causes", "causes_required", "建议纳入监测须写明致贫返贫风险", '["illness"]'))
    return found + _check_objections(verification)


def _contact_objections(
    verification: Verification, contact: Contact, severity: Severity | None, opened_on: date, today: date
) -> list[Objection]:
    found = []
    if contact.on > today:
        found.append(Objection("contact/on", "contact_in_future", "核实日期不能晚于今天", today.isoformat()))
    if contact.on < opened_on:
        found.append(
            Objection("contact/on", "contact_before_alert", "核实日期不能早于预警开启日", opened_on.isoformat())
        )
    if verification.outcome is Outcome.NO_RISK and _is_grave(severity) and not contact.met:
        found.append(Objection("contact/met", "met_required", "红色、橙色预警核为无风险须写明见了谁", "户主本人"))
    return found


def _check_objections(verification: Verification) -> list[Objection]:
    """A need that is lacking says how, and is no "no risk"."""
    found = [
        Objection(
            f"household_check/{finding.need}/note",
            "lacking_note_required",
            f"{finding.need.zh}有问题，请写一句是什么问题",
        )
        for finding in verification.household_check
        if finding.seen is Seen.LACKING and not finding.note
    ]
    short = lacking(verification.household_check)
    if short and verification.outcome is Outcome.NO_RISK:
        names = "、".join(finding.need.zh for finding in short)
        found.append(
            Objection("outcome", "check_contradicts", f"{names}有问题，不能核为无风险；已解决的请选“困难已解决”")
        )
    return found


def _is_grave(severity: Severity | None) -> bool:
    return severity in (None, Severity.RED, Severity.ORANGE)


def needs_second_officer(outcome: Outcome, severity: Severity | None, severities: Collection[Severity]) -> bool:
    """Whether an answer waits for a second officer (双人复核): "no risk" on a severity for which policy asks it."""
    return outcome is Outcome.NO_RISK and severity in severities


# Whose task it is if a visitor sees a need lacking; food and clothing are the township's own.
_SECTORS = {
    Need.EDUCATION: Sector.EDUCATION,
    Need.MEDICAL: Sector.MEDICAL,
    Need.HOUSING: Sector.HOUSING,
    Need.WATER: Sector.WATER,
}

# Of these the household is known to be at risk: what the departments' data say of its guarantees stands.
_EVIDENCE_STANDS = frozenset({Outcome.IDENTIFY, Outcome.ALREADY_MONITORED})


def needs_found(verification: Verification, indicators: Collection[str]) -> tuple[Sector, ...]:
    """The guarantees lacking: what the visitor found, and what evidence says that the answer lets stand."""
    evident = sectors_of(indicators) if verification.outcome in _EVIDENCE_STANDS else ()
    seen = (_SECTORS.get(finding.need) for finding in lacking(verification.household_check))
    found = {*verification.needs, *evident, *seen}
    return tuple(sector for sector in Sector if sector in found)
