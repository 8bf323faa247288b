"""Render the catalogue of data sets (数据目录) as pages that anybody may read: what is collected, and why."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.intake.catalogue import example_of
from services.intake.domain.feed_layout import Cadence, ColumnType, FeedLayout, Kind

PAGES = Path(__file__).parent / "pages"
BASE = "/intake/v1/catalogue"
CADENCES = {
    Cadence.EVENT: "随时",
    Cadence.TEN_DAYS: "每旬",
    Cadence.WEEKLY: "每周",
    Cadence.FORTNIGHT: "每半月",
    Cadence.MONTHLY: "每月",
    Cadence.QUARTERLY: "每季度",
    Cadence.YEARLY: "每年",
}
KINDS = {Kind.TRANSACTION: "增量（只报新增和变化）", Kind.SNAPSHOT: "全量（每次报完整清单，不再列出的即结束）"}
TYPES = {
    ColumnType.TEXT: "文本",
    ColumnType.IDENTITY_NUMBER: "身份证件号码",
    ColumnType.DISABILITY_CERTIFICATE: "残疾证号",
    ColumnType.DATE: "日期",
    ColumnType.MONEY_YUAN: "金额",
    ColumnType.BOOLEAN: "是/否",
    ColumnType.CODE: "选项",
    ColumnType.INTEGER: "整数",
    ColumnType.PERCENT: "百分比",
    ColumnType.DIVISION: "行政区划代码",
    ColumnType.YEAR: "年份",
}


@cache
def _pages() -> Environment:
    pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined)
    pages.globals.update(base=BASE, cadences=CADENCES, kinds=KINDS, types=TYPES)
    return pages


def render_catalogue(layouts: Iterable[FeedLayout]) -> str:
    """The page of all data sets, by department."""
    ordered = sorted(layouts, key=lambda layout: (layout.department, layout.name))
    return _pages().get_template("catalogue.html").render(layouts=ordered)


def render_data_set(layout: FeedLayout) -> str:
    """The page of one data set: its columns, what each may hold, its rules, what comes of it."""
    keys = [layout.column(name).header for name in layout.natural_key]
    has_example = example_of(layout) is not None
    return _pages().get_template("data_set.html").render(layout=layout, keys=keys, has_example=has_example)
