"""Data too old to vouch for what it says (数据过期): it changes only what is shown of an assessment."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.monitoring.domain.assessment import CLEAR, FIRED, Assessment, IndicatorResult
from services.monitoring.domain.evaluated_expression import Interpreter
from services.monitoring.domain.expression import names_in
from services.monitoring.domain.policy_package import PolicyPackage


@dataclass(frozen=True, slots=True)
class StaleDataSet:
    """A data set without news for too long, and the day its data reaches to; None: it never came."""

    name: str
    newest_on: date | None


def stale_data_sets(
    package: PolicyPackage, newest: Mapping[str, date], today: date, days: Callable[[str], int]
) -> tuple[StaleDataSet, ...]:
    """The package's data sets that are late in a county, or never came; `days` answers a parameter's value there."""
    reach = {name: each.reaches(newest) for name, each in package.data_sets.items()}
    return tuple(
        StaleDataSet(name, reach[name])
        for name, each in package.data_sets.items()
        if each.is_stale(reach[name], today, days(each.stale_after))
    )


def doubts(package: PolicyPackage, assessment: Assessment, stale: Sequence[StaleDataSet]) -> dict[str, str]:
    """The indicators that stale data cannot vouch for, each with the sentence that names the data.

    An indicator that is unknown anyway is not among them.
    """
    return {name: _said(package, missing, [name]) for name, missing in _missing(package, assessment, stale).items()}


def doubts_said(package: PolicyPackage, assessment: Assessment, stale: Sequence[StaleDataSet]) -> list[str]:
    """The same for people who read on: one sentence of all that never came, one for each set of late data."""
    together: dict[tuple[StaleDataSet, ...], list[str]] = {}
    never: tuple[list[StaleDataSet], list[str]] = ([], [])
    for name, missing in _missing(package, assessment, stale).items():
        if all(each.newest_on is None for each in missing):
            never[0].extend(each for each in missing if each not in never[0])
            never[1].append(name)
        else:
            together.setdefault(missing, []).append(name)
    said = [_said(package, missing, names) for missing, names in together.items()]
    return [*said, _said(package, never[0], never[1])] if never[1] else said


def blockers_in_doubt(package: PolicyPackage, unknown: Collection[str], fired: Collection[str]) -> list[int]:
    """The positions of the removal blockers that stand when indicators are in doubt: of those that ask only of them.

    What nobody knows any more speaks against removing a household just as what nobody ever knew.
    """
    states = {name: None if name in unknown else name in fired for name in package.indicators}
    return [
        position
        for position, note in enumerate(package.removal_blockers)
        if states.keys() >= set(names_in(note.when)) and Interpreter(states.__getitem__).value(note.when) is True
    ]


def _missing(
    package: PolicyPackage, assessment: Assessment, stale: Sequence[StaleDataSet]
) -> dict[str, tuple[StaleDataSet, ...]]:
    needed = {each.id: _needs(package, each) for each in assessment.indicators}
    found = {name: tuple(one for one in stale if one.name in needs) for name, needs in needed.items()}
    return {name: missing for name, missing in found.items() if missing}


def _needs(package: PolicyPackage, each: IndicatorResult) -> frozenset[str]:
    indicator = package.indicators[each.id]
    return {FIRED: indicator.fired_needs, CLEAR: indicator.clear_needs}.get(each.state, frozenset())


def _said(package: PolicyPackage, missing: Sequence[StaleDataSet], indicators: Iterable[str]) -> str:
    labels = "".join(f"“{package.indicators[each].label_zh}”" for each in indicators)
    never = "、".join(package.data_sets[one.name].label_zh for one in missing if one.newest_on is None)
    late = [
        f"{package.data_sets[one.name].label_zh}数据已过期（最新至 {one.newest_on}）"
        for one in missing
        if one.newest_on is not None
    ]
    parts = [*late, *([f"{never}数据从未报送"] if never else [])]
    return f"{'，'.join(parts)}，{labels}暂不能判断。"
