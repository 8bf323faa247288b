"""Search a person's household by the identity number, which is neither stored nor logged."""

import asyncpg

from services.monitoring import repository_readings as repository
from services.monitoring.read_household import summaries
from services.monitoring.schemas import HouseholdSummary
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.identity_number import IdentityNumberError, parse_identity_number


class IdentityNumberRefused(Unprocessable):
    code, title = "identity_number_refused", "身份证号有误"


async def search_person(
    connection: asyncpg.Connection,
    text: str,
    caller: Principal,
    runtime: Runtime,
    *,
    purpose: str,
    request_id: str | None = None,
) -> list[HouseholdSummary]:
    """The households a person belongs to within the caller's range; every search leaves an audit row."""
    try:
        number = parse_identity_number(text, runtime.clock.today()).number
    except IdentityNumberError as error:
        field = FieldError("body/identity_number", error.code, str(error), "18 位居民身份证号")
        raise IdentityNumberRefused("身份证号有误，请核对", errors=[field]) from None
    rows = await repository.households_of_person(connection, runtime.keys.blind_index(number))
    await audit(
        connection,
        caller,
        "household.search",
        "resident",
        now=runtime.clock.now(),
        purpose=purpose,
        request_id=request_id,
        detail={"found": len(rows)},
    )
    return await summaries(rows, caller, runtime)
