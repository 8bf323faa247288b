"""Word a message for one channel: from its kind, a count and a place only, so that nothing else can leave.

One small file per channel and kind below `wording/` (a kind without a file takes `any.txt`), by locale.
"""

from functools import cache, lru_cache
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.alerts.channels.channel import Message
from services.alerts.domain.cut_text import characters, cut, utf8_bytes, with_link
from services.alerts.domain.message import Text

WORDING = Path(__file__).parent / "wording"
LOCALE = "zh-CN"
# What robots take in one message, in bytes of UTF-8: WeCom 2048; DingTalk 20,000, of which no message needs more.
ROBOT_BYTES = 2048
PLACE_CHARACTERS = 30


@cache
def _wording() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(WORDING), autoescape=False, undefined=StrictUndefined, cache_size=-1
    )


def wording(channel: str, message: Message, *, locale: str = LOCALE) -> str:
    """The words of a channel for a message, without its link."""
    return _worded(channel, message.kind, message.count, message.place, locale)


# Many messages say the same: one for each warning of a village.
@lru_cache(maxsize=4096)
def _worded(channel: str, kind: str, count: int, place: str, locale: str) -> str:
    shown = cut(" ".join(place.split()), PLACE_CHARACTERS, characters)
    try:
        template = _wording().get_template(f"{locale}/{channel}/{kind}.txt")
    except TemplateNotFound:
        template = _wording().get_template(f"{locale}/{channel}/any.txt")
    return template.render(count=count, place=shown).strip()


def robot_text(channel: str, message: Message) -> str:
    """What a group robot says: words and link, within what it takes."""
    return with_link(wording(channel, message), message.link, ROBOT_BYTES, utf8_bytes)


def titled_text(channel: str, message: Message) -> Text:
    """What a mail or a webhook says: the first line is the title."""
    title, _, body = wording(channel, message).partition("\n")
    return Text(title, body.strip() or title)


def sms_text(message: Message, most: int) -> str:
    """What an SMS says, within `most` characters."""
    return with_link(wording("sms", message), message.link, most, characters)
