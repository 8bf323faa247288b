"""Files laid into the folder are taken in once they are whole; what cannot be taken is laid aside with the reason."""

import os
from pathlib import Path
from typing import Any

import pytest

from services.intake.take_dropped import take_dropped
from tests.conftest import COUNTY
from tests.services.intake.build import csv_text, medical_row

TEXT = csv_text([medical_row(1)])


@pytest.fixture
def folder(intake_runtime: Any, tmp_path: Path) -> Path:
    update = {"drop_folder": tmp_path, "drop_settled_seconds": 5}
    intake_runtime.settings = intake_runtime.settings.model_copy(update=update)
    return tmp_path


def lay(runtime: Any, path: Path, text: str = TEXT, *, age_seconds: float = 60) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    moment = runtime.clock.now().timestamp() - age_seconds
    os.utime(path, (moment, moment))
    return path


def laid(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_a_whole_file_becomes_a_feed_and_is_moved(
    folder: Path, intake_runtime: Any, admin: Any, house: Any
) -> None:
    lay(intake_runtime, folder / COUNTY / "medical_settlement@2026-01" / "一月.csv")
    await take_dropped(intake_runtime)
    await house.run_worker("intake", "ingest")
    feed = await admin.fetchrow("SELECT * FROM intake.feed")
    assert (feed["status"], feed["accepted"], feed["period"], feed["division"]) == ("recorded", 1, "2026-01", COUNTY)
    assert laid(folder) == [f"{COUNTY}/medical_settlement@2026-01/done/一月.csv"]


@pytest.mark.parametrize(("age", "taken"), [(4.9, False), (5, True)])
async def test_a_file_that_may_still_grow_is_left(
    age: float, taken: bool, folder: Path, intake_runtime: Any, admin: Any
) -> None:
    lay(intake_runtime, folder / COUNTY / "medical_settlement" / "a.csv", age_seconds=age)
    await take_dropped(intake_runtime)
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == taken


@pytest.mark.parametrize("name", ["a.csv.part", ".a.csv", "a.tmp"])
async def test_unfinished_and_hidden_files_are_left(name: str, folder: Path, intake_runtime: Any, admin: Any) -> None:
    path = lay(intake_runtime, folder / COUNTY / "medical_settlement" / name)
    await take_dropped(intake_runtime)
    assert path.exists()


@pytest.mark.parametrize(
    ("place", "name", "text", "said"),
    [
        (f"{COUNTY}/no_such_list", "a.csv", TEXT, "layout_unknown"),
        (f"{COUNTY}/medical_settlement@2026-13", "a.csv", TEXT, "period_refused"),
        (f"{COUNTY}/Medical", "a.csv", TEXT, "文件夹应为"),
        ("somewhere/medical_settlement", "a.csv", TEXT, "文件夹应为"),
        (f"{COUNTY}/medical_settlement", "a.exe", TEXT, "扩展名"),
        (f"{COUNTY}/medical_settlement", "a.csv", "", "feed_empty"),
    ],
)
async def test_what_cannot_be_taken_is_laid_aside_with_the_reason(
    place: str, name: str, text: str, said: str, folder: Path, intake_runtime: Any, admin: Any
) -> None:
    lay(intake_runtime, folder / place / name, text)
    await take_dropped(intake_runtime)
    assert laid(folder) == sorted([f"{place}/refused/{name}", f"{place}/refused/{name}.错误.txt"])
    assert said in (folder / place / "refused" / f"{name}.错误.txt").read_text()
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == 0


async def test_a_kill_before_the_move_takes_the_file_again_as_the_same_feed(
    folder: Path, intake_runtime: Any, admin: Any
) -> None:
    place = folder / COUNTY / "medical_settlement"
    for _ in range(2):  # As if the first time had been killed before the move.
        lay(intake_runtime, place / "a.csv")
        await take_dropped(intake_runtime)
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == 1
    assert laid(place) == ["done/a.2.csv", "done/a.csv"]


async def test_links_out_of_the_folder_are_not_followed(folder: Path, intake_runtime: Any, admin: Any) -> None:
    secret = lay(intake_runtime, folder / "secret.csv")
    link = folder / COUNTY / "medical_settlement" / "a.csv"
    link.parent.mkdir(parents=True)
    link.symlink_to(secret)
    await take_dropped(intake_runtime)
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == 0
