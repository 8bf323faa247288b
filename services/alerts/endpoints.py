"""The HTTP surface of alerts: one short function per operation; the work is in the verbs."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import BackgroundTasks, Depends, Header, Path, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.alerts import repository, repository_lists
from services.alerts.acknowledge import acknowledge
from services.alerts.answer_once import KeyedRequest, answer_once
from services.alerts.dispatch import desk_for
from services.alerts.domain.alert import Status
from services.alerts.hand_over import hand_over
from services.alerts.record_attempt import record_attempt
from services.alerts.route_alert import WAKES
from services.alerts.schemas import (
    AcknowledgeIn,
    AlertCount,
    AlertSummary,
    AlertView,
    AttemptIn,
    HandOverIn,
    InboxItem,
    MessageCounts,
    StepAnswer,
    Summary,
    VerificationIn,
)
from services.alerts.settings import AlertsSettings
from services.alerts.stream_inbox import Bell, stream_inbox
from services.alerts.take_step import AlertUnknown, Doing, PersonNeeded
from services.alerts.verify import verify
from services.alerts.view_alert import step_answer, summaries, view_alert
from shared.db.scope import transaction
from shared.errors import NotFound
from shared.regions.lookup import names_of
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Severity
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, require
from shared.web.page import Cursor, CursorRefused, Limit, Page, decode_cursor, encode_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr

Reader = Annotated[Principal, Depends(require("alerts:read"))]
Actor = Annotated[Principal, Depends(require("alerts:act"))]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")
]
DivisionFilter = Annotated[DivisionStr | None, Query(description="只看此区划（居住地或户籍地）")]

router = Router(tags=["alerts"])


class InboxItemUnknown(NotFound):
    code, title = "inbox_item_unknown", "没有找到这条消息"


def officer_of(caller: Reader) -> str:
    """The caller's own officer number; a system, or a login without one, has no inbox."""
    if not caller.is_person or not caller.officer_no:
        raise PersonNeeded("收件箱属于登记在册的干部本人")
    return caller.officer_no


OwnNumber = Annotated[str, Depends(officer_of)]


def bell_of(request: Request) -> Bell:
    bell: Bell = request.app.state.bell
    return bell


def after_commit(runtime: RuntimeDep, background: BackgroundTasks) -> Callable[..., None]:
    """Wake queues once the answer is out, and so the transaction committed."""

    async def wake(*names: str) -> None:
        runtime.waker.wake(*names)

    return lambda *names: background.add_task(wake, *names)


WakeDep = Annotated[Callable[..., None], Depends(after_commit)]


async def _names(runtime: Runtime, codes: set[str]) -> dict[str, str]:
    async with transaction(runtime.directory_pool) as connection:
        return await names_of(connection, codes, runtime.clock.today())


def _places(*alerts: repository.Row) -> set[str]:
    return {alert[name] for alert in alerts for name in ("living_division", "registered_division")}


@router.get("/alerts/v1/alerts", summary="预警列表", responses=problems(401, 403, 422))
async def list_alerts(
    runtime: RuntimeDep, caller: Reader, connection: ScopedConnection, context: ContextDep,
    status: Status | None = None, severity: Severity | None = None, division: DivisionFilter = None,
    overdue: Annotated[bool, Query(description="只看超期")] = False,
    mine: Annotated[bool, Query(description="只看本人负责的")] = False, cursor: Cursor = None, limit: Limit = 50,
) -> Page[AlertSummary]:
    position, now = decode_cursor(cursor, before=str), runtime.clock.now()
    lo, hi = code_range(division or caller.division)
    rows = await repository_lists.list_alerts(
        connection, lo=lo, hi=hi, status=status, severity=severity, officer_no=officer_of(caller) if mine else None,
        overdue_at=now if overdue else None, before=as_uuid(position), limit=limit + 1,
    )
    await audit(
        connection, caller, "alert.list", f"division:{lo}", now=now, request_id=context.request_id,
        detail={"rows": len(rows[:limit])},
    )
    items = summaries(rows[:limit], field_classes(caller), await _names(runtime, _places(*rows)), now)
    return Page(items=items, next_cursor=_next(items, rows, lambda item: str(item.alert_id)))


@router.get("/alerts/v1/summary", summary="预警与消息数量", responses=problems(401, 403, 422))
async def summarise(
    runtime: RuntimeDep, caller: Reader, connection: ScopedConnection, division: DivisionFilter = None
) -> Summary:
    lo, hi = code_range(division or caller.division)
    counts = await repository_lists.count_alerts(connection, lo, hi, runtime.clock.now())
    messages = await repository_lists.count_messages(connection)
    return Summary(
        counts=[AlertCount.model_validate(dict(row)) for row in counts],
        messages=MessageCounts.model_validate(dict(messages)),
    )


@router.get("/alerts/v1/alerts/{alert_id}", summary="一条预警", responses=problems(401, 403, 404, 422))
async def read_alert(
    alert_id: UUID, runtime: RuntimeDep, caller: Reader, connection: ScopedConnection, context: ContextDep
) -> AlertView:
    alert, now = await repository_lists.alert_by_id(connection, alert_id), runtime.clock.now()
    if alert is None:
        raise AlertUnknown
    await audit(connection, caller, "alert.read", f"alert:{alert_id}", now=now, request_id=context.request_id)
    return await view_alert(connection, alert, field_classes(caller), await _names(runtime, _places(alert)), now)


