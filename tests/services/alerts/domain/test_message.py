"""What a message may say, and never says."""

import pytest

from services.alerts.domain.message import Kind, Subject, inbox_text, outside_text
from shared.security.access import FIELD_CLASSES_OF_ROLE
from shared.vocabulary.terms import Role, Severity

SUBJECT = Subject(
    name="张建国",
    phone="19900000001",
    place="青沿村",
    severity=Severity.RED,
    recommendation="sudden_hardship",
    causes=("illness",),
    sentences=("近一年医疗自付 12345.60 元",),
)


@pytest.mark.parametrize("kind", [Kind.OPENED, Kind.RAISED, Kind.REPORTED, Kind.HANDED_OVER])
def test_outside_there_is_only_a_count_and_a_village(kind: Kind) -> None:
    text = outside_text(kind, count=3, place="青沿村")
    assert "3 户" in text.body
    assert "青沿村" in text.body
    for word in ("张", "因", "病", "红", "元", "199"):
        assert word not in text.title + text.body


@pytest.mark.parametrize(
    ("role", "seen", "hidden"),
    [
        (Role.GRID_WORKER, {"张建国", "19900000001", "因病"}, {"突发严重困难户", "12345.60"}),
        (Role.VILLAGE_SECRETARY, {"张建国", "因病", "突发严重困难户"}, {"12345.60"}),
        (Role.TOWNSHIP_LEADER, {"张建国", "因病", "突发严重困难户", "12345.60"}, set()),
    ],
)
def test_inbox_text_follows_the_field_classes(role: Role, seen: set[str], hidden: set[str]) -> None:
    text = inbox_text(Kind.OPENED, SUBJECT, FIELD_CLASSES_OF_ROLE[role])
    assert {word for word in seen | hidden if word in text.title + text.body} == seen


def test_a_report_not_yet_assessed_says_so() -> None:
    reported = Subject("张建国", None, "青沿村", None, None, (), has_reported=True)
    text = inbox_text(Kind.OPENED, reported, {"contact", "cause"})
    assert "待评估" in text.title
    assert "农户自主申报" in text.body
