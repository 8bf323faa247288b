"""The monthly comparison of lists (名单比对): which lists there are, and what is to be on one and not on another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class CheckKind(StrEnum):
    """What a finding means: 应纳未纳, 应退未退, 死亡未减, 重复."""

    SHOULD_BE_IN = "should_be_in"
    SHOULD_BE_OUT = "should_be_out"
    DECEASED = "deceased"
    DUPLICATE = "duplicate"

    @property
    def zh(self) -> str:
        return _ZH[self.value]


_ZH = {"should_be_in": "应纳未纳", "should_be_out": "应退未退", "deceased": "死亡未减", "duplicate": "重复"}


class Of(StrEnum):
    """Whether a list or a check is of people or of households; a list of people tells their households too."""

    PERSON = "person"
    HOUSEHOLD = "household"


class ListChecksInvalid(ValueError):
    """The file of lists and checks is wrong: where, and what is right."""


@dataclass(frozen=True, slots=True)
class ListSpec:
    """One list: facts that have not ended, of these kinds, values, attributes; or one the register keeps."""

    name: str
    label_zh: str
    of: Of
    register: str | None = None
    kinds: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListCheck:
    """Who is on all of `present`, in a household on all of `within`, and on none of `absent`.

    Not asked in a county where a list of `needs` is empty: a list that never came lacks everybody.
    `owner`: the department, or the village, that can mend it.
    """

    code: str
    label_zh: str
    kind: CheckKind
    of: Of
    present: tuple[str, ...]
    owner: str
    within: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListChecks:
    """All lists and checks, by name and code."""

    lists: Mapping[str, ListSpec]
    checks: Mapping[str, ListCheck]


REGISTER_LISTS = ("members", "double", "recommended", "without_risk", "listed", "emptied")
_LIST_KEYS = frozenset({"label_zh", "of", "register", "kinds", "values", "attributes"})
_CHECK_KEYS = frozenset({"label_zh", "kind", "of", "present", "owner", "within", "absent", "needs"})


def read_list_checks(document: Any) -> ListChecks:
    """Read the parsed YAML; ListChecksInvalid names the key that is wrong."""
    if not isinstance(document, Mapping) or set(document) != {"lists", "checks"}:
        raise ListChecksInvalid("应恰好包含 lists 和 checks")
    lists = {name: _list(name, raw) for name, raw in document["lists"].items()}
    return ListChecks(lists, {code: _check(code, raw, lists) for code, raw in document["checks"].items()})


def _list(name: str, raw: Mapping[str, Any]) -> ListSpec:
    _only(f"lists/{name}", raw, _LIST_KEYS)
    spec = ListSpec(
        name=name,
        label_zh=raw["label_zh"],
        of=Of(raw["of"]),
        register=raw.get("register"),
        kinds=_texts(f"lists/{name}/kinds", raw.get("kinds", ())),
        values=_texts(f"lists/{name}/values", raw.get("values", ())),
        attributes={key: _texts(f"lists/{name}/{key}", each) for key, each in raw.get("attributes", {}).items()},
    )
    if (spec.register is None) == (not spec.kinds):
        raise ListChecksInvalid(f"lists/{name}: register 与 kinds 必须且只能有一个")
    if spec.register is not None and spec.register not in REGISTER_LISTS:
        raise ListChecksInvalid(f"lists/{name}/register: 应为 {', '.join(REGISTER_LISTS)} 之一")
    return spec


def _check(code: str, raw: Mapping[str, Any], lists: Mapping[str, ListSpec]) -> ListCheck:
    _only(f"checks/{code}", raw, _CHECK_KEYS)
    named = {
        key: _texts(f"checks/{code}/{key}", raw.get(key, ())) for key in ("present", "within", "absent", "needs")
    }
    for key, names in named.items():
        if unknown := set(names) - set(lists):
            raise ListChecksInvalid(f"checks/{code}/{key}: 没有名单 {', '.join(sorted(unknown))}")
    check = ListCheck(code, raw["label_zh"], CheckKind(raw["kind"]), Of(raw["of"]), owner=raw["owner"], **named)
    if not check.present:
        raise ListChecksInvalid(f"checks/{code}/present: 至少要有一个名单")
    if check.of is Of.PERSON and any(lists[name].of is Of.HOUSEHOLD for name in (*check.present, *check.absent)):
        raise ListChecksInvalid(f"checks/{code}: 逐人的比对只能用逐人的名单；按户限定请用 within")
    return check


def _only(where: str, raw: Any, keys: frozenset[str]) -> None:
    if not isinstance(raw, Mapping):
        raise ListChecksInvalid(f"{where}: 应为键值结构")
    if unknown := set(raw) - keys:
        raise ListChecksInvalid(f"{where}: 不认识的键 {', '.join(sorted(unknown))}")
    if missing := {"label_zh", "of"} - set(raw):
        raise ListChecksInvalid(f"{where}: 缺少 {', '.join(sorted(missing))}")


def _texts(where: str, values: Sequence[Any]) -> tuple[str, ...]:
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise ListChecksInvalid(f"{where}: 应为文本列表")
    return tuple(values)
