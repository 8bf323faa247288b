"""Which channels are configured, and which of a person's is tried first."""

from collections.abc import Collection, Iterable
from typing import Any

from services.alerts.repository import Row
from shared.settings import Settings

# The order in which a person's channels are tried, unless his endpoint says otherwise: free before paid, seen at once
# before seen later.
RANKS = {"wecom": 10, "dingtalk": 20, "webhook": 30, "sms": 40, "smtp": 50, "console": 60}


def channels_in_use(settings: Settings) -> Collection[str]:
    """The ways out that are configured; e-mail needs a relay (an SMS endpoint is made only with a gateway)."""
    return [channel for channel in RANKS if channel != "smtp" or settings.smtp_host]


def first_of_each(endpoints: Iterable[Row]) -> list[Any]:
    """Of each person's endpoints the first to be tried; of groups all, since each has its own readers."""
    first: dict[str, Any] = {}
    groups = []
    for endpoint in sorted(endpoints, key=lambda one: (one["rank"], str(one["endpoint_id"]))):
        if endpoint["officer_no"] is None:
            groups.append(endpoint)
        else:
            first.setdefault(endpoint["officer_no"], endpoint)
    return [*first.values(), *groups]
