"""`fangpin bench faults`: rounds of kill -9 in both modes; --size is the number of rounds a mode."""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.report import print_result
from tests.journeys.faults import Losses, kill_one, rounds_of
from tests.journeys.running import Mode, Running
from tests.journeys.test_journey import load_village
from tests.journeys.village import VILLAGE, Family

FAMILIES_A_ROUND = 40


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=50)
    parser.add_argument("--runs", type=int, default=1)
    given = parser.parse_args()
    modes: tuple[Mode, ...] = ("all_in_one", "separate")
    started = time.perf_counter()
    found = [_rounds(mode, given.size, seed) for seed in range(given.runs) for mode in modes]
    print_result(
        {
            "name": "faults",
            "size": given.size,
            "runs": given.runs,
            "rounds": sum(one.rounds for one in found),
            "acknowledged": sum(one.acknowledged for one in found),
            "lost": sum(one.lost for one in found),
            "doubled_alerts": sum(one.doubled_alerts for one in found),
            "repeated_same_id": sum(one.repeated_same_id for one in found),
            "repeated_new_id": sum(one.repeated_new_id for one in found),
            "killed": [one.killed for one in found],
            "seconds": round(time.perf_counter() - started),
        }
    )


def _rounds(mode: Mode, rounds: int, seed: int) -> Losses:
    families = [Family(1000 + n, VILLAGE) for n in range(rounds * FAMILIES_A_ROUND)]
    with tempfile.TemporaryDirectory() as folder:
        running = Running(mode, Path(folder) / "data")
        running.data.mkdir()
        running.start()
        try:
            load_village(running, families)
            return rounds_of(kill_one, running, families, rounds, seed)
        finally:
            running.stop()


if __name__ == "__main__":
    main()
