"""A real browser, and the alerts service on a port of its own for it to visit."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import SkipTest
from uuid import UUID, uuid4

import pytest
import uvicorn

from services.alerts.phone_token import make_links
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.conftest import House
from tests.services.alerts.conftest import alert, asked, cadres, enlist, rows, tell

__all__ = ["alert", "asked", "cadres", "enlist", "rows", "tell"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIETLY = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 740}


def _missing(what: str) -> Exception:
    """Without a browser these tests are left out, unless FANGPIN_BROWSER=required says that this must not be."""
    if os.environ.get("FANGPIN_BROWSER") == "required":
        return AssertionError(f"FANGPIN_BROWSER=required, and there is no {what}")
    return SkipTest(f"no {what} here; FANGPIN_BROWSER=required makes this a failure")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Any]:
    """The system's own Chromium, driven by Playwright."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise _missing("Chromium")
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        raise _missing("playwright (pip install fangpin[dev])") from None
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=QUIETLY)
        yield launched
        await launched.close()


@pytest.fixture
async def address(house: House, alerts_runtime: Runtime) -> AsyncIterator[str]:
    """Where the service answers, over a real socket."""
    server = uvicorn.Server(uvicorn.Config(house, port=0, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@dataclass
class Screen:
    """A phone's screen, and all that went wrong on it."""

    page: Any
    context: Any
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    sizes: list[int] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))

    async def picture(self, name: str) -> None:
        """Keep a picture where FANGPIN_SCREENSHOTS says, for people to look at."""
        folder = os.environ.get("FANGPIN_SCREENSHOTS")
        if folder:
            await self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


OpenScreen = Callable[..., Any]


@pytest.fixture
async def screen(browser: Any) -> AsyncIterator[OpenScreen]:
    """Open a phone's screen: screen(), or screen(java_script_enabled=False)."""
    contexts = []

    async def opened(**options: Any) -> Screen:
        context = await browser.new_context(viewport=PHONE, has_touch=True, locale="zh-CN", **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        made = Screen(await context.new_page(), context)
        made.listen()
        return made

    yield opened
    for context in contexts:
        await context.close()


@pytest.fixture
def link(address: str, alerts_runtime: Runtime) -> Callable[[str, UUID], Any]:
    """A link as a message carries it, to the running service."""

    async def made(officer_no: str, to: UUID) -> str:
        async with transaction(alerts_runtime.worker_pool) as connection:
            wanted = {uuid4(): (officer_no, to)}
            (found,) = (await make_links(connection, wanted, address, alerts_runtime.clock.now())).values()
        return found

    return made
