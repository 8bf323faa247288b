"""Writes what the other departments send (feeds.py), from what happened and from what stands, with their mistakes."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.event_rows import Cells, event_rows
from demo_county.feeds import FEEDS, DepartmentFeed
from demo_county.files import Sheet
from demo_county.identity import IdentityNumbers
from demo_county.life import Life
from demo_county.mistakes import Mistakes
from demo_county.months import Period
from demo_county.names import Names
from demo_county.signals import Signal
from demo_county.state_rows import state_rows

ELSEWHERE = "000098"  # A county of no place: numbers of strangers take none from the residents.


class OtherDepartments:
    """The open files of all the other departments."""

    def __init__(self, folder: Path, period: Period, calibration: Calibration, seed: int, stack: ExitStack) -> None:
        self._period, self._calibration = period, calibration
        self._strangers = _strangers(period, calibration, seed)
        share = calibration.number("mistakes.departments")
        self.mistakes = Mistakes(
            {feed.data_set: share for feed in FEEDS},
            lambda: next(self._strangers),
            {feed.data_set: feed.mistakes for feed in FEEDS},
        )
        self._feeds = {feed.data_set: feed for feed in FEEDS}
        self.sheets = {feed.data_set: stack.enter_context(_sheet(folder, feed)) for feed in FEEDS}
        self.unmatched: dict[str, int] = {}

    def write(self, life: Life, signals: Sequence[Signal], refused: frozenset[int], chance: Chance) -> None:
        """Write the household to every list and report it stands in; `refused` members stand on no roster."""
        for data_set, position, cells in event_rows(life, signals, self._period.until, chance):
            self._write(life, data_set, position, cells, refused, chance)
        for data_set, position, cells in state_rows(life, self._period, self._calibration, chance):
            self._write(life, data_set, position, cells, refused, chance)

    def _write(
        self, life: Life, data_set: str, position: int, cells: Cells, refused: frozenset[int], chance: Chance
    ) -> None:
        feed, sheet, person = self._feeds[data_set], self.sheets[data_set], life.household.persons[position]
        told = {
            "key": _key(feed, sheet, self._period),
            "name": person.name,
            "number": person.identity_number,
            "household": life.household.number,
            "division": life.household.division,
            **cells,
        }
        row = [told[cell] for cell, _ in feed.columns]
        if sheet.rows == 0:  # A file without one good row is refused whole, and tells of no household.
            sheet.write(row)
            return
        written = self.mistakes.write(sheet, data_set, row, chance)
        unlisted = position in refused if feed.names_people else len(refused) == len(life.household.persons)
        if not written.rejected and (unlisted or written.unknown):
            self.unmatched[sheet.name] = self.unmatched.get(sheet.name, 0) + 1


def _sheet(folder: Path, feed: DepartmentFeed) -> Sheet:
    return Sheet(folder / feed.file, feed.headers, feed.encoding, feed.delimiter)


def _key(feed: DepartmentFeed, sheet: Sheet, period: Period) -> str:
    """The office's own running number of the row; a business has one of 15 digits."""
    if feed.data_set == "businesses":
        return f"{sheet.line:015d}"
    return f"{feed.data_set[:3].upper()}{period.until.year}{sheet.line:07d}"


def _strangers(period: Period, calibration: Calibration, seed: int) -> Iterator[tuple[str, str]]:
    """People who live elsewhere: a right number and a name, on no roster."""
    chance, numbers, names = Chance(f"{seed}/elsewhere"), IdentityNumbers(ELSEWHERE), Names(calibration)
    while True:
        born = period.until - timedelta(days=7_000 + chance.below(20_000))
        name = names.full_name(chance, names.surname(chance), "male", born.year)
        yield numbers.issue(born, "male"), name
