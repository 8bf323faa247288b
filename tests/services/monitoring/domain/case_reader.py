"""Reads the worked cases of tests/cases: written for officials, in Chinese, one household each."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from shared.vocabulary.money import parse_yuan

CASES = Path(__file__).parents[3] / "cases"
STATUS = {"健在": "living", "长期外出": "long_term_away", "去世": "deceased", "服刑": "imprisoned", "失踪": "missing"}
INSURED = {"居民": "resident", "职工": "employee", "未参保": "none"}
GROUPS = {"一般农户": "general", "脱贫户": "lifted_out"}
CLASSES = {
    "脱贫不稳定户": "unstable_lifted_out",
    "边缘易致贫户": "marginal_at_risk",
    "突发严重困难户": "sudden_hardship",
    "无": None,
}
SOURCES = {"部门": "department", "走访": "visit", "自报": "self_report", "热线": "hotline"}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "工资": ("income.wage", {}),
    "经营收入": ("income.business_sales", {}),
    "经营成本": ("cost.production", {}),
    "财产": ("income.property", {}),
    "转移": ("income.transfer_regular", {}),
    "医疗": ("expense.medical", {}),
    "教育": ("expense.education", {}),
    "康复": ("expense.rehabilitation", {}),
    "灾害支出": ("expense.disaster", {}),
    "意外支出": ("expense.accident", {}),
    "医疗理赔": ("income.insurance_claim", {"for": "medical"}),
    "灾害理赔": ("income.insurance_claim", {"for": "disaster"}),
    "意外理赔": ("income.insurance_claim", {"for": "accident"}),
    "新办残疾证": ("event.disability_certified", {}),
    "残疾证": ("state.disability", {}),
    "困难申报": ("event.hardship_report", {}),
    "低保": ("state.assistance", {}),
}
LONG_SINCE = date(2019, 1, 1)


@dataclass(frozen=True)
class Case:
    """One worked household and what should come of it."""

    name: str
    county: str
    on: date
    overrides: dict[str, str]
    household: HouseholdFacts
    expected: dict[str, Any]


def read_cases() -> list[Case]:
    """Every case of every file, in order."""
    documents = [
        (path.stem, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(CASES.glob("*.yaml"))
    ]
    return [_case(stem, document, each) for stem, document in documents for each in document["案例"]]


def _case(stem: str, document: dict[str, Any], raw: dict[str, Any]) -> Case:
    family = raw["家庭"]
    members = tuple(
        Member(each["姓名"], STATUS[each.get("状态", "健在")], each.get("去世日期")) for each in family["成员"]
    )
    facts = [*_states(family), *(_fact(each) for each in raw["事实"])]
    return Case(
        f"{stem}：{raw['名称']}",
        raw.get("县", document["县"]),
        raw.get("日期", document["日期"]),
        raw.get("参数", {}),
        HouseholdFacts(members, tuple(facts)),
        raw["应当"],
    )


def _states(family: dict[str, Any]) -> list[Fact]:
    states = []
    if "户类型" in family:
        states.append(Fact("state.base_group", LONG_SINCE, value=GROUPS[family["户类型"]]))
    if "监测类型" in family:
        states.append(Fact("state.monitored", LONG_SINCE, value=CLASSES[family["监测类型"]]))
    if home := family.get("住房"):
        attributes = {"occupied": home["居住"], "only": home["唯一"] == "是"}
        states.append(Fact("state.dwelling", LONG_SINCE, value=home["等级"], attributes=attributes))
    for each in family["成员"]:
        if "参保" in each:
            states.append(Fact("state.insured", LONG_SINCE, member=each["姓名"], value=INSURED[each["参保"]]))
    return states


def _fact(raw: dict[str, Any]) -> Fact:
    kind, attributes = KINDS[raw["类别"]]
    if "级别" in raw:
        attributes = {"types": raw["类型"], "grade": raw["级别"]}
    return Fact(
        kind,
        raw["日期"],
        member=raw.get("谁"),
        ended_on=raw.get("结束"),
        period_from=raw.get("起"),
        period_to=raw.get("止"),
        amount_fen=_fen(raw, "金额"),
        compliant_fen=_fen(raw, "合规自付"),
        other_fen=_fen(raw, "目录外自付"),
        relief_fen=_fen(raw, "救助"),
        value="dibao" if raw["类别"] == "低保" else None,
        verified={"是": True, "否": False}.get(raw.get("核实", "")),
        source=SOURCES[raw.get("来源", "部门")],
        data_set=raw.get("数据"),
        attributes=attributes,
    )


def _fen(raw: dict[str, Any], name: str) -> int | None:
    return parse_yuan(raw[name]) if name in raw else None
