"""Rows of any layout as a department would write them, by chance; all numbers in reserved areas."""

from datetime import date, timedelta
from random import Random

from services.intake.domain.feed_layout import Column, ColumnType, FeedLayout, RuleKind
from tests.services.intake.build import VILLAGE, number

EXAMPLES = {"person_name": ("王小明", "阿依古丽·买提", "李秀兰"), "phone": ("19900000001",), "share": ("35%", "8")}


def good_cell(column: Column, at: int, chance: Random) -> str:
    """What a column wants to be told, in one of the forms that departments write."""
    match column.type:
        case ColumnType.IDENTITY_NUMBER | ColumnType.DISABILITY_CERTIFICATE:
            return number(chance.randrange(500))
        case ColumnType.DATE:
            day = date(2024, 1, 1) + timedelta(20 * at + chance.randrange(40))
            return day.strftime(chance.choice(["%Y-%m-%d"] * 4 + ["%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d"]))
        case ColumnType.CODE:
            codes = chance.choices(list(column.codes), k=chance.choice((1, 1, 2)) if column.multiple else 1)
            return "、".join(codes)
        case ColumnType.BOOLEAN:
            return chance.choice("是否√")
        case ColumnType.MONEY_YUAN:
            return chance.choice(["0", "0.00", f"{chance.randrange(900)}.{chance.randrange(100):02d}"])
        case ColumnType.DIVISION:
            return VILLAGE
        case ColumnType.YEAR:
            return "2025"
        case ColumnType.TEXT:
            return chance.choice(EXAMPLES.get(column.name, (f"K{chance.randrange(90):03d}", column.example or "A1")))
    return str(chance.randrange(2, 12)) + ("%" if column.type is ColumnType.PERCENT else "")


def good_row(layout: FeedLayout, chance: Random) -> list[str]:
    """A row whose cells are all what their column wants, and which mostly keeps the rules."""
    blank = chance.choice((0.0, 0.1, 0.7))
    row = {
        c.name: good_cell(c, at, chance) if c.required or chance.random() >= blank else ""
        for at, c in enumerate(layout.columns)
    }
    for rule in layout.rules:
        if rule.kind is RuleKind.WHOLE_YEAR and chance.random() < 0.8:
            row[rule.columns[0]], row[rule.target] = "2025-03-01", "2026-02-28"
        elif rule.kind is RuleKind.CERTIFICATE_AGREES and row[rule.target] and chance.random() < 0.8:
            owner, types, grade = rule.columns
            row |= {rule.target: f"{row[owner] or number(1)}43", types: "肢体", grade: "三级"}
        elif rule.kind is RuleKind.ANY_KNOWN and not row[rule.target] and chance.random() < 0.8:
            target = layout.column(rule.target)
            row[rule.target] = good_cell(target, len(row), chance)
    return list(row.values())
