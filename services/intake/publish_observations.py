"""What a feed says to monitoring: a thousand observations or a hundred and fifty households to a message.

Observations go as the text in which they were staged: of a million rows nobody has to parse and write each again.
"""

import base64
import json
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import compress, groupby, islice
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from services.intake.domain.feed_layout import FeedLayout, Kind
from services.intake.domain.feed_row import part_of
from services.intake.pack_rows import NO_SHELF, lines_of
from shared.contracts.envelope import Event, WrittenEvent
from shared.contracts.intake import HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED
from shared.db.pool import to_json
from shared.runtime import Runtime
from shared.security.keys import Keyring
from shared.vocabulary.identifiers import new_id

SOURCE = "fangpin/intake"
MOST_OBSERVATIONS = 1000
MOST_HOUSEHOLDS = 150  # Monitoring holds a county's rosters while it takes one message in: a quarter of a second.
BULK = 9  # Priority: a household's own word goes first.

_ABOUT = ("person", "household_no", "division", "occurred_on")
_AUTHORISATION = "state.authorisation"  # Intake itself listens to what is said of those.
# How the content of a staged row begins and ends that holds nothing but observations.
_OPENING, _CLOSING = '{"observations":[', "]}"
_PERSON = '"person":"'
_SAYS_NOTHING = "[]"  # A row for which no condition of its layout held; what a value says stands in quotes.

T = TypeVar("T")


def events_of(
    runtime: Runtime,
    feed: asyncpg.Record,
    layout: FeedLayout,
    rows: Sequence[asyncpg.Record],
    now: datetime,
    changed: Container[str] = (),
) -> Sequence[Event | WrittenEvent]:
    """The messages that say these new or different rows (by record and line); CPU work, for a thread.

    Of the records that `changed` it also says what they say no longer.
    """
    if layout.household is None:
        return [_written(feed, layout, part, now) for part in _texts(_contents(layout, rows, changed))]
    grouped = (list(group) for _, group in groupby(rows, key=lambda row: row["record"]))
    return [_households(runtime.keys, feed, part, now) for part in _parts(grouped, MOST_HOUSEHOLDS)]


