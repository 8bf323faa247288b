"""Read worked cases (算例) as officials write them; what cannot be meant is refused with its file and line."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from services.monitoring import case_words as words
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.worked_case import CASES, DAYS, FLAGS, NUMBERS, Case, expectations
from shared.policies.document import Fields, Node, read_document
from shared.vocabulary.money import Fen, MoneyError, parse_yuan

LONG_SINCE = date(2019, 1, 1)
BORN = date(1990, 1, 1)  # The register knows everybody's birthday; a case that is about ages says it.

OF_DOCUMENT = ("县", "日期", "齐全")
OF_CASE = (*OF_DOCUMENT, "参数")
OF_FAMILY = ("户类型", "监测类型", "纳入日期", "住房", "饮水", "授权")
OF_MEMBER = ("状态", "去世日期", "出生", "共享收支", "参保", "健康", "劳动", "残疾", "就学", "财政供养")
OF_FACT = ("谁", "结束", "起", "止", "就诊", "住院号", "核实", "来源", "数据", "降幅", "价值")
MONEY: Mapping[str, str] = {
    "金额": "amount_fen",
    "合规自付": "compliant_fen",
    "目录外自付": "other_fen",
    "救助": "relief_fen",
}


def read_cases(folder: Path = CASES) -> list[Case]:
    """Every case of every file, in order of the files' names."""
    return [case for path in sorted(folder.glob("*.yaml")) for case in _of_file(path)]


