"""Note that a task came and ended well, so that the watch finds those that do not."""

from datetime import timedelta

from services.alerts import repository_watch
from shared.runtime import Runtime
from shared.worker import Run


def beating(name: str, run: Run, every: timedelta) -> Run:
    """The same task, noted each time it ends without an error."""

    async def run_and_note(runtime: Runtime) -> int:
        done = await run(runtime)
        await repository_watch.note_beat(runtime.worker_pool, name, every, runtime.clock.now())
        return done

    return run_and_note
