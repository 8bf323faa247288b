"""`fangpin assess` orders, follows, cancels and resumes, and says how far it got."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import typer
from typer.testing import CliRunner

from services.assess_command import add_assess_command

ID = "01a222ec-45f3-7b3c-ab2b-5aa4e7788f0a"


def standing(remaining: int, state: str = "running") -> dict[str, Any]:
    return {"rescreen_id": ID, "households": 10, "remaining": remaining, "changed": 3, "told": 1, "state": state}


class Service:
    """Answers in turn, and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, dict[str, Any]], interrupt: bool = False) -> None:
        self.answers: Iterator[tuple[int, dict[str, Any]]] = iter(answers)
        self.asked: list[httpx.Request] = []
        self.interrupt = interrupt

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        status, body = next(self.answers)
        return httpx.Response(status, content=json.dumps(body))

    def pause(self, _: float) -> None:
        if self.interrupt:
            raise KeyboardInterrupt

    def run(self, *command: str) -> tuple[int, str]:
        app = typer.Typer()
        app.callback()(lambda: None)
        add_assess_command(app, lambda: httpx.MockTransport(self), self.pause)
        done = CliRunner().invoke(app, ["assess", *command, "--token", "t"])
        return done.exit_code, done.output


def test_an_area_is_ordered_and_watched_to_its_end() -> None:
    service = Service((202, standing(10)), (200, standing(4)), (200, standing(4)), (200, standing(0, "finished")))
    code, said = service.run("--division", "130624100000", "--reason", "抽查")
    assert code == 0, said
    assert [said.count(f"已评估 {done} / 10 户") for done in (6, 10)] == [1, 1]
    assert "state=finished households=10 remaining=0 changed=3 told=1" in said
    assert json.loads(service.asked[0].content) == {"division": "130624100000", "reason": "抽查"}
    assert service.asked[0].headers["authorization"] == "Bearer t"


def test_whoever_does_not_wait_is_told_the_number_to_ask_by() -> None:
    service = Service((202, standing(10)))
    code, said = service.run("--division", "130624100000", "--no-wait")
    assert (code, ID in said, len(service.asked)) == (0, True, 1)


def test_it_cancels_resumes_and_follows() -> None:
    for option, method, path in (
        ("--cancel", "POST", f"/{ID}/cancel"),
        ("--resume", "POST", f"/{ID}/resume"),
        ("--follow", "GET", f"/{ID}"),
    ):
        service = Service((200, standing(8, "cancelled")))
        assert service.run(option, ID)[0] == 0
        assert (service.asked[0].method, service.asked[0].url.path) == (method, f"/monitoring/v1/rescreens{path}")


def test_whoever_stops_watching_stops_nothing() -> None:
    service = Service((202, standing(10)), interrupt=True)
    code, said = service.run("--division", "130624100000")
    assert (code, f"--follow {ID}" in said, len(service.asked)) == (130, True, 1)


def test_a_refusal_is_told_in_its_own_words() -> None:
    problem = {"title": "重新筛查已经结束", "code": "rescreen_over", "detail": "不能再取消"}
    code, said = Service((409, problem)).run("--cancel", ID)
    assert (code, "重新筛查已经结束（rescreen_over）：不能再取消" in said) == (1, True)


def test_it_does_one_thing_at_a_time() -> None:
    assert Service().run()[0] == 2
    assert Service().run("--division", "130624100000", "--cancel", ID)[0] == 2
