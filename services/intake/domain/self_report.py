"""A household's own word (农户自主申报), by itself, by a relative or a cadre on its behalf, or by a hotline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.vocabulary.terms import Hardship, Source

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


class Channel(StrEnum):
    """How a report came in (申报渠道)."""

    APP = "app"
    PHONE = "phone"
    WINDOW = "window"
    VISIT = "visit"
    HOTLINE_12345 = "hotline_12345"
    HOTLINE_12317 = "hotline_12317"


HOTLINES = frozenset({Channel.HOTLINE_12345, Channel.HOTLINE_12317})


@dataclass(frozen=True, slots=True)
class Relative:
    """The relative who reports for the household (代报人)."""

    name: str
    relation: str
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class SelfReport:
    """One report: who, where, what happened (sorted, each once), when. `amount_fen`: what it cost, if said.

    A hotline's report names its ticket and its legal `basis`; any other the version of the consent text.
    `about_officer`: the number of the officer whom it complains of (反映的干部); he hears nothing of it.
    """

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
    channel: Channel = Channel.APP
    ticket_no: str | None = None
    relative: Relative | None = None
    consent_version: str | None = None
    basis: str | None = None
    attachments: tuple[UUID, ...] = ()
    about_officer: str | None = None

    @property
    def source(self) -> Source:
        return Source.HOTLINE if self.channel in HOTLINES else Source.SELF_REPORT

    @property
    def filed_by(self) -> str:
        """Who wrote it: the household itself, a relative or a cadre on its behalf, or a hotline."""
        if self.channel in HOTLINES:
            return "hotline"
        return "relative" if self.relative else "cadre" if self.on_behalf_of else "self"


def observations(report: SelfReport, report_id: str, person: str) -> list[dict[str, Any]]:
    """The report as monitoring hears it: one observation for each hardship, in the form of the contract."""
    common: dict[str, Any] = {
        "person": person,
        "household_no": report.household_no,
        "division": report.division,
        "kind": EVENT_KIND,
        "occurred_on": report.reported_on.isoformat(),
        "amount_fen": report.amount_fen,
        "attributes": _attributes(report) or None,
    }
    known = {name: value for name, value in common.items() if value is not None}
    return [{"record": f"{report_id}/{h.value}", "op": "put", "value": h.value, **known} for h in report.hardships]


def _attributes(report: SelfReport) -> dict[str, str]:
    said = {"on_behalf_of": report.on_behalf_of, "about_officer": report.about_officer}
    return {name: value for name, value in said.items() if value}


def taken_back(said: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same observations, withdrawn: they stand no longer, nor do they wait for somebody whom they would fit.

    An end would leave the call for help counted among the recent ones.
    """
    return [{**one, "op": "withdraw"} for one in said]
