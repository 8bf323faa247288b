"""A later word on a report: what the open report, its corrections and its withdrawal share.

Who speaks is a receipt code's holder (a `Speaker` without a login) or a cadre in range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.intake.domain.self_report import DATA_SET, EVENT_KIND, SelfReport, observations
from services.intake.publish_observations import SOURCE
from shared.contracts.envelope import Event
from shared.contracts.intake import OBSERVATIONS_RECORDED
from shared.errors import Conflict, NotFound
from shared.messaging.outbox import enqueue
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.terms import Hardship

A_PERSON_WAITS = 0
BY_CODE = "receipt"


class ReportUnknown(NotFound):
    code, title = "report_unknown", "没有这份申报"


class ReportWithdrawn(Conflict):
    code, title = "report_withdrawn", "申报已撤回"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says something about a report: a cadre, or whoever holds its receipt code (`principal` None)."""

    division: str
    request_id: str
    traceparent: str
    principal: Principal | None = None

    @property
    def name(self) -> str:
        """Who is written down: the login, or that it was the code's holder."""
        return self.principal.subject if self.principal else BY_CODE


def said_before(runtime: Runtime, row: asyncpg.Record) -> SelfReport:
    """A version of a report as it was said, but for the identity number, which no one needs again."""

    def opened(column: str) -> str | None:
        sealed = row[column]
        return None if sealed is None else runtime.keys.open(sealed, "self_report", column, str(row["report_id"]))

    return SelfReport(
        household_no=row["household_no"],
        reporter_name=row["reporter_name"],
        identity_number="",
        phone=opened("sealed_phone"),
        division=row["division"],
        hardships=tuple(Hardship(one) for one in row["hardships"]),
        description=opened("sealed_description"),
        amount_fen=row["amount_fen"],
        on_behalf_of=row["on_behalf_of"],
        reported_on=row["reported_on"],
        channel=row["channel"],
        about_officer=row["about_officer"],
    )


def observed(report: SelfReport, root_id: UUID, person: bytes) -> list[dict[str, Any]]:
    """A version's observations, under the names of the first version, so that it replaces them."""
    return observations(report, str(root_id), person.hex())


def observed_of_household(
    record: UUID, *, division: str, household_no: str | None, on: date, person: bytes | None = None
) -> dict[str, Any]:
    """That something of a household is to be looked at, in the form of the contract."""
    said: dict[str, Any] = {
        "record": f"{record}/appeal",
        "kind": EVENT_KIND,
        "value": Hardship.OTHER.value,
        "division": division,
        "household_no": household_no,
        "person": person.hex() if person else None,
        "occurred_on": on.isoformat(),
    }
    return {name: value for name, value in said.items() if value is not None}


async def tell_monitoring(
    connection: asyncpg.Connection, runtime: Runtime, message: dict[str, Any], traceparent: str | None = None
) -> None:
    """Send a message about a report; the caller wakes the relay after the commit."""
    subject = f"report:{message.get('report_id') or ''}"
    now = runtime.clock.now()
    event = Event.make(SOURCE, OBSERVATIONS_RECORDED, subject, message, now, traceparent=traceparent)
    await enqueue(connection, event, aggregate="self_report", priority=A_PERSON_WAITS)


def said_at(runtime: Runtime, versions: Sequence[asyncpg.Record]) -> datetime:
    """Now, but after what it follows: of two words the later counts, whatever the clocks of two replicas say."""
    before: datetime = max(row["received_at"] for row in versions)
    return max(runtime.clock.now(), before + timedelta(milliseconds=len(versions)))


def message_about(
    runtime: Runtime,
    row: asyncpg.Record,
    said: list[dict[str, Any]],
    *,
    report_id: UUID | None,
    note: dict[str, Any],
    at: datetime,
) -> dict[str, Any]:
    """An ObservationsRecorded about an earlier report; with `report_id` a named person hears of it."""
    before = said_before(runtime, row)
    reporter = {"name": before.reporter_name, **({"phone": before.phone} if before.phone else {})}
    return {
        "source": before.source,
        "data_set": DATA_SET,
        "division": before.division,
        "received_at": at.isoformat(),
        "observations": said,
        **({"report_id": str(report_id), "reporter": reporter, "note": note} if report_id else {}),
    }


async def note(
    connection: asyncpg.Connection,
    runtime: Runtime,
    speaker: Speaker,
    action: str,
    subject: str,
    *,
    purpose: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """The audit row of a word on a report."""
    await audit(
        connection,
        speaker.principal or BY_CODE,
        action,
        subject,
        now=runtime.clock.now(),
        purpose=purpose,
        request_id=speaker.request_id,
        detail=detail,
    )
