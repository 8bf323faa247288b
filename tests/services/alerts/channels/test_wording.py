"""Over all templates: what leaves says how many and where, and nothing else can stand in it."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError, meta
from jinja2.sandbox import SandboxedEnvironment

from services.alerts.channels.channel import Message
from services.alerts.channels.fill_template import TemplateRefused, fill, fill_json
from services.alerts.channels.word_message import (
    ROBOT_BYTES,
    WORDING,
    _wording,
    robot_text,
    sms_text,
    titled_text,
    wording,
)
from services.alerts.channels_in_use import RANKS
from services.alerts.domain.cut_text import characters, cut, utf8_bytes, with_link
from services.alerts.domain.message import Kind
from shared.vocabulary.terms import Cause, RiskClass, Severity

FILES = sorted(WORDING.rglob("*.txt"))
# Words that would say who, or why.
TELLING = [
    *(term.zh for term in (*Cause, *RiskClass, *Severity)),
    *("姓名", "电话", "户主", "身份证", "因病", "残", "元", "收入", "低保", "规则", "原因"),
]


MOMENT = datetime(2026, 3, 15, tzinfo=UTC)


def message(place: str = "青沿村", count: int = 3, kind: str = "opened", link: str = "https://x.gov.cn/a") -> Message:
    title = body = "张建国因病致贫"
    return Message(UUID(int=1), kind, title, body, link, "130624100202", place, count, MOMENT)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(WORDING)))
def test_a_template_names_only_a_count_and_a_place(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert meta.find_undeclared_variables(SandboxedEnvironment().parse(text)) <= {"count", "place"}
    assert not [word for word in TELLING if word in text]
    assert not re.search(r"\{%|\{#", text), "a template only fills in"


@pytest.mark.parametrize("channel", RANKS)
@pytest.mark.parametrize("kind", [*Kind, "something_new"])
def test_every_channel_words_every_kind(channel: str, kind: str) -> None:
    said = wording(channel, message(kind=kind))
    assert "青沿村" in said
    assert "张" not in said
    if kind != Kind.TEST:
        assert "3" in said


# Letters only: nothing of these kinds is pushed, and a kind to come is worded by `any`.
LETTERS_ONLY = {Kind.TASK, Kind.CONSULTED, Kind.TICKET, Kind.EVIDENCE, Kind.WITHHELD, Kind.DATA_NOTICE}


@pytest.mark.parametrize("channel", RANKS)
def test_every_kind_that_is_pushed_has_words_of_its_own(channel: str) -> None:
    of_its_own = {kind for kind in Kind if (WORDING / "zh-CN" / channel / f"{kind}.txt").exists()}
    assert of_its_own == set(Kind) - LETTERS_ONLY
    said = {wording(channel, message(kind=kind)) for kind in of_its_own}
    assert len(said) == len(of_its_own), "no two kinds say the same"


def test_each_channel_has_its_folder_and_nothing_lies_elsewhere() -> None:
    assert {file.parent.name for file in FILES} == set(RANKS)
    assert {file.parent.parent.name for file in FILES} == {"zh-CN"}


def test_a_name_that_is_not_known_is_an_error_and_not_empty() -> None:
    with pytest.raises(UndefinedError):
        _wording().from_string("{{ household }}").render(count=1, place="x")


def test_titles_are_one_line() -> None:
    for channel in ("smtp", "webhook"):
        for kind in Kind:
            text = titled_text(channel, message(place="青\r\nBcc: x@y\n沿村", kind=kind))
            assert "\n" not in text.title
            assert text.title


PLACES = st.text(min_size=1, max_size=400)


@given(PLACES, st.sampled_from([kind.value for kind in Kind]), st.integers(0, 10**9))
def test_texts_fit_and_keep_their_link(place: str, kind: str, count: int) -> None:
    sent = message(place, count, kind)
    for channel in ("wecom", "dingtalk"):
        text = robot_text(channel, sent)
        assert utf8_bytes(text) <= ROBOT_BYTES
        assert text.endswith(sent.link)
    for most in (70, 500):
        assert characters(sms_text(sent, most)) <= most
    assert sms_text(sent, 500).endswith(sent.link)


@given(st.text(), st.integers(0, 60), st.sampled_from([utf8_bytes, characters]))
def test_a_cut_is_a_beginning_at_a_character(text: str, most: int, measure: object) -> None:
    size = utf8_bytes if measure is utf8_bytes else characters
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    shorter = cut(text, most, size)
    assert size(shorter) <= most
    assert shorter == text or text.startswith(shorter.removesuffix("…"))
    if size(text) <= most:
        assert shorter == text


def test_both_sides_of_a_limit() -> None:
    assert cut("青沿村", 9, utf8_bytes) == "青沿村"
    assert cut("青沿村", 8, utf8_bytes) == "青…"
    assert cut("青沿村民", 3, characters) == "青沿…"
    assert with_link("青沿村有 3 户", "https://" + "x" * 60, 70, characters) == "青沿村有 3 户"


# --- what county staff write into a mapping ------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{{ phone.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{% for i in range(10) %}x{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ phone | center(1000000000) }}",
        "{{ phone | attr('x') }}",
        "{{ phone() }}",
        "{{ unknown }}",
        "{{ phone",
        "{% include 'x' %}",
        "{{ phone['x'] }}",
    ],
)
def test_a_mapping_fills_in_and_computes_nothing(text: str) -> None:
    with pytest.raises(TemplateRefused):
        fill(text, {"phone": "1"})


def test_a_value_never_becomes_structure() -> None:
    filled = fill_json('{"a": "{{ text }}", "b": [1, "{{ text }}"]}', {"text": '", "admin": "x'})
    assert filled == {"a": '", "admin": "x', "b": [1, '", "admin": "x']}
    assert fill("{{ (a ~ b) | md5 | upper }}", {"a": "1", "b": 2}) == "C20AD4D76FE97759AA27A0C99BFF6710"
    for text in ("{", "{'a': 1}", '{"a": "{{ x }}"}'):
        with pytest.raises(TemplateRefused):
            fill_json(text, {})
