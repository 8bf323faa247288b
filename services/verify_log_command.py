"""`fangpin verify-log` and `forget-log`: is the log whole; and let rows go whose time is over."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from services.alerts.sealed_tables import SEALED
from shared.clock import SystemClock
from shared.db.pool import plain_url, prepare_connection
from shared.security.expire_log import expire_log
from shared.security.sealed_log import AUDIT, KEPT, SealedTable, public_keys
from shared.security.verify_log import SENTENCES, Finding, Verified, verify_log
from shared.settings import Settings

SERVICES: dict[str, Sequence[SealedTable]] = {"intake": (AUDIT,), "monitoring": (AUDIT,), "alerts": SEALED}

SettingsOf = Callable[..., Settings]
Roots = dict[str, dict[date, bytes]]


async def verify_logs(
    settings: Settings, *, services: Sequence[str], trusted_keys: Sequence[bytes], roots: Roots
) -> list[Verified]:
    """Verify the log of each service; without `trusted_keys` by the keys of this installation."""
    verified = []
    for service in services:
        trusted = list(trusted_keys) or public_keys(settings.data / "keys", service)
        async with (
            _connected(settings, service, f"fangpin_{service}_worker") as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            verified.append(await verify_log(connection, service, SERVICES[service], trusted, roots.get(service)))
    return verified


async def forget_logs(settings: Settings, before: date, actor: str, now: datetime) -> dict[str, int]:
    """Delete audit rows of days before `before`, of all services; how many of each."""
    gone = {}
    for service in SERVICES:
        async with _connected(settings, service, "fangpin_owner") as connection, connection.transaction():
            gone[service] = await expire_log(connection, AUDIT, before, actor=actor, now=now)
    return gone


@asynccontextmanager
async def _connected(settings: Settings, service: str, role: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        plain_url(settings.database_url_of(service)), server_settings={"search_path": service, "role": role}
    )
    try:
        await prepare_connection(connection)
        yield connection
    finally:
        await connection.close()


def read_roots(file: Path) -> Roots:
    """Roots as an earlier run wrote them, one a line."""
    roots: Roots = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        roots.setdefault(said["service"], {})[date.fromisoformat(said["day"])] = bytes.fromhex(said["root"])
    return roots


def write_roots(file: Path, verified: Sequence[Verified]) -> int:
    """Write the signed roots, one a line; how many. Keep the file where nobody of the system can write."""
    lines = [
        json.dumps(
            {
                "service": one.service,
                "day": day.day.isoformat(),
                "root": day.root.hex(),
                "statement": day.statement().decode(),
                "public_key": key.hex(),
                "signature": signature.hex(),
            }
        )
        for one in verified
        for day, key, signature in one.days
    ]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def told(verified: Verified) -> list[str]:
    """What an inspector reads: one line if the log is whole, else one more for each break."""
    last = verified.days[-1][0].day.isoformat() if verified.days else "-"
    counts = f"service={verified.service} entries={verified.entries} signed_days={len(verified.days)} last_day={last}"
    if verified.expired:
        counts += f" expired={verified.expired}"
    if verified.is_whole:
        return [f"日志完整 whole {counts}"]
    broken = [f"日志不完整 broken {counts} findings={len(verified.findings)}"]
    return broken + [
        f"  {_where(finding)}：{SENTENCES[finding.what]}（{finding.what}）" for finding in verified.findings
    ]


def _where(finding: Finding) -> str:
    parts = [
        finding.day.isoformat() if finding.day else None,
        f"第 {finding.seq} 条 entry {finding.seq}" if finding.seq else None,
        f"{finding.source} {finding.row_key}" if finding.source else None,
    ]
    return " ".join(part for part in parts if part)


def add_log_commands(app: typer.Typer, settings_of: SettingsOf) -> None:
    """Add both to the commands; `settings_of` knows the database of the data folder."""
    data_option = typer.Option("--data", help="数据目录（内置数据库与密钥），默认 .fangpin")

    @app.command("verify-log")
    def verify(
        service: Annotated[list[str] | None, typer.Option("--service", help="只核对此服务，可重复")] = None,
        public_key: Annotated[
            list[str] | None, typer.Option("--public-key", help="只信任这些公钥（十六进制），可重复；不需要密钥文件")
        ] = None,
        roots: Annotated[Path | None, typer.Option("--roots", exists=True, help="与此前导出的日根比对")] = None,
        roots_to: Annotated[
            Path | None, typer.Option("--write-roots", help="导出已签名的日根，请存到系统之外")
        ] = None,
        most: Annotated[int, typer.Option("--most", min=1, help="每个服务最多列出几处")] = 50,
        data: Annotated[Path | None, data_option] = None,
    ) -> None:
        """核对防篡改日志：完整，或者指出哪一条、哪一天被改动、删除、插入。"""
        asked, keys = _services(service), [_key(text) for text in public_key or []]
        settings, known = settings_of(data, *asked), read_roots(roots) if roots else {}
        verified = asyncio.run(verify_logs(settings, services=asked, trusted_keys=keys, roots=known))
        _say(verified, most)
        for name in () if keys else asked:
            for key in public_keys(settings.data / "keys", name):
                typer.echo(f"公钥 public_key service={name} key={key.hex()}")
        if roots_to is not None:
            typer.echo(f"已导出日根 roots={write_roots(roots_to, verified)} 文件 {roots_to}")
        if not all(one.is_whole for one in verified):
            raise typer.Exit(1)

    @app.command("forget-log")
    def forget(
        before: Annotated[datetime, typer.Option("--before", formats=["%Y-%m-%d"], help="删除此日之前的审计记录")],
        actor: Annotated[str, typer.Option("--actor", help="经办人工号")],
        data: Annotated[Path | None, data_option] = None,
    ) -> None:
        """删除保存期（三年）已满的审计记录；链条与日根保留，核对仍然通过。"""
        clock = SystemClock()
        if before.date() > clock.today() - KEPT:
            raise typer.BadParameter("审计记录至少保存三年")
        gone = asyncio.run(forget_logs(settings_of(data, *SERVICES), before.date(), actor, clock.now()))
        for name, count in gone.items():
            typer.echo(f"已删除 service={name} rows={count}")


def _services(asked: list[str] | None) -> list[str]:
    unknown = sorted(set(asked or ()) - set(SERVICES))
    if unknown:
        raise typer.BadParameter(f"没有服务 {'、'.join(unknown)}；可用：{'、'.join(SERVICES)}")
    return asked or list(SERVICES)


def _say(verified: Sequence[Verified], most: int) -> None:
    """Up to `most` breaks of each log, and how many more there are."""
    for one in verified:
        lines = told(one)
        for line in lines[: most + 1]:
            typer.echo(line)
        if len(lines) > most + 1:
            typer.echo(f"  另有 {len(lines) - most - 1} 处未列出")


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise typer.BadParameter("公钥应为 64 位十六进制")
    return key
