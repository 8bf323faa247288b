"""The tables of schema `alerts`, a module for each subject: the only definition of its storage.

Row-level security (see the migration): `alert` by living or registered division, everything about an alert through
`alert`, `inbox_item` by officer; `alert_subject` is for the worker alone.
"""

from services.alerts import (
    tables_alerts,
    tables_answers,
    tables_calendar,
    tables_deliveries,
    tables_departments,
    tables_duty,
    tables_escalation,
    tables_log,
    tables_messages,
    tables_notifications,
    tables_phone,
    tables_reminders,
    tables_routes,
)

__all__ = [
    "tables_alerts",
    "tables_answers",
    "tables_calendar",
    "tables_deliveries",
    "tables_departments",
    "tables_duty",
    "tables_escalation",
    "tables_log",
    "tables_messages",
    "tables_notifications",
    "tables_phone",
    "tables_reminders",
    "tables_routes",
]
