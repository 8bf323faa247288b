"""What one version of a data set has otherwise than another (版式变化), said for people."""

from collections.abc import Iterator

from services.intake.domain.feed_layout import Column, FeedLayout


def layout_changes(before: FeedLayout, after: FeedLayout) -> list[str]:
    """One sentence for each thing that a file meets otherwise than before."""
    return [*_columns(before, after), *_meaning(before, after)]


def _columns(before: FeedLayout, after: FeedLayout) -> Iterator[str]:
    old, new = ({column.name: column for column in layout.columns} for layout in (before, after))
    for name, column in new.items():
        if name not in old:
            yield f"新增列“{column.header}”{'（必填）' if column.required else ''}"
        elif said := "，".join(_column(old[name], column)):
            yield f"列“{column.header}”：{said}"
    for name, column in old.items():
        if name not in new:
            yield f"不再读取列“{column.header}”"


def _column(before: Column, after: Column) -> Iterator[str]:
    if before.header != after.header:
        yield f"原名“{before.header}”"
    if before.required != after.required:
        yield "改为必填" if after.required else "改为选填"
    if (before.type, before.unit) != (after.type, after.unit):
        yield "类型或单位有变化"
    if before.codes != after.codes:
        yield "可填内容有变化"
    if (before.pattern, before.max_length, before.max_yuan, before.most, before.tolerant) != (
        *(after.pattern, after.max_length, after.max_yuan, after.most, after.tolerant),
    ):
        yield "取值范围有变化"


def _meaning(before: FeedLayout, after: FeedLayout) -> Iterator[str]:
    if before.natural_key != after.natural_key:
        yield f"同一条记录改按 {'、'.join(after.column(name).header for name in after.natural_key)} 认定"
    if before.rules != after.rules:
        yield "列之间的规则有变化"
    if (before.facts, before.household, before.reversal) != (after.facts, after.household, after.reversal):
        yield "一行所说明的监测内容有变化"
