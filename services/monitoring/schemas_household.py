"""The household of a trial evaluation as a request writes it, and the states its fields mean inside."""

from collections.abc import Iterator
from datetime import date
from math import ceil, floor
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StringConstraints

from services.monitoring.domain.household import Fact, Member
from services.monitoring.schemas_facts import Key
from shared.web.schema import OpenText, Strict

Grade = Literal["A", "B", "C", "D"]
Stage = Literal["preschool", "primary", "junior", "senior", "vocational", "college", "bachelor", "graduate"]
Quantity = Annotated[StrictFloat, Field(ge=0, le=100_000, examples=[45])]
ClassCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,59}$")]


class Dwelling(Strict):
    """Grades of house safety (住房安全等级): of the household's own house and of the one it lives in."""

    grade: Grade | None = None
    occupied_grade: Grade | None = None
    only_dwelling: StrictBool | None = None


class Water(Strict):
    """Drinking water (饮水安全): litres a person a day, minutes to fetch it and back, percent of days it comes."""

    litres_per_person_day: Quantity | None = None
    round_trip_minutes: Quantity | None = None
    guarantee_percent: Annotated[StrictFloat, Field(ge=0, le=100, examples=[97])] | None = None
    quality_ok: StrictBool | None = None

    def attributes(self) -> dict[str, Any]:
        """Limits are whole numbers: below one is below its floor, above one is above its ceiling."""
        known = {
            "litres": None if self.litres_per_person_day is None else floor(self.litres_per_person_day),
            "minutes": None if self.round_trip_minutes is None else ceil(self.round_trip_minutes),
            "guarantee": None if self.guarantee_percent is None else floor(self.guarantee_percent),
            "quality_ok": self.quality_ok,
        }
        return {name: value for name, value in known.items() if value is not None}


class Insured(Strict):
    """Which of the two schemes (居民医保, 职工医保) the member is in."""

    resident: StrictBool | None = None
    employee: StrictBool | None = None

    @property
    def scheme(self) -> str | None:
        """`none` only if neither is said; one unknown leaves it open."""
        if self.resident:
            return "resident"
        if self.employee:
            return "employee"
        return "none" if self.resident is False and self.employee is False else None


class Disability(Strict):
    """A certificate (残疾人证): types 1 to 7 (4 肢体, 5 智力, 6 精神), grade 1 the gravest to 4."""

    types: list[Annotated[StrictInt, Field(ge=1, le=7)]] | None = Field(default=None, min_length=1, max_length=7)
    grade: Annotated[StrictInt, Field(ge=1, le=4)] | None = None
    certified_on: date | None = None

    def attributes(self) -> dict[str, Any]:
        types = None if self.types is None else sorted(set(self.types))
        return {name: value for name, value in (("types", types), ("grade", self.grade)) if value is not None}


class School(Strict):
    stage: Stage | None = None
    in_school: StrictBool | None = None
    absent_reason: Literal["health", "completed_compulsory", "unwilling", "family_poverty", "other"] | None = None
    home_teaching: StrictBool | None = None


class MemberBody(Strict):
    """A member on the day; `disability` null says there is none, without the field it is not known."""

    key: Key
    status: Literal["living", "deceased", "imprisoned", "missing", "long_term_away"]
    relation: Annotated[OpenText, StringConstraints(max_length=20)] | None = None
    sex: Literal["male", "female"] | None = None
    birth_date: date | None = None
    died_on: date | None = None
    shares_budget: StrictBool | None = None
    health: list[Literal["healthy", "chronic", "serious"]] | None = Field(default=None, max_length=3)
    disability: Disability | None = None
    labour: Literal["ordinary", "skilled", "weak", "lost", "none"] | None = None
    school: School | None = None
    insured: Insured | None = None
    public_employee: StrictBool | None = None

    def as_member(self) -> Member:
        return Member(self.key, self.status, self.died_on, self.birth_date, self.shares_budget)

    def states(self, on: date) -> Iterator[Fact]:
        """What is said of the member, as it stands on the day."""
        for value, kind in (
            (self.labour, "state.labour"),
            (None if self.insured is None else self.insured.scheme, "state.insured"),
            (_word(self.public_employee), "state.public_employee"),
            *((each, "state.health") for each in dict.fromkeys(self.health or ())),
        ):
            if value is not None:
                yield _state(kind, on, value, member=self.key)
        if self.school is not None:
            said = self.school.model_dump(exclude_none=True)
            yield _state("state.school", on, said.pop("stage", None), said, self.key)
        yield from self._disability(on)

    def _disability(self, on: date) -> Iterator[Fact]:
        found = self.disability
        if found is None:
            if "disability" in self.model_fields_set:
                yield _state("state.disability", on, "none", member=self.key)
            return
        yield _state("state.disability", on, None, found.attributes(), self.key)
        if found.certified_on is not None:
            yield Fact("event.disability_certified", found.certified_on, self.key)


class HouseholdBody(Strict):
    """Who lives together and how; `monitored_as` null or absent: not monitored."""

    base_group: Literal["lifted_out", "general"]
    monitored_as: ClassCode | None = None
    identified_on: date | None = None
    dwelling: Dwelling | None = None
    water: Water | None = None
    members: list[MemberBody] = Field(min_length=1, max_length=60)

    def states(self, on: date) -> Iterator[Fact]:
        """What is said of the household and its members, as it stands on the day."""
        yield _state("state.base_group", on, self.base_group)
        if self.monitored_as is not None:
            since = {} if self.identified_on is None else {"identified_on": self.identified_on.isoformat()}
            yield _state("state.monitored", on, self.monitored_as, since)
        if self.dwelling is not None:
            said = {"occupied": self.dwelling.occupied_grade, "only": self.dwelling.only_dwelling}
            known = {name: value for name, value in said.items() if value is not None}
            yield _state("state.dwelling", on, self.dwelling.grade, known)
        if self.water is not None:
            yield _state("state.water", on, None, self.water.attributes())
        for member in self.members:
            yield from member.states(on)


def _state(
    kind: str, on: date, value: str | None, attributes: dict[str, Any] | None = None, member: str | None = None
) -> Fact:
    return Fact(kind, on, member, value=value, source="visit", attributes=attributes or {})


def _word(flag: bool | None) -> str | None:
    return None if flag is None else "true" if flag else "false"
