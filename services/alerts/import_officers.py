"""Import the list of officers: who they are, which posts they hold, how to reach them. Again it changes nothing."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from services.alerts import repository_concern, repository_people
from services.alerts.domain.officer_list import (
    ALL_COLUMNS,
    COLUMNS,
    MORE_COLUMNS,
    LineError,
    OfficerLine,
    read_lines,
)
from services.alerts.settle_posts import settle_posts
from shared.errors import BadRequest, FieldError, Unprocessable
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range, covers, narrowest_over
from shared.vocabulary.identifiers import new_id

MOST_LINES = 20_000


class OfficerListUnreadable(BadRequest):
    code, title = "officer_list_unreadable", "无法读取责任人名册"


class OfficerListRefused(Unprocessable):
    code, title = "officer_list_refused", "责任人名册有误，未导入任何一行"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed; `lines` were read."""

    lines: int
    officers: int
    duties: int


def read_csv(content: bytes) -> list[dict[str, str | None]]:
    """Lines of a CSV file (UTF-8 or GB18030) under the list's columns, in any order; OfficerListUnreadable."""
    reader = csv.DictReader(io.StringIO(decode(content, OfficerListUnreadable), newline=""), strict=True)
    try:
        header = [name.strip() for name in reader.fieldnames or []]
        missing = [name for name in COLUMNS.values() if name not in header]
        if missing or len(set(header)) != len(header):
            wrong = f"缺少：{'、'.join(missing)}" if missing else "有重复的列"
            raise OfficerListUnreadable(f"表头应为：{'、'.join(COLUMNS.values())}；{wrong}")
        reader.fieldnames = header
        return [{name: row.get(column) for name, column in ALL_COLUMNS.items()} for row in reader]
    except csv.Error as error:
        raise OfficerListUnreadable(f"第 {reader.line_num} 行附近无法解析，请检查引号与逗号") from error


