"""The people of the county: households (户) and their members (家庭成员)."""

from dataclasses import dataclass
from datetime import date

from shared.vocabulary.identity_number import Sex


@dataclass(frozen=True, slots=True)
class Certificate:
    """A disability certificate (残疾人证): type 1-7, grade 1 (severest) to 4, day of issue."""

    kind: int
    grade: int
    issued_on: date


@dataclass(frozen=True, slots=True)
class Person:
    """One resident as the household register knows them; `age` in full years on the last day."""

    identity_number: str
    name: str
    sex: Sex
    age: int
    relation: str
    resident_insured: bool
    employee_insured: bool
    certificate: Certificate | None
    is_chronic: bool
    can_work: bool
    is_student: bool

    @property
    def is_insured(self) -> bool:
        return self.resident_insured or self.employee_insured


@dataclass(frozen=True, slots=True)
class Household:
    """One household; `gets_allowance` means rural minimum living allowance (农村低保). Head comes first."""

    number: str
    division: str
    phone: str
    is_formerly_poor: bool
    gets_allowance: bool
    income_rank: float
    registered_house: str
    lived_in_house: str
    persons: tuple[Person, ...]

    @property
    def head(self) -> Person:
        return self.persons[0]

    @property
    def workers(self) -> tuple[int, ...]:
        """Positions of the members who can work."""
        return tuple(i for i, person in enumerate(self.persons) if person.can_work)
