"""A household's own word (农户自主申报), by itself or by a cadre on its behalf."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from shared.vocabulary.terms import Hardship

EVENT_KIND = "event.hardship_report"
DATA_SET = "self_report"


class ReportStage(StrEnum):
    """How far a report got; stages may be learnt in any order and none is unlearnt."""

    RECEIVED = "received"
    MATCHED = "matched"
    ASSESSED = "assessed"
    ROUTED = "routed"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class SelfReport:
    """One report: who, where, what happened (sorted, each once), when. `amount_fen`: what it cost, if said."""

    household_no: str | None
    reporter_name: str
    identity_number: str
    phone: str | None
    division: str
    hardships: tuple[Hardship, ...]
    description: str | None
    amount_fen: int | None
    on_behalf_of: str | None
    reported_on: date


def observations(report: SelfReport, report_id: str, person: str) -> list[dict[str, Any]]:
    """The report as monitoring hears it: one observation for each hardship, in the form of the contract."""
    common: dict[str, Any] = {
        "person": person,
        "household_no": report.household_no,
        "division": report.division,
        "kind": EVENT_KIND,
        "occurred_on": report.reported_on.isoformat(),
        "amount_fen": report.amount_fen,
        "attributes": {"on_behalf_of": report.on_behalf_of} if report.on_behalf_of else None,
    }
    known = {name: value for name, value in common.items() if value is not None}
    return [{"record": f"{report_id}/{h.value}", "op": "put", "value": h.value, **known} for h in report.hardships]
