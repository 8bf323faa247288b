"""What routing works on: what is to be told about an alert, and what is looked up once for a whole transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from services.alerts import repository
from services.alerts.domain.duty import Listener, Listening, Post
from services.alerts.domain.flood import URGENT_KINDS
from services.alerts.domain.message import Kind, Subject
from services.alerts.settings import AlertsSettings
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.vocabulary.terms import Severity


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One thing to be told about one alert; `key` makes it once for each recipient.

    `new_reports` are the reports it answers for. With `only`, nobody but these people is told; `barred` are told
    nothing, since it is their answer that is appealed.
    """

    alert: repository.Row
    kind: Kind
    key: str
    sentences: tuple[str, ...] = ()
    new_reports: tuple[str, ...] = ()
    only: tuple[Listener, ...] | None = None
    barred: frozenset[str] = frozenset()

    @property
    def alert_id(self) -> UUID:
        return UUID(str(self.alert["alert_id"]))

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
class Told:
    """A dispatch with the people it reaches."""

    dispatch: Dispatch
    listening: Listening


@dataclass(frozen=True, slots=True)
class Desk:
    """The time, the settings, the names of places, and who holds which post and which alert."""

    now: datetime
    today: date
    settings: AlertsSettings
    place_names: dict[str, str] = field(default_factory=dict)
    posts: Sequence[Post] = ()
    assigned: dict[UUID, list[Listener]] = field(default_factory=dict)

    def place(self, code: str) -> str:
        """The name of a place; its code where no name is known."""
        return self.place_names.get(code, code)

    def link(self, alert_id: UUID) -> str:
        """Where a logged-in officer reads the alert; the link alone opens nothing."""
        return f"{self.settings.public_url}/alerts/v1/alerts/{alert_id}"

    def visit_list_link(self, division: str) -> str:
        """Where a logged-in officer reads all that is open in a village."""
        return f"{self.settings.public_url}/alerts/v1/visit-list?division={division}"

    def knowing(self, posts: Sequence[Post], assigned: dict[UUID, list[Listener]]) -> "Desk":
        return replace(self, posts=posts, assigned=assigned)


async def desk_for(runtime: Runtime, places: Iterable[str]) -> Desk:
    """A desk at this moment, with the names of `places`."""
    settings = runtime.settings
    assert isinstance(settings, AlertsSettings)
    now, today = runtime.clock.now(), runtime.clock.today()
    return Desk(now, today, settings, await name_places(runtime.directory_pool, places, today))
