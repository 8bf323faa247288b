"""What alerts says: a person looked, and this is what he found."""

from datetime import date

from pydantic import AwareDatetime, Field

from shared.contracts.intake import Contract
from shared.vocabulary.terms import Outcome, Role

MOST_VISIT_MINUTES = 24 * 60
VERIFIED = "cn.fangpin.alerts.verified.v1"


class VerifiedItem(Contract):
    """The closing answer to one alert; `facts_version` is what the alert rested on.

    `visit_minutes`: what the visit took, way included, where somebody went and wrote it down.
    """

    alert_id: str
    subject: str
    household_no: str | None = None
    living_division: str
    outcome: Outcome
    causes: list[str] = Field(default_factory=list)
    visited_on: date | None = None
    visit_minutes: int | None = Field(default=None, ge=1, le=MOST_VISIT_MINUTES)
    verified_at: AwareDatetime
    officer_role: Role
    facts_version: int
    policy_version: str
    indicators: list[str] = Field(default_factory=list)


class Verified(Contract):
    items: list[VerifiedItem] = Field(min_length=1, max_length=1000)
