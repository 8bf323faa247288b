"""Read the observations of a message as entries of the ledger."""

from collections.abc import Sequence

from services.monitoring.domain.ledger import Content, Entry, Key, Place, Said
from shared.contracts.intake import Observation, ObservationsRecorded
from shared.vocabulary.division import county_of


def entries_of(told: ObservationsRecorded) -> list[Entry]:
    """The statements in a message, each under the name its record has at that place."""
    said, names = said_of(told), record_keys(told)
    return [entry_of(told, one, name, said) for one, name in zip(told.observations, names, strict=True)]


def said_of(told: ObservationsRecorded) -> Said:
    return Said(told.received_at, told.report_id or told.feed_id or "")


def record_keys(told: ObservationsRecorded) -> Sequence[str]:
    """The names of the observations' records.

    Two counties' offices may number alike, so the place whose office it is belongs to the record's name.
    """
    county = county_of(told.division)
    return [f"{county}/{one.record}" for one in told.observations]


def entry_of(
    told: ObservationsRecorded, one: Observation, record_key: str, said: Said, place: Place | None = None
) -> Entry:
    return Entry(
        key=Key(told.data_set, record_key, one.kind),
        said=said,
        op=one.op,
        content=Content(
            occurred_on=one.occurred_on,
            ended_on=one.ended_on,
            period_from=one.period_from,
            period_to=one.period_to,
            amount_fen=one.amount_fen,
            gross_fen=one.gross_fen,
            compliant_fen=one.compliant_fen,
            other_fen=one.other_fen,
            relief_fen=one.relief_fen,
            visit=one.visit,
            stay=one.stay,
            value=one.value,
            verified=one.verified,
            attributes=one.attributes,
        ),
        source=told.source,
        division=one.division or told.division,
        department=told.department,
        person=one.person,
        person_name=one.person_name,
        household_no=one.household_no,
        place=place,
    )
