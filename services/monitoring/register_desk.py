"""The desk at which a change of the register is made: who makes it, when, and the connections it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring import repository_register as register
from services.monitoring.domain.timeline import Span, holding
from services.monitoring.repository_register import Belonging
from services.monitoring.schemas_register import MemberRef
from shared.db.scope import transaction
from shared.errors import Conflict, FieldError, Forbidden, Unprocessable
from shared.regions.lookup import is_valid_on
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.division import covers
from shared.vocabulary.identity_number import IdentityNumberError, parse_identity_number

DECEASED = "deceased"


class ChangeRefused(Unprocessable):
    code, title = "change_refused", "变更内容有误"


class ChangeDoesNotFit(Conflict):
    code, title = "change_does_not_fit", "变更与花名册现状不符"


class OutOfRange(Forbidden):
    code, title = "out_of_range", "超出您的行政区划范围"


@dataclass(frozen=True, slots=True)
class Home:
    """A household that is held for the change."""

    row: Mapping[str, Any]
    people: dict[int, list[Span[Belonging]]]

    @property
    def id(self) -> int:
        household_id: int = self.row["household_id"]
        return household_id

    @property
    def county(self) -> str:
        county: str = self.row["county"]
        return county

    def belongs(self, resident_id: int, day: date) -> Span[Belonging] | None:
        """How somebody belongs to the household on a day."""
        return holding(self.people.get(resident_id, ()), day)

    def members_on(self, day: date) -> dict[int, Belonging]:
        """Who belongs to it on a day, the dead that are still listed too."""
        spans = {resident: self.belongs(resident, day) for resident in self.people}
        return {resident: span.value for resident, span in spans.items() if span is not None}


@dataclass(slots=True)
class Done:
    """What a change did: `touched` households are due, `moved` residents' facts follow them; `notes` for people."""

    detail: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)
    other: int | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """One change under way: `connection` writes, after `scoped` showed that the caller may see what is touched."""

    connection: asyncpg.Connection
    caller: Principal
    runtime: Runtime
    change_id: UUID
    on: date
    at: datetime
    homes: dict[str, Home]

    async def write(self, home: Home, resident_id: int, spans: list[Span[Belonging]]) -> None:
        """Let `spans` be what is known of somebody's belonging to the household."""
        await register.rewrite_belonging(self.connection, home.row, resident_id, spans, self.at)
        home.people[resident_id] = spans

    async def find(self, home: Home, ref: MemberRef, where: str) -> tuple[int, Belonging]:
        """Who is meant, and how he belongs to the household on the day; ChangeRefused if he does not."""
        resident_id = ref.member_id
        if ref.identity_number is not None:
            index = number_index(self.runtime, ref.identity_number, f"{where}/identity_number")[1]
            known = await register.resident_of(self.connection, index)
            resident_id = known["resident_id"] if known else None
        span = home.belongs(resident_id, self.on) if resident_id is not None else None
        if resident_id is None or span is None:
            raise refused(where, "not_a_member", f"此人在 {self.on} 不是本户成员", "农户页面所列成员的 member_id")
        return resident_id, span.value

    async def require_place(self, division: str, where: str) -> None:
        """ChangeRefused unless the directory knows the place on that day."""
        async with transaction(self.runtime.directory_pool) as directory:
            known = await is_valid_on(directory, division, self.on)
        if not known:
            raise refused(where, "division_unknown", "没有这个区划代码", "当日有效的 12 位区划代码", "130624101201")

    def require_range(self, *divisions: str) -> None:
        """OutOfRange unless one of the places is the caller's: nobody moves a household out of his own sight."""
        if not any(covers(self.caller.division, division) for division in divisions):
            raise OutOfRange("变更后该户的居住地和户籍地都不在您的区划内，请由上一级办理")


def number_index(runtime: Runtime, text: str, where: str) -> tuple[str, bytes]:
    """An identity number in its normal form, and its blind index."""
    try:
        number = parse_identity_number(text, runtime.clock.today()).number
    except IdentityNumberError as error:
        raise refused(where, error.code, error.message_zh, "18 位居民身份证号") from None
    return number, runtime.keys.blind_index(number)


def refused(where: str, code: str, message: str, expected: str, example: str | None = None) -> ChangeRefused:
    return ChangeRefused(message, errors=[FieldError(f"body/{where}", code, message, expected, example)])


def check_living(home: Home) -> None:
    """ChangeDoesNotFit if the household goes on in another."""
    if home.row["ended_on"] is not None:
        raise ChangeDoesNotFit(f"该户已于 {home.row['ended_on']} 并入他户，不能再变更")
