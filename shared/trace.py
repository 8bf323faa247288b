"""Which request or message the work in hand goes back to (W3C traceparent); messages carry it on."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current_trace() -> str | None:
    """The traceparent of what is being worked on."""
    return _current.get()


@contextmanager
def traced(traceparent: str | None) -> Iterator[None]:
    """Work on behalf of `traceparent`."""
    token = _current.set(traceparent)
    try:
        yield
    finally:
        _current.reset(token)
