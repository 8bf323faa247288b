"""A measure (计量): what is counted from the facts of a household, or of each member."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.monitoring.domain.expression import Expression
from services.monitoring.domain.expression_type import FLAG, Type
from services.monitoring.domain.window import Window
from shared.policies.unit import Unit


class Aggregate(StrEnum):
    """How facts become one value; a fact whose filter is not true (false or unknown) is passed over.

    `sum`, `max`: of the amount; unknown if one amount is; nothing to sum is 0, nothing to choose from unknown.
    `count`, `exists`: how many, whether any. `latest`: the value of the newest; a value not among the
    choices is unknown, and on the same day the later choice wins, so choices run from best to worst.
    """

    SUM = "sum"
    MAX = "max"
    COUNT = "count"
    EXISTS = "exists"
    LATEST = "latest"


class Scope(StrEnum):
    HOUSEHOLD = "household"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Measure:
    """One named count; `amount` and `where` are read on each fact (see FACT_COLUMNS).

    `includes_deceased`: a member who died inside the window or since is counted too.
    """

    name: str
    label_zh: str
    type: Type
    scope: Scope
    kinds: tuple[str, ...]
    window: Window
    aggregate: Aggregate
    amount: Expression | None
    where: Expression | None
    choices: tuple[str, ...]
    includes_deceased: bool


SCHOOL_STAGES = ("preschool", "primary", "junior", "senior", "vocational", "college", "bachelor", "graduate")
ABSENT_REASONS = ("health", "completed_compulsory", "unwilling", "family_poverty", "other")

FACT_COLUMNS: Mapping[str, Type] = {
    "amount": Type(Unit.CNY),
    "gross": Type(Unit.CNY),
    "compliant": Type(Unit.CNY),
    "other": Type(Unit.CNY),
    "relief": Type(Unit.CNY),
    "visit": Type(Unit.TEXT, frozenset(("inpatient", "outpatient", "chronic_outpatient"))),
    "stay": Type(Unit.TEXT),
    "value": Type(Unit.TEXT),
    "verified": FLAG,
    "source": Type(Unit.TEXT, frozenset(("department", "visit", "self_report", "hotline"))),
}
"""What an expression on one fact may read from its own columns."""

FACT_ATTRIBUTES: Mapping[str, tuple[str, Type]] = {
    "claim_for": ("for", Type(Unit.TEXT, frozenset(("medical", "disaster", "accident", "asset_loss")))),
    "scheme": ("scheme", Type(Unit.TEXT)),
    "hazard": ("hazard", Type(Unit.TEXT)),
    "occupied_grade": ("occupied", Type(Unit.TEXT, frozenset("ABCD"))),
    "only_dwelling": ("only", Type(Unit.TEXT, frozenset(("true", "false")))),
    "grade": ("grade", Type(Unit.TEXT, frozenset("1234"))),
    "types": ("types", Type(Unit.LIST)),
    "away": ("away", FLAG),
    "days": ("days", Type(Unit.DAYS)),
    "drop_share": ("percent_basis", Type(Unit.SHARE)),
    "balance": ("balance_fen", Type(Unit.CNY)),
    "vehicle_value": ("value_fen", Type(Unit.CNY)),
    "purpose": ("purpose", Type(Unit.TEXT, frozenset(("private", "operating", "disabled_use")))),
    "dwelling": ("dwelling", Type(Unit.TEXT, frozenset(("commercial", "resettlement", "disaster_rebuild")))),
    "company_state": ("state", Type(Unit.TEXT, frozenset(("active", "dormant", "cancelled", "revoked")))),
    "stage": ("stage", Type(Unit.TEXT, frozenset(SCHOOL_STAGES))),
    "in_school": ("in_school", FLAG),
    "home_teaching": ("home_teaching", FLAG),
    "absent_reason": ("absent_reason", Type(Unit.TEXT, frozenset(ABSENT_REASONS))),
    "litres": ("litres", Type(Unit.NUMBER)),
    "minutes": ("minutes", Type(Unit.NUMBER)),
    "guarantee": ("guarantee", Type(Unit.NUMBER)),
    "quality_ok": ("quality_ok", FLAG),
}
"""What it may read from the attributes: name here, key there. A text as text, a flag as true or false, and
everything else as a whole number: money in fen, a share in basis points."""

BUILT_IN: Mapping[str, Type] = {
    "members_counted": Type(Unit.PERSONS),
    "members_not_counted": Type(Unit.PERSONS),
    "months_monitored": Type(Unit.MONTHS),
    "facts_complete": FLAG,
}
"""Names every package may use without defining them; `months_monitored` is whole months since the household was
listed, unknown if it is not, or nobody said when."""

RULE_BUILT_IN: Mapping[str, Type] = {"rule_fired": FLAG, "rule_measured": Type(Unit.CNY)}
"""What a package with medical rules may use as well: whether one that applies fires, the amount of the one told."""

RULE_KINDS = ("expense.medical", "income.insurance_claim")
"""The facts that medical rules are measured on."""

_KINDS = """
income.wage cost.away_work income.business_sales cost.production stock.unsold_value cost.unsold
income.property income.transfer_regular income.transfer_one_off income.expected income.loan_principal
income.insurance_claim income.land_compensation expense.medical expense.education expense.disaster
expense.accident expense.rehabilitation loss.asset event.serious_illness event.disability_certified
event.accident event.job_loss event.business_failure event.death event.dropout event.hardship_report
event.disaster event.wage_drop event.water_failure event.housing_damage loan.overdue asset.vehicle
asset.dwelling_bought asset.company asset.deposit
event.imprisonment event.measure event.hukou_change
state.base_group state.dwelling state.insured state.disability state.monitored state.assistance
state.water state.health state.labour state.school state.public_employee state.authorisation
"""
FACT_KINDS = frozenset(_KINDS.split())
"""The vocabulary of facts; a kind outside it is a mistake of the package."""

ROSTER_DATA_SETS = ("household_register",)
"""Data sets of yearly rosters, which give way to a department's own data of the same kind."""


def source_rank(source: str, verified: bool | None, data_set: str | None) -> int:
    """Whose word on an income counts: a verified visit, a department, the roster, anybody else."""
    if source == "visit" and verified:
        return 4
    if data_set in ROSTER_DATA_SETS:
        return 2
    return 3 if source == "department" else 1
