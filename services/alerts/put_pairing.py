"""Write who helps a household (帮扶责任人), or the end of it."""

from datetime import date, datetime
from typing import Any

import asyncpg

from services.alerts import repository_pairing
from services.alerts.check_pairing import Wanted, objections_to
from services.alerts.schemas_duty import PairingIn
from shared.errors import FieldError, Unprocessable
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, covers, level_of


class PairingRefused(Unprocessable):
    code, title = "pairing_refused", "结对未登记"


async def put_pairing(
    connection: asyncpg.Connection, pairing: PairingIn, caller: Principal, *, now: datetime, today: date
) -> dict[str, Any]:
    """The pairing as stored, with the helper's name. Against the rule it needs a reason."""
    if not covers(caller.division, pairing.division):
        raise _refused("division", "out_of_range", "超出您的行政区划范围")
    if level_of(pairing.division) is not DivisionLevel.VILLAGE:
        raise _refused("division", "not_a_village", "应填农户居住的村")
    fields = ("household_no", "division", "officer_no", "base_group", "reason")
    wanted = Wanted(**{name: getattr(pairing, name) for name in fields})
    (objection,) = await objections_to(connection, [wanted], today)
    if objection is not None:
        raise _refused(objection.field, objection.code, objection.message, objection.expected)
    await repository_pairing.put_pairings(connection, [{**pairing.model_dump(mode="json"), "recorded_at": now}])
    stored = await _stored(connection, pairing)
    await audit(connection, caller, "pairing.put", f"pairing:{stored['pairing_id']}", now=now)
    return dict(stored)


async def _stored(connection: asyncpg.Connection, pairing: PairingIn) -> asyncpg.Record:
    rows = await repository_pairing.list_pairings(
        connection,
        pairing.division,
        pairing.division + "0",
        household_no=pairing.household_no,
        officer_no=pairing.officer_no,
    )
    return next(row for row in rows if row["since"] == pairing.since)


def _refused(field: str, code: str, message: str, expected: str | None = None) -> PairingRefused:
    return PairingRefused(message, errors=[FieldError(f"body/{field}", code, message, expected)])
