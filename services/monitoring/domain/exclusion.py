"""Exclusions (排除情形): what a household owns or is that asks a person for a reason."""

from dataclasses import dataclass

from services.monitoring.domain.expression import Expression


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One exclusion: `when` is a hit of any kind, `counts_when` one that no exemption of its kind covers.

    It fired if `when` is true, is unknown if that is; it is exempt if it fired and `counts_when` is false.
    `fired` and `exempt` are told to people. While one of `clear_needs` is stale, clear is unknown.
    """

    name: str
    label_zh: str
    when: Expression
    counts_when: Expression
    fired: str
    exempt: str
    clear_needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class ExclusionTerms:
    """Names of two parameters (what a hit does; whether sudden hardship exempts) and of the flag that says sudden.

    `effect` is `needs_reason` or `blocks`; `note` is told where `sudden` exempts.
    """

    effect: str
    exempt_on_sudden: str
    sudden: str
    note: str
