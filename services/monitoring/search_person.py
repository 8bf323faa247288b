"""Search a person's household by the identity number, which is neither stored nor logged, or by name and place."""

from typing import Any

import asyncpg

from services.monitoring import repository_readings as repository
from services.monitoring import repository_register as register
from services.monitoring.list_households import FilterNotForPost
from services.monitoring.read_household import CONTACT, summaries
from services.monitoring.schemas import HouseholdSummary, SearchRequest
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identity_number import IdentityNumberError, parse_identity_number

MOST_NAMED = 50


class IdentityNumberRefused(Unprocessable):
    code, title = "identity_number_refused", "身份证号有误"


async def search_person(
    connection: asyncpg.Connection,
    asked: SearchRequest,
    caller: Principal,
    runtime: Runtime,
    *,
    request_id: str | None = None,
) -> list[HouseholdSummary]:
    """The households a person belongs to within the caller's range; every search leaves an audit row."""
    rows = await (_named(connection, asked, caller) if asked.name else _numbered(connection, asked, runtime))
    await audit(
        connection,
        caller,
        "household.search",
        "resident",
        now=runtime.clock.now(),
        purpose=asked.purpose,
        request_id=request_id,
        detail={"found": len(rows), "by": "name" if asked.name else "number"},
    )
    return await summaries(rows, caller, runtime)


async def _numbered(connection: asyncpg.Connection, asked: SearchRequest, runtime: Runtime) -> list[dict[str, Any]]:
    assert asked.identity_number is not None
    try:
        number = parse_identity_number(asked.identity_number, runtime.clock.today()).number
    except IdentityNumberError as error:
        field = FieldError("body/identity_number", error.code, str(error), "18 位居民身份证号")
        raise IdentityNumberRefused("身份证号有误，请核对", errors=[field]) from None
    return await repository.households_of_person(connection, runtime.keys.blind_index(number))


async def _named(connection: asyncpg.Connection, asked: SearchRequest, caller: Principal) -> list[dict[str, Any]]:
    """By the beginning of a name; only for posts that see names, to whom it shows nothing new."""
    assert asked.name is not None
    assert asked.division is not None
    if CONTACT not in field_classes(caller):
        raise FilterNotForPost("按姓名查找需要查看姓名的权限")
    return await register.people_named(connection, asked.name, *code_range(asked.division), MOST_NAMED)
