"""A region: a division as it is called during some time."""

from dataclasses import dataclass
from datetime import date

from shared.vocabulary.division import DivisionCode, DivisionLevel, level_of, parent_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One division under one name (区划), in force on [valid_from, valid_to).

    `valid_from` is the first day the source vouches for, not the day of founding; `valid_to` None means
    until further notice. `successor` is the one division that took over, when there is exactly one.
    `source` names a list (`shared/regions/data/SOURCES.toml`) or an imported file.
    """

    code: DivisionCode
    name: str
    valid_from: date
    source: str
    valid_to: date | None = None
    successor: DivisionCode | None = None

    @property
    def level(self) -> DivisionLevel:
        return level_of(self.code)

    @property
    def parent(self) -> DivisionCode | None:
        return parent_of(self.code)

    def is_valid_on(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)
