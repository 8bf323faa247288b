"""`fangpin up` as a newcomer meets it: the main job once, its figures, Ctrl-C, a second start that loses nothing."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.running import PYTHON, free_port, new_folder, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

HOUSEHOLDS = 150
LAST_LINE = "press Ctrl-C to stop"


def run_up(data: Path) -> str:
    """Start it, wait until it says that it stays, press Ctrl-C; everything it printed."""
    out = data.parent / "out.txt"
    command = [*PYTHON, "up", "--port", str(free_port()), "--data", str(data), "--households", str(HOUSEHOLDS)]
    with out.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    until(lambda: LAST_LINE in out.read_text() or process.poll() is not None, "the main job is done", 240, every=0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 0, out.read_text()
    return out.read_text()


@pytest.fixture
def place() -> Iterator[Path]:
    with new_folder() as folder:
        yield folder


def figures(text: str) -> dict[str, str]:
    return dict(re.findall(r"\b([a-z_]+)=([0-9]+)\b", text))


def test_up_runs_the_main_job_once_and_the_second_start_loses_nothing(place: Path) -> None:
    first = run_up(place / "data")
    told = figures(first)
    assert int(told["households"]) == HOUSEHOLDS
    assert told["assessed"] == told["households"]
    assert int(told["rows_accepted"]) > 0
    assert int(told["alerts_opened"]) > 0
    assert int(told["data_sets"]) > 15
    assert int(told["unauthorised"]) > 0, "some assets belong to households that allowed nobody to look"
    assert {"quality_findings_open", "identity_pairs_open", "data_notices_open"} <= told.keys()
    assert int(told["messages_inbox"]) >= int(told["alerts_opened"])
    assert {"unstable_lifted_out", "marginal_at_risk", "sudden_hardship"} <= told.keys()
    for line in ("服务已就绪", "花名册 household_register", "部门数据 department_feeds", "获取令牌 token", "已停止"):
        assert line in first

    second = run_up(place / "data")
    assert "花名册 household_register" not in second, "nothing is loaded a second time"
    again = figures(second)
    for name in ("households", "assessed", "alerts_opened"):
        assert again[name] == told[name], name
    # A digest or the month's sheet may have come meanwhile; nothing of the first run went.
    assert int(again["messages_inbox"]) >= int(told["messages_inbox"])
