"""A department's interface that we ask (对接接口): where, in which signing dialect, page by page, how often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any


class Dialect(StrEnum):
    """How a request proves who asks; each has one module in `dialects`."""

    BEARER = "bearer"
    GATEWAY_HMAC = "gateway_hmac"
    EXCHANGE_HMAC = "exchange_hmac"


class Paging(StrEnum):
    """How the next page is asked for: not at all, by its number, or by a cursor that the page before brought."""

    NONE = "none"
    NUMBER = "number"
    CURSOR = "cursor"


class PeriodUnit(StrEnum):
    """The period that is asked for: the last whole month or day."""

    MONTH = "month"
    DAY = "day"


class AnswerUnreadable(ValueError):
    """An answer is no page of rows; says what was looked for."""


@dataclass(frozen=True, slots=True)
class Connector:
    """One interface; `rows_at` and `cursor_at` are dotted paths into the JSON answer (empty: the answer itself)."""

    name: str
    layout: str
    division: str
    url: str
    dialect: Dialect
    client_id: str
    paging: Paging
    rows_at: str = ""
    page_param: str = "page"
    size_param: str = "size"
    page_size: int = 500
    cursor_at: str = "next_cursor"
    period_param: str | None = None
    period_unit: PeriodUnit = PeriodUnit.MONTH
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskedPage:
    """The page to ask for: its number from 1, or the cursor to go on from (None: the beginning)."""

    number: int = 1
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class AnsweredPage:
    """Rows of a page, and the next page to ask for (None: this was the last)."""

    rows: Sequence[Mapping[str, Any]]
    following: AskedPage | None


def period_asked(connector: Connector, today: date) -> str:
    """The last whole month or day before `today`, as the feed states it; empty if none is asked for."""
    if connector.period_param is None:
        return ""
    if connector.period_unit is PeriodUnit.DAY:
        return (today - timedelta(days=1)).isoformat()
    return (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


def query_of(connector: Connector, page: AskedPage, period: str) -> dict[str, str]:
    """The query of the request for a page."""
    query = dict(connector.query)
    if connector.period_param is not None:
        query[connector.period_param] = period
    if connector.paging is Paging.NUMBER:
        query |= {connector.page_param: str(page.number), connector.size_param: str(connector.page_size)}
    elif connector.paging is Paging.CURSOR:
        query[connector.size_param] = str(connector.page_size)
        if page.cursor is not None:
            query[connector.page_param] = page.cursor
    return query


def answered(connector: Connector, page: AskedPage, answer: Any) -> AnsweredPage:
    """The rows in an answer and what comes next. A numbered page that is not full is the last."""
    rows = _at(answer, connector.rows_at)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise AnswerUnreadable(f"应答中 {connector.rows_at or '(根)'} 处应为记录 (JSON 对象) 的数组")
    return AnsweredPage(rows, _following(connector, page, answer, len(rows)))


def _following(connector: Connector, page: AskedPage, answer: Any, rows: int) -> AskedPage | None:
    match connector.paging:
        case Paging.NUMBER:
            return AskedPage(number=page.number + 1) if rows >= connector.page_size else None
        case Paging.CURSOR:
            return _next_cursor(connector, page, answer)
    return None


def _next_cursor(connector: Connector, page: AskedPage, answer: Any) -> AskedPage | None:
    cursor = _at(answer, connector.cursor_at, absent=None)
    if cursor in (None, "", False):
        return None
    if not isinstance(cursor, str | int) or str(cursor) == page.cursor:
        raise AnswerUnreadable(f"应答中 {connector.cursor_at} 处的游标没有前进")
    return AskedPage(page.number + 1, str(cursor))


_RAISES: Any = object()


def _at(answer: Any, path: str, *, absent: Any = _RAISES) -> Any:
    found = answer
    for key in path.split(".") if path else ():
        if not isinstance(found, dict) or key not in found:
            if absent is _RAISES:
                raise AnswerUnreadable(f"应答中没有 {path}")
            return absent
        found = found[key]
    return found
