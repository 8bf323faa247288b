"""Import the list of officers: who they are, which posts they hold, how to reach them. Again it changes nothing."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from services.alerts import repository_people
from services.alerts.domain.officer_list import COLUMNS, LineError, OfficerLine, read_lines
from shared.errors import BadRequest, FieldError, Unprocessable
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
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
        return [{name: row.get(column) for name, column in COLUMNS.items()} for row in reader]
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
    read, errors = read_lines(lines, caller.division)
    if errors:
        raise OfficerListRefused(f"有 {len(errors)} 处错误", errors=[_field_error(e) for e in errors[:100]])
    officers = await repository_people.put_officers(connection, _officer_rows(read, now))
    duties = await repository_people.add_current_duties(connection, _duty_rows(read, today))
    await repository_people.put_endpoints(connection, _endpoint_rows(read, now))
    await audit(
        connection,
        caller,
        "officers.import",
        f"division:{caller.division}",
        now=now,
        detail={"lines": len(read), "officers": officers, "duties": duties},
    )
    return Imported(len(read), officers, duties)


def _field_error(error: LineError) -> FieldError:
    return FieldError(f"line/{error.line}/{error.column}", error.code, error.message, error.expected)


def _officer_rows(lines: Sequence[OfficerLine], now: datetime) -> list[dict[str, Any]]:
    """One row per person; his home is the widest of his posts."""
    homes: dict[str, OfficerLine] = {}
    for line in sorted(lines, key=lambda line: line.division):
        homes.setdefault(line.officer_no, line)
    return [
        {
            "officer_no": home.officer_no,
            "name": home.name,
            "phone": home.phone,
            "email": home.email,
            "division": home.division,
            "division_hi": code_range(home.division)[1],
            "active": True,
            "updated_at": now,
        }
        for home in homes.values()
    ]


def _duty_rows(lines: Sequence[OfficerLine], today: date) -> list[dict[str, Any]]:
    posts = {(line.officer_no, line.role, line.division) for line in lines}
    return [
        {
            "officer_no": officer_no,
            "role": role,
            "division": division,
            "division_hi": code_range(division)[1],
            "valid_from": today,
        }
        for officer_no, role, division in sorted(posts)
    ]


def _endpoint_rows(lines: Sequence[OfficerLine], now: datetime) -> list[dict[str, Any]]:
    homes = {row["officer_no"]: row for row in _officer_rows(lines, now)}
    return [
        {
            "endpoint_id": new_id(now),
            "channel": "smtp",
            "address": row["email"],
            "officer_no": officer_no,
            "division": row["division"],
            "division_hi": row["division_hi"],
            "state": "active",
            "updated_at": now,
        }
        for officer_no, row in sorted(homes.items())
        if row["email"]
    ]
