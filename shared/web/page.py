"""Lists come in pages; a cursor says where the next one begins."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict

from shared.errors import BadRequest

T = TypeVar("T")
R = TypeVar("R")

Limit = Annotated[int, Query(ge=1, le=200, description="每页条数，1 至 200")]
Cursor = Annotated[str | None, Query(max_length=500, description="上一页返回的 next_cursor")]


class CursorRefused(BadRequest):
    code, title = "invalid_cursor", "翻页标记无效"


class Page(BaseModel, Generic[T]):
    """Some items, and where the next ones begin (null: there are no more)."""

    model_config = ConfigDict(extra="forbid")

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(position: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode().rstrip("=")


def next_cursor(rows: Sequence[Any], limit: int, **place: str) -> str | None:
    """Where the page after the first `limit` of `rows` begins; None if there are no more rows than that.

    A part of the place is named and says the column it is read from: `next_cursor(rows, limit, before="task_id")`.
    """
    if len(rows) <= limit:
        return None
    last = {name: rows[limit - 1][column] for name, column in place.items()}
    return encode_cursor({name: value if isinstance(value, int) else str(value) for name, value in last.items()})


def decode_cursor(text: str | None, **kinds: type) -> dict[str, Any] | None:
    """The position in a cursor, with exactly the named parts of the named types; None for the first page."""
    if text is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (binascii.Error, ValueError, RecursionError):
        raise CursorRefused from None
    good = isinstance(found, dict) and found.keys() == kinds.keys()
    if not good or any(type(found[name]) is not kind for name, kind in kinds.items()):
        raise CursorRefused
    if any(isinstance(value, str) and ("\x00" in value or len(value) > 200) for value in found.values()):
        raise CursorRefused
    if any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in found.values()):
        raise CursorRefused
    return dict(found)


def before_id(cursor: str | None) -> UUID | None:
    """The id in the cursor of a list that is newest first; None for the first page."""
    position = decode_cursor(cursor, before=str)
    try:
        return UUID(position["before"]) if position else None
    except ValueError:
        raise CursorRefused from None


def after_due(cursor: str | None) -> tuple[datetime, UUID] | None:
    """When what the page before ended with is due, and its id, in a list that is nearest deadline first."""
    position = decode_cursor(cursor, due=str, id=str)
    if position is None:
        return None
    try:
        due = datetime.fromisoformat(position["due"])
        if due.tzinfo is None:
            raise CursorRefused
        return due.astimezone(UTC), UUID(position["id"])
    except (ValueError, OverflowError):
        raise CursorRefused from None


@dataclass(frozen=True, slots=True)
class Newest:
    """What is asked of a list that is newest first: `wanted` rows (one more than a page shows) before an id."""

    before: UUID | None
    limit: int

    @property
    def wanted(self) -> int:
        return self.limit + 1

    def shown(self, rows: Sequence[R]) -> Sequence[R]:
        return rows[: self.limit]

    def page(self, items: list[T], rows: Sequence[Any], id_column: str) -> Page[T]:
        """The page of the items that the rows shown were made into."""
        return Page(items=items, next_cursor=next_cursor(rows, self.limit, before=id_column))


async def newest_first(cursor: Cursor = None, limit: Limit = 50) -> Newest:
    return Newest(before_id(cursor), limit)


NewestFirst = Annotated[Newest, Depends(newest_first)]
