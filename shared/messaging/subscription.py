"""Who gets which messages; the other two services are subscribers like any other."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import asyncpg

from shared.contracts.alerts import VERIFIED
from shared.contracts.intake import DATA_NOTICE, HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED, OWN_RECORD_ASKED
from shared.contracts.monitoring import OWN_RECORD_TOLD, RISK_CHANGED
from shared.contracts.progress import ALERTS_PROGRESS, MONITORING_PROGRESS
from shared.settings import Settings
from shared.vocabulary.identifiers import new_id

# sender -> receiver -> types; who has most to say to a receiver stands first, its signature is tried first
INTERNAL: Mapping[str, Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "monitoring": {"intake": (MONITORING_PROGRESS, OWN_RECORD_TOLD), "alerts": (RISK_CHANGED,)},
        "intake": {
            "monitoring": (HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED, OWN_RECORD_ASKED),
            "alerts": (DATA_NOTICE,),
        },
        "alerts": {"intake": (ALERTS_PROGRESS,), "monitoring": (VERIFIED,)},
    }
)

# An internal subscriber stores no secret of its own: its secret follows from the message key both sides hold.
INTERNAL_PREFIX = "internal:"


def senders_to(receiver: str) -> list[str]:
    """The services whose messages `receiver` takes."""
    return [sender for sender, receivers in INTERNAL.items() if receiver in receivers]


async def register_peers(connection: asyncpg.Connection, sender: str, settings: Settings, now: datetime) -> None:
    """Make the other services subscribers of `sender`; again at every start, since addresses may change."""
    for receiver, types in INTERNAL[sender].items():
        url = f"{getattr(settings, f'{receiver}_url')}/{receiver}/v1/events"
        await connection.execute(
            """
            INSERT INTO subscription (subscription_id, name, url, types, secret, active, created_at)
            VALUES ($1, $2, $3, $4, ''::bytea, true, $5)
            ON CONFLICT (name) DO UPDATE SET url = excluded.url, types = excluded.types
            WHERE (subscription.url, subscription.types) IS DISTINCT FROM (excluded.url, excluded.types)
            """,
            new_id(now),
            INTERNAL_PREFIX + receiver,
            url,
            list(types),
            now,
        )
