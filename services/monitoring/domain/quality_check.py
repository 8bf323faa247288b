"""A check of the data's quality (疑点数据检查): when something of the register cannot be right, and who mends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.monitoring.domain.expression import Expression
from services.monitoring.domain.expression_type import Type

VILLAGE = "village"


class Level(StrEnum):
    """What a check is about; at intake a row is refused, so that nothing of it reaches the register."""

    INTAKE = "intake"
    MEMBER = "member"
    HOUSEHOLD = "household"
    VILLAGE = "village"


class Kind(StrEnum):
    """How a detail of the roster is read."""

    TEXT = "text"
    FLAG = "flag"
    LIST = "list"
    NUMBER = "number"
    MONEY = "money"
    PER_HEAD = "per_head"
    HUNDREDTHS = "hundredths"
    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that checks compare with, kept in whole units."""

    name: str
    label_zh: str
    type: Type
    value: int
    source: str


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """One check; `number` is its place among the eighty of the fact sheet (疑点80条), none for those of villages.

    Without `when` it is the assessment that answers, by its note; `reads` are the names whose values an acceptance
    stands for. `owner` is the village or the department who can mend it.
    """

    code: str
    label_zh: str
    level: Level
    owner: str
    days: int
    severity: int
    mend: str
    number: int | None = None
    when: Expression | None = None
    note: str | None = None
    codes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    @property
    def is_noted(self) -> bool:
        """Whether the assessment answers it."""
        return self.when is None and self.note is not None


@dataclass(frozen=True, slots=True)
class QualityBook:
    """All checks with the thresholds, the details they read and the members they count."""

    checks: Mapping[str, QualityCheck]
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    members: Mapping[str, Kind] = field(default_factory=dict)
    households: Mapping[str, Kind] = field(default_factory=dict)
    counts: Mapping[str, Expression] = field(default_factory=dict)

    def at(self, level: Level) -> tuple[QualityCheck, ...]:
        """The checks of a level that an expression answers, in the order written."""
        return tuple(each for each in self.checks.values() if each.level is level and each.when is not None)

    @property
    def noted(self) -> tuple[QualityCheck, ...]:
        return tuple(each for each in self.checks.values() if each.is_noted)
