"""The examples' client against servers that refuse, stumble and ask for patience."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from examples.fangpin_client import TRIES, Away, Fangpin, Refused, asked_wait

TOKEN = {"access_token": "a-token", "expires_in": 600}
NOW = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)


def house_that_says(
    *answers: httpx.Response | type[httpx.TransportError],
) -> tuple[Fangpin, list[httpx.Request], list[float]]:
    """A client of a server that gives these answers in turn; the requests it got, the waits between."""
    left, asked, waits = list(answers), [], []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            return httpx.Response(200, json=TOKEN)
        asked.append(request)
        given = left.pop(0)
        if isinstance(given, httpx.Response):
            return given
        raise given("cut")

    slept: Callable[[float], None] = waits.append
    return Fangpin("http://house", "id", "secret", transport=httpx.MockTransport(answer), sleep=slept), asked, waits


def busy(**headers: str) -> httpx.Response:
    return httpx.Response(503, headers=headers)


def test_a_busy_server_is_asked_again_after_the_time_it_named() -> None:
    house, asked, waits = house_that_says(busy(**{"Retry-After": "7"}), httpx.Response(200, json={"ok": 1}))
    assert house.get("/x") == {"ok": 1}
    assert (len(asked), waits) == (2, [7.0])


def test_without_a_named_time_the_waits_grow() -> None:
    house, _, waits = house_that_says(*[busy()] * 4, httpx.Response(200, json={}))
    house.get("/x")
    assert all(2.0**n / 2 <= wait <= 2.0**n for n, wait in enumerate(waits))


def test_a_cut_connection_is_tried_again_with_the_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a,b\n1,2\n")
    house, asked, _ = house_that_says(httpx.ReadError, httpx.Response(202, json={}))
    house.post_file("/x", file, "text/csv", mode="partial")
    assert asked[-1].content == file.read_bytes()
    assert asked[-1].url.query == b"mode=partial"


def test_a_server_that_stays_away_is_given_up() -> None:
    house, asked, _ = house_that_says(*[busy()] * TRIES)
    with pytest.raises(Away, match="503"):
        house.get("/x")
    assert len(asked) == TRIES


def test_a_refusal_is_not_repeated_and_tells_what_is_wrong() -> None:
    problem = {
        "title": "内容不符合要求",
        "code": "validation_failed",
        "detail": "有 1 处不符合要求",
        "errors": [{"where": "query/period", "message": "期次不能晚于今天"}],
    }
    house, asked, _ = house_that_says(httpx.Response(422, json=problem))
    with pytest.raises(Refused, match=r"(?s)validation_failed, HTTP 422.*期次不能晚于今天"):
        house.get("/x")
    assert len(asked) == 1


def test_a_token_that_was_withdrawn_is_renewed_once() -> None:
    house, asked, _ = house_that_says(httpx.Response(401), httpx.Response(200, json={"ok": 1}))
    assert house.get("/x") == {"ok": 1}
    assert len(asked) == 2


def test_all_pages_of_a_list_are_read_and_its_own_query_is_kept() -> None:
    first = {"items": [1, 2], "next_cursor": "more"}
    house, asked, _ = house_that_says(
        httpx.Response(200, json=first), httpx.Response(200, json={"items": [3], "next_cursor": None})
    )
    assert list(house.pages("/x?severity=red", limit=2)) == [1, 2, 3]
    assert asked[-1].url.params == httpx.QueryParams({"severity": "red", "limit": "2", "cursor": "more"})


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Sun, 15 Mar 2026 02:00:30 GMT", 30.0),
        ("Sun, 15 Mar 2026 01:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_the_wait_asked_for_is_read_in_both_forms(header: str | None, seconds: float | None) -> None:
    assert asked_wait(header, NOW) == seconds
