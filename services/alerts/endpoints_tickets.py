"""Correction tickets over HTTP."""

from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends, Query

from services.alerts import repository_tickets
from services.alerts.domain.ticket import WAITING, TicketState
from services.alerts.endpoints import STEP_PROBLEMS, DivisionFilter
from services.alerts.reply_ticket import TicketUnknown, department_for, reply_ticket
from services.alerts.schemas_tickets import TicketReplyIn, TicketView
from services.alerts.take_step import Doing
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, require
from shared.web.page import NewestFirst, Page
from shared.web.problem import problems
from shared.web.routing import Router

Worker = Annotated[Principal, Depends(require("alerts:tasks"))]

router = Router(tags=["tickets"])
Department = Annotated[str | None, Query(max_length=40, description="只看一个部门", examples=["医疗保障"])]


@router.get("/alerts/v1/tickets", summary="数据更正单", responses=problems(401, 403, 422))
async def get_tickets(
    caller: Worker,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    newest: NewestFirst,
    division: DivisionFilter = None,
    department: Department = None,
    state: TicketState | None = None,
    overdue: Annotated[bool, Query(description="只看超期")] = False,
) -> Page[TicketView]:
    """部门联络员只看到本部门的更正单。"""
    rows = await repository_tickets.list_tickets(
        connection,
        *code_range(division or caller.division),
        department=department_for(caller) or department,
        state=state,
        overdue_at=runtime.clock.now() if overdue else None,
        before=newest.before,
        limit=newest.wanted,
    )
    return newest.page([_view(row, runtime) for row in newest.shown(rows)], rows, "ticket_id")


@router.get("/alerts/v1/tickets/{ticket_id}", summary="一份数据更正单", responses=problems(401, 403, 404, 422))
async def get_ticket(
    ticket_id: UUID, caller: Worker, connection: ScopedConnection, runtime: RuntimeDep
) -> TicketView:
    ticket = await repository_tickets.ticket_by_id(connection, ticket_id, department_for(caller))
    if ticket is None:
        raise TicketUnknown
    return _view(ticket, runtime)


@router.post("/alerts/v1/tickets/{ticket_id}/reply", summary="部门回复更正单", responses=STEP_PROBLEMS)
async def post_ticket_reply(
    ticket_id: UUID,
    body: TicketReplyIn,
    caller: Worker,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
) -> TicketView:
    doing = Doing(ticket_id, caller, runtime.clock.now(), request_id=context.request_id)
    return _view(await reply_ticket(connection, ticket_id, doing, body.reply, body.note), runtime)


def _view(row: asyncpg.Record, runtime: Runtime) -> TicketView:
    fields = {name: row[name] for name in TicketView.model_fields if name in row.keys()}  # noqa: SIM118
    late = row["state"] in WAITING and row["due_at"] < runtime.clock.now()
    return TicketView(**fields, indicators=sorted(row["measured"]), overdue=late)
