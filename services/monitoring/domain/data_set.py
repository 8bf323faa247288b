"""A departmental data set (数据目录) as policy knows it: what may be late, and after how long that matters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DataSet:
    """`stale_after` names the parameter of days; any of `served_by` brings the same where its own file is late.

    `keep_months`: how long what it said of persons is kept (保存期限); None: nobody said, nothing of it is deleted.
    """

    name: str
    label_zh: str
    stale_after: str
    served_by: tuple[str, ...] = ()
    keep_months: int | None = None

    def reaches(self, newest: Mapping[str, date]) -> date | None:
        """The day its data reach to, whoever brought them; None if nobody ever did."""
        return max((newest[each] for each in (self.name, *self.served_by) if each in newest), default=None)

    def is_stale(self, reach: date | None, today: date, days: int) -> bool:
        """Whether it is silent for longer than these days, or always was."""
        return reach is None or (today - reach).days > days
