"""The phone page over HTTP: a cadre's own alerts, up to the answer and the next. Forms work without script."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import Query, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.datastructures import FormData

from services.alerts import repository_answers
from services.alerts.acknowledge import acknowledge
from services.alerts.answer_alert import answer_alert
from services.alerts.answer_handover import HandoverReasonNeeded, HandoverSettled, Reply, answer_handover
from services.alerts.answer_once import KeyedRequest, answer_once
from services.alerts.dispatch import desk_for
from services.alerts.domain.alert import Status
from services.alerts.domain.answer_form import NAMES, answer_of, label_of
from services.alerts.domain.handover import HandoverAnswer
from services.alerts.hand_over import ColleagueNotOnDuty, HandoverPending, HandoverUnsuited, hand_over
from services.alerts.phone_token import BASE
from services.alerts.phone_visit import Posted, Visit, VisitDep, page_router, pages
from services.alerts.record_attempt import Attempt, record_attempt
from services.alerts.render_phone import render
from services.alerts.route_alert import WAKES
from services.alerts.schemas import AttemptIn, HandOverIn, VerificationIn
from services.alerts.schemas_answers import HandoverAnswerIn
from services.alerts.take_step import AlertChanged
from services.alerts.verify import VerificationIncomplete
from services.alerts.view_alert import places_of, step_answer
from services.alerts.view_phone import Mine, find_mine, next_errand, view_errands, view_household
from shared.errors import FangpinError
from shared.security.audit import audit
from shared.vocabulary.identifiers import new_id
from shared.web.dependencies import ScopeMissing
from shared.web.problem import of_validation

router = page_router()
# What a cadre can mend himself, shown above the form with all he typed.
MENDABLE = (
    VerificationIncomplete,
    AlertChanged,
    ColleagueNotOnDuty,
    HandoverPending,
    HandoverUnsuited,
    HandoverReasonNeeded,
    HandoverSettled,
)


@router.get("/", summary="我的预警", responses=pages(303, 401))
async def get_list(visit: VisitDep, page: Annotated[int, Query(ge=1, le=1000)] = 1, said: str = "") -> Response:
    errands = await view_errands(visit.connection, visit.phone, visit.runtime, page=page)
    return render("list", phone=visit.phone, errands=errands, said=_SAID.get(said, ""))


_SAID = {
    "acknowledged": "已签收，请按期上门核实",
    "attempt": "已记下联系不上，请换个时间再去",
    "handed_over": "已请同事接手，对方接收前仍由您负责",
    "accept": "已接收，请按期上门核实",
    "decline": "已退回",
}


@router.get("/a/{alert_id}", summary="一户的情况和核实表", responses=pages(303, 401, 404))
async def get_household(alert_id: UUID, visit: VisitDep, said: str = "") -> Response:
    mine = await find_mine(visit.connection, visit.phone, alert_id)
    await audit(
        visit.connection,
        mine.caller,
        "alert.read",
        f"alert:{alert_id}",
        now=visit.runtime.clock.now(),
        request_id=visit.request_id,
    )
    return await _household(visit, mine, said=_SAID.get(said, ""))


async def _household(
    visit: Visit, mine: Mine, *, status: int = 200, errors: Sequence[str] = (), said: str = ""
) -> Response:
    household = await view_household(visit.connection, mine, visit.runtime)
    given = _texts(visit.form)
    return render(
        "household",
        phone=visit.phone,
        status=status,
        household=household,
        # Made anew for each form: what is sent twice under it counts once.
        entered={"id": str(new_id()), "on": household.today.isoformat(), **given},
        chosen_causes=[str(cause) for cause in visit.form.getlist("causes")],
        errors=errors,
        said=said,
    )


def _texts(form: FormData) -> dict[str, str]:
    return {name: text for name in NAMES if isinstance(text := form.get(name), str)}


async def _taken(visit: Visit, alert_id: UUID, act: Callable[[Mine], Awaitable[None]]) -> Response | None:
    """Act on the cadre's alert; what he has to mend comes back as the page, with all he typed."""
    mine = await find_mine(visit.connection, visit.phone, alert_id)
    if "alerts:act" not in mine.caller.scopes:
        raise ScopeMissing("您的岗位不能处理预警")
    try:
        # What is refused leaves nothing behind, not even the key it came under.
        async with visit.connection.transaction():
            await act(mine)
    except ValidationError as error:
        refused: FangpinError = of_validation(error.errors(), None)
    except MENDABLE as error:
        refused = error
    else:
        visit.wake(*WAKES)
        return None
    mine = await find_mine(visit.connection, visit.phone, alert_id)
    return await _household(visit, mine, status=refused.status, errors=_words(refused))


def _words(refused: FangpinError) -> list[str]:
    """What is to be mended, by the names the page calls the fields."""
    if isinstance(refused, VerificationIncomplete):
        return [one.message for one in refused.errors]
    said = ["：".join(filter(None, (label_of(one.where), one.message))) for one in refused.errors]
    return said or [refused.detail]