def decode(content: bytes, unreadable: type[BadRequest]) -> str:
    """The text of an uploaded file; `unreadable` if it is in neither encoding."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise unreadable("文件编码应为 UTF-8 或 GB18030")


async def import_officers(
    connection: asyncpg.Connection,
    lines: Sequence[dict[str, str | None]],
    caller: Principal,
    *,
    now: datetime,
    today: date,
) -> Imported:
    """Write officers, their posts from today on, and an e-mail endpoint for each address. All lines or none."""
    if len(lines) > MOST_LINES:
        raise OfficerListRefused(f"最多 {MOST_LINES} 行，请分批导入")
    read, errors = await check_officers(connection, lines, caller.division)
    if errors:
        raise OfficerListRefused(f"有 {len(errors)} 处错误", errors=[_field_error(e) for e in errors[:100]])
    return await write_officers(connection, read, caller, now=now, today=today)


async def check_officers(
    connection: asyncpg.Connection, lines: Sequence[dict[str, str | None]], scope: str
) -> tuple[list[OfficerLine], list[LineError]]:
    """The lines as they may be written, and everything that is wrong with them."""
    read, errors = read_lines(lines, scope)
    return read, errors + await _deputy_errors(connection, read)


async def write_officers(
    connection: asyncpg.Connection, read: Sequence[OfficerLine], caller: Principal, *, now: datetime, today: date
) -> Imported:
    """Write lines without a mistake; who is of a household that has open alerts is barred from them (回避)."""
    rows = _officer_rows(read, now)
    await repository_people.retire_addresses(connection, rows)
    changed = await repository_people.put_officers(connection, rows)
    duties = await repository_people.add_current_duties(connection, _duty_rows(read, today))
    changed |= await settle_posts(connection, [row["officer_no"] for row in rows], caller.division, now)
    families = {line.household_no for line in read if line.household_no}
    alerts = await repository_concern.open_alerts_of(connection, families) if families else []
    await repository_concern.bar_concerned(connection, alerts, now)
    await repository_people.put_endpoints(connection, await _endpoint_rows(connection, rows, now))
    await audit(
        connection,
        caller,
        "officers.import",
        f"division:{caller.division}",
        now=now,
        detail={"lines": len(read), "officers": len(changed), "duties": duties},
    )
    return Imported(len(read), len(changed), duties)


def _field_error(error: LineError) -> FieldError:
    where = f"line/{error.line}/{error.column}"
    return FieldError(where, error.code, error.message, error.expected, error.example)


async def _deputy_errors(connection: asyncpg.Connection, read: Sequence[OfficerLine]) -> list[LineError]:
    """A deputy is in the list or known, and his range holds the post: else he could not see what he answers for."""
    wanted = {line.deputy_no for line in read if line.deputy_no}
    homes: dict[str, str] = await repository_people.homes_of(connection, wanted) if wanted else {}
    for officer_no, places in _places(read).items():
        known = homes.get(officer_no)
        homes[officer_no] = narrowest_over([*places, *([known] if known else [])]) or places[0]
    return [
        LineError(line.line, MORE_COLUMNS["deputy_no"], code, message, expected)
        for line in read
        if line.deputy_no and (found := _deputy_error(homes.get(line.deputy_no), line.division))
        for code, message, expected in [found]
    ]


def _deputy_error(home: str | None, division: str) -> tuple[str, str, str] | None:
    if home is None:
        return "officer_unknown", "没有找到代理人", "名册中已有的工号"
    if not covers(home, division):
        return "deputy_elsewhere", "代理人管不到此地，看不到要办的预警", "同村、所属乡镇或县的干部"
    return None


def _officer_rows(lines: Sequence[OfficerLine], now: datetime) -> list[dict[str, Any]]:
    """One row per person, read from his widest post; of his household and department the last word stands."""
    places = _places(lines)
    families = {line.officer_no: line.household_no for line in lines if line.household_no}
    departments = {line.officer_no: line.department for line in lines if line.department}
    return [
        {
            "officer_no": home.officer_no,
            "name": home.name,
            "phone": home.phone,
            "email": home.email,
            "division": (division := narrowest_over(places[home.officer_no]) or home.division),
            "division_hi": code_range(division)[1],
            "active": True,
            "household_no": families.get(home.officer_no),
            "department": departments.get(home.officer_no),
            "updated_at": now,
        }
        for home in _homes(lines).values()
    ]


def _homes(lines: Sequence[OfficerLine]) -> dict[str, OfficerLine]:
    """Each person's line with the widest of his posts."""
    homes: dict[str, OfficerLine] = {}
    for line in sorted(lines, key=lambda line: line.division):
        homes.setdefault(line.officer_no, line)
    return homes


def _places(lines: Sequence[OfficerLine]) -> dict[str, list[str]]:
    """Where each person holds his posts, as the lines say."""
    places: dict[str, list[str]] = {}
    for line in lines:
        places.setdefault(line.officer_no, []).append(line.division)
    return places


def _duty_rows(lines: Sequence[OfficerLine], today: date) -> list[dict[str, Any]]:
    posts = {(line.officer_no, line.role, line.division, line.valid_from or today): line for line in lines}
    return [
        {
            "officer_no": officer_no,
            "role": role,
            "division": division,
            "division_hi": code_range(division)[1],
            "valid_from": valid_from,
            "valid_to": line.valid_to,
            "deputy_no": line.deputy_no,
            "households": line.households,
        }
        for (officer_no, role, division, valid_from), line in sorted(posts.items())
    ]


async def _endpoint_rows(
    connection: asyncpg.Connection, officers: Sequence[dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    homes = await repository_people.homes_of(connection, [row["officer_no"] for row in officers])
    return [
        {
            "endpoint_id": new_id(now),
            "channel": "smtp",
            "address": row["email"],
            "officer_no": row["officer_no"],
            "division": homes[row["officer_no"]],
            "division_hi": code_range(homes[row["officer_no"]])[1],
            "state": "active",
            "updated_at": now,
        }
        for row in sorted(officers, key=lambda row: str(row["officer_no"]))
        if row["email"]
    ]
