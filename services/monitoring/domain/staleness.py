"""Data too old to vouch for what it says (数据过期): it changes only what is shown of an assessment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.monitoring.domain.assessment import CLEAR, FIRED, Assessment, IndicatorResult
from services.monitoring.domain.policy_package import PolicyPackage


@dataclass(frozen=True, slots=True)
class StaleDataSet:
    """A data set without news for too long, and the day its data reaches to; None: it never came."""

    name: str
    newest_on: date | None


def doubts(package: PolicyPackage, assessment: Assessment, stale: Sequence[StaleDataSet]) -> dict[str, str]:
    """The indicators that stale data cannot vouch for, each with the sentence that names the data.

    An indicator that is unknown anyway is not among them.
    """
    found = {}
    for each in assessment.indicators:
        missing = [one for one in stale if one.name in _needs(package, each)]
        if missing:
            label = package.indicators[each.id].label_zh
            found[each.id] = f"{'，'.join(_said(package, one) for one in missing)}，“{label}”暂不能判断。"
    return found


def _needs(package: PolicyPackage, each: IndicatorResult) -> frozenset[str]:
    indicator = package.indicators[each.id]
    return {FIRED: indicator.fired_needs, CLEAR: indicator.clear_needs}.get(each.state, frozenset())


def _said(package: PolicyPackage, one: StaleDataSet) -> str:
    title = package.data_sets[one.name]
    return f"{title}数据从未报送" if one.newest_on is None else f"{title}数据已过期（最新至 {one.newest_on}）"
