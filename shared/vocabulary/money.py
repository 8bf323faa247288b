"""Money is an integer number of fen (分) inside and a decimal string in yuan (元) outside."""

import re

Fen = int

_YUAN = re.compile(r"-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?", re.ASCII)


class MoneyError(ValueError):
    """A text is not an amount in yuan; carries a stable code and a Chinese message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse_yuan(text: str) -> Fen:
    """Read "1234.5" as 123450 fen: plain digits, at most two decimals, no separators, no exponent."""
    if not _YUAN.fullmatch(text):
        raise MoneyError("money_format", "金额应为以元为单位的数字文本，最多两位小数，例如 1234.50")
    whole, _, part = text.lstrip("-").partition(".")
    fen = int(whole) * 100 + int(part.ljust(2, "0") or 0)
    return -fen if text.startswith("-") else fen


def yuan(fen: Fen) -> str:
    """Write 123450 fen as "1234.50"."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
