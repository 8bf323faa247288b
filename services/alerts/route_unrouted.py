"""Route what found nobody when it opened, as soon as somebody is on duty for the place."""

from services.alerts import repository
from services.alerts.dispatch import Dispatch, desk_for
from services.alerts.domain.message import Kind
from services.alerts.route_alert import WAKES, route_alerts
from shared.db.scope import transaction
from shared.runtime import Runtime

_AT_ONCE = 200


async def route_unrouted(runtime: Runtime) -> int:
    """Route up to 200 alerts; how many."""
    async with transaction(runtime.worker_pool) as connection:
        alerts = await repository.lock_unrouted_alerts(connection, runtime.clock.today(), _AT_ONCE)
        if not alerts:
            return 0
        places = {alert[name] for alert in alerts for name in ("living_division", "registered_division")}
        desk = await desk_for(runtime, places)
        dispatches = [
            Dispatch(alert, Kind.OPENED, f"opened:{alert['alert_id']}", new_reports=tuple(alert["report_ids"]))
            for alert in alerts
        ]
        await route_alerts(connection, dispatches, desk)
    runtime.waker.wake(*WAKES)
    return len(alerts)
