"""The policy commands say what the interface says, row by row, and fail when it refuses."""

import json
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from services.policy_commands import add_policy_commands

ROW = {
    "row": 1,
    "label": "监测线",
    "before": "9500.00",
    "value": "9800.00",
    "from": "2027-01-01",
    "document_no": "1号",
}
ERROR = {"where": "第1行/value", "message": "不符合要求", "expected": "应在 1000.00 与 100000.00 之间"}


class Service:
    """Answers as monitoring would, and keeps what it was asked."""

    def __init__(self, status: int, body: object) -> None:
        self.status, self.body = status, body
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(self.status, content=json.dumps(self.body))

    def run(self, *command: str) -> tuple[int, str]:
        commands = typer.Typer()
        add_policy_commands(commands, lambda: httpx.MockTransport(self))
        done = CliRunner().invoke(commands, [*command, "--token", "t"])
        return done.exit_code, done.output


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    path = tmp_path / "changes.csv"
    path.write_text("参数,取值,生效日期,文号\nmonitoring_line,9800.00,2027-01-01,1号\n", encoding="utf-8")
    return str(path)


def test_a_sheet_becomes_a_draft(sheet: str) -> None:
    service = Service(201, {"accepted": True, "version": "130624-1", "rows": [{**ROW, "errors": []}]})
    code, said = service.run("change", sheet, "--division", "130624000000")
    assert (code, "version=130624-1" in said, "9500.00 -> 9800.00" in said) == (0, True, True)
    [request] = service.asked
    assert (request.url.path, dict(request.url.params)) == (
        "/monitoring/v1/policies/changes",
        {"division": "130624000000"},
    )
    assert (request.headers["content-type"], request.headers["authorization"]) == ("text/csv", "Bearer t")


def test_a_dry_run_tells_what_is_wrong_and_fails(sheet: str) -> None:
    service = Service(200, {"accepted": False, "version": None, "rows": [{**ROW, "errors": [ERROR]}]})
    code, said = service.run("change", sheet, "--dry-run")
    assert code == 1
    assert "应在 1000.00 与 100000.00 之间" in said
    assert dict(service.asked[0].url.params) == {"dry_run": "true"}


def test_a_refusal_is_told_in_its_own_words(sheet: str) -> None:
    problem = {"title": "参数调整有误", "code": "changes_refused", "detail": "均未保存", "errors": [ERROR]}
    code, said = Service(422, problem).run("change", sheet)
    assert (code, "changes_refused" in said, "第1行/value" in said) == (1, True, True)


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ([], "没有差别"),
        ([{**ROW, "name": "monitoring_line", "unit": "CNY", "after": "9800.00"}], "9500.00 -> 9800.00"),
    ],
)
def test_a_difference_is_listed(parameters: list[dict[str, str]], shown: str) -> None:
    service = Service(200, {"parameters": parameters, "shapes": []})
    code, said = service.run("diff", "130624-1")
    assert (code, shown in said) == (0, True)
    assert dict(service.asked[0].url.params) == {"against": "in_force"}
