"""The main job on the demo county: departments' files in, households assessed, cadres told; and what happened."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo_county.commands import run_generate
from demo_county.feeds import FEEDS
from demo_county.manifest import Manifest, read_manifest
from services.all_in_one import AllInOne
from services.demo_token import demo_token
from services.places import shipped_villages
from services.quiet import until_quiet, waiting
from shared.clock import SystemClock
from shared.errors import FangpinError
from shared.settings import Settings
from shared.vocabulary.terms import RiskClass

COUNTY = "130624000000"
Echo = Callable[[str], None]


class MainJobFailed(FangpinError):
    code, title = "main_job_failed", "主流程没有走通"


@dataclass(slots=True)
class Report:
    """What each step did and how long it took."""

    echo: Echo
    begun: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, name: str) -> Any:
        """Time a step; the figures it fills in are printed with it."""
        figures: dict[str, Any] = {}
        started = time.monotonic()
        yield figures
        told = " ".join(f"{key}={value}" for key, value in figures.items())
        self.echo(f"{name} {told} seconds={time.monotonic() - started:.1f}")


async def run_main_job(house: AllInOne, settings: Settings, *, households: int, seed: int, echo: Echo) -> None:
    """Run it once per data folder; a later start tells the figures that stand."""
    folder = settings.data / "demo"
    done = folder / "done.json"
    asked = {"households": households, "seed": seed}
    report = Report(echo)
    if done.exists():
        known = json.loads(done.read_text())
        if known != asked:
            stands = f"households={known['households']} seed={known['seed']}"
            echo(f"此数据目录已载入 {stands}；换规模请用另一个 --data 目录")
        await _tell(house, report)
        return
    manifest = await _county(folder, households, seed, report)
    async with _client(settings) as client:
        await _send_all(house, client, settings, folder, manifest, report)
    await _tell(house, report)
    echo(f"主流程完成 main_job_seconds={time.monotonic() - report.begun:.1f}")
    done.write_text(json.dumps(asked))


async def _county(folder: Path, households: int, seed: int, report: Report) -> Manifest:
    """The generated county; one begun by an interrupted start is used as it is."""
    if (folder / "manifest.json").exists():
        manifest = read_manifest(folder)
        if manifest.households == households and manifest.seed == seed:
            return manifest
    with report.step("生成演示县 generated") as figures:
        today = SystemClock().today()
        manifest = await asyncio.to_thread(run_generate, folder, households, seed, today, shipped_villages())
        figures.update(households=manifest.households, residents=manifest.residents, files=len(manifest.files))
    return manifest


async def _send_all(
    house: AllInOne, client: httpx.AsyncClient, settings: Settings, folder: Path, manifest: Manifest, report: Report
) -> None:
    with report.step("责任人 officers") as figures:
        figures.update(await _send_officers(client, settings, folder))
    with report.step("花名册 household_register") as figures:
        feed = await _send_feed(
            client,
            settings,
            folder / "household_register.csv",
            "household_register",
            str(manifest.reporting_year),
            "农业农村",
        )
        figures.update(_counts([feed]))
        await _wait(house, "匹配入户 households")
    with report.step("部门数据 department_feeds") as figures:
        feeds = [
            await _send_feed(client, settings, path, "medical_settlement", _month(path), "医疗保障")
            for path in sorted(folder.glob("medical_settlement_*.csv"))
        ]
        feeds.append(
            await _send_feed(
                client,
                settings,
                folder / "disability_register.csv",
                "disability_register",
                manifest.until.isoformat(),
                "残联",
            )
        )
        figures.update(files=len(feeds), **_counts(feeds))
    with report.step("其他部门数据 other_feeds") as figures:
        feeds = await _send_others(client, settings, folder, manifest)
        figures.update(files=len(feeds), **_counts(feeds), rows_unauthorised=_unauthorised(feeds))
    with report.step("农户自主申报 self_reports") as figures:
        figures["accepted"] = await _send_self_reports(client, settings, folder / "self_reports.ndjson")
    with report.step("评估与派发 assess_and_route"):
        await _wait(house, "评估与派发 assess and route")


def _month(path: Path) -> str:
    digits = path.stem.rsplit("_", 1)[1]
    return f"{digits[:4]}-{digits[4:]}"


@asynccontextmanager
async def _client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=settings.public_url, timeout=120) as client:
        yield client


def _bearer(settings: Settings, role: str, **given: Any) -> dict[str, str]:
    made = demo_token(settings, role, COUNTY, lifetime=timedelta(hours=12), **given)
    return {"Authorization": f"Bearer {made}"}


def _checked(answer: httpx.Response, what: str) -> Any:
    if answer.is_error:
        raise MainJobFailed(f"{what}：HTTP {answer.status_code} {answer.text[:500]}")
    return answer.json()


async def _send_officers(client: httpx.AsyncClient, settings: Settings, folder: Path) -> dict[str, int]:
    body = (folder / "officers.csv").read_bytes()
    headers = {**_bearer(settings, "county_admin"), "Content-Type": "text/csv; charset=utf-8"}
    answer = await client.post("/alerts/v1/officers", content=body, headers=headers)
    told: dict[str, int] = _checked(answer, "导入责任人")
    return {key: value for key, value in told.items() if isinstance(value, int)}


async def _send_others(
    client: httpx.AsyncClient, settings: Settings, folder: Path, manifest: Manifest
) -> list[dict[str, Any]]:
    """Send what the other departments have, one after another: permission comes before assets."""
    period = manifest.until.isoformat()
    return [
        await _send_feed(client, settings, folder / feed.file, feed.data_set, period, feed.department)
        for feed in FEEDS
        if manifest.files[feed.file].rows
    ]


def _unauthorised(feeds: list[dict[str, Any]]) -> int:
    """Rows of assets that were discarded because no household had allowed them."""
    return sum(feed["counts"]["unauthorised"] for feed in feeds)


async def _send_feed(
    client: httpx.AsyncClient, settings: Settings, path: Path, layout: str, period: str, department: str
) -> dict[str, Any]:
    """Send one file as its department would, and wait until intake has read it."""
    headers = {**_bearer(settings, "system", department=department), "Content-Type": "text/csv"}
    query = {"layout": layout, "period": period, "mode": "partial", "division": COUNTY}
    answer = await client.post("/intake/v1/feeds", params=query, content=path.read_bytes(), headers=headers)
    feed: dict[str, Any] = _checked(answer, path.name)
    with _bar() as bar:
        task = bar.add_task(f"入库 {path.name}", total=None)
        while feed["status"] in {"received", "reading", "recording"}:
            await asyncio.sleep(0.1)
            feed = _checked(await client.get(f"/intake/v1/feeds/{feed['id']}", headers=headers), path.name)
            bar.update(task, completed=feed["counts"]["read"])
    if feed["status"] != "recorded":
        raise MainJobFailed(f"{path.name} 状态为 {feed['status']}：{feed.get('problem')}")
    return feed


def _counts(feeds: list[dict[str, Any]]) -> dict[str, int]:
    return {f"rows_{name}": sum(feed["counts"][name] for feed in feeds) for name in ("read", "accepted", "rejected")}


async def _send_self_reports(client: httpx.AsyncClient, settings: Settings, path: Path) -> int:
    headers = _bearer(settings, "system")
    sent = 0
    consent = (await client.get("/intake/v1/consent")).json()["version"]
    for line in path.read_text(encoding="utf-8").splitlines():
        body = _as_request(json.loads(line), consent)
        key = {"Idempotency-Key": f"demo-{sent}"}
        _checked(await client.post("/intake/v1/self-reports", json=body, headers={**headers, **key}), "自主申报")
        sent += 1
    return sent


def _as_request(report: dict[str, Any], consent: str) -> dict[str, Any]:
    return {
        "household_no": report["household_no"],
        "division": report["division"],
        "hardships": report["hardships"],
        "consent": {"version": consent},
        "description": report["text"],
        "reported_on": report["reported_on"],
        "reporter": {
            "name": report["name"],
            "identity_number": report["id_number"],
            "phone": report["phone"],
        },
    }


async def _wait(house: AllInOne, what: str) -> None:
    """Show how much waits until nothing does."""
    quiet = asyncio.create_task(until_quiet(house))
    with _bar() as bar:
        most = 1
        task = bar.add_task(what, total=most)
        while not quiet.done():
            left = (await waiting(house)).total
            most = max(most, left)
            bar.update(task, total=most, completed=most - left)
            await asyncio.sleep(0.3)
    await quiet


async def _tell(house: AllInOne, report: Report) -> None:
    """Print what stands in the house now."""
    monitoring = house.apps["monitoring"].state.runtime.worker_pool
    alerts = house.apps["alerts"].state.runtime.worker_pool
    known = await monitoring.fetchrow(
        "SELECT count(*) AS households, count(s.assessment_id) AS assessed FROM household h"
        " LEFT JOIN standing s ON s.household_id = h.household_id"
    )
    classes = dict(
        await monitoring.fetch(
            "SELECT recommendation, count(*) FROM household WHERE recommendation IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
    )
    told = await alerts.fetchrow(
        """
        SELECT (SELECT count(*) FROM alert) AS alerts, (SELECT count(*) FROM alert WHERE status <> 'closed') AS open,
               (SELECT count(*) FROM inbox_item) AS inbox,
               (SELECT count(*) FROM delivery WHERE state = 'delivered') AS delivered
        """
    )
    await _tell_data(house, report)
    report.echo(f"农户 households={known['households']} 已评估 assessed={known['assessed']}")
    listed = "，".join(f"{RiskClass(code).zh} {code}={classes.get(code, 0)}" for code in RiskClass)
    report.echo(f"建议 recommendations：{listed}")
    report.echo(
        f"预警 alerts_opened={told['alerts']} open={told['open']} "
        f"消息 messages_inbox={told['inbox']} messages_delivered={told['delivered']}"
    )


async def _tell_data(house: AllInOne, report: Report) -> None:
    """Print what came in, and what waits for somebody to mend it."""
    intake = house.apps["intake"].state.runtime.worker_pool
    monitoring = house.apps["monitoring"].state.runtime.worker_pool
    sent = await intake.fetchrow(
        """
        SELECT count(DISTINCT layout) AS data_sets, coalesce(sum(unauthorised), 0) AS unauthorised,
               (SELECT count(*) FROM data_notice WHERE closed_at IS NULL) AS notices
        FROM feed WHERE status = 'recorded'
        """
    )
    waits = await monitoring.fetchrow(
        """
        SELECT (SELECT count(*) FROM quality_finding WHERE state = 'open') AS findings,
               (SELECT count(*) FROM identity_pair WHERE state = 'open') AS pairs
        """
    )
    report.echo(
        f"数据 data_sets={sent['data_sets']} 无授权丢弃 unauthorised={sent['unauthorised']} "
        f"疑点 quality_findings_open={waits['findings']} 待核身份 identity_pairs_open={waits['pairs']} "
        f"催报 data_notices_open={sent['notices']}"
    )


def _bar() -> Progress:
    """A bar on a terminal, nothing elsewhere (the lines of the report say enough)."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
