"""`fangpin bench parity`: the compiled text against the evaluator, generated households × generated policies."""

import argparse
import asyncio
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from benchmarks.report import print_result
from services.monitoring.domain.household import HouseholdFacts
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.window import windows_on
from shared.db.embedded import EmbeddedServer
from tests.services.monitoring.domain.generated_households import DAYS, HouseholdMaker
from tests.services.monitoring.domain.generated_policies import generated_policy
from tests.services.monitoring.domain.ledger_database import LedgerWriter, create_ledger
from tests.services.monitoring.domain.parity_run import Difference, ParityRun

DIVISION = "130624100201"
PROCESSES = 2
CHUNK = 1_000
WORDED = 50
SHOWN = 3


async def new_ledger(url: str) -> LedgerWriter:
    """A database with the tables the compiled text reads."""
    admin = await asyncpg.connect(url)
    name = f"parity_{time.monotonic_ns()}"
    await admin.execute(f"create database {name}")
    await admin.close()
    connection = await asyncpg.connect(url.replace("/postgres?", f"/{name}?"))
    await create_ledger(connection)
    await connection.execute("set jit = off; set enable_nestloop = off; set work_mem = '64MB'")
    return LedgerWriter(connection)


def households_of(policy: int, size: int) -> tuple[ParityRun, list[HouseholdFacts]]:
    """The run of a policy's seed (0: the shipped one), and its households, drawn around its windows."""
    random = Random(policy)
    on = random.choice(DAYS)
    package = generated_policy(policy) if policy else load_policy()
    parameters = package.parameters_for(DIVISION, on)
    maker = HouseholdMaker(random, windows_on(on, parameters))
    stale = [each for each in package.data_sets if random.random() < 0.2]
    return ParityRun(package, parameters, on, stale), [maker.household() for _ in range(size)]


async def compare(url: str, policy: int, size: int) -> list[Difference]:
    run, households = households_of(policy, size)
    ledger = await new_ledger(url)
    found: list[Difference] = []
    for start in range(0, size, CHUNK):
        some = households[start : start + CHUNK]
        ids = await ledger.write(some)
        await ledger.connection.execute("analyze")
        found += await run.differences(ledger, ids, some, worded=WORDED)
    await ledger.connection.close()
    return found


def judge(url: str, policy: int, size: int) -> dict[str, Any]:
    """One policy over its households: how many are judged differently, and how long it took."""
    began = time.perf_counter()
    found = asyncio.run(compare(url, policy, size))
    for each in found[:SHOWN]:
        print(f"policy {policy}:", *each.fields(), sep="\n  ", flush=True)
    seconds = time.perf_counter() - began
    print(f"policy {policy}: {len(found)} of {size} differ, {seconds:.0f} s", flush=True)
    return {"differences": len(found), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=2_000, help="households for each policy")
    parser.add_argument("--runs", type=int, default=20, help="policies; the first is the shipped one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fangpin-parity-") as folder:
        server = EmbeddedServer(Path(folder) / "pg")
        server.start()
        try:
            with ProcessPoolExecutor(PROCESSES) as pool:
                policies = range(given.runs)
                results = list(pool.map(judge, repeat(server.admin_url), policies, repeat(given.size)))
        finally:
            server.stop()
    print_result(
        {
            "name": "parity",
            "size": given.size,
            "runs": given.runs,
            "differences": sum(each["differences"] for each in results),
            "households": given.size * given.runs,
            "seconds_per_policy": round(statistics.median(each["seconds"] for each in results), 1),
        }
    )


if __name__ == "__main__":
    main()
