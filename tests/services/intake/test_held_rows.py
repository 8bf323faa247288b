"""A row whose only fault is an implausible amount waits for a person; released it is recorded as it stands."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.services.intake.build import Department, csv_text, medical_row

REASON = "已电话核对，金额属实"


def huge(i: int, **changes: str) -> dict[str, str]:
    return medical_row(i, **(LARGE | changes))


# What the pool pays rises with the total, so that the parts still add up.
LARGE = {"医疗总费用": "45000000.00"}


@pytest.fixture
def decide(department: Department, bearer: Callable[..., dict[str, str]]) -> Any:
    async def decided(feed: Any, line: int = 2, decision: str = "release", who: Any = None) -> httpx.Response:
        answer = await department.client.post(
            f"/intake/v1/feeds/{feed['id']}/held-rows/{line}",
            json={"decision": decision, "reason": REASON},
            headers=who or department.a_person,
        )
        await department.house.run_worker("intake", "ingest")
        return answer

    return decided


async def send(department: Department, *rows: dict[str, str], **options: str) -> Any:
    return await department.send("medical_settlement", csv_text(rows), **options)


async def levels(department: Department, feed: Any) -> set[tuple[int, str, str]]:
    return {
        (e["line"], e["code"], e["level"]) for e in await department.errors(feed["id"]) if e["level"] != "warning"
    }


async def shown(department: Department, feed: Any) -> list[dict[str, Any]]:
    answer = await department.client.get(f"/intake/v1/feeds/{feed['id']}/held-rows", headers=department.headers)
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_an_implausible_amount_is_held_and_the_rest_recorded(department: Department, said: Any) -> None:
    feed = await send(department, huge(0), medical_row(1))
    assert feed["status"] == "recorded"
    assert [feed["counts"][n] for n in ("read", "accepted", "rejected", "held", "recorded")] == [2, 1, 0, 1, 1]
    assert feed["report"]["review"]["held"] == 1
    assert await levels(department, feed) == {(2, "implausible_amount", "review")}
    assert [(row["line"], row["decision"]) for row in await shown(department, feed)] == [(2, None)]
    assert len(await said()) == 1


async def test_released_it_is_recorded_as_its_row_would_have_been(
    department: Department, said: Any, decide: Any, admin: Any
) -> None:
    feed = await send(department, huge(0))
    assert await said() == []
    answer = await decide(feed)
    assert (answer.status_code, answer.json()["decision"], answer.json()["decided_by"] is None) == (
        200,
        "release",
        False,
    )
    [(_, payload, _)] = await said()
    [one] = payload["observations"]
    assert (one["record"], one["gross_fen"], payload["feed_id"]) == ("JS00000000", 4_500_000_000, feed["id"])
    assert (await department.feed(feed["id"]))["counts"]["added"] == 1
    [row] = await shown(department, feed)
    assert (row["reason"], row["recorded_at"] is None) == (REASON, False)
    assert await admin.fetchval("SELECT count(*) FROM intake.feed_row_held WHERE sealed_content IS NOT NULL") == 0
    assert await admin.fetchval("SELECT count(*) FROM intake.audit_log WHERE action = 'feed.held_row'") == 1


async def test_it_is_decided_once(department: Department, said: Any, decide: Any) -> None:
    feed = await send(department, huge(0))
    refused = await decide(feed, decision="refuse")
    again = await decide(feed)
    assert (refused.status_code, again.status_code, again.json()["code"]) == (200, 409, "held_row_decided")
    assert await said() == []


async def test_a_system_decides_nothing(department: Department, decide: Any) -> None:
    feed = await send(department, huge(0))
    answer = await decide(feed, who=department.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "decided_by_a_person")


async def test_a_row_that_is_not_held_is_unknown(department: Department, decide: Any) -> None:
    feed = await send(department, huge(0), medical_row(1))
    answer = await decide(feed, line=3)
    assert (answer.status_code, answer.json()["code"]) == (404, "held_row_unknown")


async def test_what_was_sent_of_it_later_is_newer(department: Department, said: Any, decide: Any) -> None:
    held = await send(department, huge(0), huge(2))
    await send(department, medical_row(0))
    answer = await decide(held)
    assert (answer.status_code, answer.json()["code"]) == (409, "held_row_overtaken")
    other = await decide(held, line=3)
    assert other.status_code == 200
    records = [o["record"] for _, payload, _ in await said() for o in payload["observations"]]
    assert records == ["JS00000000", "JS00000002"]


async def test_later_files_that_do_not_speak_of_it_leave_it(department: Department, said: Any, decide: Any) -> None:
    feed = await send(department, huge(0))
    await send(department, medical_row(1))
    assert (await decide(feed)).status_code == 200
    assert len(await said()) == 2


async def test_what_was_released_before_is_not_asked_about_again(
    department: Department, said: Any, decide: Any
) -> None:
    await decide(await send(department, huge(0)))
    feed = await send(department, huge(0), medical_row(1), mode="atomic")
    assert (feed["status"], feed["report"]["review"]["released_before"]) == ("recorded", 1)
    assert [row["decided_by"] for row in await shown(department, feed)] == ["rule:released_before"]
    assert len(await said()) == 2


async def test_a_whole_file_is_refused_and_says_why(department: Department, decide: Any) -> None:
    feed = await send(department, huge(0), medical_row(1), mode="atomic")
    assert (feed["status"], feed["problem"]["code"], feed["counts"]["held"]) == ("rejected", "rows_held", 1)
    assert (await decide(feed)).json()["code"] == "held_row_unknown"
    assert await shown(department, feed) == []


async def test_a_dry_run_says_what_would_be_held_and_holds_nothing(department: Department, admin: Any) -> None:
    feed = await send(department, huge(0), mode="dry_run")
    assert (feed["status"], feed["counts"]["held"], feed["report"]["review"]["held"]) == ("checked", 1, 1)
    assert await admin.fetchval("SELECT count(*) FROM intake.feed_row_held") == 0


async def test_with_another_fault_it_is_refused(department: Department) -> None:
    feed = await send(department, huge(0, 合规自付="-1"), medical_row(1))
    assert {level for _, _, level in await levels(department, feed)} == {"error"}
    assert (feed["counts"]["rejected"], feed["counts"]["held"]) == (1, 0)


async def test_no_amount_at_all_is_refused(department: Department) -> None:
    feed = await send(department, huge(0, 医疗总费用="9" * 14), medical_row(1))
    assert (feed["counts"]["rejected"], feed["counts"]["held"]) == (1, 0)


async def test_beside_a_good_row_of_the_same_number_it_is_overtaken(
    department: Department, decide: Any, said: Any
) -> None:
    feed = await send(department, huge(0), medical_row(0))
    assert (await decide(feed)).json()["code"] == "held_row_overtaken"
    assert len(await said()) == 1
