"""End silences: what one held back, still stands and nobody has seen is told once (静默结束)."""

from services.alerts import repository_silences
from services.alerts.dispatch import Dispatch, desk_for
from services.alerts.domain.message import Kind
from services.alerts.repository import Row
from services.alerts.route_alert import WAKES, route_alerts
from shared.db.scope import transaction
from shared.runtime import Runtime

_AT_ONCE = 200


async def end_silences(runtime: Runtime) -> int:
    """Tell up to 200 alerts of one silence that has ended; 1 more when it is done with, 0 if none has ended."""
    async with transaction(runtime.worker_pool) as connection:
        now = runtime.clock.now()
        silence = await repository_silences.lock_ended_silence(connection, now)
        if silence is None:
            return 0
        alerts = await repository_silences.lock_silenced_alerts(connection, silence["silence_id"], _AT_ONCE)
        places = {alert[name] for alert in alerts for name in ("living_division", "registered_division")}
        await route_alerts(
            connection, [_dispatch(alert, silence) for alert in alerts], await desk_for(runtime, places)
        )
        done = len(alerts) < _AT_ONCE
        if done:
            await repository_silences.mark_released(connection, silence["silence_id"], now)
    runtime.waker.wake(*WAKES)
    return len(alerts) + done


def _dispatch(alert: Row, silence: Row) -> Dispatch:
    """Told as new, or of one known before as risen, under a key of the silence; another may hold it back in turn."""
    kind = Kind.OPENED if alert["held_opening"] else Kind.RAISED
    return Dispatch(alert, kind, f"unsilenced:{silence['silence_id']}:{alert['alert_id']}")
