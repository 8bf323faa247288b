"""`fangpin bench ingest`: a medical feed of --size rows from CSV until monitoring has the facts, in real processes.

Three rows in a hundred are bad, two of people nobody knows. The baseline is a bare binary COPY of the good rows into
one logged table of the same server, prepared beforehand. `stored`: accepted rows and errors are in the database, rows
are checked against each other and compared with what is known; `line`: monitoring has answered every message. The
clock of both starts when the department starts sending. When the households that the facts touched are assessed and
checked, the same rows come again, one byte longer.
`peak_mib` is the highest resident memory of the process that takes files in.
"""

import argparse
import asyncio
import io
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from benchmarks.report import print_result
from benchmarks.settlement_file import LAYOUT, NAMES, people_of, typed, write_file
from shared.security.keys import load_keys
from tests.journeys.running import Running
from tests.journeys.village import COUNTY, VILLAGE
from tests.services.intake.build import number

EVERY_SECONDS = 0.05
LONGEST_SECONDS = 3600
TABLE = """
CREATE TABLE bare (settlement_no text, number text, name text, settled_on date, visit text, stay text, gross bigint,
    paid_basic bigint, paid_serious bigint, paid_aid bigint, paid_other bigint, self_compliant bigint,
    self_other bigint)
"""
DUE = "EXISTS (SELECT FROM monitoring.{} WHERE due_at <= now())"
# Four people a household, known by the index of their number.
REGISTER = """
INSERT INTO monitoring.household
    (county, household_no, registered_division, living_division, head_name, facts_version)
SELECT left($1, 6), 'H' || i, $1, $1, '测试户', 1 FROM known WHERE i % 4 = 0 ORDER BY i;
"""
RESIDENTS = """
INSERT INTO monitoring.resident (resident_id, number_index, sealed_number, name, sex, birth_date)
OVERRIDING SYSTEM VALUE
SELECT i + 1, index, '', names[(i % cardinality(names))::int + 1], 'male', date '1970-01-01'
FROM known, (SELECT $1::text[] AS names) n ORDER BY i
"""
MEMBERS = """
INSERT INTO monitoring.household_member (household_id, resident_id, county, relation, valid_from, recorded_at, born)
SELECT h.household_id, k.i + 1, h.county, '家庭成员', date '2020-01-01', now(), 19700101
FROM known k JOIN monitoring.household h ON h.household_no = 'H' || (k.i - k.i % 4)
"""


async def load_register(admin: asyncpg.Connection, data: Path, people: int) -> None:
    """Let monitoring know the people, as if their roster had come long ago."""
    keys = load_keys(data / "keys", "monitoring", demo=True)
    await admin.execute("CREATE TABLE known (i bigint PRIMARY KEY, index bytea)")
    await admin.copy_records_to_table("known", records=((i, keys.blind_index(number(i))) for i in range(people)))
    await admin.execute("SELECT monitoring.ensure_county(left($1::text, 6))", VILLAGE)
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        await admin.execute(REGISTER.replace("$1", f"'{VILLAGE}'"))
        await admin.execute(
            "INSERT INTO monitoring.standing (household_id) SELECT household_id FROM monitoring.household"
        )
        await admin.execute(RESIDENTS, list(NAMES))
        await admin.execute(MEMBERS)
    await admin.execute("DROP TABLE known")
    await admin.execute("VACUUM ANALYZE monitoring.household, monitoring.resident, monitoring.household_member")


async def prepared(admin: asyncpg.Connection, rows: list[list[str]]) -> bytes:
    """The good rows as a binary stream."""
    await admin.execute(TABLE)
    await admin.copy_records_to_table("bare", records=typed(rows))
    stream = io.BytesIO()
    await admin.copy_from_table("bare", output=stream, format="binary")
    return stream.getvalue()


async def bare_copy(admin: asyncpg.Connection, stream: bytes) -> float:
    """Seconds to COPY the stream into one logged table."""
    await admin.execute("TRUNCATE bare; CHECKPOINT")
    started = time.perf_counter()
    await admin.copy_to_table("bare", source=io.BytesIO(stream), format="binary")
    return time.perf_counter() - started


