"""Import the national system's monitored list: what it says stands beside our own decisions, and changes none."""

import asyncio
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring import repository_monitored as repository
from services.monitoring.append_facts import append_facts
from services.monitoring.domain.ledger import Content, Entry, Key, Place, Said
from services.monitoring.domain.monitored_list import (
    REQUIRED,
    SYNONYMS,
    MonitoredRow,
    RowMistake,
    class_codes,
    columns_of,
    read_rows,
    unknown_columns,
)
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.tag import NATIONAL_LIST
from services.monitoring.register_desk import OutOfRange
from services.monitoring.repository_monitored import Listed
from services.monitoring.schemas_register import MonitoredListTaken, RowError
from shared.db.scope import transaction
from shared.errors import BadRequest, Conflict, FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, code_range, county_of, covers, level_of
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Source
from shared.web.spreadsheet import XLSX
from shared.workbook.archive import WorkbookRefused
from shared.workbook.read_sheet import BadCell, Cell, read_sheet, written

DATA_SET = "monitored_list"
MOST_ROWS = 50_000
MOST_LINES_ABOVE = 100
MOST_ERRORS = 200
BULK = 9


class ListUnreadable(BadRequest):
    code, title = "monitored_list_unreadable", "无法读取监测对象名单"


class ListRefused(Unprocessable):
    code, title = "monitored_list_refused", "监测对象名单有误，未导入任何一行"


class ListDoesNotFit(Conflict):
    code, title = "monitored_list_does_not_fit", "名单与已导入的不符"


