"""Read a message beyond its form: what cannot be used is refused, so that it waits as a dead letter at the sender."""

import base64
import binascii
import re
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag

from shared.errors import Unprocessable
from shared.security.keys import Keyring
from shared.vocabulary.division import DivisionCodeError, parse_division

_INDEX = re.compile(r"[0-9a-f]{64}")


class MessageUnusable(Unprocessable):
    """The message follows its contract, but names no place or opens with no key of ours."""

    code, title = "message_unusable", "消息内容无法使用"


def check_divisions(codes: Iterable[str | None]) -> None:
    """Refuse a message with a code that is no division in full form."""
    for code in {code for code in codes if code is not None}:
        try:
            whole = len(code) == 12 and bool(parse_division(code))
        except DivisionCodeError:
            whole = False
        if not whole:
            raise MessageUnusable("区划代码应为 12 位数字")


def check_indices(indices: Iterable[str | None]) -> None:
    """Refuse a message with a blind index that is none."""
    if not all(_INDEX.fullmatch(index) for index in indices if index is not None):
        raise MessageUnusable("身份证号索引应为 64 位十六进制")


def open_sealed(keys: Keyring, sealed: str, *aad: str) -> str:
    """The text that travelled sealed."""
    try:
        return keys.open_from_transit(base64.b64decode(sealed, validate=True), *aad)
    except (binascii.Error, InvalidTag, ValueError):
        raise MessageUnusable("传输密文无法解开") from None
