"""The monitoring service: what is known of every household, and what the policy says of it."""

import httpx
from fastapi import FastAPI

from services.monitoring import (
    endpoints_changes,
    endpoints_dashboard,
    endpoints_effect,
    endpoints_evaluations,
    endpoints_explanations,
    endpoints_identity,
    endpoints_lists,
    endpoints_policies,
    endpoints_quality,
    endpoints_register,
)
from services.monitoring.endpoints import router
from services.monitoring.give_kept_boards import KeptBoards
from services.monitoring.keep_answers import FigureCache
from services.monitoring.record_households import record_households
from services.monitoring.record_observations import record_observations
from services.monitoring.record_verification import record_verification
from services.monitoring.tell_own_record import tell_own_record
from shared.clock import Clock
from shared.contracts.alerts import VERIFIED
from shared.contracts.intake import HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED, OWN_RECORD_ASKED
from shared.runtime import open_runtime
from shared.settings import Settings
from shared.web.app import build_app
from shared.web.events import events_router
from shared.web.subscriptions import subscriptions_router

ROUTERS = [
    endpoints_changes.router,
    endpoints_dashboard.router,
    endpoints_effect.router,
    endpoints_evaluations.router,
    endpoints_explanations.router,
    endpoints_identity.router,
    endpoints_lists.router,
    endpoints_policies.router,
    endpoints_quality.router,
    endpoints_register.router,
]
LIST_LIMIT_BYTES = 32 * 1024 * 1024
HANDLERS = {
    HOUSEHOLDS_RECORDED: record_households,
    OBSERVATIONS_RECORDED: record_observations,
    VERIFIED: record_verification,
    OWN_RECORD_ASKED: tell_own_record,
}


def create_app(
    settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
) -> FastAPI:
    """The only factory of this service's web side."""
    app = build_app(
        "monitoring",
        title="防贫监测 · 监测评估",
        settings=settings,
        runtime_factory=lambda: open_runtime("monitoring", settings, transport=transport, clock=clock),
        body_limits={"/monitoring/v1/monitored-list": LIST_LIMIT_BYTES},
        routers=[router, *ROUTERS, events_router("monitoring", HANDLERS), subscriptions_router("monitoring")],
        in_front=[KeptBoards],
    )
    app.state.figure_cache = FigureCache()
    return app
