"""The tour of the READMEs, run as a newcomer would: by a POSIX shell, against the demo county."""

import json
import re

import pytest

from tests.examples.conftest import DemoCounty, fangpin, run

pytestmark = [pytest.mark.processes, pytest.mark.timeout(420)]


def tour(county: DemoCounty, path: str) -> dict[str, str]:
    """What each step printed, by its number."""
    told = run(
        ["sh", "examples/tour.sh"],
        BASE_URL=county.url("intake"),
        DATA=str(county.data),
        FANGPIN=str(fangpin()),
        PATH=path,
    ).stdout
    parts = re.split(r"^== (\d) .*\n", told, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_tour_leads_from_a_report_to_the_answer_at_the_door(county: DemoCounty, path_with_curl: str) -> None:
    said = tour(county, path_with_curl)
    assert re.search(r"^routed \| 已派给责任人 \| 2", said["2"], re.MULTILINE)
    counts = json.loads(said["3"])
    assert (counts["read"], counts["accepted"], counts["rejected"]) == (3, 1, 2)
    assert re.findall(r"^(\d) \| (\S+) \| (\w+) \|", said["4"], re.MULTILINE) == [
        ("3", "证件号码", "wrong_check_digit"),
        ("4", "结算日期", "no_such_date"),
    ]
    assert "医疗自付60" in said["5"]
    assert re.search(r"^fired \| orange \| 医疗自付.*预警线", said["5"], re.MULTILINE)
    assert "农户自主申报" in said["6"]
    assert said["7"] == "acknowledged\n"
    assert said["8"].startswith("closed\n")
    assert re.search(r"^verified \| 已入户核实 \| 2", said["8"], re.MULTILINE)


def test_the_tour_can_be_taken_again_with_another_household(county: DemoCounty, path_with_curl: str) -> None:
    first, second = (tour(county, path_with_curl)["1"] for _ in range(2))
    assert re.findall(r"household=(\d{16})", first) != re.findall(r"household=(\d{16})", second)
