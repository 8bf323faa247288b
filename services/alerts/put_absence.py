"""Write days on which an officer does not answer (请假); his deputy does, or the level above."""

from datetime import datetime
from typing import Any

import asyncpg

from services.alerts import repository_duty, repository_people
from services.alerts.schemas_duty import AbsenceIn
from shared.errors import FieldError, Unprocessable
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import covers


class AbsenceRefused(Unprocessable):
    code, title = "absence_refused", "请假未登记"


async def put_absence(
    connection: asyncpg.Connection, absence: AbsenceIn, caller: Principal, now: datetime
) -> dict[str, Any]:
    """The absence as stored, with the officer's name; one that begins on the same day gets the new end."""
    officer = await repository_people.officer_by_no(connection, absence.officer_no)
    if officer is None or not covers(caller.division, officer["division"]):
        error = FieldError("body/officer_no", "officer_unknown", "没有找到该干部")
        raise AbsenceRefused("没有找到该干部", errors=[error])
    await repository_duty.put_absences(connection, [{**absence.model_dump(mode="json"), "recorded_at": now}])
    row = await connection.fetchrow(
        "SELECT * FROM absence WHERE officer_no = $1 AND first_day = $2", absence.officer_no, absence.first_day
    )
    assert row is not None, "it was written in this transaction"
    await audit(connection, caller, "absence.put", f"absence:{row['absence_id']}", now=now)
    return {**row, "name": officer["name"]}
