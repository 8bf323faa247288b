"""Every worker relays messages, those somebody waits for apart, and tidies up after them."""

import importlib

import pytest

from shared.messaging.relay import relay_once, relay_urgent
from shared.messaging.tidy import tidy
from shared.settings import Settings
from shared.worker import Worker


@pytest.mark.parametrize("service", ["intake", "monitoring", "alerts"])
def test_every_worker_looks_after_its_messages(small_settings: Settings, service: str) -> None:
    own = getattr(importlib.import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings")
    settings = own(**small_settings.model_dump(exclude_unset=True))
    worker: Worker = importlib.import_module(f"services.{service}.worker").build_worker(settings)
    messages = {task.name: (task.run, task.heavy) for task in worker.tasks if task.name.startswith("relay")}
    assert messages == {"relay_urgent": (relay_urgent, False), "relay": (relay_once, False)}
    assert [tick.run for tick in worker.ticks if tick.name == "tidy"] == [tidy]
