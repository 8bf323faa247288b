"""Keep around reports only what is still of use: attachments nobody claimed, files without a row, old counts.

A file is written before its row; the row of one that is older than an hour would have come by now.
"""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from services.intake import file_store
from services.intake import repository_attachments as attachments
from services.intake import repository_limits as limits
from services.intake import repository_own_record as own_record
from services.intake.attach_files import folder_of
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.security.audit import audit

A_STEP = 500
UNCLAIMED_AFTER = timedelta(days=1)
ORPHAN_AFTER = timedelta(hours=1)
COUNTS_KEPT = timedelta(days=2)
ANSWERS_KEPT = timedelta(days=1)
ACTOR = "intake.report_files"


async def keep_report_files(runtime: Runtime) -> int:
    """Destroy and sweep in steps; how much was done."""
    done = await _unclaimed(runtime) + await sweep_files(runtime)
    now = runtime.clock.now()
    async with transaction(runtime.worker_pool) as connection:
        done += await limits.forget(connection, now - COUNTS_KEPT, 10 * A_STEP)
        done += await own_record.drop_older(connection, now - ANSWERS_KEPT, A_STEP)
    return done


async def _unclaimed(runtime: Runtime) -> int:
    """Destroy the keys of attachments whose report never came."""
    now = runtime.clock.now()
    async with transaction(runtime.worker_pool) as connection:
        ids = await attachments.forgotten(connection, now - UNCLAIMED_AFTER, A_STEP)
        for each in await attachments.destroy(connection, ids, now):
            await audit(
                connection, ACTOR, "attachment.destroyed", f"attachment:{each}", now=now, detail={"why": "loose"}
            )
    return len(ids)


async def sweep_files(runtime: Runtime) -> int:
    """Take away files without a living row: of a process that was killed before its row, or of a destroyed key."""
    folder, gone = folder_of(runtime), 0
    old = await asyncio.to_thread(lambda: list(file_store.older_than(folder, runtime.clock.now() - ORPHAN_AFTER)))
    for start in range(0, len(old), A_STEP):
        some = old[start : start + A_STEP]
        async with transaction(runtime.worker_pool) as connection:
            living = await attachments.live(connection, [name for name, _ in some if name is not None])
        dead = [path for name, path in some if name is None or name not in living]
        await asyncio.to_thread(_remove, dead)
        gone += len(dead)
    return gone


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


async def erase_attachment(runtime: Runtime, attachment_id: UUID) -> None:
    """Take the file of a destroyed key away; if this fails, the sweep does it."""
    await asyncio.to_thread(file_store.remove, folder_of(runtime), attachment_id)
