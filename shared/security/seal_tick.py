"""The tick that seals a service's log."""

from functools import partial

from apscheduler.triggers.interval import IntervalTrigger

from shared.security.seal_log import seal_log
from shared.security.sealed_log import AUDIT, SealedTable
from shared.worker import Tick


def seal_tick(*tables: SealedTable) -> Tick:
    """Every minute; a service that names no tables has its audit sealed."""
    return Tick("seal", partial(seal_log, tables=tables or (AUDIT,)), IntervalTrigger(minutes=1))
