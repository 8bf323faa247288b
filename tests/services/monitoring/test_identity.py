"""Who is it: doubtful persons are queued once, decided by a person, and every decision can be taken back exactly."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from services.monitoring.propose_identity import sweep_identity
from services.monitoring.rescreen import match_again
from shared.contracts.envelope import Event
from shared.contracts.intake import HOUSEHOLDS_RECORDED
from shared.runtime import Runtime
from shared.security.keys import Keyring
from shared.vocabulary.identifiers import new_id
from tests.services.monitoring.build import (
    COUNTY,
    OTHER_VILLAGE,
    ROSTER,
    SENT,
    VILLAGE,
    deliver,
    number,
    observed,
    sent_at,
)

PAIRS = "/monitoring/v1/identity-pairs"
Bearer = Callable[..., dict[str, str]]
Client = httpx.AsyncClient


@dataclass(frozen=True)
class Soul:
    """A member of a roster; serial None is somebody without a number."""

    serial: int | None
    name: str = "测试甲"
    relation: str = "户主"
    birth: str = "1970-01-01"
    sex: str = "male"

    def number(self) -> str:
        assert self.serial is not None
        return number(self.serial, self.birth.replace("-", ""))


HEAD = Soul(1)
TWIN = replace(HEAD, serial=2)


def stand_in(keys: Keyring, no: str, soul: Soul) -> str:
    return keys.blind_index(f"no_number\x00{no}\x00{soul.name}\x00{soul.birth}").hex()


def index(keys: Keyring, no: str, soul: Soul) -> str:
    return keys.blind_index(soul.number()).hex() if soul.serial is not None else stand_in(keys, no, soul)


def families(
    keys: Keyring,
    homes: dict[str, Sequence[Soul]],
    *,
    on: str = "2026-01-01",
    sent: datetime = SENT,
    division: str = VILLAGE,
) -> Event:
    """A roster message with these households."""
    event_id = new_id()

    def member(no: str, i: int, soul: Soul) -> dict[str, Any]:
        said: dict[str, Any] = {"no_id_reason": "新生儿未办证"}
        if soul.serial is not None:
            sealed = keys.seal_for_transit(soul.number(), str(event_id), f"members/{no}/{i}")
            said = {"sealed": base64.b64encode(sealed).decode()}
        known = {"name": soul.name, "relation": soul.relation, "sex": soul.sex, "birth_date": soul.birth}
        return {"index": index(keys, no, soul), "insured_resident": True, "insured_employee": False, **known, **said}

    data = {
        "feed_id": f"roster-{on}",
        "department": "农业农村局",
        "data_set": ROSTER,
        "division": COUNTY,
        "received_at": sent.isoformat(),
        "recorded_from": on,
        "households": [
            {
                "household_no": no,
                "record": no,
                "division": division,
                "base_group": "general",
                "members": [member(no, i, soul) for i, soul in enumerate(souls)],
            }
            for no, souls in homes.items()
        ],
    }
    return Event.make("fangpin/intake", HOUSEHOLDS_RECORDED, None, data, datetime.now(UTC), id_=event_id)


@dataclass
class Queue:
    """The queue as a county person works on it."""

    client: Client
    runtime: Runtime
    bearer: Bearer

    async def roster(self, homes: dict[str, Sequence[Soul]], **how: Any) -> None:
        await deliver(self.runtime, families(self.runtime.keys, homes, **how))

    async def pairs(self, who: dict[str, str] | None = None, **query: str) -> list[dict[str, Any]]:
        answer = await self.client.get(PAIRS, params=query, headers=who or self.bearer("county_admin"))
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def reasons(self, **query: str) -> list[str]:
        return sorted(pair["reason"] for pair in await self.pairs(**query))

    async def decide(self, pair: dict[str, Any], decision: str = "same", **more: Any) -> dict[str, Any]:
        answer = await self.post(pair, "decision", decision=decision, **more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def undo(self, pair: dict[str, Any]) -> dict[str, Any]:
        answer = await self.post(pair, "undo")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def post(self, pair: dict[str, Any], step: str, who: Any = None, **body: Any) -> httpx.Response:
        path = f"{PAIRS}/{pair['pair_id']}/{step}"
        body = {"reason": "派出所证明", **body}
        return await self.client.post(path, json=body, headers=who or self.bearer("county_admin"))

    async def state(self) -> dict[str, Any]:
        """Who has which facts where, who belongs where, and who is dead: as known now."""
        fetch = self.runtime.worker_pool.fetch
        facts = await fetch(
            "SELECT data_set, record_key, kind, resident_id, household_id, occurred_on, ended_on, amount_fen,"
            " compliant_fen, value FROM fact WHERE superseded_at IS NULL ORDER BY 1, 2, 3"
        )
        members = await fetch(
            "SELECT household_id, resident_id, relation, status, valid_from, valid_to FROM household_member"
            " WHERE superseded_at IS NULL ORDER BY 1, 2, 5"
        )
        dead = await fetch("SELECT resident_id, died_on FROM resident ORDER BY 1")
        return {"facts": [*map(tuple, facts)], "members": [*map(tuple, members)], "dead": [*map(tuple, dead)]}

    async def waiting(self) -> int:
        found: int = await self.runtime.worker_pool.fetchval("SELECT count(*) FROM unmatched_observation")
        return found

    async def bills(self) -> dict[str, tuple[str, str]]:
        """Medical bills that stand: record -> name and number's serial is the resident's own, household."""
        rows = await self.runtime.worker_pool.fetch(
            "SELECT f.record_key, r.number_index, h.household_no FROM fact f JOIN resident r USING (resident_id)"
            " JOIN household h ON h.household_id = f.household_id"
            " WHERE f.superseded_at IS NULL AND f.kind = 'expense.medical' ORDER BY 1"
        )
        return {row[0].partition("/")[2]: (row[1].hex(), row[2]) for row in rows}

    def is_of(self, soul: Soul, no: str) -> tuple[str, str]:
        return index(self.runtime.keys, no, soul), no


@pytest.fixture
def queue(monitoring_client: Client, monitoring_runtime: Runtime, bearer: Bearer) -> Queue:
    return Queue(monitoring_client, monitoring_runtime, bearer)


def bill(queue: Queue, soul: Soul, record: str, *, day: int = 2, name: str | None = None, fen: int = 1000) -> Event:
    one = {
        "record": record,
        "person": queue.runtime.keys.blind_index(soul.number()).hex(),
        "kind": "expense.medical",
        "occurred_on": "2026-02-10",
        "compliant_fen": fen,
    }
    return observed([one | ({"person_name": name} if name else {})], sent=sent_at(day))


# --- what is proposed, and what is not -----------------------------------------------------------------------


async def test_a_clean_register_asks_nothing(queue: Queue) -> None:
    wife = Soul(2, "测试乙", "配偶", "1972-03-04", "female")
    child = Soul(3, "测试丙", "之子", "1999-05-06")
    await queue.roster({"F001": [HEAD, wife, child]})
    await deliver(queue.runtime, bill(queue, HEAD, "S1", name="测试甲"), bill(queue, wife, "S2", name="测 试 乙"))
    assert await queue.pairs() == []


@pytest.mark.parametrize(
    ("told", "asks"),
    [
        ("测试甲", False),
        ("测·试 甲", False),
        ("测*甲", False),
        ("测?甲", False),
        ("测试乙", True),
        ("测试", True),
        ("测试甲乙", True),
    ],
)
async def test_another_name_under_the_number_is_accepted_and_asked_about(queue: Queue, told: str, asks: bool) -> None:
    await queue.roster({"F001": [HEAD]})
    await deliver(queue.runtime, bill(queue, HEAD, "S1", name=told), bill(queue, HEAD, "S2", name=told))
    assert set(await queue.bills()) == {"S1", "S2"}
    pairs = await queue.pairs()
    assert [pair["reason"] for pair in pairs] == (["name_differs"] if asks else [])
    if asks:
        assert pairs[0]["sides"][1]["name"] == told
        assert pairs[0]["sides"][1]["told_by"] == "医保局"
        assert pairs[0]["differs"] == ["name"]


async def test_a_name_told_while_the_person_waited_is_compared_when_he_is_known(queue: Queue) -> None:
    await deliver(queue.runtime, bill(queue, HEAD, "S1", name="测试乙"))
    assert await queue.pairs() == []
    await queue.roster({"F001": [HEAD]})
    assert await queue.reasons() == ["name_differs"]


async def test_the_same_in_one_household_under_another_number_has_changed_it(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD]})
    await queue.roster({"F001": [TWIN]}, on="2026-02-01", sent=sent_at(5))
    assert await queue.reasons() == ["number_changed"]
    (pair,) = await queue.pairs()
    assert pair["differs"] == ["number"]
    assert "*" in pair["sides"][0]["number"]


@pytest.mark.parametrize(
    ("other", "division", "asks"),
    [
        (TWIN, VILLAGE, True),
        (replace(TWIN, birth="1970-01-02"), VILLAGE, False),
        (replace(TWIN, name="测试乙"), VILLAGE, False),
        (TWIN, OTHER_VILLAGE, False),
    ],
)
async def test_two_of_a_village_with_one_name_and_birth_date(
    queue: Queue, other: Soul, division: str, asks: bool
) -> None:
    await queue.roster({"F001": [HEAD]})
    await queue.roster({"F002": [other]}, division=division)
    assert await queue.reasons() == (["same_name_and_birth"] if asks else [])


@pytest.mark.parametrize(
    ("child", "asks"),
    [
        (Soul(2, "测试乙", "之女", "1995-01-01", "female"), False),
        (Soul(2, "测试乙", "之女", "1995-01-01", "male"), True),
        (Soul(2, "测试乙", "之子", "1982-01-01"), False),
        (Soul(2, "测试乙", "之子", "1981-12-31"), True),
        (Soul(2, "测试乙", "之母", "1958-01-01", "female"), False),
        (Soul(2, "测试乙", "之母", "1958-01-02", "female"), True),
        (Soul(2, "测试乙", "其他", "1970-01-01"), False),
    ],
)
async def test_a_relation_that_sex_or_age_does_not_bear(queue: Queue, child: Soul, asks: bool) -> None:
    await queue.roster({"F001": [HEAD, child]})
    assert await queue.reasons() == (["relation_mismatch"] if asks else [])


async def test_the_heads_number_used_for_a_child_is_the_heads(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD, replace(HEAD, name="测试小", relation="之子")]})
    (pair,) = await queue.pairs()
    assert (pair["reason"], pair["sides"][1]["name"]) == ("name_differs", "测试小")
    assert await queue.runtime.worker_pool.fetchval("SELECT relation FROM household_member") == "户主"
    assert await queue.runtime.worker_pool.fetchval("SELECT name FROM resident") == "测试甲"


async def test_a_pair_is_asked_about_once_and_not_again_after_the_answer(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD], "F002": [TWIN]})
    await queue.roster({"F001": [HEAD], "F002": [TWIN]}, on="2026-02-01", sent=sent_at(5))
    await sweep_identity(queue.runtime)
    (pair,) = await queue.pairs()
    decided = await queue.decide(pair, "different")
    assert decided["state"] == "different"
    await queue.roster({"F001": [HEAD], "F002": [TWIN]}, on="2026-03-01", sent=sent_at(6))
    assert await queue.pairs() == []
    # Evidence of another reason asks anew.
    await queue.roster({"F002": [TWIN, replace(HEAD, relation="其他")]}, on="2026-03-02", sent=sent_at(7))
    assert "two_households" in await queue.reasons()


async def test_the_sweep_finds_what_no_roster_brought_and_drops_what_is_over(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD], "F002": [replace(TWIN, name="测试乙")]})
    await queue.runtime.worker_pool.execute("UPDATE resident SET name = '测试甲'")
    assert await sweep_identity(queue.runtime) == 2
    assert await queue.reasons() == ["same_name_and_birth"]
    assert await sweep_identity(queue.runtime) == 0  # Done for today.
    await queue.runtime.worker_pool.execute("UPDATE identity_sweep SET swept_on = '2026-01-01'")
    await queue.runtime.worker_pool.execute("UPDATE resident SET name = name || resident_id")
    await sweep_identity(queue.runtime)
    assert await queue.pairs() == []
    assert await queue.reasons(state="gone") == ["same_name_and_birth"]


# --- without a number ----------------------------------------------------------------------------------------

BABY = Soul(None, "测试宝", "之子", "2026-01-05")
GROWN = replace(BABY, serial=7)


async def test_a_member_without_a_number_is_held_and_joined_when_it_arrives(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD, BABY]}, on="2026-01-10")
    assert await queue.pairs() == []
    assert await queue.runtime.worker_pool.fetchval("SELECT count(*) FROM resident WHERE sealed_number IS NULL") == 1
    await deliver(queue.runtime, bill(queue, GROWN, "S1"))
    assert await queue.waiting() == 1
    before = await queue.state()
    await queue.roster({"F001": [HEAD, GROWN]}, on="2026-02-01", sent=sent_at(5))
    assert await queue.pairs() == []
    assert await queue.waiting() == 0
    (pair,) = await queue.pairs(state="same")
    assert pair["decided"]["decided_by_name"] == "系统规则"
    rows = await queue.runtime.worker_pool.fetch(
        "SELECT r.name, m.valid_from, m.valid_to FROM household_member m JOIN resident r USING (resident_id)"
        " WHERE m.superseded_at IS NULL AND r.name = '测试宝'"
    )
    assert [(row[0], str(row[1]), row[2]) for row in rows] == [("测试宝", "2026-01-10", None)]
    # A roster that came late still knows no number: it means the same person.
    await queue.roster({"F001": [HEAD, BABY]}, on="2026-02-02", sent=sent_at(6))
    assert await queue.bills() == {"S1": queue.is_of(GROWN, "F001")}
    undone = await queue.undo(pair)
    assert undone["state"] == "open"
    assert before != await queue.state()


async def test_a_number_for_one_of_two_alike_is_asked_about(queue: Queue) -> None:
    """Listed beside each other, or of another sex: no rule joins them."""
    await queue.roster({"F001": [HEAD, BABY]}, on="2026-01-10")
    await queue.roster({"F001": [HEAD, BABY, GROWN]}, on="2026-02-01", sent=sent_at(5))
    assert await queue.reasons() == ["no_number"]


# --- decisions, and taking them back -------------------------------------------------------------------------


async def test_same_person_joins_all_and_undo_restores_it_exactly(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD, Soul(5, "测试戊", "其他")]})
    await deliver(queue.runtime, bill(queue, HEAD, "S1"), bill(queue, TWIN, "S2"))
    await queue.roster({"F001": [TWIN, Soul(5, "测试戊", "其他")]}, on="2026-02-01", sent=sent_at(5))
    before = await queue.state()
    (pair,) = await queue.pairs()
    await queue.runtime.worker_pool.execute("UPDATE household SET due_at = NULL")
    done = await queue.decide(pair)
    assert (done["state"], done["decided"]["decision"]) == ("same", "same")
    assert await queue.bills() == {"S1": queue.is_of(TWIN, "F001"), "S2": queue.is_of(TWIN, "F001")}
    assert await queue.runtime.worker_pool.fetchval("SELECT due_at IS NOT NULL FROM household")
    await queue.undo(pair)
    assert await queue.state() == before


async def test_later_facts_go_to_whom_they_were_told_of(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD], "F002": [TWIN]})
    (pair,) = await queue.pairs()
    await queue.decide(pair, survivor_member_id=pair["sides"][0]["member_id"])
    await deliver(queue.runtime, bill(queue, HEAD, "S1"), bill(queue, TWIN, "S2"), bill(queue, TWIN, "S3"))
    assert {who for who, _ in (await queue.bills()).values()} == {index(queue.runtime.keys, "", HEAD)}
    await deliver(queue.runtime, bill(queue, HEAD, "S3", day=3))  # Corrected: it was told of the other number.
    await deliver(queue.runtime, bill(queue, TWIN, "S1", day=1))  # Older than what is known: says nothing.
    await queue.undo(pair)
    assert await queue.bills() == {
        "S1": queue.is_of(HEAD, "F001"),
        "S2": queue.is_of(TWIN, "F002"),
        "S3": queue.is_of(HEAD, "F001"),
    }


async def test_who_was_joined_into_another_household_is_asked_which(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD], "F002": [TWIN]})
    (pair,) = await queue.pairs()
    await queue.decide(pair)
    (twice,) = await queue.pairs()
    assert (twice["reason"], twice["differs"]) == ("two_households", ["household_no"])
    refused = await queue.post(twice, "decision", decision="same")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "answer_does_not_fit")
    before = await queue.state()
    await queue.decide(twice, "moved", leaves_household_no="F001", on="2026-03-01")
    live = await queue.runtime.worker_pool.fetch(
        "SELECT h.household_no FROM household_member m JOIN household h USING (household_id)"
        " WHERE m.superseded_at IS NULL AND m.valid_to IS NULL"
    )
    assert [row[0] for row in live] == ["F002"]
    early = await queue.post(pair, "undo")
    assert (early.status_code, early.json()["code"]) == (409, "later_decision_stands")
    await queue.undo(twice)
    assert await queue.state() == before
    await queue.undo(pair)


async def test_a_roster_since_stands_and_the_undo_says_so(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD], "F002": [TWIN]})
    (pair,) = await queue.pairs()
    await queue.decide(pair)
    await queue.roster({"F002": [Soul(9, "测试癸")]}, on="2026-03-01", sent=sent_at(5))
    undone = await queue.undo(pair)
    assert undone["decided"]["notes"]


async def test_two_decide_at_once_and_one_wins(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD], "F002": [TWIN]})
    (pair,) = await queue.pairs()
    answers = await asyncio.gather(
        *(queue.post(pair, "decision", decision=each) for each in ("same", "different", "same"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"identity_pair_not_open"}
    undone = await asyncio.gather(*(queue.post(pair, "undo") for _ in range(2)))
    assert sorted(answer.status_code for answer in undone) == [200, 409]


async def test_only_a_county_person_decides_and_only_in_his_range(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD], "F002": [TWIN]})
    (pair,) = await queue.pairs()
    for who in (queue.bearer("village_secretary", VILLAGE), queue.bearer("auditor"), queue.bearer(None, COUNTY)):
        assert (await queue.post(pair, "decision", who, decision="same")).status_code == 403
    foreign = queue.bearer("county_admin", "130625000000")
    assert (await queue.post(pair, "decision", foreign, decision="same")).status_code == 404
    assert await queue.pairs(foreign) == []


# --- who waits -----------------------------------------------------------------------------------------------


async def test_a_waiting_person_is_linked_by_decision_and_waits_again_after_the_undo(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD]})
    await deliver(queue.runtime, bill(queue, TWIN, "S1", name="测试某"), bill(queue, TWIN, "S2"))
    admin = queue.bearer("county_admin")
    counts = (await queue.client.get("/monitoring/v1/unmatched/counts", headers=admin)).json()
    assert [(c["department"], c["rows"], c["persons"]) for c in counts["items"]] == [("医保局", 2, 1)]
    first = (await queue.client.get("/monitoring/v1/unmatched", headers=admin)).json()["items"][0]
    assert (first["name"], first["waiting_days"]) == ("测试某", 0)
    member = await queue.runtime.worker_pool.fetchval("SELECT resident_id FROM resident")
    body = {"household_no": "F001", "member_id": member, "reason": "入户核实"}
    path = f"/monitoring/v1/unmatched/{first['unmatched_id']}/link"
    linked = await queue.client.post(path, json=body, headers=admin)
    assert linked.status_code == 200, linked.text
    assert await queue.waiting() == 0
    await deliver(queue.runtime, bill(queue, TWIN, "S3", day=4))
    assert set((await queue.bills()).values()) == {queue.is_of(HEAD, "F001")}
    assert (await queue.client.post(path, json=body, headers=admin)).status_code == 404
    await queue.undo(linked.json())
    assert await queue.bills() == {}
    assert await queue.waiting() == 3
    await queue.roster({"F002": [TWIN]}, sent=sent_at(6))
    assert set((await queue.bills()).values()) == {queue.is_of(TWIN, "F002")}


async def test_what_waits_for_the_other_number_is_matched_at_the_decision(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD], "F002": [TWIN]})
    (pair,) = await queue.pairs()
    # It waits although its person is known, as if the two had crossed.
    await deliver(queue.runtime, bill(queue, Soul(8), "S1"))
    alien = queue.runtime.keys.blind_index(Soul(8).number())
    await queue.runtime.worker_pool.execute(
        "UPDATE unmatched_observation SET person = $1, entry = entry || jsonb_build_object('person', $2::text)"
        " WHERE person = $3",
        queue.runtime.keys.blind_index(TWIN.number()),
        queue.runtime.keys.blind_index(TWIN.number()).hex(),
        alien,
    )
    await queue.decide(pair, survivor_member_id=pair["sides"][0]["member_id"])
    assert await queue.waiting() == 0
    assert await match_again(queue.runtime) == 0


# --- who sees what -------------------------------------------------------------------------------------------


async def test_what_lies_outside_the_range_is_not_shown(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD]})
    await queue.roster({"F002": [replace(HEAD, relation="其他")]}, division=OTHER_VILLAGE)
    (here,) = await queue.pairs(queue.bearer("village_secretary", VILLAGE))
    assert here["sides"][0]["household_no"] == "F001"
    assert set(here["sides"][1].values()) == {None}
    assert await queue.pairs(queue.bearer("village_secretary", "130624102201")) == []


async def test_an_auditor_sees_masked_names_and_no_number(queue: Queue) -> None:
    await queue.roster({"F001": [HEAD], "F002": [TWIN]})
    (pair,) = await queue.pairs(queue.bearer("auditor"))
    side = pair["sides"][0]
    assert (side["name"], side["number"], side["birth_date"]) == ("测*甲", None, None)
    (full,) = await queue.pairs()
    assert HEAD.number() not in str(full)


async def test_counts_pages_and_audit(queue: Queue, admin: asyncpg.Connection) -> None:
    await queue.roster({f"F{i:03}": [Soul(i, "测试" + "甲乙丙"[i % 3])] for i in range(1, 7)})
    headers = queue.bearer("county_admin")
    counts = (await queue.client.get(f"{PAIRS}/counts", headers=headers)).json()
    assert counts["total"] == 3
    assert counts["items"] == [{"division": "130624100000", "reason": "same_name_and_birth", "pairs": 3}]
    seen, cursor = [], None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await queue.client.get(PAIRS, params=query, headers=headers)).json()
        seen += [pair["pair_id"] for pair in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 3
    assert await queue.pairs(reason="two_households") == []
    assert len(await queue.pairs(division=VILLAGE)) == 3
    assert await queue.pairs(division=OTHER_VILLAGE) == []
    assert await admin.fetchval("SELECT count(*) FROM monitoring.audit_log WHERE action = 'identity.list'") >= 4
