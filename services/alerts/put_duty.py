"""Write a post of an officer, or its end: from then on others are asked."""

from datetime import datetime
from typing import Any

import asyncpg

from services.alerts import repository_people
from services.alerts.domain.officer_list import LEVEL_OF_ROLE
from services.alerts.schemas import DutyIn
from services.alerts.settle_posts import settle_posts
from shared.errors import FieldError, Unprocessable
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range, covers, level_of
from shared.vocabulary.terms import Role


class DutyRefused(Unprocessable):
    code, title = "duty_refused", "职责未登记"


async def put_duty(connection: asyncpg.Connection, duty: DutyIn, caller: Principal, now: datetime) -> dict[str, Any]:
    """The post as stored, with its holder's name."""
    officer = await repository_people.officer_by_no(connection, duty.officer_no)
    if officer is None:
        raise _refused("officer_no", "officer_unknown", "没有找到该干部")
    if not covers(caller.division, duty.division):
        raise _refused("division", "out_of_range", "超出您的行政区划范围")
    if level_of(duty.division) is not LEVEL_OF_ROLE[Role(duty.role)]:
        raise _refused("division", "role_level", "角色与区划级别不符")
    if duty.deputy_no is not None:
        await _check_deputy(connection, duty, duty.deputy_no)
    row = await repository_people.put_duty(
        connection, {**duty.model_dump(), "division_hi": code_range(duty.division)[1]}
    )
    await settle_posts(connection, [duty.officer_no], caller.division, now)
    await audit(connection, caller, "duty.put", f"duty:{row['duty_id']}", now=now)
    return {**row, "name": officer["name"]}


async def _check_deputy(connection: asyncpg.Connection, duty: DutyIn, deputy_no: str) -> None:
    home = (await repository_people.homes_of(connection, [deputy_no])).get(deputy_no)
    if deputy_no == duty.officer_no:
        raise _refused("deputy_no", "own_deputy", "代理人不能是本人")
    if home is None:
        raise _refused("deputy_no", "officer_unknown", "没有找到代理人")
    if not covers(home, duty.division):
        raise _refused("deputy_no", "deputy_elsewhere", "代理人管不到此地，看不到要办的预警")


def _refused(field: str, code: str, message: str) -> DutyRefused:
    return DutyRefused(message, errors=[FieldError(f"body/{field}", code, message)])
