"""The second wall as it should be: tables without rows about people and why, and tables no request may read."""

from typing import Final

APP_ROLES: Final = {name: f"fangpin_{name}" for name in ("intake", "monitoring", "alerts")}

_KEYS = "keys and digests of messages already taken in"
_ADDRESSES = "addresses of subscribers; whoever asks is shown those of his division"

NO_PERSONAL_ROWS: Final = {
    "alembic_version": "the version of the schema",
    "inbox": _KEYS,
    "subscription": _ADDRESSES,
    "outbox_delivery": "which message is on its way to which subscriber",
    "alerts.inbox_counter": "how many letters an officer has had",
    "alerts.watch_beat": "when a task last ran",
    "alerts.watch_incident": "what stood still from when to when",
    "alerts.reminder": "which task was told to be overdue when",
    "alerts.outlet": "how often a receiver failed and how fast it takes messages",
    "monitoring.dashboard_version": "when figures were counted last",
    "monitoring.identity_sweep": "how far the register was looked through",
    "monitoring.policy_activation": "which policy has assessed since when",
    "intake.receipt": "which report a receipt code opens, by a keyed digest of the code",
    "intake.limit_count": "how often something limited was done, by keyed digests",
    "seal_entry": "digests of rows of the log, by their keys",
    "seal_head": "where the chain of these digests ends, signed",
    "seal_day": "the signed root of a day's digests",
    "idempotency_key": "a digest of the request, and its answer: an id and a status",
}

# They hold rows about people, and a policy would be in the way of COPY or of writing for others: so the role that
# serves requests may not read them at all.
CLOSED_TO_REQUESTS: Final = {
    "outbox": "messages to the other services; written by requests, read by the relay",
    "audit_log": "who did what; added to by all, read by none",
    "intake.feed_row_staged": "rows under way; COPY refuses tables with policies",
    "intake.feed_text_staged": "what rows under way say; COPY refuses tables with policies",
    "intake.feed_code_staged": "keyed digests of codes under way; COPY refuses tables with policies",
    "intake.feed_record": "digests of rows, under keys that may be blind indexes",
    "alerts.alert_subject": "which news of a household was heard last",
}


def reason_for(schema: str, table: str, reasons: dict[str, str]) -> str | None:
    """Why a table stands in `reasons`, by its name in one schema or in all."""
    return reasons.get(f"{schema}.{table}") or reasons.get(table)
