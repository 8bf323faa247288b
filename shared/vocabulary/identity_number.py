"""The resident identity number (公民身份号码, GB 11643): read, checked and understood.

Pure text work. Whether the area code exists is not asked: codes are created and retired, and people born
before 1981 carry codes whose recorded start is later than their birth.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from operator import mul
from typing import Literal

Sex = Literal["male", "female"]

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
EARLIEST_BIRTH_YEAR = 1900
LONGEST_INPUT = 64  # Whatever is longer is a pasted paragraph, not a number with blanks in it.

_ASCII_ZEROES = ord("0") * sum(WEIGHTS)
_SEPARATORS = re.compile(r"[\s\-\u00ad\u2010-\u2015\u2212\u200b-\u200f\u2060\ufeff\uff0d]+")
_SCIENTIFIC = re.compile(r"[+\-]?\d(\.\d+)?[eE]\+?\d+")
_DECIMAL = re.compile(r"\d{15,}\.0*")
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_DISABILITY_CERTIFICATE = re.compile(r"[0-9]{17}[0-9X][1-7][1-4](B[0-9])?")
_FOREIGN_CARD = re.compile(r"[A-Z]{3}[0-9]{12}")
_LOOKALIKES = frozenset("\u0425\u0445\u03a7\u03c7")  # Cyrillic and Greek letters that look like X.
_PERMIT_PREFIXES = frozenset(("81", "82", "83"))
_PROVINCES = range(11, 66)
_RUN = re.compile(r"[0-9](?:[\s\-]?[0-9]){16,}(?:[\s\-]?[Xx])?")

MESSAGES = {
    "blank": "证件号码为空, 请填写18位公民身份号码",
    "precision_lost": "证件号码已丢失精度 (科学计数法或末位变成0), 请把该列设为文本后重新导出",
    "lookalike_letter": "末位不是拉丁字母X, 而是形近的其他文字字母, 请改为X",
    "disability_certificate": "这是20位残疾人证号, 此列应填18位公民身份号码 (残疾人证号的前18位)",
    "foreign_card": "这是15位外国人永久居留身份证号, 请填写换发后的18位号码",
    "wrong_length": "证件号码应为18位 (旧号15位)",
    "wrong_character": "证件号码只能是数字, 末位可以是X",
    "placeholder": "证件号码各位相同, 是占位符, 请填写真实号码",
    "wrong_birth_date": "证件号码第7至14位不是真实存在的日期",
    "birth_in_future": "证件号码中的出生日期晚于今天",
    "birth_before_1900": "证件号码中的出生年份早于1900年",
    "wrong_check_digit": "证件号码校验位不符, 请核对是否有错位或错字",
}


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """One resident's number in its normal form: 18 characters, the last a digit or a capital X.

    `area` is the six-digit code of first registration, unchecked. `notes` says what was normalised or is
    unusual: width, separators, upper_case, legacy_15_digits, sequence_000, permit (港澳台居民居住证),
    foreign_resident (外国人永久居留身份证, 18 characters that begin with 9 and a province).
    """

    number: str
    birth_date: date
    sex: Sex
    area: str
    notes: tuple[str, ...] = ()


class IdentityNumberError(ValueError):
    """The text is no resident identity number: a stable `code` and a message for people, neither quotes it."""

    def __init__(self, code: str, message_zh: str) -> None:
        super().__init__(f"{code}: {message_zh}")
        self.code = code
        self.message_zh = message_zh


def check_digit(first_17: str) -> str:
    """The check character (校验码) of the first 17 digits, by ISO 7064 MOD 11-2."""
    total = sum(map(mul, first_17.encode("ascii"), WEIGHTS)) - _ASCII_ZEROES
    return CHECK_CHARACTERS[total % 11]


def parse_identity_number(text: str, today: date) -> IdentityNumber:
    """The identity number written in `text`, or an IdentityNumberError that says what is wrong with it.

    A well-formed number takes a few microseconds; only unusual text is normalised.
    """
    if _RESIDENT.fullmatch(text):
        return _read(text, today, ())
    number, notes = _normalise(text)
    return _read(number, today, notes)


def holds_identity_number(text: str) -> bool:
    """Whether somebody's 18-character number stands in a free text, also with blanks or hyphens between its parts."""
    if len(text) < 18:
        return False
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    runs = (_SEPARATORS.sub("", run).upper() for run in _RUN.findall(plain))
    return any(_is_number(run[i : i + 18]) for run in runs for i in range(len(run) - 17))


def _is_number(text: str) -> bool:
    if not _RESIDENT.fullmatch(text) or text[17] != check_digit(text[:17]):
        return False
    try:
        return date(int(text[6:10]), int(text[10:12]), int(text[12:14])).year >= EARLIEST_BIRTH_YEAR
    except ValueError:
        return False


def _normalise(text: str) -> tuple[str, tuple[str, ...]]:
    """The 18 characters meant by unusual text, and what had to be done to find them."""
    if len(text) > LONGEST_INPUT:
        raise _error("wrong_length")
    notes = []
    bare = _SEPARATORS.sub("", text)
    if bare != text:
        notes.append("separators")
    compact = unicodedata.normalize("NFKC", bare)
    if compact != bare:
        notes.append("width")
    _refuse_lost_precision(compact)
    if compact != compact.upper():
        notes.append("upper_case")
        compact = compact.upper()
    if len(compact) == 15 and compact.isascii() and compact.isdigit():
        return _modern(compact), (*notes, "legacy_15_digits")
    _refuse_other_shapes(compact)
    return compact, tuple(notes)


def _modern(legacy: str) -> str:
    """The 18-digit form of a 15-digit number (一代证号码), all of which were given to people born in 19YY."""
    if legacy.count(legacy[0]) == len(legacy):
        raise _error("placeholder")
    first_17 = legacy[:6] + "19" + legacy[6:]
    return first_17 + check_digit(first_17)


def _refuse_lost_precision(text: str) -> None:
    if _SCIENTIFIC.fullmatch(text) or _DECIMAL.fullmatch(text):
        raise _error("precision_lost")


def _refuse_other_shapes(text: str) -> None:
    if not text:
        raise _error("blank")
    if _FOREIGN_CARD.fullmatch(text):
        raise _error("foreign_card")
    if not _LOOKALIKES.isdisjoint(text):
        raise _error("lookalike_letter")
    if _DISABILITY_CERTIFICATE.fullmatch(text):
        raise _error("disability_certificate")
    if len(text) != 18:
        raise _error("wrong_length")
    if not _RESIDENT.fullmatch(text):
        raise _error("wrong_character")


def _read(number: str, today: date, notes: tuple[str, ...]) -> IdentityNumber:
    if number.count(number[0]) == 18:
        raise _error("placeholder")
    birth = _birth_date(number)
    if birth.year < EARLIEST_BIRTH_YEAR:
        raise _error("birth_before_1900")
    if birth > today:
        raise _error("birth_in_future")
    if number[17] != check_digit(number[:17]):
        raise _error("precision_lost" if number.endswith("000") else "wrong_check_digit")
    if number[14:17] == "000":
        notes = (*notes, "sequence_000")
    if number[:2] in _PERMIT_PREFIXES:
        notes = (*notes, "permit")
    if number[0] == "9" and int(number[1:3]) in _PROVINCES:
        notes = (*notes, "foreign_resident")
    return IdentityNumber(number, birth, "male" if int(number[16]) % 2 else "female", number[:6], notes)


def _birth_date(number: str) -> date:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise _error("wrong_birth_date") from None


def _error(code: str) -> IdentityNumberError:
    return IdentityNumberError(code, MESSAGES[code])
