"""Texts within what a supplier takes: cut at a character, never inside one; the link stays whole or goes."""

from collections.abc import Callable

_ELLIPSIS = "…"
Measure = Callable[[str], int]


def utf8_bytes(text: str) -> int:
    """The size that robots count."""
    return len(text.encode())


def characters(text: str) -> int:
    """The size that SMS gateways count: UTF-16 units, so that a rare character counts as two."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, most: int, measure: Measure) -> str:
    """The text, or its beginning with an ellipsis, no larger than `most`."""
    if measure(text) <= most:
        return text
    room, kept = most - measure(_ELLIPSIS), ""
    for character in text:
        room -= measure(character)
        if room < 0:
            break
        kept += character
    return kept + _ELLIPSIS if kept or most >= measure(_ELLIPSIS) else ""


def with_link(text: str, link: str, most: int, measure: Measure) -> str:
    """The text and its link within `most`: the text is cut first; a link that leaves no room for words goes."""
    room = most - measure(f" {link}")
    if not link or room < measure(text) // 2:
        return cut(text, most, measure)
    return f"{cut(text, room, measure)} {link}"
