"""How long facts about persons are kept (保存期限), by data set, and what no time ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.window import Window, Windows, first_day_standing

HOLDING = ("state.", "asset.", "loan.")
"""What begins and holds until it ends; anything else happened, and is over."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What of a county may go on a day.

    `kept_from`: by data set, the first day still kept. `seen_from`: nothing that was so since then goes, whatever
    its data set says, but for states that windows do not look at (`windowed`: kinds that they do). `holding`: kinds
    that stay while they hold.
    """

    kept_from: Mapping[str, date]
    seen_from: date
    windowed: frozenset[str]
    holding: frozenset[str]


def retention(package: PolicyPackage, windows: Windows) -> Retention:
    """The retention of a package on the day of the windows; a data set without a time is not in it."""
    kept = {
        name: first_day_standing(windows.on, each.keep_months)
        for name, each in package.data_sets.items()
        if each.keep_months is not None
    }
    measures = package.measures.values()
    windowed = {kind for each in measures if each.window is not Window.STATE for kind in each.kinds}
    holding = {kind for each in measures if each.window is Window.STATE for kind in each.kinds}
    seen_from = min(windows.earliest, windows.year.first)
    return Retention(kept, seen_from, frozenset(windowed), frozenset(holding))