async def take_in(running: Running, admin: asyncpg.Connection, file: Path, tail: bytes) -> dict[str, float]:
    """Send the file and watch it; seconds from the start until each stage is reached, and what came of it."""
    started = time.perf_counter()
    feed_id = await asyncio.to_thread(post, running, file, tail)
    stages = {"received_s": time.perf_counter() - started}
    while True:
        feed = await admin.fetchrow("SELECT * FROM intake.feed WHERE feed_id = $1", feed_id)
        now = time.perf_counter() - started
        assert feed["status"] not in ("failed", "rejected"), feed["problem"]
        if feed["status"] in ("recording", "recorded"):
            stages.setdefault("stored_s", now)
        if feed["status"] == "recorded":
            stages.setdefault("recorded_s", now)
            if feed["matched"] + feed["unmatched"] >= feed["added"] + feed["changed"]:
                break
        assert now < LONGEST_SECONDS, dict(feed)
        await asyncio.sleep(EVERY_SECONDS)
    counted = ("read", "accepted", "rejected", "added", "changed", "unchanged", "matched", "unmatched")
    return stages | {"line_s": now} | {name: feed[name] for name in counted}


async def assessed(admin: asyncpg.Connection) -> None:
    """Wait until nothing is due: the second file is to be measured, not what monitoring does after the first."""
    until = time.monotonic() + LONGEST_SECONDS
    while await admin.fetchval(f"SELECT {DUE.format('household')} OR {DUE.format('quality_due')}"):
        assert time.monotonic() < until, "assessments do not end"
        await asyncio.sleep(1)


def post(running: Running, file: Path, tail: bytes) -> str:
    def body() -> Any:
        with file.open("rb") as content:
            yield from iter(lambda: content.read(1 << 20), b"")
        yield tail

    answer = httpx.post(
        f"{running.url('intake')}/intake/v1/feeds",
        params={"layout": LAYOUT, "division": COUNTY, "mode": "partial"},
        content=body(),
        headers={**running.bearer("county_admin", COUNTY), "Content-Type": "text/csv"},
        timeout=600,
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def peak_mib(running: Running) -> float:
    """The most memory that the process taking files in ever had resident."""
    status = Path(f"/proc/{running.processes['work intake'].pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def once(folder: Path, size: int, seed: int) -> dict[str, float]:
    file = folder / "settlements.csv"
    good, bad = write_file(file, size, seed)
    running = Running("separate", folder / "data")
    await asyncio.to_thread(running.start)
    try:
        assert running.server is not None
        admin = await asyncpg.connect(running.server.url)
        await load_register(admin, running.data, people_of(size))
        stream = await prepared(admin, good)
        del good
        before = await bare_copy(admin, stream)
        first = await take_in(running, admin, file, b"")
        after = await bare_copy(admin, stream)
        await assessed(admin)
        second = await take_in(running, admin, file, b"\r\n")
        assert first["rejected"] == second["rejected"] == bad
        assert second["unchanged"] == first["added"] == size - bad
        await admin.close()
        again = {f"second_{name}": second[name] for name in ("stored_s", "recorded_s", "line_s")}
        return {**first, **again, "baseline_s": (before + after) / 2, "peak_mib": peak_mib(running)}
    finally:
        await asyncio.to_thread(running.stop)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = []
    for seed in range(given.runs):
        folder = Path(tempfile.mkdtemp(prefix="fangpin-bench-"))
        try:
            found.append(asyncio.run(once(folder, given.size, seed)))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print({name: round(value, 2) for name, value in found[-1].items()}, flush=True)
    print_result({"name": "ingest", "size": given.size, "runs": given.runs, **medians(found)})


def medians(found: list[dict[str, float]]) -> dict[str, Any]:
    middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
    ratios = {
        name: statistics.median(one[f"{name}_s"] / one["baseline_s"] for one in found)
        for name in ("stored", "recorded", "line", "second_stored", "second_line")
    }
    return {
        "ours": round(middle["stored_s"], 2),
        "baseline": round(middle["baseline_s"], 3),
        "ratio": round(ratios["stored"], 2),
        "unit": "s, until accepted rows and errors are stored",
        "line_ratio": round(ratios["line"], 1),
        "second_of_first": round(statistics.median(one["second_line_s"] / one["line_s"] for one in found), 3),
        "second_stored_of_first": round(
            statistics.median(one["second_stored_s"] / one["stored_s"] for one in found), 3
        ),
        **{f"{name}_ratio": round(ratio, 2) for name, ratio in ratios.items() if name not in ("stored", "line")},
        **{name: round(value, 2) for name, value in middle.items() if name != "baseline_s"},
    }


if __name__ == "__main__":
    main()
