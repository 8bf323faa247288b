"""POST /{service}/v1/events: signed messages in, each with its effect once."""

import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

import asyncpg
import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError

from shared.contracts.envelope import Event
from shared.db.scope import transaction
from shared.errors import Unprocessable
from shared.messaging.inbox import accept_new
from shared.messaging.signing import SignatureRefused, verify
from shared.messaging.subscription import senders_to
from shared.runtime import Runtime
from shared.web.dependencies import RuntimeDep
from shared.web.gather import Gathering
from shared.web.problem import problems
from shared.web.strict_json import JSONRefused

# The names of the queues that the effect filled, to be woken after the commit.
EventHandler = Callable[[asyncpg.Connection, Event, Runtime], Awaitable[Iterable[str]]]
EventsHandler = Callable[[asyncpg.Connection, Sequence[Event], Runtime], Awaitable[Iterable[str]]]
Status = Literal["accepted", "duplicate"]

MESSAGE_LIMIT_BYTES = 8 * 1024 * 1024


class MessageRefused(Unprocessable):
    """A message does not follow its contract; it waits as a dead letter at the sender."""

    code, title = "message_refused", "消息内容不符合约定"


class EventAnswer(BaseModel):
    status: Status


@dataclass(frozen=True, slots=True)
class Together:
    """An effect that several messages which come at the same moment may have in one transaction.

    `subjects`: whom a message is about; messages about the same are taken apart. None: it is taken by itself.
    """

    handle: EventsHandler
    subjects: Callable[[Event], Collection[str] | None]


def events_router(service: str, handlers: Mapping[str, EventHandler | Together]) -> APIRouter:
    """The door through which a service takes its peers' messages."""
    router = APIRouter(tags=["messages"])
    gatherings = {type_: _gathering(handler) for type_, handler in handlers.items()}

    @router.post(
        f"/{service}/v1/events",
        summary="接收签名消息（CloudEvents 1.0，Standard Webhooks 签名）",
        responses=problems(401, 409, 422),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/cloudevents+json": {
                        "schema": {
                            "type": "object",
                            "required": ["specversion", "id", "source", "type", "time", "data"],
                        }
                    }
                },
            }
        },
    )
    async def receive_event(request: Request, runtime: RuntimeDep) -> EventAnswer:
        body = await request.body()
        sender = _sender(runtime, service, request, body)
        event = _event(body, sender, handlers)
        return EventAnswer(status=await gatherings[event.type].taken(Arrived(event, runtime)))

    return router


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message at the door of a service that runs."""

    event: Event
    runtime: Runtime


def _gathering(handler: EventHandler | Together) -> Gathering[Arrived, Status]:
    if isinstance(handler, Together):
        return Gathering(partial(_take, handler.handle), partial(_keys, handler.subjects))
    return Gathering(partial(_take, partial(_each, handler)), lambda _: None)


def _keys(subjects: Callable[[Event], Collection[str] | None], arrived: Arrived) -> Collection[object] | None:
    about = subjects(arrived.event)
    return None if about is None else {*about, _name(arrived.event)}


async def _each(
    handle: EventHandler, connection: asyncpg.Connection, events: Sequence[Event], runtime: Runtime
) -> Iterable[str]:
    return [name for event in events for name in await handle(connection, event, runtime)]


async def _take(handle: EventsHandler, arrived: Sequence[Arrived]) -> list[Status]:
    runtime, wakes = arrived[0].runtime, list[str]()
    async with transaction(runtime.worker_pool) as connection:
        fresh = await accept_new(connection, [one.event for one in arrived], runtime.clock.now())
        if fresh:
            try:
                wakes += await handle(connection, fresh, runtime)
            except ValidationError as error:
                raise MessageRefused(_where(error)) from error
    runtime.waker.wake(*wakes)
    new = {_name(event) for event in fresh}
    return ["accepted" if _name(one.event) in new else "duplicate" for one in arrived]


def _name(event: Event) -> tuple[str, UUID]:
    """What names a message for ever."""
    return event.source, event.id


def _sender(runtime: Runtime, service: str, request: Request, body: bytes) -> str:
    """The peer who signed this body: each has a secret of its own for each receiver."""
    for sender in senders_to(service):
        with contextlib.suppress(SignatureRefused):
            verify([runtime.keys.message_secret(sender, service)], request.headers, body, now=runtime.clock.now())
            return sender
    raise SignatureRefused


def _event(body: bytes, sender: str, types: Collection[str]) -> Event:
    # Who signed it is a peer of ours: what a stranger might try with JSON need not be looked for in every message.
    try:
        event = Event.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise JSONRefused(f"第 {error.lineno} 行第 {error.colno} 列附近无法解析") from None
    except ValidationError as error:
        raise MessageRefused(_where(error)) from error
    # A peer speaks for itself only: who broke into one service cannot speak as another.
    if event.source != f"fangpin/{sender}":
        raise MessageRefused(f"消息来源 {event.source} 与签名者 fangpin/{sender} 不一致")
    if event.type not in types:
        raise MessageRefused(f"不接收类型为 {event.type} 的消息；可接收：{'、'.join(sorted(types))}")
    return event


def _where(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'/'.join(str(part) for part in first['loc'])}：{first['type']}"
