"""Import a sheet that a county filled in: all lines or none; the same again changes nothing, a dry run nothing."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import asyncpg

from services.alerts import repository_duty, repository_pairing, repository_people
from services.alerts.check_pairing import Wanted, objections_to
from services.alerts.domain.officer_list import LineError
from services.alerts.domain.roster import COLUMNS_OF, Cells, PairingLine, Sheet, read_absences, read_pairings
from services.alerts.import_officers import check_officers, write_officers
from services.alerts.read_roster import read_roster
from services.alerts.schemas_duty import RosterError, RosterTaken
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import covers

MOST_ERRORS = 200
Numbered = Sequence[tuple[int, Cells]]


class RosterRefused(Unprocessable):
    code, title = "roster_refused", "表格有误，未导入任何一行"


class _Undone(Exception):
    """Takes back what a dry run wrote."""


async def import_roster(
    connection: asyncpg.Connection,
    sheet: Sheet,
    content: bytes,
    media_type: str,
    caller: Principal,
    runtime: Runtime,
    *,
    dry_run: bool,
) -> RosterTaken:
    """Read and write a sheet. A dry run does the same and takes it back; it tells errors instead of refusing."""
    roster = await read_roster(sheet, content, media_type)
    now, today = runtime.clock.now(), runtime.clock.today()
    changed, errors = 0, list(roster.errors)
    try:
        async with connection.transaction():
            writing = _Writing(connection, caller, now, today)
            changed, found = await writing.write(sheet, roster.lines, may_write=not errors)
            errors += found
            if errors or dry_run:
                raise _Undone
    except _Undone:
        changed = 0 if errors else changed
    errors.sort(key=lambda error: error.line)
    if errors and not dry_run:
        raise RosterRefused(f"有 {len(errors)} 处错误", errors=[_field_error(each) for each in errors[:MOST_ERRORS]])
    if not dry_run:
        detail = {"sheet": sheet, "lines": len(roster.lines), "changed": changed}
        await audit(connection, caller, "roster.import", f"division:{caller.division}", now=now, detail=detail)
    return RosterTaken(
        sheet=sheet,
        applied=not dry_run,
        lines=len(roster.lines),
        changed=changed,
        error_count=len(errors),
        errors=[RosterError(**_told(each)) for each in errors[:MOST_ERRORS]],
        unknown_columns=roster.unknown_columns,
    )


class _Writing:
    """The three sheets as they are written in one transaction: how many rows changed, and what is wrong."""

    def __init__(self, connection: asyncpg.Connection, caller: Principal, now: datetime, today: date) -> None:
        self.connection, self.caller, self.now, self.today = connection, caller, now, today

    async def write(self, sheet: Sheet, lines: Numbered, *, may_write: bool) -> tuple[int, list[LineError]]:
        writers = {
            Sheet.OFFICERS: self._officers,
            Sheet.ABSENCES: self._absences,
            Sheet.PAIRINGS: self._pairings,
        }
        return await writers[sheet](lines, may_write)

    async def _officers(self, lines: Numbered, may_write: bool) -> tuple[int, list[LineError]]:
        cells: list[dict[str, str | None]] = [dict(line) for _, line in lines]
        read, errors = await check_officers(self.connection, cells, self.caller.division)
        if errors or not may_write:
            # That list counts its lines without the header; of a file people see its rows.
            return 0, [LineError(lines[e.line - 1][0], *_rest(e)) for e in errors]
        done = await write_officers(self.connection, read, self.caller, now=self.now, today=self.today)
        return done.officers + done.duties, []

    async def _absences(self, lines: Numbered, may_write: bool) -> tuple[int, list[LineError]]:
        read, errors = read_absences(lines)
        homes = await repository_people.homes_of(self.connection, {line.officer_no for line in read})
        errors += [
            _officer_unknown(Sheet.ABSENCES, line.line)
            for line in read
            if line.officer_no not in homes or not covers(self.caller.division, homes[line.officer_no])
        ]
        if errors or not may_write:
            return 0, errors
        rows = {(line.officer_no, line.first_day): line for line in read}.values()
        made = await repository_duty.put_absences(
            self.connection,
            [
                {
                    "officer_no": line.officer_no,
                    "first_day": line.first_day,
                    "last_day": line.last_day,
                    "reason": line.reason,
                    "recorded_at": self.now,
                }
                for line in rows
            ],
        )
        return len(made), []

    async def _pairings(self, lines: Numbered, may_write: bool) -> tuple[int, list[LineError]]:
        read, errors = read_pairings(lines, self.caller.division)
        wanted = [Wanted(p.household_no, p.division, p.officer_no, p.base_group, p.reason) for p in read]
        found = await objections_to(self.connection, wanted, self.today) if read else []
        columns = COLUMNS_OF[Sheet.PAIRINGS]
        errors += [
            LineError(line.line, columns[o.field], o.code, o.message, o.expected)
            for line, o in zip(read, found, strict=True)
            if o is not None
        ]
        if errors or not may_write:
            return 0, errors
        return len(await repository_pairing.put_pairings(self.connection, await self._pairing_rows(read))), []

    async def _pairing_rows(self, read: Sequence[PairingLine]) -> list[dict[str, Any]]:
        """Without a first day a pairing that stands is meant, or one from today on."""
        standing = await repository_pairing.current_since(
            self.connection, {line.household_no for line in read}, self.today
        )
        rows = {}
        for line in read:
            since = line.since or standing.get((line.household_no, line.officer_no), self.today)
            rows[line.household_no, line.officer_no, since] = {
                "household_no": line.household_no,
                "officer_no": line.officer_no,
                "division": line.division,
                "base_group": line.base_group,
                "since": since,
                "until": line.until,
                "reason": line.reason,
                "recorded_at": self.now,
            }
        return list(rows.values())


def _officer_unknown(sheet: Sheet, line: int) -> LineError:
    column = COLUMNS_OF[sheet]["officer_no"]
    return LineError(line, column, "officer_unknown", "没有找到该干部", "名册中已有的工号", "GB0001")


def _rest(error: LineError) -> tuple[str, str, str, str | None, str | None]:
    return error.column, error.code, error.message, error.expected, error.example


def _told(error: LineError) -> dict[str, Any]:
    names = ("line", "column", "code", "message", "expected", "example")
    return {name: getattr(error, name) for name in names}


def _field_error(error: LineError) -> FieldError:
    return FieldError(f"line/{error.line}/{error.column}", *_rest(error)[1:])
