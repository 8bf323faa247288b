"""Photos and papers of a report: who brings them, who sees them, what is on disk, and what a crash leaves."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.intake import file_store
from services.intake.keep_report_files import keep_report_files, sweep_files
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from tests.services.intake.build import COUNTY, VILLAGE
from tests.services.intake.photos import GPS, heic, jpeg, pdf, png, webp
from tests.services.intake.test_self_reports import URL as REPORTS
from tests.services.intake.test_self_reports import report, send

URL = "/intake/v1/attachments"


@pytest.fixture
def folder(intake_runtime: Runtime) -> Path:
    path: Path = intake_runtime.settings.files_folder  # type: ignore[attr-defined]
    for each in path.glob("*/*"):
        each.unlink()
    return path


@pytest.fixture
def village(bearer: Any) -> dict[str, str]:
    found: dict[str, str] = bearer("village_secretary", VILLAGE)
    return found


async def upload(client: httpx.AsyncClient, headers: dict[str, str], content: bytes, **query: str) -> httpx.Response:
    return await client.post(URL, params={"division": VILLAGE, **query}, content=content, headers=headers)


async def download(client: httpx.AsyncClient, headers: dict[str, str], id_: str) -> httpx.Response:
    return await client.post(f"{URL}/{id_}/download", json={"purpose": "入户核实前查看"}, headers=headers)


def on_disk(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*"))


async def test_a_photo_comes_back_without_where_it_was_taken(
    intake_client: httpx.AsyncClient, village: Any, folder: Path, admin: asyncpg.Connection
) -> None:
    made = (await send(intake_client, village, report())).json()
    kept = await upload(intake_client, village, jpeg(exif=GPS), report_id=made["id"])
    assert kept.status_code == 201, kept.text
    got = await download(intake_client, village, kept.json()["id"])
    assert got.content == jpeg()
    assert got.headers["Content-Disposition"].startswith("attachment; filename=")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    [path] = on_disk(folder)
    sealed = path.read_bytes()
    assert jpeg()[:8] not in sealed
    assert GPS not in sealed
    assert oct(path.stat().st_mode)[-3:] == "600"
    [view] = (await intake_client.get(f"{REPORTS}/{made['id']}/attachments", headers=village)).json()["items"]
    assert (view["media_type"], view["metadata"], view["size_bytes"]) == ("image/jpeg", "stripped", len(jpeg()))
    trail = await admin.fetchrow("SELECT object, purpose FROM intake.audit_log WHERE action = 'attachment.download'")
    assert tuple(trail) == (f"report:{made['id']}", "入户核实前查看")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (jpeg(), "image/jpeg"),
        (png(), "image/png"),
        (webp(), "image/webp"),
        (heic(), "image/heic"),
        (pdf(b"<< >>"), "application/pdf"),
    ],
    ids=["jpeg", "png", "webp", "heic", "pdf"],
)
async def test_the_answer_says_what_the_file_was_found_to_be(
    intake_client: httpx.AsyncClient, village: Any, content: bytes, media_type: str
) -> None:
    assert (await upload(intake_client, village, content)).json()["media_type"] == media_type


async def test_a_withdrawn_report_takes_no_attachment(
    intake_client: httpx.AsyncClient, village: Any, folder: Path, admin: asyncpg.Connection
) -> None:
    """By login, by code, or by a retry of the report itself."""
    loose = (await upload(intake_client, village, png())).json()["id"]
    made = (await send(intake_client, village, report(attachments=[loose]))).json()
    await admin.execute("UPDATE intake.attachment SET report_id = NULL")  # As if it had been killed in between.
    code = {"receipt_code": made["receipt_code"], "reason": "不需要了"}
    assert (await intake_client.post("/intake/v1/receipts/withdrawal", json=code)).status_code == 200
    by_code = {"Receipt-Code": made["receipt_code"]}
    for refused in (
        await upload(intake_client, village, png(), report_id=made["id"]),
        await intake_client.post("/intake/v1/receipts/attachments", content=png(), headers=by_code),
    ):
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["title"]) == (409, "report_withdrawn", "申报已撤回")
        assert "重新申报" in problem["detail"]
    await send(intake_client, village, report(attachments=[loose]))
    assert await admin.fetchval("SELECT count(*) FROM intake.attachment WHERE report_id IS NOT NULL") == 0
    assert len(on_disk(folder)) == 1


async def test_what_was_uploaded_before_belongs_to_its_report_and_a_retry_links_it_too(
    intake_client: httpx.AsyncClient, village: Any, bearer: Any, admin: asyncpg.Connection
) -> None:
    ids = [(await upload(intake_client, village, each)).json()["id"] for each in (png(), heic(), pdf(b"<< >>"))]
    other = bearer("village_secretary", VILLAGE, subject="other")
    assert (await download(intake_client, other, ids[0])).status_code == 404, "loose ones are their uploader's"
    stolen = await send(intake_client, other, report(attachments=ids), "stolen")
    assert stolen.json()["errors"][0]["code"] == "attachment_unknown"
    made = await send(intake_client, village, report(attachments=ids))
    assert made.status_code == 202, made.text
    await admin.execute("UPDATE intake.attachment SET report_id = NULL")  # As if it had been killed in between.
    await send(intake_client, village, report(attachments=ids))
    found = await admin.fetch("SELECT DISTINCT report_id::text FROM intake.attachment")
    assert [row["report_id"] for row in found] == [made.json()["id"]]
    assert (await download(intake_client, other, ids[0])).status_code == 200


async def test_only_who_may_read_the_description_sees_photos(
    intake_client: httpx.AsyncClient, village: Any, bearer: Any
) -> None:
    made = (await send(intake_client, village, report())).json()
    id_ = (await upload(intake_client, village, png(), report_id=made["id"])).json()["id"]
    for role, status in (("grid_worker", 200), ("township_leader", 200), ("auditor", 403), (None, 403)):
        assert (await download(intake_client, bearer(role, COUNTY), id_)).status_code == status
    elsewhere = bearer("village_secretary", "130624100202")
    assert (await download(intake_client, elsewhere, id_)).status_code == 404
    bare = await intake_client.post(f"{URL}/{id_}/download", json={}, headers=village)
    assert bare.status_code == 422


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "attachment_type"),
        (b"<html><script>", "attachment_type"),
        (pdf(b"<< /S /JavaScript /JS (x) >>"), "pdf_active"),
        (png()[:-9], "attachment_broken"),
    ],
    ids=str,
)
async def test_what_is_no_photo_or_paper_is_refused_and_leaves_nothing(
    intake_client: httpx.AsyncClient, village: Any, folder: Path, content: bytes, reason: str
) -> None:
    refused = await upload(intake_client, village, content)
    assert (refused.status_code, refused.json()["code"], refused.json()["reason"]) == (
        422,
        "attachment_refused",
        reason,
    )
    assert on_disk(folder) == []


async def test_a_file_too_large_and_one_too_many(
    intake_client: httpx.AsyncClient, intake_runtime: Runtime, village: Any, folder: Path
) -> None:
    settings = intake_runtime.settings
    made = (await send(intake_client, village, report())).json()
    big = png() + b"\x00" * settings.attachment_limit_bytes  # type: ignore[attr-defined]
    assert (await upload(intake_client, village, big)).status_code == 413
    intake_runtime.settings = settings.model_copy(update={"attachments_per_report": 2})
    try:
        found = [await upload(intake_client, village, png(), report_id=made["id"]) for _ in range(3)]
        assert [one.status_code for one in found] == [201, 201, 409]
        assert len(on_disk(folder)) == 2
        at_once = await asyncio.gather(*(upload(intake_client, village, png(), report_id=made["id"]) for _ in "ab"))
        assert {one.status_code for one in at_once} == {409}
        assert (await upload(intake_client, village, png())).status_code == 201
    finally:
        intake_runtime.settings = settings


async def test_the_household_adds_a_photo_with_its_code(intake_client: httpx.AsyncClient, village: Any) -> None:
    made = (await send(intake_client, village, report())).json()
    path = "/intake/v1/receipts/attachments"
    kept = await intake_client.post(path, content=png(), headers={"Receipt-Code": made["receipt_code"]})
    assert kept.status_code == 201, kept.text
    assert (await download(intake_client, village, kept.json()["id"])).content == png()
    wrong = await intake_client.post(path, content=png(), headers={"Receipt-Code": "2222-2222-2222-2222"})
    assert (wrong.status_code, wrong.json()["code"]) == (404, "receipt_unknown")


async def test_erasure_destroys_the_key_and_the_file(
    intake_client: httpx.AsyncClient, village: Any, folder: Path, admin: asyncpg.Connection
) -> None:
    made = (await send(intake_client, village, report())).json()
    id_ = (await upload(intake_client, village, png(), report_id=made["id"])).json()["id"]
    backup = on_disk(folder)[0].read_bytes()
    for _ in range(2):
        gone = await intake_client.post(f"{URL}/{id_}/erasure", json={"reason": "农户要求"}, headers=village)
        assert gone.status_code == 200
    assert on_disk(folder) == []
    file_store.write(folder, UUID(id_), backup)  # A file out of a backup is of no use without its key.
    assert (await download(intake_client, village, id_)).status_code == 410
    assert await admin.fetchval("SELECT sealed_key FROM intake.attachment") is None
    assert await admin.fetchval("SELECT count(*) FROM intake.audit_log WHERE action = 'attachment.destroyed'") == 1


# --- crashes and the sweep -----------------------------------------------------------------------------------


async def test_the_sweep_takes_what_has_no_row_and_nothing_else(
    intake_client: httpx.AsyncClient, intake_runtime: Runtime, house: Any, village: Any, folder: Path
) -> None:
    house.clock.at = datetime.now(UTC)
    village = {**village, **_fresh(house, village)}
    made = (await send(intake_client, village, report())).json()
    living = (await upload(intake_client, village, png(), report_id=made["id"])).json()["id"]
    orphan, young = new_id(), new_id()
    for name in (orphan, young):
        file_store.write(folder, name, b"sealed")
    part = folder / "00" / f"{new_id()}.part"
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(b"half")
    long_ago = time.time() - 2 * 3600
    for path in on_disk(folder):
        if path.name != str(young):
            os.utime(path, (long_ago, long_ago))
    assert await sweep_files(intake_runtime) == 2
    assert {path.name for path in on_disk(folder)} == {living, str(young)}
    assert (await download(intake_client, village, living)).content == png()


def _fresh(house: Any, _: Any) -> dict[str, str]:
    from datetime import timedelta

    from shared.security.access import SCOPES
    from shared.security.principal import Principal
    from shared.vocabulary.terms import Role

    caller = Principal("u", "person", VILLAGE, scopes=frozenset(SCOPES), role=Role.VILLAGE_SECRETARY)
    issuer = house.apps["intake"].state.issuer
    token = issuer.issue(caller, now=house.clock.now(), lifetime=timedelta(minutes=5))
    return {"Authorization": f"Bearer {token}"}


async def test_a_photo_whose_report_never_came_is_destroyed_after_a_day(
    intake_client: httpx.AsyncClient, intake_runtime: Runtime, house: Any, village: Any, admin: asyncpg.Connection
) -> None:
    loose = (await upload(intake_client, village, png())).json()["id"]
    made = (await send(intake_client, village, report())).json()
    await upload(intake_client, village, png(), report_id=made["id"])
    await keep_report_files(intake_runtime)
    living = "SELECT count(*) FROM intake.attachment WHERE sealed_key IS NOT NULL"
    assert await admin.fetchval(living) == 2
    house.clock.at = house.clock.at.replace(day=16, hour=11)
    await keep_report_files(intake_runtime)
    assert await admin.fetchval(living) == 1
    destroyed = "SELECT attachment_id::text FROM intake.attachment WHERE destroyed_at IS NOT NULL"
    assert await admin.fetchval(destroyed) == loose


WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from services.intake import file_store
    from shared.vocabulary.identifiers import new_id
    folder = Path(sys.argv[1])
    while True:
        name = new_id()
        file_store.write(folder, name, b"x" * 300_000)
        print(name, flush=True)
    """
)


