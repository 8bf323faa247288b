"""The factory of intake's app."""

import httpx
from fastapi import FastAPI

from services.intake.endpoints import hot_router, router
from services.intake.endpoints_appeals import router as appeals
from services.intake.endpoints_attachments import router as attachments
from services.intake.endpoints_catalogue import router as catalogue
from services.intake.endpoints_connectors import router as connectors
from services.intake.endpoints_held import router as held
from services.intake.endpoints_receipts import router as receipts
from services.intake.endpoints_reports import router as reports
from services.intake.record_own_record import record_own_record
from services.intake.record_progress import record_progress
from services.intake.report_desk import ReportDesk
from services.intake.settings import IntakeSettings
from services.intake.village_register import VillageRegister
from shared.clock import Clock
from shared.contracts.monitoring import OWN_RECORD_TOLD
from shared.contracts.progress import ALERTS_PROGRESS, MONITORING_PROGRESS
from shared.runtime import open_runtime
from shared.web.app import build_app
from shared.web.events import events_router

HANDLERS = {
    MONITORING_PROGRESS: record_progress,
    ALERTS_PROGRESS: record_progress,
    OWN_RECORD_TOLD: record_own_record,
}


def create_app(
    settings: IntakeSettings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
) -> FastAPI:
    """Intake: self-reports and departments' files in, messages out."""
    app = build_app(
        "intake",
        title="防贫·数据采集 intake",
        settings=settings,
        runtime_factory=lambda: open_runtime("intake", settings, transport=transport, clock=clock),
        routers=(
            hot_router,
            router,
            catalogue,
            connectors,
            held,
            reports,
            attachments,
            appeals,
            receipts,
            events_router("intake", HANDLERS),
        ),
        body_limits={
            "/intake/v1/feeds": settings.feed_limit_bytes,
            "/intake/v1/attachments": settings.attachment_limit_bytes,
            "/intake/v1/receipts/attachments": settings.attachment_limit_bytes,
        },
    )
    app.state.villages, app.state.desk = VillageRegister(), ReportDesk()
    return app