@dataclass(frozen=True, slots=True)
class ListOrder:
    """How a list is to be taken: of which county or place in it, as of which day; `may_end`: how many may vanish."""

    division: str
    as_of: date
    complete: bool
    may_end: int
    apply: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What the list would change: `written` differ from what stands, `vanished` of them are on it no more."""

    county: str
    rows: int
    matched: int
    new: int
    written: tuple[Listed, ...]
    vanished: int
    counties: dict[str, str]


async def import_monitored_list(
    scoped: asyncpg.Connection,
    content: bytes,
    order: ListOrder,
    caller: Principal,
    runtime: Runtime,
    *,
    media_type: str,
    request_id: str | None = None,
) -> MonitoredListTaken:
    """Read, compare and (if ordered) write; a list with a mistake changes nothing, the same list again neither."""
    _check(order, caller, runtime.clock.today())
    rows, mistakes, unknown = await read_list(content, media_type, runtime.clock.today())
    if mistakes and order.apply:
        raise ListRefused(
            f"有 {len(mistakes)} 处错误", errors=[_field_error(each) for each in mistakes[:MOST_ERRORS]]
        )
    import_id = None
    async with transaction(runtime.worker_pool) as connection:
        await households.lock_data_set(connection, county_of(order.division), DATA_SET)
        plan = await _plan(scoped, connection, rows, order, runtime)
        if order.apply:
            import_id = await _apply(connection, plan, order, caller, runtime, request_id)
    return MonitoredListTaken(
        import_id=import_id,
        applied=order.apply,
        division=order.division,
        as_of=order.as_of,
        complete=order.complete,
        **_counts(plan),
        errors=[RowError(**asdict(each)) for each in mistakes[:MOST_ERRORS]],
        unknown_columns=unknown,
    )


async def read_list(
    content: bytes, media_type: str, today: date
) -> tuple[list[MonitoredRow], list[RowMistake], list[str]]:
    """Rows, mistakes and unknown columns of a CSV file (UTF-8 or GB18030) or a workbook; ListUnreadable."""
    if media_type != XLSX:
        # A long list is read in a thread, so that no other request waits behind it.
        return await asyncio.to_thread(lambda: _read_table(_csv_cells(content), today))
    try:
        cells = await read_sheet(content, MOST_ROWS + MOST_LINES_ABOVE)
    except WorkbookRefused as refused:
        raise ListUnreadable(f"{refused.reason}；{refused.expected or '另存为 .xlsx 或 CSV'}") from refused
    return await asyncio.to_thread(_read_table, cells, today)


def _csv_cells(content: bytes) -> list[list[Cell]]:
    reader = csv.reader(io.StringIO(_decode(content), newline=""), strict=True)
    try:
        return [[*line] for line in reader]
    except csv.Error as error:
        raise ListUnreadable(f"第 {reader.line_num} 行附近无法解析，请检查引号与逗号") from error


def _read_table(
    cells: Sequence[Sequence[Cell]], today: date
) -> tuple[list[MonitoredRow], list[RowMistake], list[str]]:
    """What a table says below its header, the first line that is not empty."""
    table = [[written(cell) for cell in line] for line in cells]
    at = next((i for i, line in enumerate(table) if any(cell.strip() for cell in line)), 0)
    headers, lines = (table[at], table[at + 1 :]) if table else ([], [])
    columns = columns_of(headers)
    missing = [SYNONYMS[name][0] for name in REQUIRED if name not in columns]
    if missing:
        wanted = "、".join(SYNONYMS[name][0] for name in REQUIRED)
        raise ListUnreadable(f"第一行须有这些列：{wanted}；缺少：{'、'.join(missing)}")
    if sum(any(line) for line in lines) > MOST_ROWS:
        raise ListUnreadable(f"最多 {MOST_ROWS} 行，请按乡镇分批导入")
    unsure = dict(_unsure(cells[at + 1 :], columns, first_line=at + 2))
    sure = [[] if line in unsure else row for line, row in enumerate(lines, at + 2)]
    labels = {each.code: each.label_zh for each in load_policy().classes if each.code is not None}
    rows, mistakes = read_rows(sure, columns, classes=class_codes(labels), today=today, first_line=at + 2)
    told = sorted([*mistakes, *unsure.values()], key=lambda each: each.line)
    return rows, told, [header[:50] for header in unknown_columns(headers)[:50]]


def _unsure(
    lines: Sequence[Sequence[Cell]], columns: Mapping[str, int], *, first_line: int
) -> Iterator[tuple[int, RowMistake]]:
    """The lines of a workbook with a cell that says nothing sure, where it is read."""
    for line, row in enumerate(lines, first_line):
        for name, at in columns.items():
            cell = row[at] if at < len(row) else ""
            if isinstance(cell, BadCell):
                yield line, RowMistake(line, SYNONYMS[name][0], cell.code, cell.reason, cell.expected)
                break


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise ListUnreadable("应为 CSV 文件（UTF-8 或 GB18030），或 XLSX 工作簿")


def _check(order: ListOrder, caller: Principal, today: date) -> None:
    if not covers(caller.division, order.division):
        raise OutOfRange("只能导入本人区划内的名单")
    if level_of(order.division) < DivisionLevel.COUNTY:
        error = FieldError("query/division", "too_wide", "名单按县（或县以下）导入", "县、乡、村代码", "130624000000")
        raise ListRefused("导入范围过大", errors=[error])
    if order.as_of > today:
        error = FieldError("query/as_of", "day_out_of_range", "名单日期晚于今天", f"{today} 或以前")
        raise ListRefused("名单日期有误", errors=[error])


async def _plan(
    scoped: asyncpg.Connection,
    connection: asyncpg.Connection,
    rows: Sequence[MonitoredRow],
    order: ListOrder,
    runtime: Runtime,
) -> Plan:
    """Compare with what stands; households are matched as far as the caller's scope shows them."""
    county = county_of(order.division)
    index = {
        row.identity_number: runtime.keys.blind_index(row.identity_number) for row in rows if row.identity_number
    }
    by_number, by_person = await repository.matches(scoped, [row.household_no for row in rows], list(index.values()))
    stands = await repository.standing(connection, county)
    told, counties = [], {}
    for row in rows:
        home = by_number.get(row.household_no) or (
            by_person.get(index[row.identity_number]) if row.identity_number else None
        )
        if home is not None and not covers(order.division, home["registered_division"]):
            home = None
        if home is not None:
            counties[row.household_no] = home["county"]
        told.append(_listed(row, home, order))
    written = [entry for entry in told if stands.get(entry.household_no) != entry]
    listed = {entry.household_no for entry in told}
    gone = [
        entry._replace(vanished=True)
        for number, entry in stands.items()
        if order.complete and number not in listed and not entry.vanished and covers(order.division, entry.division)
    ]
    new = sum(entry.household_no not in stands for entry in told)
    matched = sum(entry.household_id is not None for entry in told)
    return Plan(county, len(rows), matched, new, (*written, *gone), len(gone), counties)


