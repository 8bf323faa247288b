"""`fangpin assess`: assess an area again and watch how far it got; cancel it, and take it up again."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

RESCREENS = "/monitoring/v1/rescreens"
LOCAL = "http://127.0.0.1:8000"
Tell = Callable[[dict[str, Any]], None]


def add_assess_command(
    app: typer.Typer,
    transport: Callable[[], httpx.BaseTransport | None] = lambda: None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Add it to the commands."""

    @app.command("assess")
    def assess(
        token: Annotated[str, typer.Option("--token", envvar="FANGPIN_TOKEN", help="本人或系统的令牌")],
        division: Annotated[str | None, typer.Option("--division", help="对哪个区划重新筛查")] = None,
        reason: Annotated[str, typer.Option("--reason", help="为什么筛查，留痕")] = "命令行发起的重新筛查",
        follow: Annotated[str | None, typer.Option("--follow", help="只看这次筛查的进度")] = None,
        cancel: Annotated[str | None, typer.Option("--cancel", help="取消这次筛查（已评估的保留）")] = None,
        resume: Annotated[str | None, typer.Option("--resume", help="继续这次已取消的筛查")] = None,
        wait: Annotated[bool, typer.Option("--wait/--no-wait", help="等到筛查结束")] = True,
        url: Annotated[str, typer.Option("--url", envvar="FANGPIN_URL", help="服务地址")] = LOCAL,
    ) -> None:
        """重新筛查一个区划并显示进度；可取消，可继续。"""
        if sum(each is not None for each in (division, follow, cancel, resume)) != 1:
            raise typer.BadParameter("--division、--follow、--cancel、--resume 四者取一")
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(transport=transport(), base_url=url, timeout=60, headers=headers) as client:
            if division is not None:
                standing = _ask(client, "POST", "", {"division": division, "reason": reason})
            elif cancel is not None:
                standing = _ask(client, "POST", f"/{cancel}/cancel")
            elif resume is not None:
                standing = _ask(client, "POST", f"/{resume}/resume")
            else:
                standing = _ask(client, "GET", f"/{follow}")
            typer.echo(f"重新筛查 rescreen={standing['rescreen_id']} 户 households={standing['households']}")
            if wait:
                standing = _watch(client, standing, pause)
        typer.echo(_said(standing))


def _watch(client: httpx.Client, standing: dict[str, Any], pause: Callable[[float], None]) -> dict[str, Any]:
    """Until it is over. Whoever stops watching stops nothing else."""
    rescreen_id = standing["rescreen_id"]
    try:
        with _shown(standing) as tell:
            while standing["state"] == "running":
                pause(1)
                standing = _ask(client, "GET", f"/{rescreen_id}")
                tell(standing)
    except KeyboardInterrupt:
        typer.echo(
            f"筛查仍在进行。继续看：fangpin assess --follow {rescreen_id}；取消：--cancel {rescreen_id}", err=True
        )
        raise typer.Exit(130) from None
    return standing


@contextmanager
def _shown(standing: dict[str, Any]) -> Iterator[Tell]:
    """A bar on a terminal, elsewhere a line whenever something was done."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _line(standing["remaining"])
        return
    columns = (TextColumn("筛查"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("assess", total=standing["households"])
        yield lambda now: progress.update(task, completed=now["households"] - now["remaining"])


def _line(remaining: int) -> Tell:
    seen = [remaining]

    def tell(now: dict[str, Any]) -> None:
        if now["remaining"] != seen[-1]:
            seen.append(now["remaining"])
            typer.echo(f"已评估 {now['households'] - now['remaining']} / {now['households']} 户")

    return tell


def _said(standing: dict[str, Any]) -> str:
    state = {"running": "进行中", "finished": "已完成", "cancelled": "已取消"}[standing["state"]]
    told = " ".join(f"{name}={standing[name]}" for name in ("households", "remaining", "changed", "told"))
    return f"{state} state={standing['state']} {told}"


def _ask(client: httpx.Client, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
    """The answer; a refusal is told in its own words and ends the command."""
    answer = client.request(method, f"{RESCREENS}{path}", json=body)
    found: dict[str, Any] = answer.json()
    if answer.status_code < 400:
        return found
    typer.echo(f"{found['title']}（{found['code']}）：{found['detail']}", err=True)
    raise typer.Exit(1)
