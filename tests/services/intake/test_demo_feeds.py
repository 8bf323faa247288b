"""The demo county's other departments: exactly the mistakes planted in their files are found, on their lines."""

from pathlib import Path
from typing import Any

from demo_county.feeds import FEEDS
from demo_county.manifest import read_manifest
from tests.services.intake.build import Department
from tests.services.intake.test_demo_county import county, planted

__all__ = ["county"]


async def test_the_planted_mistakes_are_found(county: Path, department: Department, admin: Any) -> None:
    expected, files, told = planted(county), read_manifest(county).files, {}
    for feed in FEEDS:
        if not files[feed.file].rows:
            continue
        sent = await department.send(feed.data_set, (county / feed.file).read_bytes())
        rows = await admin.fetch(
            "SELECT * FROM intake.feed_row_error WHERE feed_id = $1 AND level = 'error'", sent["id"]
        )
        if sent["status"] != "recorded" or {row["line"] for row in rows} != expected.get(feed.file, set()):
            told[feed.file] = sent["status"], sent["problem"], expected.get(feed.file), [dict(r) for r in rows][:4]
    assert told == {}
