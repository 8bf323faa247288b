"""Put a table of routes as a draft of its county; a version is never changed, the next is another."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from services.alerts import repository_routes
from services.alerts.domain.route_difference import Difference, difference
from services.alerts.domain.route_table import RowError, read_routes
from services.alerts.read_route_rows import RouteTableRefused, Rows
from services.alerts.repository import Row
from services.alerts.rules_in_force import Routes, routes_at
from shared.errors import FieldError
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft as stored, what is otherwise than in the version in force, and lines that can never apply."""

    version: Row
    against: str
    difference: Difference
    warnings: tuple[RowError, ...]


async def put_routes(
    connection: asyncpg.Connection, rows: Rows, county: str, caller: Principal, runtime: Runtime
) -> Drafted:
    """Keep a table as a draft of the county; the same table again is the same draft. RouteTableRefused."""
    read = read_routes(rows, county)
    if read.root is None:
        raise RouteTableRefused(
            f"有 {len(read.errors)} 处错误", errors=[field_error(error) for error in read.errors[:100]]
        )
    version = await _draft(connection, rows, county, caller, runtime.clock.now())
    in_force = await _in_force(connection, county, runtime.clock.today())
    changed = difference([row for _, row in in_force.lines], [row for _, row in rows])
    return Drafted(version, in_force.name, changed, read.warnings)


def field_error(error: RowError) -> FieldError:
    where = f"line/{error.line}/{error.column}"
    return FieldError(where, error.code, error.message, error.expected, error.example)


async def _in_force(connection: asyncpg.Connection, county: str, on: date) -> Routes:
    return (await routes_at(connection, {county}, on))[county]


async def _draft(connection: asyncpg.Connection, rows: Rows, county: str, caller: Principal, now: datetime) -> Row:
    lines = [{"line": number, **row} for number, row in rows]
    said = [{name: text for name, text in line.items() if name != "line"} for line in lines]
    digest = hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    await repository_routes.lock_versions(connection, county)
    known = await repository_routes.draft_like(connection, county, digest)
    if known is not None:
        return known
    number = await repository_routes.last_number(connection, county) + 1
    version = await repository_routes.add_version(
        connection,
        {
            "version_id": new_id(now),
            "name": f"{county[:6]}-{number}",
            "division": county,
            "division_hi": code_range(county)[1],
            "number": number,
            "state": "draft",
            "lines": lines,
            "digest": digest,
            "created_by": caller.officer_no or caller.subject,
            "created_at": now,
        },
    )
    await audit(connection, caller, "routes.put", f"routes:{version['name']}", now=now, detail={"lines": len(rows)})
    return version
