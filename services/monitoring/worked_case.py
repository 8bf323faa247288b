"""Worked cases (算例): a household and what should come of it, as officials write and sign it in YAML."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from services.monitoring import case_words as words
from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.rendering import per_head_yuan
from shared.policies.package import HOME
from shared.vocabulary.money import Fen, parse_yuan, yuan
from shared.vocabulary.terms import Severity

SHIPPED_CASES = HOME / "cases"
CASES = SHIPPED_CASES if SHIPPED_CASES.is_dir() else Path(__file__).parents[2] / "tests" / "cases"
"""Beside the packages in an installed wheel, else where they are kept."""

LONG_SINCE = date(2019, 1, 1)
BORN = date(1990, 1, 1)  # The register knows everybody's birthday; a case that is about ages says it.


@dataclass(frozen=True, slots=True)
class Case:
    """One worked household and what should come of it; `county` has six digits, `overrides` are parameters."""

    name: str
    county: str
    on: date
    overrides: dict[str, Any]
    household: HouseholdFacts
    expected: dict[str, Any]


def read_cases(folder: Path = CASES) -> list[Case]:
    """Every case of every file, in order of the files' names."""
    documents = [
        (path.stem, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.yaml"))
    ]
    return [_case(stem, document, each) for stem, document in documents for each in document["案例"]]


def differences(case: Case, assessment: Assessment) -> list[str]:
    """What does not come out as written, a sentence each; empty if the case is green."""
    return [
        f"{wanted}应为{expected}，实为{found}"
        for wanted, expected in case.expected.items()
        if not _agrees(wanted, expected, found := _found(assessment, wanted, expected))
    ]


def _agrees(wanted: str, expected: Any, found: Any) -> bool:
    """Flags may be more than those written; everything else is exactly as written."""
    return set(expected) <= set(found) if wanted == "提示" else bool(expected == found)


def _found(assessment: Assessment, wanted: str, expected: Any) -> Any:
    """What the assessment says, in the words of a case."""
    if wanted in OF_ONE:
        return {name: OF_ONE[wanted](assessment, name) for name in expected}
    if wanted == "没有提示":
        return [each for each in expected if each not in assessment.flags]
    return OF_ALL[wanted](assessment)


def _class(code: str | None) -> str:
    return next((word for word, known in words.CLASSES.items() if known == code), str(code))


def _severity(severity: Severity | None) -> str:
    return severity.zh if severity else "无"


def _state(assessment: Assessment, name: str) -> str:
    state = assessment.indicator(name).state
    return next(word for word, code in words.STATES.items() if code == state)


def _hit(assessment: Assessment, name: str) -> str:
    found = next(each for each in assessment.exclusions if each.id == name)
    return next(word for word, hit in words.HITS.items() if hit == (found.state, found.exempt))


def _income(fen: Fen | None, assessment: Assessment) -> str:
    return per_head_yuan(fen, assessment.members_counted) or UNKNOWN


UNKNOWN = "未知"
OF_ONE: Mapping[str, Callable[[Assessment, str], str | None]] = {
    "指标": _state,
    "指标等级": lambda a, name: _severity(a.indicator(name).severity),
    "实测": lambda a, name: a.indicator(name).measured,
    "排除": _hit,
}
OF_ALL: Mapping[str, Callable[[Assessment], Any]] = {
    "建议": lambda a: _class(a.recommendation),
    "不计排除的建议": lambda a: _class(a.recommendation_without_exclusions),
    "等级": lambda a: _severity(a.severity),
    "分值": lambda a: a.score,
    "人均纯收入": lambda a: _income(a.net_income_fen, a),
    "人均参考收入": lambda a: _income(a.reference_income_fen, a),
    "人均今后收入": lambda a: a.forward_income_per_head() or UNKNOWN,
    "刚性支出": lambda a: UNKNOWN if a.rigid_outlay_fen is None else yuan(a.rigid_outlay_fen),
    "计入人口": lambda a: a.members_counted,
    "原因": lambda a: [each.zh for each in a.causes],
    "提示": lambda a: list(a.flags),
    "数据质量": lambda a: list(a.quality_flags),
    "民政线索": lambda a: [each.id for each in a.civil_affairs],
    "不能消除": lambda a: list(a.removal_blockers),
    "信息完整度": lambda a: a.confidence_percent,
    "窗口": lambda a: [a.window.first, a.window.last],
}


def _case(stem: str, document: dict[str, Any], raw: dict[str, Any]) -> Case:
    family = raw["家庭"]
    complete = bool(raw.get("齐全", document.get("齐全", False)))
    members = tuple(_member(each, complete) for each in family["成员"])
    facts = [*_states(family), *(_fact(each) for each in raw["事实"])]
    return Case(
        f"{stem}：{raw['名称']}",
        raw.get("县", document["县"]),
        raw.get("日期", document["日期"]),
        raw.get("参数", {}),
        HouseholdFacts(members, tuple(facts), complete),
        raw["应当"],
    )


def _member(raw: dict[str, Any], complete: bool) -> Member:
    return Member(
        raw["姓名"],
        words.STATUS[raw.get("状态", "健在")],
        raw.get("去世日期"),
        raw.get("出生", None if complete else BORN),
        words.YES.get(raw.get("共享收支", "")),
    )


def _states(family: dict[str, Any]) -> Iterator[Fact]:
    """What the case says of the household and its members, as states that have held for long."""
    if "户类型" in family:
        yield Fact("state.base_group", LONG_SINCE, value=words.GROUPS[family["户类型"]])
    if "监测类型" in family:
        since = {"identified_on": family["纳入日期"].isoformat()} if "纳入日期" in family else {}
        yield Fact("state.monitored", LONG_SINCE, value=words.CLASSES[family["监测类型"]], attributes=since)
    if home := family.get("住房"):
        known = _named(home, HOME_WORDS)
        yield Fact("state.dwelling", LONG_SINCE, value=home.get("等级"), attributes=known)
    if water := family.get("饮水"):
        yield Fact("state.water", LONG_SINCE, attributes=_named(water, WATER))
    for each in family["成员"]:
        yield from _of_member(each)


Known = Mapping[str, tuple[str, Mapping[str, Any] | None]]

HOME_WORDS: Known = {"居住": ("occupied", None), "唯一": ("only", words.YES)}
WATER: Known = {
    "水量": ("litres", None),
    "取水": ("minutes", None),
    "保证率": ("guarantee", None),
    "水质合格": ("quality_ok", words.YES),
}
SCHOOL: Known = {
    "在校": ("in_school", words.YES),
    "原因": ("absent_reason", words.ABSENT),
    "送教上门": ("home_teaching", words.YES),
}
DETAILS: Known = {
    "级别": ("grade", None),
    "类型": ("types", None),
    "天数": ("days", None),
    "用途": ("purpose", words.PURPOSES),
    "房屋": ("dwelling", words.DWELLINGS),
    "状态": ("state", words.COMPANIES),
}


def _of_member(raw: dict[str, Any]) -> Iterator[Fact]:
    def state(kind: str, value: str | None, attributes: dict[str, Any] | None = None) -> Fact:
        return Fact(f"state.{kind}", LONG_SINCE, member=raw["姓名"], value=value, attributes=attributes or {})

    if "参保" in raw:
        yield state("insured", words.INSURED[raw["参保"]])
    for each in raw.get("健康", ()):
        yield state("health", words.HEALTH[each])
    if "劳动" in raw:
        yield state("labour", words.LABOUR[raw["劳动"]])
    if "残疾" in raw:
        known = None if raw["残疾"] == "无" else _named(raw["残疾"], DETAILS)
        yield state("disability", "none" if known is None else None, known)
    if "就学" in raw:
        school = raw["就学"]
        yield state("school", words.STAGES[school["阶段"]] if "阶段" in school else None, _named(school, SCHOOL))
    if "财政供养" in raw:
        yield state("public_employee", "true" if words.YES[raw["财政供养"]] else "false")


def _fact(raw: dict[str, Any]) -> Fact:
    kind, attributes = words.KINDS[raw["类别"]]
    attributes = attributes | _named(raw, DETAILS)
    if "降幅" in raw:
        attributes["percent_basis"] = 100 * raw["降幅"]
    if "价值" in raw:
        attributes["value_fen"] = parse_yuan(raw["价值"])
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
        visit=words.VISITS[raw["就诊"]] if "就诊" in raw else None,
        stay=raw.get("住院号"),
        value="dibao" if raw["类别"] == "低保" else None,
        verified=words.YES.get(raw.get("核实", "")),
        source=words.SOURCES[raw.get("来源", "部门")],
        data_set=raw.get("数据"),
        attributes=attributes,
    )


def _named(raw: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """The attributes a case names, each under its key."""
    return {
        key: raw[word] if values is None else values[raw[word]]
        for word, (key, values) in known.items()
        if word in raw
    }


def _fen(raw: dict[str, Any], name: str) -> int | None:
    return parse_yuan(raw[name]) if name in raw else None
