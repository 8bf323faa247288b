"""What alerts seals: its audit, and every step of an alert and of a department's task."""

from shared.security.sealed_log import AUDIT, SealedTable

STEPS = SealedTable(
    "alert_log",
    "log_id",
    int,
    ("log_id", "alert_id", "at", "actor", "action", "status_before", "status_after", "detail"),
)
TASK_STEPS = SealedTable(
    "sector_task_log", "log_id", int, ("log_id", "task_id", "at", "actor", "action", "state_after", "note")
)
SEALED = (AUDIT, STEPS, TASK_STEPS)
