"""Worked cases: what an official writes wrong is refused in words, with its file and line."""

from pathlib import Path

import pytest

from services.monitoring.domain.policy import PolicyPackage, policy_at
from services.monitoring.read_cases import read_cases
from services.monitoring.run_cases import red_cases
from services.monitoring.worked_case import Case
from shared.policies import PolicyMistake

WHOLE = """\
县: "130624"
日期: 2026-03-15
案例:
  - 名称: 低于监测线的一户
    家庭:
      户类型: 一般农户
      住房: {等级: A, 居住: A, 唯一: 是}
      饮水: {水量: 60, 取水: 5, 保证率: 98, 水质合格: 是}
      成员:
        - {姓名: 户主, 参保: 居民, 劳动: 普通, 健康: [健康], 残疾: {级别: 4, 类型: [4]}}
    事实:
      - {类别: 工资, 谁: 户主, 日期: 2025-06-01, 金额: "8000.00"}
    应当: {建议: 无, 等级: 蓝色, 计入人口: 1, 指标: {income_below_line: 触发}}
"""

MISTAKES = [
    ("类别: 工资", "类别: 工姿", 12, "不认识的取值 工姿", "工资"),
    ("谁: 户主", "谁: 配偶", 12, "不认识的取值 配偶", "户主"),
    ("2025-06-01", "2025-06-31", 12, "2025-06-31 不是日期", "年-月-日"),
    ('"8000.00"', '"8,000"', 12, "8,000 不是金额", "1234.50"),
    ('金额: "8000.00"', '金饿: "8000.00"', 12, "不认识的字段 金饿", "金额"),
    ("户类型: 一般农户", "户类型: 富裕户", 6, "不认识的取值 富裕户", "脱贫户"),
    ("等级: A,", "等级: E,", 7, "不认识的取值 E", "A、B、C、D"),
    ("水量: 60", "水量: 很多", 8, "很多 不是整数", "写一个整数"),
    ("姓名: 户主", "名字: 户主", 10, "不认识的字段 名字", "姓名"),
    ("参保: 居民", "参保: 有", 10, "不认识的取值 有", "未参保"),
    ("健康: [健康]", "健康: 健康", 10, "此处应是列表", "方括号"),
    ("计入人口: 1", "计入人囗: 1", 13, "不认识的字段 计入人囗", "计入人口"),
    ("计入人口: 1", "计入人口: 一", 13, "一 不是整数", "写一个整数"),
    ("  - 名称: 低于监测线的一户\n    家庭", "  - 家庭", 4, "缺少字段 名称", "名称"),
    ('县: "130624"\n', "", 3, "没有写县", '县: "130624"'),
    ("应当: {", "参数: {monitoring_line: 很高}\n    应当: {", 4, "monitoring_line", "同政策包"),
    ("应当: {", "参数: {monitoring_lime: 1}\n    应当: {", 4, "没有名为 monitoring_lime 的参数", "同政策包"),
]


def judged(folder: Path, text: str) -> dict[str, list[str]]:
    (folder / "示例.yaml").write_text(text, encoding="utf-8")
    return red_cases(_in_force, read_cases(folder))


def _in_force(case: Case) -> PolicyPackage:
    return policy_at(f"{case.county}000000", case.on)


def test_a_case_without_a_mistake_is_green(tmp_path: Path) -> None:
    assert judged(tmp_path, WHOLE) == {}


@pytest.mark.parametrize(("right", "wrong", "line", "what", "helps"), MISTAKES, ids=[each[3] for each in MISTAKES])
def test_a_mistake_in_a_case_is_refused_in_the_right_words(
    right: str, wrong: str, line: int, what: str, helps: str, tmp_path: Path
) -> None:
    assert right in WHOLE
    with pytest.raises(PolicyMistake) as refused:
        judged(tmp_path, WHOLE.replace(right, wrong, 1))
    assert f"{tmp_path.name}/示例.yaml" in refused.value.file
    assert what in refused.value.detail
    assert helps in refused.value.detail
    assert refused.value.line == line
    assert "正确写法：" in refused.value.detail
    assert "例如：" in refused.value.detail


def test_an_indicator_that_there_is_none_of_makes_the_case_red(tmp_path: Path) -> None:
    [(_, wrong)] = judged(tmp_path, WHOLE.replace("income_below_line", "income_under_line")).items()
    assert wrong == ["指标应为{'income_under_line': '触发'}，实为{'income_under_line': '（没有这一项）'}"]
