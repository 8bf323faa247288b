"""The HTTP surface of routes: the table in force, its versions, drafts, and what a route would do."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Path, Query, Request

from services.alerts import repository_routes
from services.alerts.activate_routes import activate_routes
from services.alerts.admin_endpoints import Admin, Day
from services.alerts.county_of_routes import county_to_read, county_to_write
from services.alerts.endpoints import Reader
from services.alerts.explain_route import case_of_alert, case_of_labels, explain_route
from services.alerts.put_routes import put_routes
from services.alerts.read_route_rows import read_route_rows
from services.alerts.read_routes import between, routes_asked, stored_version
from services.alerts.schemas_routes import (
    TABLE_BODY,
    ActivateIn,
    DifferenceView,
    DraftView,
    RouteExplained,
    RoutesView,
    RouteTestIn,
    RouteVersionView,
    difference_view,
    version_view,
    warnings_view,
)
from shared.errors import DivisionOutOfRange
from shared.vocabulary.division import covers
from shared.web.dependencies import RuntimeDep, ScopedConnection
from shared.web.page import Cursor, Limit, Page, decode_cursor, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr

_NAME = r"^[0-9a-z_-]+$"
Version = Annotated[str, Path(max_length=40, pattern=_NAME, examples=["130624-3"])]
SomeVersion = Annotated[str | None, Query(max_length=40, pattern=_NAME, examples=["130624-3"])]
ForCounty = Annotated[DivisionStr | None, Query(description="县级代码，默认本人所在县")]

router = Router(tags=["routes"])


async def day_or_today(
    runtime: RuntimeDep, on: Annotated[Day | None, Query(description="这一天生效的", examples=["2026-12-01"])] = None
) -> date:
    return on or runtime.clock.today()


OnDay = Annotated[date, Depends(day_or_today)]


@router.get("/alerts/v1/routes", summary="生效的路由表", responses=problems(401, 403, 404, 422))
async def get_routes(
    caller: Reader, connection: ScopedConnection, on: OnDay, division: ForCounty = None, version: SomeVersion = None
) -> RoutesView:
    county = county_to_read(caller, division)
    routes = await routes_asked(connection, caller, county, version=version, on=on)
    return RoutesView(version=routes.name, division=county, lines=[dict(row) for _, row in routes.lines])


@router.put(
    "/alerts/v1/routes",
    summary="导入路由表（JSON、CSV 或 XLSX）为草案，整表成功或整表不变",
    responses=problems(400, 401, 403, 415, 422),
    openapi_extra=TABLE_BODY,
)
async def put_route_table(
    request: Request, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, division: ForCounty = None
) -> DraftView:
    county = county_to_write(caller, division)
    rows = await read_route_rows(await request.body(), request.headers.get("content-type", ""))
    made = await put_routes(connection, rows, county, caller, runtime)
    draft = version_view(made.version)
    return DraftView(
        draft=draft,
        difference=difference_view(draft.version, made.against, made.difference),
        warnings=warnings_view(made.warnings),
    )


@router.get("/alerts/v1/routes/versions", summary="路由版本", responses=problems(401, 403, 422))
async def get_route_versions(
    caller: Reader, connection: ScopedConnection, division: ForCounty = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[RouteVersionView]:
    county, position = county_to_read(caller, division), decode_cursor(cursor, before=int)
    before = min(position["before"], 2**31 - 1) if position else None
    rows = await repository_routes.list_versions(connection, county, before=before, limit=limit + 1)
    more = next_cursor(rows, limit, before="number")
    return Page(items=[version_view(row) for row in rows[:limit]], next_cursor=more)


@router.get(
    "/alerts/v1/routes/versions/{version}/difference",
    summary="与另一版本（默认生效版本）的差异",
    responses=problems(401, 403, 404, 422),
)
async def get_route_difference(
    version: Version, caller: Reader, connection: ScopedConnection, on: OnDay, against: SomeVersion = None
) -> DifferenceView:
    row = await stored_version(connection, version, caller)
    after = await routes_asked(connection, caller, row["division"], version=version, on=on)
    before = await routes_asked(connection, caller, row["division"], version=against, on=on)
    return difference_view(after.name, before.name, between(before, after))


@router.post(
    "/alerts/v1/routes/versions/{version}/activate",
    summary="启用草案（仅限个人）",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_route_activation(
    version: Version, body: ActivateIn, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep
) -> RouteVersionView:
    return version_view(await activate_routes(connection, version, body.valid_from, caller, runtime))


@router.post("/alerts/v1/routes/test", summary="路由试算，不保存", responses=problems(401, 403, 404, 415, 422))
async def post_route_test(
    body: RouteTestIn, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep
) -> RouteExplained:
    if body.alert_id is not None:
        case = await case_of_alert(connection, body.alert_id)
    else:
        assert body.division is not None, "the schema asks for one of both"
        if not covers(caller.division, body.division):
            raise DivisionOutOfRange
        case = case_of_labels(body.labels, body.division, body.registered_division)
    on = body.on or runtime.clock.today()
    routes = await routes_asked(connection, caller, county_to_read(caller, case.living), version=body.version, on=on)
    return await explain_route(connection, case, routes, on=on, now=runtime.clock.now())
