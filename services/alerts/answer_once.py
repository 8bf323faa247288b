"""Answer a request once (幂等): the same key and body replay the stored answer, another body is refused."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.alerts import repository_requests
from shared.db.pool import to_json
from shared.errors import Unprocessable


class KeyReused(Unprocessable):
    code, title = "idempotency_key_reused", "同一幂等键用于了不同的内容"


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request as its client named it; without `key` it is not remembered."""

    client: str
    key: str | None
    content: Any
    now: datetime


async def answer_once(
    connection: asyncpg.Connection, request: KeyedRequest, act: Callable[[], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """Act and remember the answer, in the caller's transaction; or give the remembered answer.

    The same key at the same time waits for the first. A refusal rolls back, and so is not remembered.
    """
    if request.key is None:
        return await act()
    fingerprint = hashlib.sha256(to_json(request.content).encode()).digest()
    stored = await repository_requests.claim_key(connection, request.client, request.key, fingerprint, request.now)
    if stored is not None:
        if stored["fingerprint"] != fingerprint:
            raise KeyReused("请为不同的操作使用不同的 Idempotency-Key")
        return dict(stored["answer"])
    answer = await act()
    await repository_requests.store_answer(connection, request.client, request.key, answer)
    return answer
