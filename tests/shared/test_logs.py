"""Logs are one JSON object a line, the libraries' too, and hold no number of a person."""

import io
import json
import logging
from typing import Any

import pytest

from shared.logs import configure_logs, log

CANARY = "990624199003070011"


@pytest.fixture
def stream() -> io.StringIO:
    made = io.StringIO()
    configure_logs("INFO", made)
    return made


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_in_which_chinese_stays_readable(stream: io.StringIO) -> None:
    log.info("feed.received", village="大台村", rows=3)
    (line,) = lines(stream)
    assert (line["event"], line["village"], line["rows"], line["level"]) == ("feed.received", "大台村", 3, "info")
    assert line["timestamp"].endswith("Z")
    assert "大台村" in stream.getvalue()


def test_libraries_log_in_the_same_form(stream: io.StringIO) -> None:
    logging.getLogger("some.library").warning("seen %s", CANARY)
    (line,) = lines(stream)
    assert (line["event"], line["level"]) == ("seen 990***************", "warning")


def test_an_exception_is_logged_with_its_place_and_without_its_number(stream: io.StringIO) -> None:
    for logged in (
        lambda: log.error("failed", exc_info=True),
        lambda: logging.getLogger("library").exception("failed"),
    ):
        try:
            raise ValueError(f"bad {CANARY}")
        except ValueError:
            logged()
    assert CANARY not in stream.getvalue()
    assert all("test_logs.py" in line["exception"] for line in lines(stream))


def test_a_number_hides_nowhere_in_a_line(stream: io.StringIO) -> None:
    log.warning(f"event {CANARY}", number=int(CANARY), error=ValueError(CANARY), deep={"a": [{CANARY: (CANARY,)}]})
    assert CANARY not in stream.getvalue()
    lines(stream)


def test_less_than_the_level_is_not_logged(stream: io.StringIO) -> None:
    log.debug("no")
    logging.getLogger("httpx").info("no")
    assert stream.getvalue() == ""


def test_a_trace_stays_whole(stream: io.StringIO) -> None:
    log.info("request", trace="0" * 32)
    assert lines(stream)[0]["trace"] == "0" * 32
