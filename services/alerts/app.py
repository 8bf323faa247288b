"""The alerts service as an ASGI app."""

import httpx
from fastapi import FastAPI

from services.alerts import (
    admin_endpoints,
    endpoints,
    endpoints_answers,
    endpoints_calendar,
    endpoints_deliveries,
    endpoints_duty,
    endpoints_flood,
    endpoints_log,
    endpoints_phone,
    endpoints_phone_login,
    endpoints_routes,
    endpoints_silences,
    endpoints_tasks,
    endpoints_tickets,
)
from services.alerts.notify_data import notify_data
from services.alerts.open_alert import open_alerts, subjects_of
from services.alerts.settings import AlertsSettings
from services.alerts.stream_inbox import Bell
from services.alerts.watch import keep_watch, measure_trouble
from shared.clock import Clock
from shared.contracts.intake import DATA_NOTICE
from shared.contracts.monitoring import RISK_CHANGED
from shared.runtime import open_runtime
from shared.web.app import build_app
from shared.web.events import Together, events_router
from shared.web.subscriptions import subscriptions_router


def create_app(
    settings: AlertsSettings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
) -> FastAPI:
    """Make the app; `transport` leads to the peers without a network."""
    app = build_app(
        "alerts",
        title="防贫监测：预警处置",
        settings=settings,
        runtime_factory=lambda: open_runtime("alerts", settings, transport=transport, clock=clock),
        routers=[
            # Routers are tried in their order, and this door is the busiest.
            events_router("alerts", {RISK_CHANGED: Together(open_alerts, subjects_of), DATA_NOTICE: notify_data}),
            endpoints_answers.router,
            endpoints_tasks.router,
            endpoints.router,
            admin_endpoints.router,
            endpoints_tickets.router,
            endpoints_calendar.router,
            endpoints_duty.router,
            endpoints_routes.router,
            endpoints_silences.router,
            endpoints_phone_login.router,
            endpoints_phone.router,
            endpoints_phone_login.admin_router,
            endpoints_deliveries.router,
            endpoints_flood.router,
            endpoints_log.router,
            subscriptions_router("alerts"),
        ],
        body_limits={"/alerts/v1/officers": 4 * 1024 * 1024, "/alerts/v1/rosters": 8 * 1024 * 1024},
        measures=[measure_trouble],
        beside=[keep_watch],
    )
    app.state.bell = Bell()
    return app
