"""Reply to a correction ticket: a department says that it mended its data, or why it stands by it."""

from uuid import UUID

import asyncpg

from services.alerts import repository_tickets
from services.alerts.domain.ticket import Reply, TicketState, after_reply
from services.alerts.step_task import NO_SECTOR
from services.alerts.take_step import Doing, PersonNeeded
from shared.clock import SHANGHAI
from shared.errors import Conflict, Forbidden, NotFound
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.terms import Role


class TicketUnknown(NotFound):
    """There is no such ticket, it is out of range, or another department's: to a liaison all look alike."""

    code, title = "ticket_unknown", "没有找到该更正单"


class TicketClosed(Conflict):
    code, title = "ticket_closed", "更正单已办结"


class TicketOfAnotherDepartment(Forbidden):
    """The village and the township see the tickets of their households, and answer none."""

    code, title = "ticket_of_another_department", "该更正单属于其他部门"


async def reply_ticket(
    connection: asyncpg.Connection, ticket_id: UUID, doing: Doing, reply: Reply, note: str
) -> asyncpg.Record:
    """Write the department's word; only its liaison, or the county for it, can say it."""
    officer_no = doing.officer_no
    ticket = await repository_tickets.lock_ticket(connection, ticket_id)
    if ticket is None:
        raise TicketUnknown
    check_speaker(doing.caller, ticket["department"])
    state = after_reply(TicketState(ticket["state"]), reply)
    if state is None:
        raise TicketClosed(f"更正单已于 {ticket['closed_at'].astimezone(SHANGHAI).date()} 办结")
    said = {"state": state, "reply": note, "replied_by": officer_no, "replied_at": doing.now}
    closed = {"closed_at": doing.now} if state is TicketState.KEPT else {}
    row = await repository_tickets.reply(connection, ticket_id, said | closed)
    action, object_ = f"ticket.{reply}", f"ticket:{ticket_id}"
    await audit(connection, doing.caller, action, object_, now=doing.now, request_id=doing.request_id)
    return row


def department_for(caller: Principal) -> str | None:
    """The only department whose tickets the caller sees; a liaison of none sees none."""
    return caller.department or (NO_SECTOR if caller.role is Role.LIAISON else None)


def check_speaker(caller: Principal, department: str) -> None:
    """A department's ticket is its liaison's to answer, or a county administrator's; to other departments unknown."""
    if not caller.is_person:
        raise PersonNeeded
    if caller.role is Role.COUNTY_ADMIN or caller.department == department:
        return
    if department_for(caller) is not None:
        raise TicketUnknown
    raise TicketOfAnotherDepartment(f"更正单由{department}核对")