@router.post("/a/{alert_id}/acknowledge", summary="签收", responses=pages(303, 401, 403, 404, 409))
async def post_acknowledge(alert_id: UUID, visit: Posted) -> Response:
    async def act(mine: Mine) -> None:
        await acknowledge(visit.connection, visit.doing(mine))

    refused = await _taken(visit, alert_id, act)
    return refused or RedirectResponse(f"{BASE}/a/{alert_id}?said=acknowledged", 303)


@router.post("/a/{alert_id}/attempt", summary="登记联系不上", responses=pages(303, 401, 403, 404, 409))
async def post_attempt(alert_id: UUID, visit: Posted) -> Response:
    async def act(mine: Mine) -> None:
        given = {name: text for name in ("method", "note") if (text := str(visit.form.get(name, "")))}
        body = AttemptIn.model_validate(given)

        desk = await desk_for(visit.runtime, places_of(mine.alert))

        async def step() -> asyncpg.Record:
            attempt = Attempt(body.method, body.note)
            return await record_attempt(visit.connection, visit.doing(mine), attempt=attempt, desk=desk)

        await _once(visit, mine, "attempt", body, step)

    refused = await _taken(visit, alert_id, act)
    return refused or RedirectResponse(f"{BASE}/a/{alert_id}?said=attempt", 303)


@router.post("/a/{alert_id}/handover", summary="移交给同事", responses=pages(303, 401, 403, 404, 409))
async def post_handover(alert_id: UUID, visit: Posted) -> Response:
    async def act(mine: Mine) -> None:
        body = HandOverIn.model_validate({name: visit.form.get(name) for name in ("to_officer_no", "reason")})
        desk = await desk_for(visit.runtime, places_of(mine.alert))

        async def step() -> asyncpg.Record:
            doing = visit.doing(mine)
            return await hand_over(
                visit.connection, doing, to_officer_no=body.to_officer_no, reason=body.reason, desk=desk
            )

        await _once(visit, mine, "handover", body, step)

    refused = await _taken(visit, alert_id, act)
    return refused or RedirectResponse(f"{BASE}/?said=handed_over", 303)


@router.post("/a/{alert_id}/offer", summary="接收或退回移交", responses=pages(303, 401, 403, 404, 409))
async def post_offer(alert_id: UUID, visit: Posted) -> Response:
    answer = HandoverAnswer.ACCEPT if visit.form.get("answer") == "accept" else HandoverAnswer.DECLINE

    async def act(mine: Mine) -> None:
        given = HandoverAnswerIn.model_validate({"answer": answer, "reason": str(visit.form.get("reason")) or None})
        offer = await repository_answers.pending_handover(visit.connection, alert_id)
        if offer is None:
            raise HandoverSettled
        reply = Reply(offer["handover_id"], given.answer, given.reason)
        await answer_handover(visit.connection, visit.doing(mine), reply, visit.runtime)

    refused = await _taken(visit, alert_id, act)
    back = f"{BASE}/a/{alert_id}" if answer is HandoverAnswer.ACCEPT else f"{BASE}/"
    return refused or RedirectResponse(f"{back}?said={answer}", 303)


async def _once(
    visit: Visit, mine: Mine, step: str, body: AttemptIn | HandOverIn, act: Callable[[], Awaitable[asyncpg.Record]]
) -> None:
    """Act once under the form's id, as the API does under an Idempotency-Key."""

    async def answer() -> dict[str, Any]:
        return step_answer(await act())

    content = [step, str(mine.alert["alert_id"]), body.model_dump(mode="json")]
    key = f"{step}:{str(visit.form.get('id') or new_id())[:64]}"
    request = KeyedRequest(f"phone:{visit.phone.officer_no}", key, content, visit.runtime.clock.now())
    await answer_once(visit.connection, request, answer)


@router.post("/a/{alert_id}/answer", summary="核实办结", responses=pages(303, 401, 403, 404, 409))
async def post_answer(alert_id: UUID, visit: Posted) -> Response:
    async def act(mine: Mine) -> None:
        causes = [str(cause) for cause in visit.form.getlist("causes")]
        answer = VerificationIn.model_validate(answer_of(_texts(visit.form), causes))
        seen = str(visit.form.get("seen", ""))
        await answer_alert(visit.connection, visit.doing(mine), answer, seen=seen, runtime=visit.runtime)

    refused = await _taken(visit, alert_id, act)
    return refused or RedirectResponse(f"{BASE}/a/{alert_id}/done", 303)


@router.get("/a/{alert_id}/done", summary="办结，下一户", responses=pages(303, 401, 404))
async def get_done(alert_id: UUID, visit: VisitDep) -> Response:
    mine = await find_mine(visit.connection, visit.phone, alert_id)
    if mine.alert["status"] != Status.CLOSED:
        return RedirectResponse(f"{BASE}/a/{alert_id}", 303)
    done = await view_household(visit.connection, mine, visit.runtime)
    following, left = await next_errand(visit.connection, visit.phone, visit.runtime)
    return render("done", phone=visit.phone, done=done, next=following, left=left, clear=str(alert_id))
