"""The services keep to their OpenAPI documents whatever they are sent, and never answer 5xx (schemathesis)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.house.route_table import OPEN_DOORS
from tests.journeys.running import Running, new_folder
from tests.journeys.test_journey import FAMILIES, load_village
from tests.journeys.village import COUNTY

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# An endless answer, and a door that opens to signatures only (tests/shared/messaging knock there).
LEFT_OUT = "/stream$|/events$"
EXAMPLES = "5"  # Of each operation, beside those that its document names and those at its bounds.


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with new_folder() as folder:
        house = Running("all_in_one", folder / "data")
        house.data.mkdir()
        house.start()
        load_village(house, FAMILIES)
        yield house
        house.stop()


@pytest.mark.parametrize("service", ["intake", "monitoring", "alerts"])
def test_the_service_keeps_to_its_document(running: Running, service: str) -> None:
    token = running.token("county_admin", COUNTY, officer_no="A-1")
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "run",
        f"{running.url(service)}/{service}/openapi.json",
        "--header",
        f"Authorization: Bearer {token}",
        "--seed",
        "20261122",
        "--max-examples",
        EXAMPLES,
        "--phases",
        "examples,coverage,fuzzing",
        "--checks",
        CHECKS,
        "--exclude-path-regex",
        LEFT_OUT,
        # One thread: two that parse source at once can break CPython 3.11 itself (its AST recursion count is shared).
        "--workers",
        "1",
        "--no-color",
        "--generation-database",
        "none",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=560, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("service", ["intake", "monitoring", "alerts"])
def test_every_operation_says_how_it_is_protected_and_how_it_fails(running: Running, service: str) -> None:
    document = httpx.get(f"{running.url(service)}/{service}/openapi.json").json()
    open_doors = {route.split()[1] for route in OPEN_DOORS}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path in open_doors:
                continue
            assert operation.get("security"), f"{method} {path} names no token"
            assert {"401", "403"} <= operation["responses"].keys(), f"{method} {path} does not say how it refuses"
            problem = operation["responses"]["401"]["content"]
            assert "application/problem+json" in problem, f"{method} {path}"
