"""A rule on medical self-pay (医疗自付预警线): whose bills of which stretch of time, against what line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.policies.share import BASIS, share_in_basis
from shared.vocabulary.money import MoneyError, parse_yuan, yuan
from shared.vocabulary.terms import Visit

SCOPES = ("person", "household")
WINDOWS = ("year_to_date", "rolling_12m", "month", "single_stay")
GROUPS = ("lifted_out", "general", "monitored")
COUNTS = ("compliant", "all_self_paid")
REQUIRED = ("scope", "window", "visits", "groups")
OPTIONAL = ("counts", "threshold_yuan", "share_of_rural_income", "inclusive")
MAX_SHARE = 10 * BASIS
MAX_FEN = 10_000_000_00


class RuleShape(NamedTuple):
    """What a rule measures, apart from whom it applies to and its line; `visits` in the vocabulary's order."""

    scope: str
    window: str
    visits: tuple[str, ...]
    counts: str


@dataclass(frozen=True, slots=True)
class MedicalRule:
    """One rule; the line is fixed (fen) or a share, in basis points, of last year's rural income per head.

    `groups` names the base groups it applies to, and `monitored` for any household already listed.
    `inclusive`: at the line it fires.
    """

    scope: str
    window: str
    visits: frozenset[str]
    groups: frozenset[str]
    counts: str
    threshold_fen: int | None
    share_basis: int | None
    inclusive: bool

    @property
    def shape(self) -> RuleShape:
        return RuleShape(
            self.scope, self.window, tuple(each.value for each in Visit if each in self.visits), self.counts
        )

    def as_data(self) -> dict[str, Any]:
        """The rule as it is written in a package or a request."""
        data: dict[str, Any] = {
            "scope": self.scope,
            "window": self.window,
            "visits": [each.value for each in Visit if each in self.visits],
            "groups": [each for each in GROUPS if each in self.groups],
            "counts": self.counts,
        }
        if self.threshold_fen is not None:
            data["threshold_yuan"] = yuan(self.threshold_fen)
        if self.share_basis is not None:
            data["share_of_rural_income"] = self.share_basis / BASIS
        return {**data, "inclusive": self.inclusive}


def read_rule(data: object) -> MedicalRule:
    """A rule written as a mapping; a ValueError says in Chinese what is right."""
    given = {name: value for name, value in _fields(data).items() if value is not None or name in REQUIRED}
    threshold, share = given.get("threshold_yuan"), given.get("share_of_rural_income")
    if (threshold is None) == (share is None):
        raise ValueError("threshold_yuan 与 share_of_rural_income 恰好写一个")
    return MedicalRule(
        scope=_one_of("scope", given["scope"], SCOPES),
        window=_one_of("window", given["window"], WINDOWS),
        visits=_several("visits", given["visits"], tuple(Visit)),
        groups=_several("groups", given["groups"], GROUPS),
        counts=_one_of("counts", given.get("counts", "compliant"), COUNTS),
        threshold_fen=None if threshold is None else _fen(threshold),
        share_basis=None if share is None else _share(share),
        inclusive=_flag(given.get("inclusive", False)),
    )


def _fields(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ValueError("每条规则是一个映射，须有 " + "、".join(REQUIRED))
    if unknown := sorted(set(data) - {*REQUIRED, *OPTIONAL}):
        raise ValueError(f"不认识的字段 {unknown[0]}，只可用 {'、'.join((*REQUIRED, *OPTIONAL))}")
    if missing := [each for each in REQUIRED if each not in data]:
        raise ValueError(f"缺少字段 {missing[0]}，须有 {'、'.join(REQUIRED)}")
    return data


def _one_of(name: str, given: object, allowed: Sequence[str]) -> str:
    if not isinstance(given, str) or given not in allowed:
        raise ValueError(f"{name} 只可取 {'、'.join(allowed)}")
    return given


def _several(name: str, given: object, allowed: Sequence[str]) -> frozenset[str]:
    if not isinstance(given, list) or not given or len(given) != len(set(map(str, given))):
        raise ValueError(f"{name} 是不重复的列表，取自 {'、'.join(allowed)}")
    return frozenset(_one_of(name, each, allowed) for each in given)


def _fen(given: object) -> int:
    try:
        fen = parse_yuan(given) if isinstance(given, str) else -1
    except MoneyError as error:
        raise ValueError(f"threshold_yuan {error.message}") from error
    if not 0 <= fen <= MAX_FEN:
        raise ValueError("threshold_yuan 是以元为单位的文字，在 0.00 与 10000000.00 之间")
    return fen


def _share(given: object) -> int:
    basis = share_in_basis(given)
    if basis is None or basis > MAX_SHARE:
        raise ValueError("share_of_rural_income 是最多四位小数的数字，1 表示 100 %，不超过 10")
    return basis


def _flag(given: object) -> bool:
    if not isinstance(given, bool) and given not in ("true", "false"):
        raise ValueError("inclusive 只可取 true、false")
    return given in (True, "true")
