"""`fangpin bench alerts`: what the alerts service takes in, sends out, keeps and loses; real processes throughout.

`--only accept|ack|flood|outage|losses` measures one part. `accept`: `--size` events of as many households in 400
villages, signed as monitoring signs them, 64 a request over 4 connections (`accept_64`), then one a request over 8
(`accept_one`); each answer means committed. `ack`: acknowledgements one after another, with 1,000 alerts open and
with `--size`; the ratios are of medians and of 99th percentiles. `flood`: 20,000 events as one message a village.
`outage`: a receiver answers 500 for twenty seconds while 20,000 events come; grouped by village as it is delivered,
and (`outage_single`) each warning a message of its own. `losses`: a receiver that fails or hangs, kill -9, SIGTERM
and a killed database, each while events come in that no client sends again; `troubles` holds what was lost and what
was repeated by the trouble's name (see `benchmarks/alert_losses.py`). `peak_mib`: the highest resident memory of a
process of alerts in any part.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.alert_accept import accept, acknowledge
from benchmarks.alert_delivery import flood, outage
from benchmarks.alert_losses import losses
from benchmarks.report import Figures, print_result

FLOOD = 20_000
PARTS: dict[str, Callable[[int], Figures]] = {
    "accept": accept,
    "ack": acknowledge,
    "flood": lambda size: flood(min(size, FLOOD)),
    "outage": lambda size: outage(min(size, FLOOD)),
    "losses": lambda size: losses(min(size, FLOOD)),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=list(PARTS))
    given = parser.parse_args()
    middle: dict[str, Any] = {}
    for name, measure in PARTS.items():
        if given.only in (None, name):
            middle |= _middle(name, measure, given.size, given.runs)
    rate = middle.get("accept_64")
    told: dict[str, Any] = {"ours": rate, "baseline": 5000, "ratio": rate and round(rate / 5000, 2)}
    peak = max(value for name, value in middle.items() if name.endswith("peak_mib"))
    print_result(
        {
            "name": "alerts",
            "size": given.size,
            "runs": given.runs,
            **told,
            "unit": "events/s, committed",
            **middle,
            "peak_mib": peak,
        }
    )


def _middle(name: str, measure: Callable[[int], Figures], size: int, runs: int) -> Figures:
    """The medians over the runs; of what must not happen at all, the most."""
    found = []
    for _ in range(runs):
        found.append(measure(size))
        print(json.dumps({"part": name, **_over(found[-1:])}, ensure_ascii=False), flush=True)
    return _over(found)


def _over(found: Sequence[Figures]) -> dict[str, Any]:
    return {key: _one(key, [one[key] for one in found]) for key in found[0]}


def _one(key: str, values: Sequence[Any]) -> Any:
    if isinstance(values[0], Mapping):
        return _over(values)
    return round((max if key in _WORST else statistics.median)(values), 2)


_WORST = frozenset({"lost", "repeated_same_id", "repeated_new_id", "unknown_ids", "flood_repeated"})


if __name__ == "__main__":
    main()
