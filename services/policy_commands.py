"""`fangpin policy change` and `policy diff`: the policy interface for who works at a prompt."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

URL = Annotated[str, typer.Option("--url", envvar="FANGPIN_URL", help="服务地址")]
TOKEN = Annotated[str, typer.Option("--token", envvar="FANGPIN_TOKEN", help="本人的令牌")]
DIVISION = Annotated[str | None, typer.Option("--division", help="县、市或省的区划代码；默认为令牌的区划")]
POLICIES = "/monitoring/v1/policies"
LOCAL = "http://127.0.0.1:8000"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def add_policy_commands(
    commands: typer.Typer, transport: Callable[[], httpx.BaseTransport | None] = lambda: None
) -> None:
    """Add them to the group of policy commands."""

    @commands.command("change")
    def change(
        sheet: Annotated[Path, typer.Argument(exists=True, help="CSV 或 XLSX：参数、取值、生效日期、文号")],
        token: TOKEN,
        url: URL = LOCAL,
        division: DIVISION = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不保存")] = False,
    ) -> None:
        """按表格调整参数，存为草案，由另一人审批。"""
        asked = _present(division=division, dry_run="true" if dry_run else None)
        headers = {"Content-Type": XLSX if sheet.suffix.lower() == ".xlsx" else "text/csv"}
        answer = _ask(transport(), url, token, "POST", "/changes", asked, content=sheet.read_bytes(), headers=headers)
        for row in answer["rows"]:
            typer.echo(_row(row))
        if not answer["accepted"]:
            raise typer.Exit(1)
        typer.echo("检查通过，未保存" if dry_run else f"草案 version={answer['version']}")

    @commands.command("diff")
    def diff(
        version: str,
        token: TOKEN,
        against: Annotated[str, typer.Option("--against")] = "in_force",
        url: URL = LOCAL,
        division: DIVISION = None,
    ) -> None:
        """逐个参数列出两个版本的差别。"""
        asked = _present(division=division, against=against)
        answer = _ask(transport(), url, token, "GET", f"/{version}/diff", asked)
        for each in answer["parameters"]:
            typer.echo(f"{each['label']} {each['name']}: {each['before']} -> {each['after']} [{each['unit']}]")
        for each in answer["shapes"]:
            typer.echo(f"{each['section']} {each['name']}: {each['change']}")
        if not answer["parameters"] and not answer["shapes"]:
            typer.echo("没有差别")


def _present(**asked: str | None) -> dict[str, str]:
    return {name: value for name, value in asked.items() if value is not None}


def _ask(
    transport: httpx.BaseTransport | None,
    url: str,
    token: str,
    method: str,
    path: str,
    asked: dict[str, str],
    headers: dict[str, str] | None = None,
    content: bytes | None = None,
) -> Any:
    """The answer; a refusal is told in its own words and ends the command."""
    with httpx.Client(transport=transport, base_url=url, timeout=60) as client:
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        answer = client.request(method, f"{POLICIES}{path}", params=asked, headers=sent, content=content)
    found = answer.json()
    if answer.status_code < 400:
        return found
    typer.echo(f"{found['title']}（{found['code']}）：{found['detail']}", err=True)
    for error in found.get("errors", []):
        typer.echo(f"  {_error(error)}", err=True)
    raise typer.Exit(1)


def _row(row: dict[str, Any]) -> str:
    if row["errors"]:
        return "\n".join(f"错误 {_error(error)}" for error in row["errors"])
    return (
        f"第{row['row']}行 {row['label']}: {row['before']} -> {row['value']}，自 {row['from']}，{row['document_no']}"
    )


def _error(error: dict[str, str]) -> str:
    return f"{error['where']}：{error['message']}；正确写法：{error.get('expected', '')}"
