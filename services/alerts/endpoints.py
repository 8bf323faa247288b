"""The HTTP surface of alerts: one short function per operation; the work is in the verbs."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
from fastapi import Depends, Header, Path, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AfterValidator

from services.alerts import repository_lists
from services.alerts.acknowledge import acknowledge
from services.alerts.answer_once import KeyedRequest, answer_once
from services.alerts.dispatch import Desk, desk_for
from services.alerts.domain.alert import Status
from services.alerts.hand_over import hand_over
from services.alerts.list_alerts import AlertFilters, list_alerts
from services.alerts.record_attempt import Attempt, record_attempt
from services.alerts.route_alert import WAKES
from services.alerts.schemas import (
    AcknowledgeIn,
    AlertSummary,
    AlertView,
    AttemptIn,
    HandOverIn,
    InboxItem,
    StepAnswer,
    Summary,
    VerificationIn,
)
from services.alerts.settings import AlertsSettings
from services.alerts.stream_inbox import Bell, stream_inbox
from services.alerts.summarise import summarise
from services.alerts.take_once import take_once
from services.alerts.take_step import Doing, PersonNeeded
from services.alerts.verify import verify
from services.alerts.view_alert import places_of, step_answer, view_alert
from services.alerts.view_inbox import view_letter
from shared.errors import NotFound
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Severity
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, Wake, WakeDep, require
from shared.web.page import Cursor, Limit, Page, before_id, decode_cursor, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr, without_identity_number

Reader = Annotated[Principal, Depends(require("alerts:read"))]
Actor = Annotated[Principal, Depends(require("alerts:act"))]
# A department's liaison sees no warnings, and has letters about his tasks.
Addressee = Annotated[Principal, Depends(require("alerts:read", "alerts:tasks"))]
IdempotencyKey = Annotated[
    Annotated[str, AfterValidator(without_identity_number)] | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$"),
]
DivisionFilter = Annotated[DivisionStr | None, Query(description="只看此区划（居住地或户籍地，含下级）")]
HouseholdNo = Annotated[
    str | None, Query(max_length=60, pattern=r"^[^\x00/]+$", description="只看这一户", examples=["F130624001"])
]
SeverityFilter = Annotated[Severity | Literal["none"] | None, Query(description="预警等级；none 表示无")]

router = Router(tags=["alerts"])


class InboxItemUnknown(NotFound):
    code, title = "inbox_item_unknown", "没有找到这条消息"


async def officer_of(caller: Addressee) -> str:
    """The caller's own officer number; a system, or a login without one, has no inbox."""
    if not caller.is_person or not caller.officer_no:
        raise PersonNeeded("收件箱属于登记在册的干部本人")
    return caller.officer_no


OwnNumber = Annotated[str, Depends(officer_of)]


async def bell_of(request: Request) -> Bell:
    bell: Bell = request.app.state.bell
    return bell


