"""Evidence (依据): which kinds of fact an indicator rests on, and how a fact is told without amounts or diagnosis."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any

from services.monitoring.domain.expression import Expression, names_in
from services.monitoring.domain.measure import RULE_BUILT_IN, RULE_KINDS
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.window import Windows

LABELS = MappingProxyType(
    {
        "income.wage": "工资性收入",
        "income.business_sales": "生产经营收入",
        "cost.production": "生产经营支出",
        "income.property": "财产性收入",
        "income.transfer_regular": "转移性收入",
        "income.transfer_one_off": "一次性补助",
        "income.insurance_claim": "保险理赔",
        "expense.medical": "医疗费用",
        "expense.education": "教育支出",
        "expense.disaster": "因灾支出",
        "expense.accident": "意外支出",
        "expense.rehabilitation": "康复支出",
        "loss.asset": "财产损失",
        "event.serious_illness": "重大疾病",
        "event.disability_certified": "新认定残疾",
        "event.accident": "意外事故",
        "event.job_loss": "失业",
        "event.business_failure": "经营失败",
        "event.death": "成员去世",
        "event.dropout": "失学辍学",
        "event.hardship_report": "申报困难",
        "event.disaster": "自然灾害",
        "event.wage_drop": "收入骤降",
        "event.water_failure": "饮水困难",
        "event.housing_damage": "房屋受损",
        "event.imprisonment": "成员服刑",
        "event.hukou_change": "户籍变动",
        "event.measure": "帮扶措施",
        "loan.overdue": "贷款逾期",
        "state.dwelling": "住房等级",
        "state.insured": "参保情况",
        "state.disability": "残疾情况",
        "state.base_group": "户类型",
        "state.monitored": "监测对象",
        "state.assistance": "社会救助",
        "state.health": "健康状况",
        "state.labour": "劳动能力",
        "state.school": "就学情况",
        "state.water": "饮水情况",
        "state.public_employee": "财政供养",
        "state.authorisation": "承诺授权",
        "asset.vehicle": "机动车",
        "asset.dwelling_bought": "购置房屋",
        "asset.company": "开办企业",
        "asset.deposit": "存款",
    }
)


LASTING = ("state", "asset", "loan")
MOST_SHOWN = 5


def label_of(kind: str) -> str:
    """How people call a kind of fact; the kind itself if a county's package brought a new one."""
    return LABELS.get(kind, kind)


@lru_cache(maxsize=4096)
def kinds_behind(package: PolicyPackage, indicator: str) -> frozenset[str]:
    """The kinds of fact that decide an indicator, through everything its expressions name."""
    rule = package.indicators.get(indicator)
    if rule is None:
        return frozenset()
    names = set(names_in(rule.when)) | ({rule.measured} if rule.measured else set())
    return frozenset(kind for name in _reached(package, names) for kind in _kinds(package, name))


def facts_behind(
    package: PolicyPackage, indicator: str, facts: Iterable[Mapping[str, Any]], windows: Windows
) -> list[Mapping[str, Any]]:
    """The facts an indicator rests on, as many as are worth showing, in the order given.

    States count while they hold; what happened counts from the first day that any window looks at.
    """
    kinds = kinds_behind(package, indicator)
    return list(islice((each for each in facts if each["kind"] in kinds and _matters(each, windows)), MOST_SHOWN))


def _matters(fact: Mapping[str, Any], windows: Windows) -> bool:
    if fact["ended_on"] is not None and fact["ended_on"] <= windows.on:
        return False
    lasts = fact["kind"].split(".")[0] in LASTING
    return lasts or windows.earliest <= fact["occurred_on"] <= windows.on


def _reached(package: PolicyPackage, names: set[str]) -> set[str]:
    reached: set[str] = set()
    while names:
        name = names.pop()
        if name not in reached:
            reached.add(name)
            names |= {inner for each in _expressions(package, name) for inner in names_in(each)}
    return reached


def _expressions(package: PolicyPackage, name: str) -> Iterator[Expression]:
    if name in package.derived:
        yield package.derived[name].expression
    if name in package.member_values:
        yield from package.member_values[name].expressions


def _kinds(package: PolicyPackage, name: str) -> tuple[str, ...]:
    if name in RULE_BUILT_IN:
        return RULE_KINDS
    return package.measures[name].kinds if name in package.measures else ()
