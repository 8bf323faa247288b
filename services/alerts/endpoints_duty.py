"""The HTTP surface of who is on duty: absences, household pairing, sheets to fill in, gaps."""

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from services.alerts import repository_duty, repository_pairing
from services.alerts.admin_endpoints import Admin, Day
from services.alerts.domain.gaps import DutyGap, GapKind
from services.alerts.domain.pairing import rule_zh
from services.alerts.domain.roster import Sheet
from services.alerts.endpoints import DivisionFilter, HouseholdNo, Reader
from services.alerts.import_roster import import_roster
from services.alerts.propose_pairings import propose_pairings
from services.alerts.put_absence import put_absence
from services.alerts.put_pairing import put_pairing
from services.alerts.report_gaps import report_gaps
from services.alerts.schemas import Place
from services.alerts.schemas_duty import (
    AbsenceIn,
    AbsenceView,
    GapsView,
    GapView,
    PairingIn,
    PairingProposal,
    PairingView,
    RosterTaken,
)
from services.alerts.write_roster_template import write_roster_template
from shared.regions.name_places import name_places
from shared.vocabulary.division import code_range
from shared.web.dependencies import RuntimeDep, ScopedConnection, WakeDep
from shared.web.page import Cursor, Limit, Page, decode_cursor, encode_cursor, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.spreadsheet import XLSX

router = Router(tags=["administration"])
SheetName = Annotated[Sheet, Path(description="officers 责任人名册，absences 请假登记，pairings 结对帮扶")]
OnDay = Annotated[Day | None, Query(description="只看这一天有效的", examples=["2026-11-22"])]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_SHEET_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {XLSX: _BINARY, "text/csv": _BINARY}}}


@router.get("/alerts/v1/duties/gaps", summary="岗位缺口", responses=problems(401, 403, 422))
async def get_gaps(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: DivisionFilter = None,
    kind: GapKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> GapsView:
    """空岗、请假无代理、网格过大、一人多岗、结对不符、无人可办的预警；县级及以下。"""
    position = decode_cursor(cursor, after=str)
    report = await report_gaps(connection, division or caller.division, runtime)
    after = position["after"] if position else ""
    left = [gap for gap in report.gaps if gap.key > after and kind in (None, gap.kind)]
    shown = left[:limit]
    names = await name_places(runtime.directory_pool, {gap.division for gap in shown}, runtime.clock.today())
    return GapsView(
        counts=report.counts,
        uncounted_grids=report.uncounted_grids,
        items=[_gap_view(gap, names) for gap in shown],
        next_cursor=encode_cursor({"after": shown[-1].key}) if len(left) > limit else None,
    )


def _gap_view(gap: DutyGap, names: dict[str, str]) -> GapView:
    fields = {name: getattr(gap, name) for name in GapView.model_fields if name != "division"}
    return GapView(**fields, division=Place(code=gap.division, name=names[gap.division]))


@router.get("/alerts/v1/absences", summary="请假登记", responses=problems(401, 403, 422))
async def get_absences(
    caller: Admin, connection: ScopedConnection, on: OnDay = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[AbsenceView]:
    position = decode_cursor(cursor, after=int)
    lo, hi = code_range(caller.division)
    rows = await repository_duty.list_absences(
        connection, lo, hi, on=on, after=position["after"] if position else None, limit=limit + 1
    )
    items = [AbsenceView.model_validate(dict(row)) for row in rows[:limit]]
    more = next_cursor(rows, limit, after="absence_id")
    return Page(items=items, next_cursor=more)


@router.post("/alerts/v1/absences", summary="登记请假", responses=problems(401, 403, 415, 422))
async def post_absence(
    body: AbsenceIn, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep
) -> AbsenceView:
    """请假期间预警送代理人；没有代理人的送上一级。"""
    return AbsenceView.model_validate(await put_absence(connection, body, caller, runtime.clock.now()))


@router.get("/alerts/v1/pairings", summary="结对帮扶", responses=problems(401, 403, 422))
async def get_pairings(
    caller: Reader,
    connection: ScopedConnection,
    household_no: HouseholdNo = None,
    on: OnDay = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PairingView]:
    position = decode_cursor(cursor, after=int)
    lo, hi = code_range(caller.division)
    rows = await repository_pairing.list_pairings(
        connection,
        lo,
        hi,
        household_no=household_no,
        on=on,
        after=position["after"] if position else None,
        limit=limit + 1,
    )
    items = [PairingView.model_validate(dict(row)) for row in rows[:limit]]
    more = next_cursor(rows, limit, after="pairing_id")
    return Page(items=items, next_cursor=more)


@router.post("/alerts/v1/pairings", summary="登记或结束结对", responses=problems(401, 403, 415, 422))
async def post_pairing(
    body: PairingIn, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep
) -> PairingView:
    """三类户和最近评估为红色、橙色的脱贫户须由乡镇领导、第一书记或村书记帮扶；例外须写明原因。"""
    clock = runtime.clock
    row = await put_pairing(connection, body, caller, now=clock.now(), today=clock.today())
    return PairingView.model_validate(row)


@router.get("/alerts/v1/pairings/proposals", summary="结对建议", responses=problems(401, 403, 422))
async def get_proposals(
    caller: Admin,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: DivisionFilter = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PairingProposal]:
    """有未办结预警而没有帮扶责任人的户，各建议一位结对户数最少的干部。"""
    position = decode_cursor(cursor, after=str)
    lo, hi = code_range(division or caller.division)
    after = position["after"] if position else None
    households, proposed = await propose_pairings(
        connection, lo, hi, runtime.clock.today(), after=after, limit=limit + 1
    )
    items = [
        PairingProposal(
            household_no=one.household_no,
            division=one.division,
            severity=one.severity,
            rule=rule_zh(one),
            officer_no=proposed[one.household_no].officer_no if one.household_no in proposed else None,
            role=proposed[one.household_no].role if one.household_no in proposed else None,
        )
        for one in households[:limit]
    ]
    more = encode_cursor({"after": items[-1].household_no}) if len(households) > limit else None
    return Page(items=items, next_cursor=more)


@router.post(
    "/alerts/v1/rosters/{sheet}",
    summary="导入名册、请假或结对（CSV 或 XLSX），整表成功或整表不变",
    responses=problems(400, 401, 403, 413, 415, 422),
    openapi_extra=_SHEET_BODY,
)
async def post_roster(
    sheet: SheetName,
    request: Request,
    caller: Admin,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    wake: WakeDep,
    dry_run: Annotated[bool, Query(description="只检查，不写入；有错时列出每一处")] = False,
) -> RosterTaken:
    """同一表再次导入不改变什么；空白单元格不改变已有内容。"""
    content, kind = await request.body(), request.headers.get("content-type", "")
    taken = await import_roster(connection, sheet, content, kind, caller, runtime, dry_run=dry_run)
    wake("route")
    return taken


@router.get(
    "/alerts/v1/rosters/{sheet}/template.xlsx",
    summary="填报模板",
    response_class=Response,
    responses={200: {"content": {XLSX: _BINARY}}, **problems(401, 403, 422)},
)
async def get_roster_template(sheet: SheetName, caller: Admin) -> Response:
    """带下拉选项和填写说明的空白工作簿。"""
    headers = {"content-disposition": f'attachment; filename="{sheet}.xlsx"'}
    return Response(write_roster_template(sheet), media_type=XLSX, headers=headers)
