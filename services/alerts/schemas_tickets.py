"""What is read and said of correction tickets."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from services.alerts.domain.ticket import Reply, TicketState
from shared.web.schema import Strict, without_identity_number


class TicketView(Strict):
    """数据更正单：走访发现数据有误，由来源部门核对更正；更正后的数据重新评估即自动办结。"""

    ticket_id: UUID
    alert_id: UUID
    household_no: str | None
    division: str
    department: str
    indicators: list[str] = Field(description="依据该部门数据触发的指标")
    state: TicketState
    opened_at: AwareDatetime
    due_at: AwareDatetime
    overdue: bool
    reply: str | None
    replied_at: AwareDatetime | None
    closed_at: AwareDatetime | None


class TicketReplyIn(Strict):
    """The department's word: mended at its source, or it stands by its data and says why."""

    reply: Reply
    note: Annotated[str, AfterValidator(without_identity_number), Field(min_length=2, max_length=500)]
