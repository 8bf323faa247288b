"""What README.zh-CN.md shows is what runs, and what it calls things is what the code calls them."""

import re

import pytest

from services.alerts.domain.alert import Status
from services.intake.domain.feed import FeedStatus
from shared.vocabulary import terms
from tests.examples.conftest import ROOT

README = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
TOUR = (ROOT / "examples" / "tour.sh").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```sh\n(.*?)^```$", README.split("## 走一遍")[1].split("\n## ")[0], re.MULTILINE | re.DOTALL)
KINDS = {
    "三类户": terms.RiskClass,
    "户类型": terms.BaseGroup,
    "预警等级": terms.Severity,
    "风险类型": terms.Cause,
    "困难情形": terms.Hardship,
    "核实结果": terms.Outcome,
    "角色": terms.Role,
    "发现渠道": terms.Source,
    "就诊类别": terms.Visit,
}


def commands(text: str) -> list[str]:
    """The lines that do something: a script tells its steps and explains itself, a reader of the page is told."""
    lines = (line for line in text.splitlines() if line and not line.startswith(("#", "echo '== ", 'echo "户 ')))
    return [line for line in lines if line != "set -eu"]


def test_the_tour_shown_is_the_tour_that_runs() -> None:
    assert [line for block in SHOWN for line in commands(block)] == commands(TOUR)


def test_what_is_shown_can_be_pasted() -> None:
    """No comments, which some interactive shells refuse, and nothing that could end the reader's shell."""
    lines = [line.strip() for block in SHOWN for line in block.splitlines()]
    assert not [line for line in lines if line.startswith(("#", "set -", "exit"))]


@pytest.mark.parametrize("title", KINDS)
def test_the_vocabulary_is_that_of_the_code(title: str) -> None:
    row = re.search(rf"^\| {title} \| (.*) \|$", README, re.MULTILINE)
    assert row is not None
    assert re.findall(r"`(\w+)` ([^，]+)", row[1]) == [(term.value, term.zh) for term in KINDS[title]]


@pytest.mark.parametrize(("title", "kind"), [("预警状态", Status), ("文件状态", FeedStatus)])
def test_the_states_are_those_of_the_code(title: str, kind: type[Status] | type[FeedStatus]) -> None:
    row = re.search(rf"^\| {title} \| (.*) \|$", README, re.MULTILINE)
    assert row is not None
    assert re.findall(r"`(\w+)`", row[1]) == [state.value for state in kind]


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_every_example_is_told_of() -> None:
    told = set(re.findall(r"`(\w+\.py)`", README))
    programs = {path.name for path in (ROOT / "examples").glob("*.py")} - {"fangpin_client.py"}
    assert told == programs
