"""The labels of an alert (标签): what routes and silences may ask of it, each said by the alert or its evidence."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from shared.vocabulary.division import DIGITS, DivisionLevel, level_of
from shared.vocabulary.terms import Cause, RiskClass, Severity, Source, Term

YES, NO = "yes", "no"
_FLAG = MappingProxyType({"是": YES, "否": NO})


@dataclass(frozen=True, slots=True)
class Label:
    """A label's Chinese name, the codes of its values by their Chinese names, and whether there are no others."""

    zh: str
    values: Mapping[str, str] = field(default_factory=dict)
    is_closed: bool = False
    example: str = ""


def _term(kind: type[Term]) -> dict[str, str]:
    return {term.zh: term.value for term in kind}


def _flag(zh: str) -> Label:
    return Label(zh, _FLAG, True, YES)


_REASONS = {"评估结论": "recommendation", "指标触发": "finding", "农户求助": "hardship_report"}
LABELS: Mapping[str, Label] = MappingProxyType(
    {
        "severity": Label("等级", _term(Severity), True, "red"),
        "cause": Label("原因", _term(Cause), True, "illness"),
        "class": Label("建议类别", _term(RiskClass), False, "sudden_hardship"),
        "listed_as": Label("现列类别", _term(RiskClass), False, "marginal_at_risk"),
        "county": Label("县", example="130624"),
        "town": Label("乡镇", example="130624100"),
        "village": Label("村", example="130624100201"),
        "department": Label("来源部门", example="医保局"),
        "source": Label("发现渠道", _term(Source), True, "department"),
        "indicator": Label("指标", example="medical_self_pay"),
        "reason": Label("缘由", _REASONS, True, "finding"),
        "household": Label("户编号", example="F130624001"),
        "reported": _flag("农户申报"),
        "appealed": _flag("申诉"),
        "moved": _flag("人户分离"),
        "first": _flag("首次预警"),
    }
)
LEVEL_OF_LABEL = MappingProxyType(
    {"county": DivisionLevel.COUNTY, "town": DivisionLevel.TOWNSHIP, "village": DivisionLevel.VILLAGE}
)
# These are not in the alert itself: its evidence must be read for them.
OF_EVIDENCE = frozenset({"department", "source", "indicator", "appealed"})


@dataclass(frozen=True, slots=True)
class Traits:
    """What the evidence of an alert says of where the news came from."""

    departments: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()


class Row(Protocol):
    def __getitem__(self, name: str, /) -> Any: ...


def labels_of(alert: Row, traits: Traits, asked: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
    """The labels of an alert, as it is stored; all, or those asked for."""
    names = LABELS if asked is None else asked
    return {name: value for name in names if (value := _VALUES[name](alert, traits)) is not None}


def _level(level: DivisionLevel) -> "Value":
    return lambda alert, _: division_labels(alert["living_division"], (level,)).get(LABEL_OF_LEVEL[level])


Value = Callable[[Row, Traits], tuple[str, ...] | None]
LABEL_OF_LEVEL = {level: name for name, level in LEVEL_OF_LABEL.items()}
_VALUES: Mapping[str, Value] = {
    "severity": lambda alert, _: _one(alert["severity"]),
    "cause": lambda alert, _: tuple(alert["causes"]),
    "class": lambda alert, _: _one(alert["recommendation"]),
    "listed_as": lambda alert, _: _one(alert["listed_as"]),
    **{name: _level(level) for name, level in LEVEL_OF_LABEL.items()},
    "department": lambda _, traits: traits.departments,
    "source": lambda _, traits: traits.sources,
    "indicator": lambda _, traits: traits.indicators,
    "reason": lambda alert, _: _one(alert["reason"]),
    "household": lambda alert, _: _one(alert["household_no"]),
    "reported": lambda alert, _: _yes(bool(alert["report_ids"])),
    "appealed": lambda _, traits: _yes("appeal" in traits.indicators),
    "moved": lambda alert, _: _yes(alert["living_division"] != alert["registered_division"]),
    "first": lambda alert, _: _yes(alert["follows"] is None),
}


def division_labels(
    division: str, levels: Collection[DivisionLevel] = tuple(LEVEL_OF_LABEL.values())
) -> dict[str, tuple[str, ...]]:
    """A division as the codes of its county, town and village, each cut to its own digits."""
    level = level_of(division)
    return {LABEL_OF_LEVEL[of]: (division[: DIGITS[of]],) for of in levels if level >= of}


def _one(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _yes(holds: bool) -> tuple[str, ...]:
    return (YES if holds else NO,)
