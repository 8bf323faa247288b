"""The receipt code (受理码) a household is given: sixteen signs that a person can read out and type.

Fifteen carry 74 bits; the last is a check that finds every single wrong sign and every swap of two neighbours.
"""

import re

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # Without 0 and O, 1, I and L, which look alike.
_BASE = len(ALPHABET)  # A prime, so that the check finds what is said above.
_DATA = 15
_BETWEEN = re.compile(r"[\s\-－—_.·]+")


def code_of(digest: bytes) -> str:
    """The code that a keyed digest stands for, in groups of four."""
    number, signs = int.from_bytes(digest, "big"), []
    for _ in range(_DATA):
        number, rest = divmod(number, _BASE)
        signs.append(rest)
    text = "".join(ALPHABET[sign] for sign in (*signs, _check(signs)))
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def parse_code(text: str) -> str | None:
    """The code as written by `code_of`, however it was typed; None if it cannot be one."""
    typed = _BETWEEN.sub("", _half_width(text)).upper()
    if len(typed) != _DATA + 1 or not set(typed) <= set(ALPHABET):
        return None
    signs = [ALPHABET.index(sign) for sign in typed]
    if _check(signs[:_DATA]) != signs[_DATA]:
        return None
    return "-".join(typed[start : start + 4] for start in range(0, len(typed), 4))


def _check(signs: list[int]) -> int:
    return sum((place + 2) * sign for place, sign in enumerate(signs)) % _BASE


def _half_width(text: str) -> str:
    return "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in text)
