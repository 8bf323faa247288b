"""What a recorded feed says comes out of whole texts or of some of their lines; its answers need not wait for it."""

import json
from array import array
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake import pack_rows, record_feed, repository_ingest
from services.intake.catalogue import layout_named
from services.intake.ingest_feed import ingest_once
from services.intake.publish_observations import MOST_OBSERVATIONS, events_of_texts, rows_a_text
from tests.conftest import empty_tables
from tests.services.intake.build import Department, csv_text, medical_row, number

NOW = datetime(2026, 1, 31, tzinfo=UTC)
FEED = {
    "feed_id": "f",
    "department": "medical_insurance",
    "layout": "medical_settlement",
    "division": "130624000000",
    "received_at": NOW,
    "traceparent": None,
}


def text_of(lines: list[int], shelf: int) -> dict[str, Any]:
    """A staged text whose rows say which line they are."""
    contents = "\n".join(f'{{"observations":[{{"record":"{line}","name":"]}}，"}}]}}' for line in lines)
    return {"shelf": shelf, "lines": array("q", lines).tobytes(), "contents": contents}


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 400), unique=True, max_size=120),
    st.sets(st.integers(1, 400)),
    st.integers(1, 30),
    st.integers(0, 2),
)
def test_what_is_said_is_what_stands_in_the_chosen_lines(
    lines: list[int], chosen: set[int], together: int, shelf: int
) -> None:
    lines = sorted(lines)
    texts = [text_of(lines[at : at + together], shelf) for at in range(0, len(lines), together)]
    layout = layout_named("medical_settlement")
    events = events_of_texts(cast(Any, FEED), layout, cast(Any, texts), chosen, NOW)
    said = [one for event in events for one in json.loads(event.data)["observations"]]
    assert sorted(int(one["record"]) for one in said) == sorted(chosen & set(lines))
    assert all(one["name"] == "]}，" for one in said)


def test_a_text_is_one_message() -> None:
    assert rows_a_text(layout_named("medical_settlement")) == MOST_OBSERVATIONS


@pytest.mark.parametrize("name", ["household_register", "disability_register"])
def test_what_is_looked_at_once_more_stands_by_itself(name: str) -> None:
    assert rows_a_text(layout_named(name)) == 0


async def test_answers_to_a_feed_are_noted_while_its_next_rows_are_recorded(
    department: Department, intake_runtime: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    say, today = record_feed._say, date(2026, 1, 5).isoformat()
    rows = [medical_row(i, 结算日期=today) for i in range(120)]
    feed_id = (await department.post("medical_settlement", csv_text(rows))).json()["id"]

    async def answered_meanwhile(connection: Any, events: Any) -> None:
        await say(connection, events)
        await admin.execute("SET lock_timeout = '2s'")
        await admin.execute("UPDATE intake.feed SET matched = matched + 1 WHERE feed_id = $1", feed_id)

    monkeypatch.setattr(record_feed, "_say", answered_meanwhile)
    assert await ingest_once(intake_runtime) == 1
    feed = await admin.fetchrow("SELECT * FROM intake.feed WHERE feed_id = $1", feed_id)
    assert (feed["status"], feed["added"]) == ("recorded", 120)
    assert feed["matched"] >= 1
    for table in ("feed_row_staged", "feed_text_staged"):
        assert await admin.fetchval(f"SELECT count(*) FROM intake.{table}") == 0


@pytest.mark.parametrize("lookup_cost", [4, -1000])
async def test_of_an_overlapping_file_only_what_is_new_or_different_is_said(
    department: Department, said: Any, monkeypatch: pytest.MonkeyPatch, lookup_cost: int
) -> None:
    """Whether what is known is looked up one by one or read together."""
    monkeypatch.setattr(repository_ingest, "_LOOKUP_COST", lookup_cost)
    await department.send("medical_settlement", csv_text(map(medical_row, range(120))))
    before = await said()
    rows = [medical_row(i, **({"住院号": "ZY9"} if i == 70 else {})) for i in range(60, 180)]
    feed = await department.send("medical_settlement", csv_text(rows))
    counts = {name: feed["counts"][name] for name in ("added", "changed", "unchanged")}
    assert counts == {"added": 60, "changed": 1, "unchanged": 59}
    observations = [o["record"] for _, payload, _ in (await said())[len(before) :] for o in payload["observations"]]
    assert sorted(observations) == [medical_row(i)["结算单号"] for i in (70, *range(120, 180))]


def settlements_of_few() -> list[dict[str, str]]:
    """Three thousand settlements of five hundred people, in no order."""
    rows = [medical_row(i, 证件号码=number(i * 7 % 500)) for i in range(3000)]
    for row in rows:
        del row["个人编号"]  # What is said of own codes is found by line, and laid on no shelf.
    return rows


async def told(department: Department, said: Any) -> tuple[list[str], list[int]]:
    """What a feed says, sorted, and how many people each message names."""
    feed = await department.send("medical_settlement", csv_text(settlements_of_few()))
    assert feed["counts"]["added"] == 3000
    messages = [payload["observations"] for _, payload, _ in await said()]
    return sorted(json.dumps(o) for message in messages for o in message), [
        len({o["person"] for o in message}) for message in messages if message
    ]


async def test_a_large_file_is_said_person_by_person(
    department: Department, said: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_feed, "BATCH_RECORDS", 700)
    by_line, people = await told(department, said)
    assert max(people) == 500
    await empty_tables(database)
    monkeypatch.setattr(pack_rows, "SHELF_BYTES", 100_000)
    by_person, people = await told(department, said)
    assert by_person == by_line
    assert max(people) <= 200
