"""A county adds a data set of its own (自定义数据集), or a new version of it: by the same checks as those we ship."""

import asyncio
from typing import Any

import asyncpg
import yaml

from services.intake import repository_layouts as repository
from services.intake.catalogue import own_layout, refresh_catalogue, shipped
from services.intake.domain.feed_layout import FeedLayout, LayoutInvalid
from services.intake.domain.normalise import Refusal, normalise
from shared.db.scope import transaction
from shared.errors import BadRequest, Conflict, FieldError, NotFound, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal

PREFIX = "own_"
MOST_BYTES = 256 * 1024
MOST_LEVELS = 30
_OPENING = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


class LayoutRefused(Unprocessable):
    code, title = "layout_refused", "数据集版式不正确"


class LayoutUnreadable(BadRequest):
    code, title = "layout_unreadable", "无法读取数据集版式"


class LayoutVersionTaken(Conflict):
    code, title = "layout_version_taken", "版式的版本号不正确"


class OwnLayoutUnknown(NotFound):
    code, title = "layout_unknown", "没有这个自定义数据集"


async def add_layout(
    runtime: Runtime, caller: Principal, body: bytes, *, save: bool, request_id: str | None = None
) -> FeedLayout:
    """The layout as read; saved only if `save`. The same document again changes nothing."""
    document = await asyncio.to_thread(_parse, body)
    layout = _checked(document, runtime)
    if save:
        now = runtime.clock.now()
        async with transaction(runtime.worker_pool) as connection:
            await _store(connection, layout, document, caller, runtime)
            subject = f"layout:{layout.name}/{layout.version}"
            await audit(connection, caller, "layout.add", subject, now=now, request_id=request_id)
        await refresh_catalogue(runtime.worker_pool)
    return layout


async def retire_layout(runtime: Runtime, caller: Principal, name: str, *, request_id: str | None = None) -> None:
    """Take a county's own data set out of use: nothing more is received; what was recorded stays."""
    now = runtime.clock.now()
    async with transaction(runtime.worker_pool) as connection:
        if not await repository.retire(connection, name, caller.division, now):
            raise OwnLayoutUnknown
        await audit(connection, caller, "layout.retire", f"layout:{name}", now=now, request_id=request_id)
    await refresh_catalogue(runtime.worker_pool)


def _parse(body: bytes) -> Any:
    """JSON is YAML; aliases, by which a small text becomes a huge one, are refused, and so is what lies too deep."""
    try:
        text = body.decode("utf-8-sig")
        _look_over(text)
        return yaml.safe_load(text)
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        place = f"第 {where.line + 1} 行" if where is not None else "内容"
        raise LayoutUnreadable(f"{place}不是有效的 YAML 或 JSON (UTF-8)") from None


def _look_over(text: str) -> None:
    """Token by token, up to the first that is too much: each level makes all within it slower to read."""
    depth = 0
    for token in yaml.scan(text):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > MOST_LEVELS:
            raise LayoutUnreadable(f"版式的层数过多，至多 {MOST_LEVELS} 层")
        if isinstance(token, yaml.AliasToken):
            raise LayoutUnreadable("版式中不能使用 YAML 别名 (*)")


def _checked(document: Any, runtime: Runtime) -> FeedLayout:
    try:
        layout = own_layout(document)
    except LayoutInvalid as wrong:
        raise _refused(wrong.key, wrong.message) from None
    if not layout.name.startswith(PREFIX):
        raise _refused("/name", f"自定义数据集的名称应以 {PREFIX} 开头", f"{PREFIX}charity_aid")
    known = {fact.kind for one in shipped().values() for fact in one.facts}
    for i, fact in enumerate(layout.facts):
        if fact.kind not in known:
            raise _refused(f"/facts/{i}/kind", f"监测不认识 {fact.kind}；应为 {'、'.join(sorted(known))} 之一")
    for i, column in enumerate(layout.columns):
        outcome = normalise(column, column.example, runtime.clock.today()) if column.example else None
        if isinstance(outcome, Refusal):
            raise _refused(f"/columns/{i}/example", f"示例本身读不通：{outcome.reason}", outcome.example)
    return layout


async def _store(
    connection: asyncpg.Connection, layout: FeedLayout, document: Any, caller: Principal, runtime: Runtime
) -> None:
    """A new version follows the last; a name belongs to the division that used it first."""
    standing = await repository.newest(connection, layout.name)
    if standing is not None and standing["division"] != caller.division:
        raise _refused("/name", "这个名称已被使用", f"{PREFIX}…")
    if standing is not None and standing["version"] == layout.version and standing["document"] == document:
        return
    expected = 1 if standing is None else standing["version"] + 1
    if layout.version != expected:
        raise LayoutVersionTaken(f"版本号应为 {expected}")
    await repository.add(connection, layout, caller.division, document, caller.subject, runtime.clock.now())


def _refused(key: str, message: str, example: str | None = None) -> LayoutRefused:
    return LayoutRefused(message, errors=[FieldError(f"body{key}", "layout_refused", message, None, example)])
