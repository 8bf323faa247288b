"""Read routes: those in force on a day, one version, and what is otherwise between two."""

from datetime import date

import asyncpg

from services.alerts import repository_routes
from services.alerts.domain.route_difference import Difference, difference
from services.alerts.repository import Row
from services.alerts.rules_in_force import NATIONAL, Routes, national_routes, routes_at, routes_of
from shared.errors import NotFound
from shared.security.principal import Principal
from shared.vocabulary.division import code_range


class RouteVersionUnknown(NotFound):
    code, title = "route_version_unknown", "没有找到该路由版本"


async def stored_version(connection: asyncpg.Connection, name: str, caller: Principal) -> Row:
    """A version of the caller's county, or of one within his range; RouteVersionUnknown."""
    lo, hi = code_range(caller.division)
    row = await repository_routes.version_by_name(connection, name, lo, hi)
    if row is None:
        raise RouteVersionUnknown
    return row


async def routes_asked(
    connection: asyncpg.Connection, caller: Principal, county: str, *, version: str | None, on: date
) -> Routes:
    """A version by its name, or the one in force in a county on a day; RouteVersionUnknown."""
    if version == NATIONAL:
        return national_routes()
    if version is not None:
        return routes_of(await stored_version(connection, version, caller))
    return (await routes_at(connection, {county}, on))[county]


def between(before: Routes, after: Routes) -> Difference:
    return difference([row for _, row in before.lines], [row for _, row in after.lines])
