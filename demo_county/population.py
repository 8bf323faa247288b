"""The population: draws each household of a village with its members, health and houses."""

import math
from dataclasses import dataclass, field
from datetime import date, timedelta

from demo_county.calibration import Calibration
from demo_county.chance import Chance, age_band
from demo_county.identity import IdentityNumbers
from demo_county.kinship import Kin, family
from demo_county.names import Names
from demo_county.people import Certificate, Household, Person

ALLOWANCE_POOREST = 0.13  # Allowances go to households among these poorest, not to all of them.
WEIGHT_OF_WORKERS = 0.42  # How strongly the share of workers decides the rank by income.


@dataclass(slots=True)
class Population:
    """Draws households one after another; the same serial, seed and day give the same household."""

    calibration: Calibration
    county: str
    seed: int
    until: date
    numbers: IdentityNumbers = field(init=False)
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = IdentityNumbers(self.county)
        self.names = Names(self.calibration)

    def household(self, serial: int, division: str, chance: Chance) -> Household:
        """Household number `serial` (from 1), living in the village `division`."""
        c = self.calibration
        poor = chance.happens(c.number("people.formerly_poor_share"))
        kin = family(chance, 1 + chance.index(c.numbers("people.size_shares")))
        surname = self.names.surname(chance)
        persons = tuple(self._person(k, surname, poor, chance) for k in kin)
        rank = self._income_rank(persons, poor, chance)
        registered, lived_in = self._houses(chance)
        return Household(
            number=f"{self.county[:6]}{serial:010d}",
            division=division,
            phone=f"1990{serial:07d}",
            is_formerly_poor=poor,
            gets_allowance=self._gets_allowance(rank, chance),
            income_rank=rank,
            registered_house=registered,
            lived_in_house=lived_in,
            persons=persons,
        )

    def _person(self, kin: Kin, surname: str, poor: bool, chance: Chance) -> Person:
        born = self.until - timedelta(days=30 + int(kin.age * 365.25) + chance.below(330))
        own = surname if kin.has_family_name else self.names.surname(chance)
        is_student = 16 <= kin.age <= 22 and chance.happens(0.6)
        certificate = self._certificate(kin.age, chance)
        resident, employee = self._insurance(kin.age, poor, chance)
        return Person(
            identity_number=self.numbers.issue(born, kin.sex),
            name=self.names.full_name(chance, own, kin.sex, born.year),
            sex=kin.sex,
            age=kin.age,
            relation=kin.relation,
            resident_insured=resident,
            employee_insured=employee,
            certificate=certificate,
            is_chronic=chance.happens(self.calibration.numbers("health.chronic_by_age")[age_band(kin.age)]),
            can_work=_can_work(kin, is_student, certificate, chance),
            is_student=is_student,
        )

    def _insurance(self, age: int, poor: bool, chance: Chance) -> tuple[bool, bool]:
        """Whether the person is in residents' and in employees' medical insurance; never in both."""
        name = "people.uninsured_share_formerly_poor" if poor else "people.uninsured_share"
        if chance.happens(self.calibration.number(name)):
            return False, False
        share = self.calibration.number("people.employee_insured_share")
        is_employee = 22 <= age < 60 and chance.happens(share)
        return not is_employee, is_employee

    def _certificate(self, age: int, chance: Chance) -> Certificate | None:
        if not chance.happens(self.calibration.numbers("disability.holders_by_age")[age_band(age)]):
            return None
        years = min(self.calibration.number("disability.certificate_years"), age)
        issued = self.until - timedelta(days=chance.below(int(years * 365) + 20))
        return certificate(self.calibration, issued, chance)

    def _houses(self, chance: Chance) -> tuple[str, str]:
        """Grades of the registered house and of the one really lived in."""
        c = self.calibration
        if chance.happens(c.number("people.unsafe_registered_house")):
            return chance.one_of("CCD"), chance.one_of("AAB")
        grade = chance.one_of("AAAAABBB")
        if chance.happens(c.number("people.living_in_unsafe_house")):
            return grade, chance.one_of("CD")
        return grade, grade

    def _income_rank(self, persons: tuple[Person, ...], poor: bool, chance: Chance) -> float:
        """The household's place among all by usual income a head, 0 poorest to 1."""
        workers = sum(p.can_work for p in persons) / len(persons)
        shift = self.calibration.number("income.formerly_poor_shift") if poor else 0.1
        rest = math.sqrt(1 - WEIGHT_OF_WORKERS**2)
        z = WEIGHT_OF_WORKERS * (workers - 0.45) / 0.36 + rest * chance.gauss(0.0, 1.0) + shift
        return 0.5 * (1 + math.erf(z / math.sqrt(2)))

    def _gets_allowance(self, rank: float, chance: Chance) -> bool:
        share = self.calibration.number("income.allowance_share") / ALLOWANCE_POOREST
        return rank < ALLOWANCE_POOREST and chance.happens(share)


def certificate(calibration: Calibration, issued_on: date, chance: Chance) -> Certificate:
    """A certificate of some type and grade."""
    is_severe = chance.happens(calibration.number("disability.severe_share"))
    grade = (1 if is_severe else 3) + chance.below(2)
    return Certificate(1 + chance.index(calibration.numbers("disability.type_shares")), grade, issued_on)


def _can_work(kin: Kin, is_student: bool, held: Certificate | None, chance: Chance) -> bool:
    if is_student or (held is not None and held.grade <= 2):
        return False
    return 18 <= kin.age < (66 if kin.sex == "male" else 62) and chance.happens(0.94)
