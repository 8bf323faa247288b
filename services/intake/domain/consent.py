"""What a household agrees to when it reports (告知与授权): a text with a version, from a day on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One version of the text, in force until the next one."""

    version: str
    valid_from: date
    title: str
    text: str


def in_force(texts: Iterable[ConsentText], on: date) -> ConsentText | None:
    """The version in force on a day."""
    valid = [text for text in texts if text.valid_from <= on]
    return max(valid, key=lambda text: text.valid_from, default=None)


def is_accepted(texts: Iterable[ConsentText], version: str, *, signed_on: date, today: date) -> bool:
    """Whether a version may stand behind a report: the one of today, or of the day a paper form was signed."""
    texts = list(texts)
    accepted = {text.version for day in (signed_on, today) if (text := in_force(texts, day))}
    return version in accepted