class Steps:
    """What every step on an alert needs: who, when, with which key; the answer is given once per key."""

    def __init__(
        self, alert_id: UUID, runtime: RuntimeDep, caller: Actor, connection: ScopedConnection, context: ContextDep,
        wake: WakeDep, key: IdempotencyKey = None,
    ) -> None:
        self.alert_id, self.runtime, self.caller, self.connection = alert_id, runtime, caller, connection
        self.request_id, self.wake, self.key = context.request_id, wake, key

    def doing(self, version: int | None) -> Doing:
        return Doing(self.alert_id, self.caller, self.runtime.clock.now(), version, self.request_id)

    async def once(self, step: str, body: Any, act: Callable[[], Any]) -> StepAnswer:
        async def answer() -> dict[str, Any]:
            return step_answer(await act())

        content = [step, str(self.alert_id), body.model_dump(mode="json")]
        request = KeyedRequest(self.caller.subject, self.key, content, self.runtime.clock.now())
        given = await answer_once(self.connection, request, answer)
        self.wake(*WAKES)
        return StepAnswer.model_validate(given)


StepsDep = Annotated[Steps, Depends(Steps)]
STEP_PROBLEMS = problems(401, 403, 404, 409, 415, 422)


@router.post("/alerts/v1/alerts/{alert_id}/acknowledge", summary="签收", responses=STEP_PROBLEMS)
async def post_acknowledge(body: AcknowledgeIn, steps: StepsDep) -> StepAnswer:
    return await steps.once(
        "acknowledge", body, lambda: acknowledge(steps.connection, steps.doing(body.version))
    )


@router.post("/alerts/v1/alerts/{alert_id}/attempts", summary="登记联系不上", responses=STEP_PROBLEMS)
async def post_attempt(body: AttemptIn, steps: StepsDep) -> StepAnswer:
    return await steps.once(
        "attempt", body,
        lambda: record_attempt(steps.connection, steps.doing(body.version), method=body.method, note=body.note),
    )


@router.post("/alerts/v1/alerts/{alert_id}/handover", summary="移交给同事", responses=STEP_PROBLEMS)
async def post_handover(body: HandOverIn, steps: StepsDep) -> StepAnswer:
    async def act() -> Any:
        alert = await repository_lists.alert_by_id(steps.connection, steps.alert_id)
        desk = await desk_for(steps.runtime, _places(alert) if alert else ())
        doing = steps.doing(body.version)
        return await hand_over(
            steps.connection, doing, to_officer_no=body.to_officer_no, reason=body.reason, desk=desk
        )

    return await steps.once("handover", body, act)


@router.post("/alerts/v1/alerts/{alert_id}/verification", summary="核实办结", responses=STEP_PROBLEMS)
async def post_verification(body: VerificationIn, steps: StepsDep) -> StepAnswer:
    async def act() -> Any:
        doing = steps.doing(body.version)
        return await verify(
            steps.connection, doing, body.verification(doing.officer_no),
            verification_id=body.id or new_id(doing.now), today=steps.runtime.clock.today(),
        )

    return await steps.once("verification", body, act)


@router.get("/alerts/v1/inbox", summary="本人收件箱", tags=["inbox"], responses=problems(401, 403, 422))
async def read_inbox(
    officer_no: OwnNumber, connection: ScopedConnection,
    unread: Annotated[bool, Query(description="只看未读")] = False, cursor: Cursor = None, limit: Limit = 50,
) -> Page[InboxItem]:
    position = decode_cursor(cursor, before=int)
    rows = await repository_lists.list_inbox(
        connection, officer_no, unread=unread, before=position["before"] if position else None, limit=limit + 1
    )
    items = [InboxItem.model_validate(dict(row)) for row in rows[:limit]]
    return Page(items=items, next_cursor=_next(items, rows, lambda item: item.item_no))


@router.post(
    "/alerts/v1/inbox/{item_no}/read", summary="标为已读", tags=["inbox"], responses=problems(401, 403, 404, 422)
)
async def mark_read(
    item_no: Annotated[int, Path(ge=1, lt=2**63)], runtime: RuntimeDep, officer_no: OwnNumber,
    connection: ScopedConnection,
) -> InboxItem:
    row = await repository_lists.mark_read(connection, officer_no, item_no, runtime.clock.now())
    if row is None:
        raise InboxItemUnknown
    return InboxItem.model_validate(dict(row))


@router.get(
    "/alerts/v1/inbox/stream", summary="本人收件箱实时推送（SSE）", tags=["inbox"],
    response_class=EventSourceResponse, responses=problems(401, 403, 422),
)
async def stream(
    runtime: RuntimeDep, caller: Reader, officer_no: OwnNumber, bell: Annotated[Bell, Depends(bell_of)],
    last_event_id: Annotated[int | None, Header(alias="Last-Event-ID", ge=0, lt=2**63)] = None,
) -> AsyncIterator[ServerSentEvent]:
    settings = runtime.settings
    assert isinstance(settings, AlertsSettings)
    async for event in stream_inbox(runtime, caller, officer_no, last_event_id, bell, settings.stream_for):
        yield event


def as_uuid(position: dict[str, Any] | None) -> UUID | None:
    """The id in a cursor; CursorRefused if it is none."""
    if position is None:
        return None
    try:
        return UUID(position["before"])
    except ValueError:
        raise CursorRefused from None


def _next(items: list[Any], rows: list[Any], key: Callable[[Any], Any]) -> str | None:
    return encode_cursor({"before": key(items[-1])}) if len(rows) > len(items) else None
