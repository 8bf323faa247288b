"""What routing works on: what is to be told about an alert, and what is looked up once for a whole transaction."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from services.alerts import repository
from services.alerts.domain.duty import Gap, Listener, Listening, Post
from services.alerts.domain.flood import URGENT_KINDS
from services.alerts.domain.message import Kind, Subject
from services.alerts.domain.route import Plan
from services.alerts.domain.silence import Silence
from services.alerts.phone_token import BASE
from services.alerts.read_calendar import NO_CALENDARS, Calendars
from services.alerts.settings import AlertsSettings
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.vocabulary.terms import Severity


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One thing to be told about one alert; `key` makes it once for each recipient.

    `new_reports` are the reports it answers for. With `only`, nobody but these people is told; `barred` are told
    nothing, since it is their answer that is appealed. `gaps` are levels that were found empty on the way to `only`.
    `also` are told beside whom the routes name.
    """

    alert: repository.Row
    kind: Kind
    key: str
    sentences: tuple[str, ...] = ()
    new_reports: tuple[str, ...] = ()
    only: tuple[Listener, ...] | None = None
    barred: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()
    also: tuple[Listener, ...] = ()

    @property
    def alert_id(self) -> UUID:
        found: UUID = self.alert["alert_id"]
        return found

    @property
    def severity(self) -> Severity | None:
        return Severity(self.alert["severity"]) if self.alert["severity"] else None

    @property
    def living(self) -> str:
        return str(self.alert["living_division"])

    @property
    def registered(self) -> str:
        return str(self.alert["registered_division"])

    @property
    def is_urgent(self) -> bool:
        """Red, a person's own report or appeal, or a clock that ran out: never held back."""
        asked = bool(self.new_reports) or bool(self.alert["report_ids"])
        return asked or self.severity is Severity.RED or str(self.kind) in URGENT_KINDS

    @property
    def may_wait_for_others(self) -> bool:
        """A red warning may be told together with the village's others, where the county lets it wait a moment.

        A person's own word and a clock that ran out are told at once whatever the county says.
        """
        asked = bool(self.new_reports) or bool(self.alert["report_ids"])
        return self.severity is Severity.RED and not asked and self.kind in (Kind.OPENED, Kind.RAISED)

    def subject(self, place: str) -> Subject:
        """The household as messages speak of it."""
        return Subject(
            name=self.alert["contact_name"],
            phone=self.alert["contact_phone"],
            place=place,
            severity=self.severity,
            recommendation=self.alert["recommendation"],
            causes=tuple(self.alert["causes"]),
            sentences=self.sentences,
            has_reported=bool(self.alert["report_ids"]),
        )


@dataclass(frozen=True, slots=True)
class Routing:
    """Which version of the routes was asked, which of its nodes apply, and what they say together."""

    version: str
    nodes: tuple[str, ...]
    plan: Plan


@dataclass(frozen=True, slots=True)
class Told:
    """A dispatch with the people it reaches, as its routing says; with `silence`, nobody is told for now.

    What goes to named people (`only`) has no routing.
    """

    dispatch: Dispatch
    listening: Listening
    routing: Routing | None = None
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """The time, the settings, the names of places, who holds which post and which alert, who helps which household.

    `concerned` are those whom an alert is about: they neither hear nor see it.
    """

    now: datetime
    today: date
    settings: AlertsSettings
    place_names: dict[str, str] = field(default_factory=dict)
    posts: Mapping[str, Sequence[Post]] = field(default_factory=dict)
    assigned: dict[UUID, list[Listener]] = field(default_factory=dict)
    paired: Mapping[str, Collection[str]] = field(default_factory=dict)
    concerned: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    calendars: Calendars = NO_CALENDARS

    def posts_at(self, place: str) -> Sequence[Post]:
        """The posts over a place as they are answered for today."""
        return self.posts.get(place, ())

    def place(self, code: str) -> str:
        """The name of a place; its code where no name is known."""
        return self.place_names.get(code, code)

    def link(self, alert_id: UUID) -> str:
        """Where a logged-in officer reads the alert on his phone; the link alone opens nothing."""
        return f"{self.settings.public_url}{BASE}/a/{alert_id}"

    @property
    def list_link(self) -> str:
        """Where each officer finds his own alerts by village; what a group is told names no household."""
        return f"{self.settings.public_url}{BASE}/"

    def knowing(
        self,
        posts: Mapping[str, Sequence[Post]],
        assigned: dict[UUID, list[Listener]],
        paired: Mapping[str, Collection[str]],
        concerned: Mapping[UUID, frozenset[str]],
    ) -> "Desk":
        return replace(self, posts=posts, assigned=assigned, paired=paired, concerned=concerned)

    def dated(self, calendars: Calendars) -> "Desk":
        return replace(self, calendars=calendars)


# What places are called, by code and day; asked again each minute.
_NAMES: dict[tuple[str, date], str] = {}
_NAMES_FROM = [0.0]
_NAMES_SECONDS = 60.0


async def desk_for(runtime: Runtime, places: Iterable[str]) -> Desk:
    """A desk at this moment, with the names of `places`."""
    settings = runtime.settings
    assert isinstance(settings, AlertsSettings)
    now, today = runtime.clock.now(), runtime.clock.today()
    return Desk(now, today, settings, await _names(runtime, places, today))


async def _names(runtime: Runtime, places: Iterable[str], today: date) -> dict[str, str]:
    if time.monotonic() - _NAMES_FROM[0] > _NAMES_SECONDS:
        _NAMES.clear()
        _NAMES_FROM[0] = time.monotonic()
    wanted = set(places)
    unknown = [code for code in wanted if (code, today) not in _NAMES]
    if unknown:
        found = await name_places(runtime.directory_pool, unknown, today)
        _NAMES.update(((code, today), name) for code, name in found.items())
    return {code: _NAMES.get((code, today), code) for code in wanted}
