"""Generate the demo county (生成示范县): one household after another, written as it is drawn."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

from demo_county.calibration import Calibration, load_calibration
from demo_county.chance import Chance
from demo_county.departments import MEDICAL_FILES, Departments
from demo_county.files import json_line
from demo_county.life import Life, Lives
from demo_county.manifest import FORMAT_VERSION, FileCount, Manifest
from demo_county.mistakes import Mistake, Mistakes
from demo_county.months import Period, period_until
from demo_county.officers import OFFICERS_FILE, write_officers
from demo_county.other_departments import OtherDepartments
from demo_county.places import Village, flooded_months, share_out
from demo_county.register_details import DOUBTS_FILE
from demo_county.self_reports import SELF_REPORTS_FILE, SelfReport, self_report
from demo_county.signals import SIGNALS_FILE, Signal, Signals

DEFAULT_HOUSEHOLDS, DEFAULT_SEED = 3_000, 20261122
TRUTH_FILE, MISTAKES_FILE = "truth.ndjson", "mistakes.ndjson"
PROGRESS_STEP = 250


def generate(
    folder: Path,
    *,
    households: int,
    seed: int,
    until: date,
    villages: Sequence[Village],
    on_progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Fill `folder` with a county of that many households; the same arguments give the same bytes.

    `villages` are (12-digit code, name) of one county. Memory does not grow with households, but for identity
    number counters, mistakes and self-reports. ValueError: no villages, several counties, or no households.
    """
    _check(households, villages)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(MEDICAL_FILES):
        stale.unlink()
    calibration, period = load_calibration(), period_until(until)
    shares = share_out(villages, households, seed)
    county = shares[0][0][0][:6]
    lives, signals = Lives(calibration, period, county, seed), Signals(calibration, period)
    mistakes = Mistakes(_mistake_shares(calibration), _strangers(lives, seed))
    writing = _Writing(folder, period, calibration, mistakes, seed)
    with writing:
        for serial, division, flooded in _addresses(shares, period, calibration, seed):
            chance = Chance(f"{seed}/household/{serial}")
            life = lives.live(serial, division, flooded, chance)
            refused = writing.add(life, chance)
            learned = list(signals.of(life, Chance(f"{seed}/signals/{serial}")))
            writing.note(learned)
            writing.send(life, learned, refused, Chance(f"{seed}/departments/{serial}"))
            if on_progress and (serial % PROGRESS_STEP == 0 or serial == households):
                on_progress(serial, households)
    files = writing.finish(write_officers(folder, shares, calibration, seed))
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        seed=seed,
        households=households,
        residents=writing.residents,
        until=until,
        county=county,
        reporting_year=period.reporting_year,
        months=tuple(period.compact(m) for m in period.last_year),
        needs_help=writing.needs_help,
        files=files,
    )
    manifest.write(folder)
    return manifest