@router.get("/alerts/v1/alerts", summary="预警列表", responses=problems(401, 403, 422))
async def get_alerts(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    division: DivisionFilter = None,
    household_no: HouseholdNo = None,
    status: Status | None = None,
    severity: SeverityFilter = None,
    overdue: Annotated[bool, Query(description="只看超期")] = False,
    mine: Annotated[bool, Query(description="只看本人负责的")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[AlertSummary]:
    officer_no = await officer_of(caller) if mine else None
    return await list_alerts(
        connection,
        AlertFilters(division, household_no, status, severity, overdue, officer_no),
        caller,
        runtime,
        before=before_id(cursor),
        limit=limit,
        request_id=context.request_id,
    )


@router.get("/alerts/v1/alerts/{alert_id}", summary="一条预警", responses=problems(401, 403, 404, 422))
async def get_alert(
    alert_id: UUID, caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> AlertView:
    view = await view_alert(connection, alert_id, caller, runtime)
    await audit(
        connection, caller, "alert.read", f"alert:{alert_id}", now=runtime.clock.now(), request_id=context.request_id
    )
    return view


@router.get("/alerts/v1/summary", summary="预警与消息数量", responses=problems(401, 403, 422))
async def get_summary(
    caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, division: DivisionFilter = None
) -> Summary:
    return await summarise(connection, division or caller.division, runtime)


@dataclass(frozen=True, slots=True)
class Steps:
    """What every step on an alert needs: who, when, with which key; the answer is given once per key."""

    alert_id: UUID
    caller: Principal
    connection: asyncpg.Connection
    runtime: Runtime
    request_id: str
    wake: Wake
    key: str | None

    async def desk(self) -> Desk:
        alert = await repository_lists.alert_by_id(self.connection, self.alert_id)
        return await desk_for(self.runtime, places_of(alert) if alert else ())

    def doing(self, version: int | None) -> Doing:
        return Doing(self.alert_id, self.caller, self.runtime.clock.now(), version, self.request_id)

    async def once(self, step: str, body: Any, act: Callable[[], Any], *, id_: UUID | None = None) -> StepAnswer:
        """Act once for the request's key, and once for the id `id_` that the client gave the step."""
        said = body.model_dump(mode="json")
        meant = [step, {name: value for name, value in said.items() if name not in ("id", "version")}]

        async def answer() -> dict[str, Any]:
            return step_answer(await take_once(self.connection, self.doing(None), id_, meant, act))

        content = [step, str(self.alert_id), said]
        request = KeyedRequest(self.caller.subject, self.key, content, self.runtime.clock.now())
        given = await answer_once(self.connection, request, answer)
        self.wake(*WAKES)
        return StepAnswer.model_validate(given)


async def steps_of(
    alert_id: UUID,
    caller: Actor,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
    key: IdempotencyKey = None,
) -> Steps:
    return Steps(alert_id, caller, connection, runtime, context.request_id, wake, key)


StepsDep = Annotated[Steps, Depends(steps_of)]
STEP_PROBLEMS = problems(401, 403, 404, 409, 415, 422)


@router.post("/alerts/v1/alerts/{alert_id}/acknowledge", summary="签收", responses=STEP_PROBLEMS)
async def post_acknowledgement(body: AcknowledgeIn, steps: StepsDep) -> StepAnswer:
    return await steps.once(
        "acknowledge", body, lambda: acknowledge(steps.connection, steps.doing(body.version)), id_=body.id
    )


@router.post("/alerts/v1/alerts/{alert_id}/attempts", summary="登记联系不上", responses=STEP_PROBLEMS)
async def post_attempt(body: AttemptIn, steps: StepsDep) -> StepAnswer:
    attempt = Attempt(body.method, body.note, body.tried_at, body.id)

    async def act() -> Any:
        return await record_attempt(
            steps.connection, steps.doing(body.version), attempt=attempt, desk=await steps.desk()
        )

    return await steps.once("attempt", body, act, id_=body.id)


@router.post("/alerts/v1/alerts/{alert_id}/handover", summary="移交给同事", responses=STEP_PROBLEMS)
async def post_handover(body: HandOverIn, steps: StepsDep) -> StepAnswer:
    async def act() -> Any:
        return await hand_over(
            steps.connection,
            steps.doing(body.version),
            to_officer_no=body.to_officer_no,
            reason=body.reason,
            desk=await steps.desk(),
            kind=body.manner,
            handover_id=body.id,
        )

    return await steps.once("handover", body, act, id_=body.id)


@router.post("/alerts/v1/alerts/{alert_id}/verification", summary="核实办结", responses=STEP_PROBLEMS)
async def post_verification(body: VerificationIn, steps: StepsDep) -> StepAnswer:
    async def act() -> Any:
        doing = steps.doing(body.version)
        return await verify(
            steps.connection,
            doing,
            body.verification(doing.officer_no),
            verification_id=body.id or new_id(doing.now),
            runtime=steps.runtime,
        )

    return await steps.once("verification", body, act)


@router.get("/alerts/v1/inbox", summary="本人收件箱", tags=["inbox"], responses=problems(401, 403, 422))
async def get_inbox(
    caller: Addressee,
    officer_no: OwnNumber,
    connection: ScopedConnection,
    unread: Annotated[bool, Query(description="只看未读")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[InboxItem]:
    position = decode_cursor(cursor, before=int)
    rows = await repository_lists.list_inbox(
        connection, officer_no, unread=unread, before=position["before"] if position else None, limit=limit + 1
    )
    items = [view_letter(row, caller) for row in rows[:limit]]
    more = next_cursor(rows, limit, before="item_no")
    return Page(items=items, next_cursor=more)


@router.post(
    "/alerts/v1/inbox/{item_no}/read", summary="标为已读", tags=["inbox"], responses=problems(401, 403, 404, 422)
)
async def post_inbox_read(
    item_no: Annotated[int, Path(ge=1, lt=2**63)],
    caller: Addressee,
    officer_no: OwnNumber,
    connection: ScopedConnection,
    runtime: RuntimeDep,
) -> InboxItem:
    row = await repository_lists.mark_read(connection, officer_no, item_no, runtime.clock.now())
    if row is None:
        raise InboxItemUnknown
    return view_letter(row, caller)


@router.get(
    "/alerts/v1/inbox/stream",
    summary="本人收件箱实时推送（SSE）",
    tags=["inbox"],
    response_class=EventSourceResponse,
    responses=problems(401, 403, 422),
)
async def get_inbox_stream(
    caller: Addressee,
    officer_no: OwnNumber,
    runtime: RuntimeDep,
    bell: Annotated[Bell, Depends(bell_of)],
    last_event_id: Annotated[int | None, Header(alias="Last-Event-ID", ge=0, lt=2**63)] = None,
) -> AsyncIterator[ServerSentEvent]:
    settings = runtime.settings
    assert isinstance(settings, AlertsSettings)
    async for event in stream_inbox(runtime, caller, officer_no, last_event_id, bell, settings.stream_for):
        yield event
