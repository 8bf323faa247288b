"""The chain of an alert as its row keeps it: copied at the opening, read whenever the alert climbs."""

from collections.abc import Sequence
from typing import Any

from services.alerts.domain.clocks import ClockUnit, Length
from services.alerts.domain.duty import Listener, Reach
from services.alerts.domain.escalation import LEVELS, Levels, Rung
from services.alerts.news import clocks_of
from services.alerts.repository import Row
from shared.vocabulary.terms import Role

Snapshot = Sequence[dict[str, Any]]


def chain_snapshot(chain: Sequence[Rung]) -> list[dict[str, Any]]:
    """The chain as it is stored."""
    return [
        {
            "level": rung.level,
            "roles": sorted(rung.roles),
            "people": [{"officer_no": p.officer_no, "role": p.role} for p in rung.people],
            **({"wait": {"number": rung.wait.number, "unit": rung.wait.unit}} if rung.wait else {}),
        }
        for rung in chain
    ]


def chain_of(snapshot: Snapshot) -> tuple[Rung, ...]:
    """Who stands on which level of a stored chain."""
    return tuple(
        Rung(
            rung["level"], tuple(Listener(p["officer_no"], Role(p["role"]), Reach.ESCALATED) for p in rung["people"])
        )
        for rung in snapshot
    )


def levels_of(snapshot: Snapshot) -> Levels:
    """The posts of each level of a stored chain; those from before the posts were stored have the usual ones."""
    return tuple(tuple(Role(role) for role in rung["roles"]) for rung in snapshot if "roles" in rung) or LEVELS


def wait_of(snapshot: Snapshot, level: int, alert: Row) -> Length:
    """How long an alert waits at a level of its chain: as the chain says, else as its clock of acknowledgement."""
    told = next((rung.get("wait") for rung in snapshot if rung["level"] == level), None)
    return Length(told["number"], ClockUnit(told["unit"])) if told else clocks_of(alert).acknowledge
