"""The visit list (走访清单): all that is open in a village, the nearest deadline first, with what to look at."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts import repository_visits
from services.alerts.domain.look_at import look_at
from services.alerts.domain.message import causes_zh, class_zh
from services.alerts.schemas_flood import Format, Visit
from services.alerts.view_alert import evidence_view, places_of, summary_of
from shared.clock import SHANGHAI
from shared.errors import FieldError, Unprocessable
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.web.page import Page, encode_cursor
from shared.web.spreadsheet import write_csv, write_xlsx

TITLE, MOST_ROWS = "走访清单", 2_000
COLUMNS = ("时限", "是否超期", "村", "户编号", "姓名", "电话", "等级", "状态", "原因", "建议", "看什么")


class PurposeMissing(Unprocessable):
    code, title = "purpose_missing", "导出须注明用途"


class ExportTooLarge(Unprocessable):
    code, title = "export_too_large", "导出的户数过多"


async def visit_list(
    connection: asyncpg.Connection,
    division: str,
    caller: Principal,
    runtime: Runtime,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
    request_id: str | None = None,
) -> Page[Visit]:
    """A page of what is open among those living in the division; reading it leaves an audit row."""
    visits, more = await _visits(connection, division, caller, runtime, after=after, limit=limit)
    await audit(
        connection,
        caller,
        "visit_list.read",
        f"division:{division}",
        now=runtime.clock.now(),
        request_id=request_id,
        detail={"rows": len(visits)},
    )
    last = visits[-1] if more else None
    cursor = encode_cursor({"due": last.due_at.isoformat(), "id": str(last.alert_id)}) if last else None
    return Page(items=visits, next_cursor=cursor)


async def export_visits(
    connection: asyncpg.Connection,
    division: str,
    caller: Principal,
    runtime: Runtime,
    *,
    format_: Format,
    purpose: str | None,
    request_id: str | None,
) -> AsyncIterator[bytes]:
    """The whole list as a file, for a purpose that is noted; the same fields as on the screen."""
    if purpose is None:
        error = FieldError("query/purpose", "missing", "导出须注明用途", "1 至 100 字", "入户走访")
        raise PurposeMissing("请用 purpose 说明导出这份清单的用途", errors=[error])
    visits, more = await _visits(connection, division, caller, runtime, after=None, limit=MOST_ROWS)
    if more:
        raise ExportTooLarge(f"一次最多导出 {MOST_ROWS} 户；请按村或乡镇缩小范围")
    now = runtime.clock.now()
    await audit(
        connection,
        caller,
        "visit_list.export",
        f"division:{division}",
        now=now,
        purpose=purpose,
        request_id=request_id,
        detail={"format": format_, "rows": len(visits)},
    )
    notes = [["用途", purpose], ["导出人", caller.name or caller.subject], ["户数", str(len(visits))]]
    return write_xlsx(TITLE, notes, _pages(visits)) if format_ == "xlsx" else write_csv(_pages(visits))


async def _visits(
    connection: asyncpg.Connection,
    division: str,
    caller: Principal,
    runtime: Runtime,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> tuple[list[Visit], bool]:
    lo, hi = code_range(division)
    rows = await repository_visits.open_by_deadline(connection, lo, hi, after=after, limit=limit + 1)
    shown, classes, now = rows[:limit], field_classes(caller), runtime.clock.now()
    names = await name_places(runtime.directory_pool, places_of(*shown), runtime.clock.today())
    findings = defaultdict(list)
    for row in await repository_visits.findings_of(connection, [one["alert_id"] for one in shown]):
        findings[row["alert_id"]].append(evidence_view(row, classes))
    visits = []
    for row in shown:
        has_reported = bool(row["report_ids"])
        seen = {
            name: value for name, value in summary_of(row, classes, names, now).items() if name in Visit.model_fields
        }
        visits.append(
            Visit(
                **seen,
                phone=row["contact_phone"] if "contact" in classes else None,
                due_at=row["due_at"],
                look_at=list(look_at(row["causes"] if "cause" in classes else (), has_reported=has_reported)),
                findings=findings[row["alert_id"]],
            )
        )
    return visits, len(rows) > limit


async def _pages(visits: Sequence[Visit]) -> AsyncIterator[Sequence[Sequence[str]]]:
    yield [list(COLUMNS)]
    if visits:
        yield [_cells(visit) for visit in visits]


def _cells(visit: Visit) -> list[str]:
    return [
        f"{visit.due_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        "是" if visit.is_overdue else "否",
        visit.living.name,
        visit.household_no or "",
        visit.name,
        visit.phone or "",
        visit.severity.zh if visit.severity else "待评估",
        visit.status.zh,
        causes_zh(visit.causes, has_reported=visit.has_reported),
        class_zh(visit.recommendation) if visit.recommendation else "",
        "；".join(visit.look_at),
    ]