def test_killed_while_writing_every_named_file_is_whole_and_no_half_one_has_a_name(tmp_path: Path) -> None:
    """kill -9 at several moments: what was said to be kept is there; what was under way is a `.part` at most."""
    for after in (0.4, 0.55, 0.7):
        folder = tmp_path / str(after)
        folder.mkdir()
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, env={**os.environ}, text=True
        )
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(after - 0.3)
        writer.send_signal(signal.SIGKILL)
        named = [line.strip() for line in [first, *writer.stdout] if len(line.strip()) == 36]
        writer.wait()
        assert named
        for name in named:
            assert len(file_store.read(folder, UUID(name))) == 300_000
        for path in on_disk(folder):
            assert path.suffix == ".part" or path.stat().st_size == 300_000


KILLED = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from pathlib import Path
    from uuid import UUID
    from services.intake import attach_files
    from services.intake.settings import IntakeSettings
    from shared.runtime import open_runtime
    from shared.security.principal import Principal
    from tests.services.intake.photos import png

    async def killed(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    async def main(data, files, url, division, report):
        house = dict.fromkeys(("intake_url", "monitoring_url", "alerts_url"), "http://house")
        settings = IntakeSettings(data=Path(data), files=Path(files), database_url=url, demo=True, **house)
        attach_files._record = killed
        async with open_runtime("intake", settings) as runtime:
            caller = Principal("u", "person", division)
            await attach_files.attach_file(runtime, attach_files.Upload(png(), caller, division, UUID(report), "r"))

    asyncio.run(main(*sys.argv[1:]))
    """
)


async def test_killed_between_file_and_row_the_retry_succeeds_and_the_sweep_clears(
    intake_client: httpx.AsyncClient, intake_runtime: Runtime, village: Any, folder: Path, admin: asyncpg.Connection
) -> None:
    """kill -9: there is a file nobody knows, no row without its file, the next try is whole, the sweep tidies up."""
    made = (await send(intake_client, village, report())).json()
    arguments = [str(intake_runtime.settings.data), str(folder), intake_runtime.database_url, VILLAGE, made["id"]]
    died = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, *arguments], check=False)
    assert died.returncode == -signal.SIGKILL
    assert len(on_disk(folder)) == 1
    assert await admin.fetchval("SELECT count(*) FROM intake.attachment") == 0
    kept = (await upload(intake_client, village, png(), report_id=made["id"])).json()["id"]
    [row] = await admin.fetch("SELECT attachment_id::text FROM intake.attachment")
    assert row["attachment_id"] == kept
    for path in on_disk(folder):
        os.utime(path, (0, 0))
    await sweep_files(intake_runtime)
    assert [path.name for path in on_disk(folder)] == [kept]
