"""Medical rules in the second half: the measured shapes held against a place's rules, which are bound as arrays.

Each array has one element for every case a household can be in and every shape, so that the text knows nothing
of a place's rules. Of several rules of one shape the lowest line is the one that fires first and, once anything
was paid, the one overstepped most; until then all are equal and the first in the list is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from services.monitoring.domain.compiled_bills import shape_name
from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.policy_package import RURAL_INCOME, PolicyPackage
from services.monitoring.domain.rendering import half_up
from shared.errors import Unprocessable
from shared.policies.medical_rule import MedicalRule, RuleShape
from shared.policies.parameter_set import ParameterSet
from shared.policies.share import BASIS

BASE_GROUPS: tuple[str | None, ...] = (None, "lifted_out", "general", "other")
CASES = tuple((base, monitored) for base in BASE_GROUPS for monitored in (False, True))
INFINITE = 10**38
SCALE = 10**20
"""Ratios of amounts and lines below 10^17 differ by more than 10^-34: two times twenty digits tell them apart.

So many, and not all forty at once, because an engine of columns has whole numbers of 38 digits.
"""

Read = Callable[[str], str]


class RuleShapeUnknown(Unprocessable):
    """A rule of a shape that the package does not measure."""

    code: ClassVar[str] = "rule_shape_unknown"
    title: ClassVar[str] = "医疗规则的口径未计量"


@dataclass(frozen=True, slots=True)
class _Line:
    """One rule of a place: its position from 1, its line in ten-thousandths of a fen."""

    position: int
    rule: MedicalRule
    basis: int

    @property
    def over(self) -> int:
        """The whole amount, in fen, above which the rule fires."""
        if self.basis <= 0:
            return 0
        return -(-self.basis // BASIS) - 1 if self.rule.inclusive else self.basis // BASIS

    @property
    def shown(self) -> int:
        return half_up(self.basis, BASIS)


NOTHING = _Line(0, MedicalRule("", "", frozenset(), frozenset(), "", 1, None, False), BASIS)
"""Stands where no rule applies; its position tells."""


def rule_definitions(package: PolicyPackage, binds: Binds) -> dict[str, Callable[[Read], str]]:
    """Columns up to rule_fired, rule_measured and rule_threshold, each written from others."""
    shapes = range(len(package.rule_shapes))
    coarse = {f"rule.coarse{index}": partial(_coarse, index, len(shapes), binds.edge) for index in shapes}
    fine = {f"rule.fine{index}": partial(_fine, index, len(shapes), binds.edge) for index in shapes}
    return {
        "rule.case": partial(_case, package),
        **coarse,
        "rule.most": partial(_most, tuple(coarse)),
        **fine,
        "rule.fires": partial(_fires, shapes, binds.edge),
        "rule_fired": partial(_fired, binds.edge),
        "rule.told": partial(_told, tuple(fine)),
        "rule_measured": partial(_measured, shapes),
        "rule_threshold": partial(_threshold, len(shapes), binds.edge),
    }


def _case(package: PolicyPackage, read: Read) -> str:
    """The position among CASES."""
    base = read("base_group") if "base_group" in package.measures else "null::text"
    monitored = f"{read('monitored_as')} is not null" if "monitored_as" in package.measures else "false"
    numbered = f"case {base} when 'lifted_out' then 2 when 'general' then 4 else 6 end"
    return f"(case when {base} is null then 0 else {numbered} end + case when {monitored} then 1 else 0 end)"


def _element(edge: Read, read: Read, array: str, index: str | int, shapes: int) -> str:
    return f"({edge(array)})[{read('rule.case')} * {shapes} + {index} + 1]"


def _fires(shapes: Sequence[int], edge: Read, read: Read) -> str:
    each = (
        f"({_element(edge, read, 'rule_order', index, len(shapes))} > 0"
        f" and {read(shape_name(index))} > {_element(edge, read, 'rule_over', index, len(shapes))})"
        for index in shapes
    )
    return " or ".join(each) or "false"


def _fired(edge: Read, read: Read) -> str:
    """One rule is enough; a rule that may apply or not leaves it unknown."""
    fires, case = read("rule.fires"), read("rule.case")
    return f"case when {fires} then true when ({edge('rule_unsure')})[{case} + 1] = 0 then {fires} end"


def _coarse(index: int, shapes: int, edge: Read, read: Read) -> str:
    """How often the amount holds the line, to twenty digits: less than nothing where nothing was paid."""
    order, basis = (_element(edge, read, each, index, shapes) for each in ("rule_order", "rule_basis"))
    amount = read(shape_name(index))
    return (
        f"case when {order} > 0 and {amount} is not null then case when {amount} = 0 then -1::numeric"
        f" when {basis} <= 0 then {INFINITE}::numeric else div({amount}::numeric * {SCALE}, {basis}) end end"
    )


def _most(keys: Sequence[str], read: Read) -> str:
    """Here greatest() is what is meant: it passes nulls over."""
    return f"greatest({', '.join(map(read, keys))})" if keys else "null::numeric"


def _fine(index: int, shapes: int, edge: Read, read: Read) -> str:
    """Among the greatest by twenty digits: the next twenty, and among equals the first in the list."""
    order, basis, first = (
        _element(edge, read, each, index, shapes) for each in ("rule_order", "rule_basis", "rule_first_order")
    )
    amount, coarse = read(shape_name(index)), read(f"rule.coarse{index}")
    rest = f"({amount}::numeric * {SCALE} - {coarse} * {basis})"
    return (
        f"case when {coarse} = {read('rule.most')} then case when {amount} = 0 then - {first}::numeric"
        f" when {basis} <= 0 then - {order}::numeric else div({rest} * {SCALE}, {basis}) * 1000 - {order} end end"
    )


def _told(keys: Sequence[str], read: Read) -> str:
    """Which shape is told; again greatest() passes nulls over."""
    if not keys:
        return "null::bigint"
    columns = [read(each) for each in keys]
    whens = " ".join(f"when {column} then {index}" for index, column in enumerate(columns))
    return f"case greatest({', '.join(columns)}) {whens} end"


def _measured(shapes: Sequence[int], read: Read) -> str:
    whens = " ".join(f"when {index} then {read(shape_name(index))}" for index in shapes)
    return f"case {read('rule.told')} {whens} end" if whens else "null::bigint"


def _threshold(shapes: int, edge: Read, read: Read) -> str:
    told, measured = read("rule.told"), read("rule_measured")
    lowest, first = (_element(edge, read, array, told, shapes) for array in ("rule_shown", "rule_first_shown"))
    return f"case when {measured} = 0 then {first} else {lowest} end"


def rule_values(package: PolicyPackage, parameters: ParameterSet) -> dict[str, object]:
    """What is bound of a place's rules; RuleShapeUnknown if the package does not measure one."""
    if package.medical_rules is None:
        return {}
    lines = _lines(package, package.medical_rules, parameters)
    cells = [_applying(lines, shape, *case) for case in CASES for shape in package.rule_shapes]
    low = [min(cell, key=lambda each: (max(each.basis, 0), each.position), default=NOTHING) for cell in cells]
    first = [next(iter(cell), NOTHING) for cell in cells]
    return {
        "rule_over": [min((each.over for each in cell), default=0) for cell in cells],
        "rule_order": [each.position for each in low],
        "rule_basis": [each.basis for each in low],
        "rule_shown": [each.shown for each in low],
        "rule_first_order": [each.position for each in first],
        "rule_first_shown": [each.shown for each in first],
        "rule_unsure": [int(any(_is_unsure(each.rule, *case) for each in lines)) for case in CASES],
    }


def _lines(package: PolicyPackage, name: str, parameters: ParameterSet) -> list[_Line]:
    rural, lines = parameters.number(RURAL_INCOME), []
    for position, rule in enumerate(parameters.rules(name), 1):
        if rule.shape not in package.rule_shapes:
            raise RuleShapeUnknown(f"第 {position} 条医疗规则的口径在政策包中没有，须先发布含此口径的政策包")
        share = (rule.share_basis or 0) * rural
        lines.append(_Line(position, rule, share if rule.threshold_fen is None else rule.threshold_fen * BASIS))
    return lines


def _applying(lines: Sequence[_Line], shape: RuleShape, base: str | None, monitored: bool) -> list[_Line]:
    """The rules of a shape that surely apply, in the list's order."""
    return [each for each in lines if each.rule.shape == shape and _applies(each.rule, base, monitored)]


def _applies(rule: MedicalRule, base: str | None, monitored: bool) -> bool:
    return base in rule.groups or (monitored and "monitored" in rule.groups)


def _is_unsure(rule: MedicalRule, base: str | None, monitored: bool) -> bool:
    """Whether a rule may apply, the base group being unknown."""
    return base is None and bool(rule.groups - {"monitored"}) and not _applies(rule, base, monitored)