def _of_file(path: Path) -> Iterator[Case]:
    document = read_document(path.read_text(encoding="utf-8"), f"{path.parent.name}/{path.name}", aliases=True)
    shared = document.fields(("案例",), OF_DOCUMENT)
    for node in shared["案例"].elements():
        yield _Reader(path.stem, shared, node).case()


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one case; what it does not say of place and day, its file says for all."""

    stem: str
    shared: Fields
    node: Node

    def case(self) -> Case:
        own = self.node.fields(("名称", "家庭", "事实", "应当"), OF_CASE)
        county, on = self._said(own, "县").text(), self._said(own, "日期").day()
        complete = (found := own.get("齐全") or self.shared.get("齐全")) is not None and _yes(found)
        family = own["家庭"].fields(("成员",), OF_FAMILY)
        people = [each.fields(("姓名",), OF_MEMBER) for each in family["成员"].elements()]
        members = tuple(_member(each, None if complete else BORN) for each in people)
        names = [each.key for each in members]
        facts = [*_states(family), *(state for each in people for state in _of_member(each))]
        facts += [_fact(each, names) for each in own["事实"].elements()]
        return Case(
            f"{self.stem}：{own['名称'].text()}",
            county,
            on,
            {} if own.get("参数") is None else {name: each.data() for name, each in own["参数"].entries()},
            HouseholdFacts(members, tuple(facts), complete),
            {name: _expected(name, each) for name, each in own["应当"].fields((), expectations()).entries.items()},
            self.node,
        )

    def _said(self, own: Fields, name: str) -> Node:
        found = own.get(name) or self.shared.get(name)
        if found is None:
            raise self.node.mistake(f"没有写{name}", right=f"算例或全文件写明{name}", example=EXAMPLES[name])
        return found


EXAMPLES = {"县": '县: "130624"', "日期": "日期: 2026-03-15"}


def _expected(name: str, node: Node) -> Any:
    """What should come out: numbers and days are compared as such, everything else as it is written."""
    if name in NUMBERS:
        return _whole(node)
    if name in DAYS:
        return [each.day() for each in node.elements()]
    if name in FLAGS:
        return [each.text() for each in node.elements()]
    return node.data()


def _member(raw: Fields, born: date | None) -> Member:
    shares = raw.get("共享收支")
    return Member(
        raw["姓名"].text(),
        "living" if (status := raw.get("状态")) is None else _word(status, words.STATUS),
        _day(raw, "去世日期"),
        _day(raw, "出生") or born,
        None if shares is None else _yes(shares),
    )


def _states(family: Fields) -> Iterator[Fact]:
    """What the case says of the household, as states that have held for long."""
    if group := family.get("户类型"):
        yield Fact("state.base_group", LONG_SINCE, value=_word(group, words.GROUPS))
    if listed := family.get("监测类型"):
        since = _day(family, "纳入日期")
        identified = {} if since is None else {"identified_on": since.isoformat()}
        yield Fact("state.monitored", LONG_SINCE, value=_word(listed, words.CLASSES), attributes=identified)
    if home := family.get("住房"):
        said = home.fields((), ("等级", *HOME))
        grade = None if (node := said.get("等级")) is None else node.one_of("ABCD")
        yield Fact("state.dwelling", LONG_SINCE, value=grade, attributes=_named(said, HOME))
    if water := family.get("饮水"):
        yield Fact("state.water", LONG_SINCE, attributes=_named(water.fields((), WATER), WATER))
    if allowed := family.get("授权"):
        for each in allowed.elements():
            yield Fact("state.authorisation", LONG_SINCE, value=_word(each, words.SCOPES))


def _of_member(raw: Fields) -> Iterator[Fact]:
    """What the case says of a member, likewise."""

    def state(kind: str, value: str | None, attributes: dict[str, Any] | None = None) -> Fact:
        return Fact(f"state.{kind}", LONG_SINCE, member=raw["姓名"].text(), value=value, attributes=attributes or {})

    if insured := raw.get("参保"):
        yield state("insured", _word(insured, words.INSURED))
    if health := raw.get("健康"):
        yield from (state("health", _word(each, words.HEALTH)) for each in health.elements())
    if labour := raw.get("劳动"):
        yield state("labour", _word(labour, words.LABOUR))
    if disability := raw.get("残疾"):
        known = None if disability.content == "无" else _named(disability.fields((), CERTIFICATE), CERTIFICATE)
        yield state("disability", "none" if known is None else None, known)
    if school := raw.get("就学"):
        said = school.fields((), ("阶段", *SCHOOL))
        stage = None if (node := said.get("阶段")) is None else _word(node, words.STAGES)
        yield state("school", stage, _named(said, SCHOOL))
    if employed := raw.get("财政供养"):
        yield state("public_employee", "true" if _yes(employed) else "false")


def _fact(node: Node, names: list[str]) -> Fact:
    raw = node.fields(("类别", "日期"), (*OF_FACT, *MONEY, *DETAILS))
    kind, attributes = words.KINDS[raw["类别"].one_of(words.KINDS)]
    attributes = attributes | _named(raw, DETAILS)
    if (drop := raw.get("降幅")) is not None:
        attributes["percent_basis"] = 100 * _whole(drop)
    if (value := raw.get("价值")) is not None:
        attributes["value_fen"] = _fen(value)
    return Fact(
        kind,
        raw["日期"].day(),
        member=None if (who := raw.get("谁")) is None else who.one_of(names),
        ended_on=_day(raw, "结束"),
        period_from=_day(raw, "起"),
        period_to=_day(raw, "止"),
        visit=None if (visit := raw.get("就诊")) is None else _word(visit, words.VISITS),
        stay=None if (stay := raw.get("住院号")) is None else stay.text(),
        value="dibao" if raw["类别"].text() == "低保" else None,
        verified=None if (verified := raw.get("核实")) is None else _yes(verified),
        source="department" if (source := raw.get("来源")) is None else _word(source, words.SOURCES),
        data_set=None if (data_set := raw.get("数据")) is None else data_set.text(),
        attributes=attributes,
        **{column: _fen(amount) for name, column in MONEY.items() if (amount := raw.get(name)) is not None},
    )


def _word(node: Node, known: Mapping[str, Any]) -> Any:
    return known[node.one_of(known)]


def _yes(node: Node) -> bool:
    return words.YES[node.one_of(words.YES)]


def _whole(node: Node) -> int:
    if not node.text().isdecimal():
        raise node.mistake(f"{node.text()} 不是整数", right="写一个整数", example="30")
    return int(node.text())


def _types(node: Node) -> list[int]:
    return [_whole(each) for each in node.elements()]


def _fen(node: Node) -> Fen:
    try:
        return parse_yuan(node.text())
    except MoneyError as error:
        raise node.mistake(f"{node.text()} 不是金额", right=error.message, example='"1234.50"') from error


def _day(raw: Fields, name: str) -> date | None:
    return None if (node := raw.get(name)) is None else node.day()


Read = Callable[[Node], Any]
Known = Mapping[str, tuple[str, Read]]

HOME: Known = {"居住": ("occupied", lambda node: node.one_of("ABCD")), "唯一": ("only", _yes)}
WATER: Known = {
    "水量": ("litres", _whole),
    "取水": ("minutes", _whole),
    "保证率": ("guarantee", _whole),
    "水质合格": ("quality_ok", _yes),
}
SCHOOL: Known = {
    "在校": ("in_school", _yes),
    "原因": ("absent_reason", lambda node: _word(node, words.ABSENT)),
    "送教上门": ("home_teaching", _yes),
}
CERTIFICATE: Known = {"级别": ("grade", _whole), "类型": ("types", _types)}
DETAILS: Known = {
    **CERTIFICATE,
    "天数": ("days", _whole),
    "用途": ("purpose", lambda node: _word(node, words.PURPOSES)),
    "房屋": ("dwelling", lambda node: _word(node, words.DWELLINGS)),
    "状态": ("state", lambda node: _word(node, words.COMPANIES)),
}


def _named(raw: Fields, known: Known) -> dict[str, Any]:
    """The attributes a case names, each under its key."""
    return {key: read(node) for word, (key, read) in known.items() if (node := raw.get(word)) is not None}