class _Writing:
    """The open files of one run, and what is counted on the way."""

    def __init__(self, folder: Path, period: Period, calibration: Calibration, mistakes: Mistakes, seed: int) -> None:
        self._folder, self._period, self._calibration = folder, period, calibration
        self._mistakes, self._seed = mistakes, seed
        self._reports: list[SelfReport] = []
        self._stack = ExitStack()
        self.residents = self.needs_help = self._households = self._signals = 0

    def __enter__(self) -> None:
        self._departments = Departments(self._folder, self._period, self._calibration, self._mistakes, self._stack)
        self._others = OtherDepartments(self._folder, self._period, self._calibration, self._seed, self._stack)
        self._truth = self._stack.enter_context((self._folder / TRUTH_FILE).open("w", encoding="utf-8"))
        self._learned = self._stack.enter_context((self._folder / SIGNALS_FILE).open("w", encoding="utf-8"))

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, life: Life, chance: Chance) -> frozenset[int]:
        """Write one household to the files of the truth and of the first departments; who is on no roster."""
        refused = self._departments.write(life, chance)
        self._truth.write(json_line(asdict(life.truth)))
        report = self_report(life, refused, self._period.until, self._calibration, chance)
        if report is not None:
            self._reports.append(report)
        self._households += 1
        self.residents += len(life.household.persons)
        self.needs_help += life.truth.needs_help
        return refused

    def send(self, life: Life, signals: Sequence[Signal], refused: frozenset[int], chance: Chance) -> None:
        """Write one household to the files of the other departments."""
        self._others.write(life, signals, refused, chance)

    def note(self, signals: Sequence[Signal]) -> None:
        """Write what became known of one household up to the last day."""
        for signal in signals:
            if signal.known_on <= self._period.until:
                days = {"occurred_on": signal.occurred_on.isoformat(), "known_on": signal.known_on.isoformat()}
                self._learned.write(json_line({**asdict(signal), **days}))
                self._signals += 1

    def finish(self, officers: int) -> dict[str, FileCount]:
        """Write what could only be written at the end, and count every file."""
        planted = self._planted
        reports = sorted(self._reports, key=lambda r: (r.reported_on, r.household_no))
        _write_lines(
            self._folder / SELF_REPORTS_FILE,
            ({**asdict(r), "reported_on": r.reported_on.isoformat()} for r in reports),
        )
        _write_lines(self._folder / MISTAKES_FILE, map(asdict, planted))
        _write_lines(self._folder / DOUBTS_FILE, map(asdict, self._departments.doubts))
        return self._counts() | {
            OFFICERS_FILE: FileCount(officers),
            SELF_REPORTS_FILE: FileCount(len(reports)),
            SIGNALS_FILE: FileCount(self._signals),
            TRUTH_FILE: FileCount(self._households),
            MISTAKES_FILE: FileCount(len(planted)),
            DOUBTS_FILE: FileCount(len(self._departments.doubts)),
        }

    @property
    def _planted(self) -> list[Mistake]:
        return [*self._mistakes.planted, *self._others.mistakes.planted]

    def _counts(self) -> dict[str, FileCount]:
        d, unmatched = self._departments, self._departments.unmatched | self._others.unmatched
        rejected: dict[str, int] = {}
        for mistake in self._planted:
            rejected[mistake.file] = rejected.get(mistake.file, 0) + mistake.rejected
        return {
            sheet.name: FileCount(sheet.rows, rejected.get(sheet.name, 0), unmatched.get(sheet.name, 0))
            for sheet in (
                *(d.roster, *d.medical.values(), d.disability, d.incomes, d.earlier),
                *self._others.sheets.values(),
            )
        }


def _check(households: int, villages: Sequence[Village]) -> None:
    if households < 1:
        raise ValueError(f"households must be at least 1, not {households}")
    if len({code[:6] for code, _ in villages}) != 1:
        raise ValueError("villages must be of one county, and at least one")


def _addresses(
    shares: Sequence[tuple[Village, int]], period: Period, calibration: Calibration, seed: int
) -> Iterator[tuple[int, str, tuple[int, ...]]]:
    """Serial, village and the village's flooded months of each household, village after village."""
    serial = 0
    for (code, _name), count in shares:
        flooded = flooded_months(code, period, calibration, seed)
        for _ in range(count):
            serial += 1
            yield serial, code, flooded


def _mistake_shares(calibration: Calibration) -> dict[str, float]:
    monthly = calibration.number("mistakes.monthly")
    return {
        "roster": calibration.number("mistakes.roster"),
        "medical": monthly,
        "disability": monthly,
    }


def _strangers(lives: Lives, seed: int) -> Callable[[], tuple[str, str]]:
    """Gives new people who live elsewhere: a right number and a name, on no roster."""
    chance, population = Chance(f"{seed}/strangers"), lives.population

    def stranger() -> tuple[str, str]:
        born = lives.period.until - timedelta(days=7_000 + chance.below(20_000))
        name = population.names.full_name(chance, population.names.surname(chance), "male", born.year)
        return population.numbers.issue(born, "male"), name

    return stranger


def _write_lines(path: Path, records: Iterator[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(map(json_line, records))
