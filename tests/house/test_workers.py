"""Every queue has somebody who empties it."""

from importlib import import_module

import pytest

from shared.settings import Settings
from shared.worker import Worker


def worker_of(service: str) -> Worker:
    own = getattr(import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings")
    worker: Worker = import_module(f"services.{service}.worker").build_worker(own(**Settings().model_dump()))
    return worker


@pytest.mark.parametrize("service", ["intake", "monitoring", "alerts"])
def test_every_service_sends_what_its_outbox_holds(service: str) -> None:
    assert {"relay", "relay_urgent"} <= {task.name for task in worker_of(service).tasks}


@pytest.mark.parametrize("service", ["intake", "monitoring", "alerts"])
def test_tasks_and_ticks_are_told_apart_by_their_names(service: str) -> None:
    worker = worker_of(service)
    names = [task.name for task in worker.tasks] + [tick.name for tick in worker.ticks]
    assert worker.service == service
    assert len(names) == len(set(names))
