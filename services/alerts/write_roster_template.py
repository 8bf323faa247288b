"""Write the empty workbook of a sheet (填报模板): headers with notes, drop-downs for codes, every cell text."""

import io
from typing import Any

import xlsxwriter

from services.alerts.domain.officer_list import EXAMPLES, LEVEL_OF_ROLE
from services.alerts.domain.roster import COLUMNS_OF, REQUIRED_OF, TITLES, Sheet
from shared.vocabulary.terms import BaseGroup

ROWS = 5_000
CHOICES = {"role": [role.zh for role in LEVEL_OF_ROLE], "base_group": [group.zh for group in BaseGroup]}
MEANINGS = {
    "role": "从下拉列表选择",
    "division": "12 位数字，文本格式；村级岗位和包村干部填村，乡镇领导填乡镇，县级填县；结对表填农户居住的村",
    "valid_from": "可不填，默认从导入之日起",
    "valid_to": "可不填；从这一天起不再任职",
    "deputy_no": "可不填；请假时由谁代理，须管得到此地",
    "households": "网格员负责的户数，过多会被提示；不填则不知道是否过多",
    "household_no": "本人户编号：这户的预警不由本人办理；结对表填被帮扶的户",
    "department": "部门联络员必填",
    "first_day": "含当日",
    "last_day": "含当日",
    "since": "可不填，默认从导入之日起",
    "until": "可不填；从这一天起不再结对",
    "base_group": "可不填；不填且最近评估为红色或橙色的，按脱贫户对待",
    "reason": "结对不符合规则时必填；其他可不填",
}
_EXAMPLES = {
    **EXAMPLES,
    "role": "网格员",
    "phone": "19900000001",
    "email": "lisi@example.gov.cn",
    "valid_from": "2026-01-01",
    "valid_to": "2027-01-01",
    "deputy_no": "GB0002",
    "households": "86",
    "department": "教育局",
    "since": "2026-03-15",
    "until": "2027-03-15",
    "base_group": "脱贫户",
    "reason": "外出培训",
}


def write_roster_template(sheet: Sheet) -> bytes:
    """The workbook; what each column means and an example stand on a second sheet, where nobody imports them."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        data, about = book.add_worksheet(TITLES[sheet]), book.add_worksheet("说明")
        bold, text = book.add_format({"bold": True, "bg_color": "#F2F4F7"}), book.add_format({"num_format": "@"})
        data.freeze_panes(1, 0)
        for i, (name, label) in enumerate(COLUMNS_OF[sheet].items()):
            star = "*" if name in REQUIRED_OF[sheet] else ""
            data.set_column(i, i, max(12, 2 * len(label) + 4), text)
            data.write_string(0, i, label + star, bold)
            _offer(data, i, name)
            _explain(about, i, name, label + star)
        about.set_column(1, 1, 60)
    return file.getvalue()


def _offer(sheet: Any, column: int, name: str) -> None:
    if name in CHOICES:
        allowed = {"validate": "list", "source": CHOICES[name], "error_message": "请从下拉列表中选择"}
        sheet.data_validation(1, column, ROWS, column, allowed)


def _explain(sheet: Any, row: int, name: str, label: str) -> None:
    for column, said in enumerate((label, MEANINGS.get(name, ""), f"示例：{_EXAMPLES.get(name, '')}")):
        sheet.write_string(row, column, said)