def rows_a_text(layout: FeedLayout) -> int:
    """How many rows, checked as columns, are staged as one text that a message can take as it is; 0: each by itself.

    By itself stands what is looked at once more: authorisations, what needs one, and what a snapshot may have to end.
    """
    ends = layout.kind is Kind.SNAPSHOT and any(fact.ends for fact in layout.facts)
    authorised = layout.needs_authorisation or any(fact.kind == _AUTHORISATION for fact in layout.facts)
    looked_at = ends or layout.household is not None or authorised
    return 0 if looked_at else max(MOST_OBSERVATIONS // max(len(layout.facts), 1), 1)


def is_shelved(layout: FeedLayout) -> bool:
    """Whether rows are recorded by the person they name; what they say of own codes is found by their line alone."""
    return bool(rows_a_text(layout)) and not layout.crosswalk


def events_of_texts(
    feed: asyncpg.Record, layout: FeedLayout, texts: Iterable[asyncpg.Record], lines: Container[int], now: datetime
) -> list[WrittenEvent]:
    """The messages that say what stands in these texts in some lines; a whole text is a message as it is.

    What was laid on a shelf is said person by person.
    """
    whole: list[list[str]] = []
    chosen: list[str] = []
    for text in texts:
        kept = [line in lines for line in lines_of(text["lines"])]
        contents: str = text["contents"]
        if all(kept) and text["shelf"] == NO_SHELF and _SAYS_NOTHING not in contents:
            inside = contents[len(_OPENING) : -len(_CLOSING)]
            whole.append([inside.replace(f"{_CLOSING}\n{_OPENING}", ",")])
        else:
            chosen.extend(compress(contents.split("\n"), kept))
    chosen.sort(key=_person_in)
    return [_written(feed, layout, part, now) for part in (*whole, *_texts(chosen))]


def _person_in(content: str) -> str:
    """The blind index that a row names first, and what stands behind; empty if it names none."""
    return content.partition(_PERSON)[2]


def _contents(layout: FeedLayout, rows: Iterable[asyncpg.Record], changed: Container[str]) -> Iterator[str]:
    """The contents of the rows, and behind a changed one's what it says no longer."""
    conditional = any(fact.when for fact in layout.facts)
    for row in rows:
        yield row["content"]
        if conditional and row["record"] in changed:
            said = json.loads(row["content"])["observations"]
            if gone := list(withdrawn(layout, row["record"], said)):
                yield to_json({"observations": gone})


def withdrawn(layout: FeedLayout, record: str, said: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What a corrected record may have said before and says no more, taken back; a reversal takes back another's."""
    if not said or any(one.get("op") == "reverse" for one in said):
        return
    kept = {(one["record"], one["kind"]) for one in said}
    about = {name: value for name, value in said[0].items() if name in _ABOUT}
    for key in dict.fromkeys((part_of(record, fact), fact.kind) for fact in layout.facts):
        if key not in kept:
            yield {**about, "record": key[0], "kind": key[1], "op": "withdraw"}


def _texts(contents: Iterable[str]) -> Iterator[list[str]]:
    """The observations in the contents of rows, as text, as many together as a message may hold."""
    part: list[str] = []
    held = 0
    for content in contents:
        text = _observations_in(content)
        if not text:  # No condition of the layout held: the row says nothing.
            continue
        # Each observation names its record; a quote within a value would be escaped.
        count = text.count('"record":')
        if part and held + count > MOST_OBSERVATIONS:
            yield part
            part, held = [], 0
        part.append(text)
        held += count
    if part:
        yield part


def _observations_in(content: str) -> str:
    """What stands between the brackets of a content's observations."""
    if content.startswith(_OPENING) and content.endswith(_CLOSING):
        return content[len(_OPENING) : -len(_CLOSING)]
    return to_json(json.loads(content)["observations"])[1:-1]


def _written(feed: asyncpg.Record, layout: FeedLayout, observations: list[str], now: datetime) -> WrittenEvent:
    common = to_json({**_common(feed), "source": str(layout.source)})
    return WrittenEvent(
        id=new_id(now),
        source=SOURCE,
        type=OBSERVATIONS_RECORDED,
        time=now,
        subject=f"feed:{feed['feed_id']}",
        traceparent=feed["traceparent"],
        data=f'{common[:-1]},"observations":[{",".join(observations)}]}}',
    )


def ending_events(
    feed: asyncpg.Record, layout: FeedLayout, ended: Iterable[asyncpg.Record], now: datetime
) -> list[Event]:
    """The messages that end what a snapshot no longer lists, on the snapshot's day."""
    day = feed["snapshot_on"].isoformat()
    said = ({**o, "op": "end", "ended_on": max(day, o["occurred_on"])} for row in ended for o in row["ending"] or ())
    return [_observations(feed, layout, part, now) for part in _parts(said, MOST_OBSERVATIONS)]


def covering_event(feed: asyncpg.Record, layout: FeedLayout, now: datetime) -> Event | None:
    """The message that says which days a recorded file covers, though it may have listed nothing.

    A list says how things stood on its day. Other files cover the period they were sent for; sent for none, they
    cover no more than they say. A roster always lists somebody, and says from when it holds.
    """
    if layout.household is not None or not (feed["period"] or layout.kind is Kind.SNAPSHOT):
        return None
    first = feed["snapshot_on"] if layout.kind is Kind.SNAPSHOT else feed["valid_from"]
    period = {"period_from": first.isoformat(), "period_to": feed["snapshot_on"].isoformat()}
    return _observations(feed, layout, [], now, **period)


def _observations(
    feed: asyncpg.Record, layout: FeedLayout, observations: list[dict[str, Any]], now: datetime, **period: str
) -> Event:
    data = {**_common(feed), "source": str(layout.source), **period, "observations": observations}
    subject = f"feed:{feed['feed_id']}"
    return Event.make(SOURCE, OBSERVATIONS_RECORDED, subject, data, now, traceparent=feed["traceparent"])


def _households(keys: Keyring, feed: asyncpg.Record, groups: list[list[asyncpg.Record]], now: datetime) -> Event:
    id_ = new_id(now)
    households = [_household(keys, id_, feed["feed_id"], rows) for rows in groups]
    data = {**_common(feed), "recorded_from": feed["valid_from"].isoformat(), "households": households}
    return Event.make(
        SOURCE, HOUSEHOLDS_RECORDED, f"feed:{feed['feed_id']}", data, now, id_=id_, traceparent=feed["traceparent"]
    )


def _household(keys: Keyring, event_id: UUID, feed_id: UUID, rows: list[asyncpg.Record]) -> dict[str, Any]:
    contents = [json.loads(row["content"]) for row in rows]
    said = next(content["household"] for content in contents if "household" in content)
    members = []
    for i, (row, content) in enumerate(zip(rows, contents, strict=True)):
        member = _known(content["member"])
        if row["sealed_number"] is not None:  # A newborn has none yet; then the reason stands in the content.
            number = keys.open(row["sealed_number"], *number_place(feed_id, row["line"]))
            sealed = keys.seal_for_transit(number, str(event_id), f"members/{said['household_no']}/{i}")
            member["sealed"] = base64.b64encode(sealed).decode()
        members.append(member)
    return {**_known(said), "record": rows[0]["record"], "members": members}


def number_place(feed_id: UUID, line: int) -> tuple[str, str, str]:
    """Table, column and row that a staged number is sealed for."""
    return "feed_row_staged", "sealed_number", f"{feed_id}/{line}"


def _common(feed: asyncpg.Record) -> dict[str, Any]:
    return {
        "department": feed["department"],
        "data_set": feed["layout"],
        "feed_id": str(feed["feed_id"]),
        "division": feed["division"],
        "received_at": feed["received_at"].isoformat(),
    }


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
