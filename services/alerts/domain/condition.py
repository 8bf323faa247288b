"""Conditions as people write them (条件): `等级=红色; 原因=~因病|因残; 村!=130624100201`, read into matchers."""

import re
from dataclasses import dataclass

from services.alerts.domain.alert_labels import LABELS, LEVEL_OF_LABEL, Label
from services.alerts.domain.route import Matcher, Operator
from shared.vocabulary.division import DIGITS, DivisionCodeError, covers, level_of, parse_division
from shared.vocabulary.identity_number import holds_identity_number

EXAMPLE = "等级=红色; 原因=~因病|因残"
MOST_MATCHERS = 20
LONGEST_VALUE = 200
_WIDE = str.maketrans("＝！～；｜", "=!~;|")
_PART = re.compile(r"\s*([^\s=!~]+)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_LABEL_OF = {**{name: name for name in LABELS}, **{label.zh: name for name, label in LABELS.items()}}
_PLAIN_ALTERNATIVES = re.compile(r"[^()\[\]\\.*+?{}^$]*")

# A pattern may repeat single characters and classes only, and repeat or group three times at most: such a pattern
# takes no longer than the cube of a short value, whatever is written into it.
_IN_CLASS = r"[^\[\]\\&~|^-]"
_ATOM = rf"(?:[^\\()\[\]{{}}*+?|^$]|\\[.\\()\[\]{{}}*+?|^$dwDW-]|\[\^?(?:{_IN_CLASS}-{_IN_CLASS}|{_IN_CLASS})+\])"
_TOKEN = re.compile(rf"(?P<atom>{_ATOM})(?P<repeat>[*+?]|\{{[0-9]{{1,2}}(?:,[0-9]{{1,2}})?\}})?|[()|]", re.DOTALL)
_MOST_CHOICES = 3


@dataclass(frozen=True, slots=True)
class ConditionError:
    """What is wrong with a condition: a stable code, the message, what is right, an example."""

    code: str
    message: str
    expected: str | None = None
    example: str = EXAMPLE


def read_condition(text: str, scope: str | None) -> tuple[tuple[Matcher, ...], list[ConditionError]]:
    """The matchers of a text, divisions within `scope` (None: anywhere); what is wrong is said of every part."""
    parts = [part for part in re.split(r"[;\n]", text.translate(_WIDE)) if part.strip()]
    if len(parts) > MOST_MATCHERS:
        return (), [ConditionError("too_many", f"条件过多：{len(parts)} 个", f"最多 {MOST_MATCHERS} 个")]
    read = [_read_part(part, scope) for part in parts]
    errors = [found for found in read if isinstance(found, ConditionError)]
    return tuple(found for found in read if isinstance(found, Matcher)), errors


def _read_part(part: str, scope: str | None) -> Matcher | ConditionError:
    found = _PART.fullmatch(part)
    if found is None:
        return ConditionError("condition_format", f"看不懂的条件“{part.strip()[:40]}”", "标签、= != =~ !~ 之一、值")
    name = _LABEL_OF.get(found[1]) or _LABEL_OF.get(found[1].lower())
    if name is None:
        known = "、".join(label.zh for label in LABELS.values())
        return ConditionError("unknown_label", f"没有“{found[1][:40]}”这个标签", known)
    value = found[3].strip('"“”')
    if len(value) > LONGEST_VALUE or "\x00" in value or holds_identity_number(value):
        return ConditionError("value_refused", "值过长、含有控制字符或身份证号", f"不超过 {LONGEST_VALUE} 字")
    operator = Operator(found[2])
    if operator in (Operator.EQUALS, Operator.DIFFERS):
        return _exact(name, operator, value, scope)
    return _patterned(name, operator, value)


def _exact(name: str, operator: Operator, value: str, scope: str | None) -> Matcher | ConditionError:
    if name in LEVEL_OF_LABEL and value:
        return _placed(name, operator, value, scope)
    code = _code_of(LABELS[name], value)
    return Matcher(name, operator, code) if code is not None else _unknown_value(name, value)


def _placed(name: str, operator: Operator, value: str, scope: str | None) -> Matcher | ConditionError:
    label = LABELS[name]
    try:
        code = parse_division(value)
    except DivisionCodeError as error:
        return ConditionError("division_format", error.message, None, f"{label.zh}={label.example}")
    digits = DIGITS[LEVEL_OF_LABEL[name]]
    if level_of(code) is not LEVEL_OF_LABEL[name]:
        return ConditionError(
            "division_level", f"{value} 不是{label.zh}级代码", f"{digits} 位", f"{label.zh}={label.example}"
        )
    if scope is not None and not covers(scope, code):
        return ConditionError("out_of_range", f"{value} 不在本辖区内", scope, f"{label.zh}={scope[:digits]}")
    return Matcher(name, operator, code[:digits])


def _patterned(name: str, operator: Operator, value: str) -> Matcher | ConditionError:
    if _PLAIN_ALTERNATIVES.fullmatch(value):
        codes = [(text, _code_of(LABELS[name], text)) for text in value.split("|")]
        wrong = next((text for text, code in codes if code is None), None)
        if wrong is not None:
            return _unknown_value(name, wrong)
        return Matcher(name, operator, "|".join(code or "" for _, code in codes))
    if not is_safe_pattern(value):
        return ConditionError(
            "pattern_refused",
            f"不支持的表达式“{value[:40]}”",
            "文字、. [..] | ( )，以及单个字符后的 * + ? {n}；重复与括号合计最多三个，括号后不能重复",
            "村=~1306241002.*",
        )
    return Matcher(name, operator, value)


def is_safe_pattern(value: str) -> bool:
    """Whether a pattern is one that is read in a bounded time."""
    place, choices = 0, 0
    while place < len(value):
        token = _TOKEN.match(value, place)
        if token is None:
            return False
        choices += token["repeat"] is not None or token[0] == "("
        place = token.end()
    try:
        re.compile(value)
    except (re.error, OverflowError):
        return False
    return choices <= _MOST_CHOICES


def _code_of(label: Label, text: str) -> str | None:
    """The code of a value written as such or in Chinese; None for one that a closed label does not have."""
    if not text or not label.is_closed or text in label.values.values():
        return label.values.get(text, text)
    return label.values.get(text)


def _unknown_value(name: str, value: str) -> ConditionError:
    label = LABELS[name]
    known = "、".join(label.values)
    return ConditionError(
        "unknown_value", f"{label.zh}没有“{value[:40]}”这个值", known, f"{label.zh}={next(iter(label.values))}"
    )
