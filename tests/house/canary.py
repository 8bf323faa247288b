"""Canaries: invented numbers that must be found nowhere, and everything that is said while they pass through."""

import io
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import asyncpg
import httpx
import structlog

from shared.logs import configure_logs
from shared.vocabulary.identity_number import check_digit

SCHEMAS = ("intake", "monitoring", "alerts", "directory", "public")


def canary(serial: int) -> str:
    """The identity number of somebody who does not exist, in an area that does not either."""
    first = f"990699{1950 + serial % 50}0203{serial:03d}"
    return first + check_digit(first)


HEAD, CHILD, STRANGER, SEARCHED, MISPLACED, CARELESS = (canary(serial) for serial in range(101, 107))
NUMBERS = (HEAD, CHILD, STRANGER, SEARCHED, MISPLACED, CARELESS)
HOUSEHOLD_PHONE, STRANGER_PHONE = "19900071234", "19900075678"
PHONES = (HOUSEHOLD_PHONE, STRANGER_PHONE)

# As people write a number when they mean well.
WRITTEN = {
    "plain": CARELESS,
    "in parts": f"{CARELESS[:6]} {CARELESS[6:14]} {CARELESS[14:]}",
    "with hyphens": f"{CARELESS[:6]}-{CARELESS[6:14]}-{CARELESS[14:]}",
    "wide": "".join(chr(ord(c) + 0xFEE0) for c in CARELESS),
    "in a sentence": f"本人{CARELESS}，请核对",
}
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-]+(?=[\dXx])")


def numbers_in(text: str) -> list[str]:
    """The canary numbers in a text, however they are written there; bytes shown as hex are read too."""
    plain = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", text))
    return [n for n in NUMBERS if n in plain or n.encode().hex() in plain]


def phones_in(text: str) -> list[str]:
    return [phone for phone in PHONES if phone in text or phone.encode().hex() in text]


@dataclass
class Heard:
    """What was said: log lines, addresses that were called, and answers."""

    log: io.StringIO = field(default_factory=io.StringIO)
    urls: list[str] = field(default_factory=list)
    answers: list[httpx.Response] = field(default_factory=list)

    async def note(self, answer: httpx.Response) -> None:
        await answer.aread()
        self.urls.append(str(answer.request.url))
        self.answers.append(answer)

    @property
    def refusals(self) -> list[httpx.Response]:
        return [answer for answer in self.answers if answer.status_code >= 400]


@contextmanager
def listening(client: httpx.AsyncClient) -> Iterator[Heard]:
    """Hear all logs, the libraries' and at the finest level, and all that `client` asks and is answered."""
    heard, former = Heard(), structlog.get_config()
    configure_logs("DEBUG", heard.log)
    client.event_hooks = {"request": [], "response": [heard.note]}
    try:
        yield heard
    finally:
        structlog.configure(**former)
        configure_logs("WARNING")
        structlog.configure(**former)


async def dump(admin: asyncpg.Connection) -> dict[str, str]:
    """Every column of every table as text, by its full name."""
    columns = await admin.fetch(
        "SELECT c.table_schema, c.table_name, c.column_name FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = ANY ($1) AND t.table_type = 'BASE TABLE'",
        list(SCHEMAS),
    )
    found = {}
    for schema, table, column in columns:
        text = await admin.fetchval(f'SELECT string_agg("{column}"::text, chr(10)) FROM "{schema}"."{table}"')
        found[f"{schema}.{table}.{column}"] = text or ""
    return found