def _listed(row: MonitoredRow, home: dict[str, object] | None, order: ListOrder) -> Listed:
    return Listed(
        household_no=row.household_no,
        division=str(home["registered_division"]) if home else order.division,
        household_id=home["household_id"] if home else None,  # type: ignore[arg-type]
        head_name=row.head_name,
        listed_as=row.listed_as,
        identified_on=row.identified_on,
        removed_on=row.removed_on,
        removal_mode=row.removal_mode,
        causes=list(row.causes),
    )


async def _apply(
    connection: asyncpg.Connection,
    plan: Plan,
    order: ListOrder,
    caller: Principal,
    runtime: Runtime,
    request_id: str | None,
) -> UUID:
    known = _check_fits(await repository.newest_import(connection, *code_range(order.division)), plan, order)
    if known is not None:
        return known
    now = runtime.clock.now()
    import_id = new_id(now)
    await repository.add_import(
        connection,
        {
            "import_id": import_id,
            "division": order.division,
            "as_of": order.as_of,
            "complete": order.complete,
            "counts": _counts(plan),
            "imported_by": caller.subject,
            "imported_by_name": caller.name,
            "imported_at": now,
        },
    )
    await households.share_rosters(connection, sorted({plan.county, *plan.counties.values()}))
    at = await households.database_time(connection)
    await repository.write(connection, plan.county, plan.written, import_id, at)
    await append_facts(connection, _facts(plan, order, Said(at, str(import_id))), now=now, priority=BULK)
    await audit(
        connection,
        caller,
        "monitored_list.import",
        f"division:{order.division}",
        now=now,
        request_id=request_id,
        detail={**_counts(plan), "as_of": str(order.as_of), "complete": order.complete},
    )
    return import_id


def _check_fits(newest: Mapping[str, Any] | None, plan: Plan, order: ListOrder) -> UUID | None:
    """Refuse a list older than the newest, or one that ends too many; the import that said the same, if one did."""
    if newest is not None and newest["as_of"] > order.as_of:
        raise ListDoesNotFit(f"已导入过 {newest['as_of']} 的名单，不能再导入更早的 {order.as_of}")
    if plan.vanished > order.may_end:
        raise ListDoesNotFit(
            f"完整名单中少了 {plan.vanished} 户；确认无误后，以 may_end={plan.vanished} 再次导入",
            vanished=plan.vanished,
        )
    if newest is None or plan.written or (newest["division"], newest["as_of"]) != (order.division, order.as_of):
        return None
    known: UUID = newest["import_id"]
    return known


def _facts(plan: Plan, order: ListOrder, said: Said) -> list[Entry]:
    """The tag of each matched household: listed nationally from one day until another."""
    return [
        Entry(
            key=Key(DATA_SET, f"{plan.county}/{each.household_no}", NATIONAL_LIST),
            said=said,
            content=_content(each, order),
            source=Source.DEPARTMENT.value,
            division=each.division,
            place=Place(each.household_id, plan.counties.get(each.household_no, plan.county)),
        )
        for each in plan.written
        if each.household_id is not None
    ]


def _content(each: Listed, order: ListOrder) -> Content:
    since = each.identified_on or each.removed_on or order.as_of
    until = each.removed_on or (order.as_of if each.vanished else None)
    return Content(since, ended_on=max(until, since) if until else None, value=each.listed_as)


def _counts(plan: Plan) -> dict[str, int]:
    changed = len(plan.written) - plan.new - plan.vanished
    return {
        "rows": plan.rows,
        "new": plan.new,
        "changed": changed,
        "unchanged": plan.rows - plan.new - changed,
        "vanished": plan.vanished,
        "matched": plan.matched,
        "unmatched": plan.rows - plan.matched,
    }


def _field_error(mistake: RowMistake) -> FieldError:
    return FieldError(f"line/{mistake.line}/{mistake.column}", mistake.code, mistake.message, mistake.expected)
