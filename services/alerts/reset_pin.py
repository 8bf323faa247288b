"""Reset a forgotten PIN: the officer sets a new one with his next link, and all his phones are forgotten."""

from datetime import datetime

import asyncpg

from services.alerts import repository_people, repository_phone
from shared.errors import NotFound
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range


class OfficerUnknown(NotFound):
    code, title = "officer_unknown", "没有找到该干部"


async def reset_pin(
    connection: asyncpg.Connection,
    officer_no: str,
    reason: str,
    caller: Principal,
    *,
    now: datetime,
    request_id: str | None,
) -> bool:
    """Forget the PIN and the phones of an officer in the caller's range; False if he had no PIN."""
    officer = await repository_people.officer_by_no(connection, officer_no)
    lo, hi = code_range(caller.division)
    if officer is None or not lo <= officer["division"] < hi:
        raise OfficerUnknown
    await repository_phone.act_as(connection, officer_no)
    await repository_phone.end_sessions_of(connection, officer_no)
    had_one = await repository_phone.drop_pin(connection, officer_no)
    await audit(
        connection,
        caller,
        "phone.pin_reset",
        f"officer:{officer_no}",
        now=now,
        purpose=reason,
        request_id=request_id,
    )
    return had_one
