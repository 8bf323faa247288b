"""List alerts as the caller may see them, newest first."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.alerts import repository_lists
from services.alerts.domain.alert import Status
from services.alerts.schemas import AlertSummary
from services.alerts.view_alert import places_of, summary_of
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.terms import Severity
from shared.web.page import Page, next_cursor


@dataclass(frozen=True, slots=True)
class AlertFilters:
    """What is asked for; None: whatever it is. `severity` "none" asks for alerts without one."""

    division: str | None = None
    household_no: str | None = None
    status: Status | None = None
    severity: Severity | str | None = None
    overdue: bool = False
    officer_no: str | None = None


async def list_alerts(
    connection: asyncpg.Connection,
    filters: AlertFilters,
    caller: Principal,
    runtime: Runtime,
    *,
    before: UUID | None,
    limit: int,
    request_id: str | None = None,
) -> Page[AlertSummary]:
    """A page of the alerts living or registered in the division; reading it leaves an audit row."""
    now = runtime.clock.now()
    lo, hi = code_range(filters.division or caller.division)
    rows = await repository_lists.list_alerts(
        connection,
        lo=lo,
        hi=hi,
        household_no=filters.household_no,
        status=filters.status,
        severity=filters.severity,
        officer_no=filters.officer_no,
        overdue_at=now if filters.overdue else None,
        before=before,
        limit=limit + 1,
    )
    shown = rows[:limit]
    await audit(
        connection,
        caller,
        "alert.list",
        f"division:{lo}",
        now=now,
        request_id=request_id,
        detail={"rows": len(shown)},
    )
    names = await name_places(runtime.directory_pool, places_of(*shown), runtime.clock.today())
    classes = field_classes(caller)
    items = [AlertSummary.model_validate(summary_of(row, classes, names, now)) for row in shown]
    more = next_cursor(rows, limit, before="alert_id")
    return Page(items=items, next_cursor=more)
