"""What is wrong with one row, said to the person who can mend it."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "review"]

LONGEST_ECHO = 24
# Blanks and hyphens between the parts of a number or phone do not hide it; a day with its hour is no number.
_LONG_DIGITS = re.compile(r"[0-9Xx]{7,}|[0-9](?:[\s\-]?[0-9Xx]){10,}")


@dataclass(frozen=True, slots=True)
class RowError:
    """One mistake: physical line where the row starts (1 is the first), column, stable code, what is right.

    A row with an "error" is not taken in; a "warning" is taken in and shown; a row with a "review" is held until a
    person decides. `echo` is the value, masked.
    """

    line: int
    column: str | None
    code: str
    reason: str
    expected: str | None = None
    example: str | None = None
    echo: str | None = None
    level: Level = "error"


def echo(text: str, *, personal: bool = False) -> str:
    """The value as an error may show it: short, printable, without long numbers; if personal its first character."""
    shown = "".join(c for c in text[: LONGEST_ECHO * 2] if unicodedata.category(c)[0] != "C").strip()
    if personal:
        return shown[:1] + "*" * (min(len(shown), 6) - 1) if shown else ""
    shown = _LONG_DIGITS.sub(_hide, unicodedata.normalize("NFKC", shown))
    return shown if len(shown) <= LONGEST_ECHO else shown[:LONGEST_ECHO] + "…"


def _hide(match: re.Match[str]) -> str:
    digits = match.group()
    if len(digits) <= 8:
        return digits
    return f"{digits[:2]}***{digits[-2:]}"
