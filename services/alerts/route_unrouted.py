"""Route what found nobody when it opened, as soon as somebody is on duty for the place."""

from collections.abc import Sequence

import asyncpg

from services.alerts import repository, repository_concern
from services.alerts.dispatch import Dispatch, desk_for
from services.alerts.domain.message import Kind
from services.alerts.repository import Row
from services.alerts.route_alert import WAKES, route_alerts
from shared.db.scope import transaction
from shared.runtime import Runtime

_AT_ONCE = 200


async def route_unrouted(runtime: Runtime) -> int:
    """Try every alert without a person, 200 in a transaction; how many found one.

    What still finds nobody (all who could hear it are concerned) holds up nothing behind it.
    """
    routed, after = 0, ""
    while True:
        async with transaction(runtime.worker_pool) as connection:
            today = runtime.clock.today()
            alerts = await repository.lock_unrouted_alerts(connection, today, after=after, limit=_AT_ONCE)
            found = await _route(connection, alerts, runtime) if alerts else 0
        if found:
            runtime.waker.wake(*WAKES)
        routed += found
        if len(alerts) < _AT_ONCE:
            return routed
        after = alerts[-1]["subject"]


async def _route(connection: asyncpg.Connection, alerts: Sequence[Row], runtime: Runtime) -> int:
    places = {alert[name] for alert in alerts for name in ("living_division", "registered_division")}
    desk = await desk_for(runtime, places)
    barred = await repository_concern.barred_in(connection, [alert["alert_id"] for alert in alerts])
    dispatches = [
        Dispatch(
            alert,
            Kind.OPENED,
            f"opened:{alert['alert_id']}",
            new_reports=tuple(alert["report_ids"]),
            barred=barred.get(alert["alert_id"], frozenset()),
        )
        for alert in alerts
    ]
    return await route_alerts(connection, dispatches, desk)
