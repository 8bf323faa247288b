"""Bases and types of request and response bodies."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.vocabulary.division import parse_division
from shared.vocabulary.money import MoneyError, parse_yuan

# NUL cannot be stored; other controls and direction marks make a text look like another.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class Strict(BaseModel):
    """A body in which unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=10_000)


def _clean(text: str) -> str:
    if _FORBIDDEN.search(text):
        raise PydanticCustomError("control_character", "文字中含有控制字符或不可见字符，请删除")
    if not text.strip() and text:
        raise PydanticCustomError("blank", "不能只有空格")
    return unicodedata.normalize("NFC", text.strip())


def _not_blank(text: str) -> str:
    if not text:
        raise PydanticCustomError("blank", "不能为空")
    return text


def _division(text: str) -> str:
    try:
        if len(text) != 12:
            raise ValueError
        return str(parse_division(text))
    except ValueError:
        raise PydanticCustomError("division_format", "行政区划代码应为 12 位数字，例如 130624100201") from None


def _yuan(text: str) -> str:
    try:
        parse_yuan(text)
    except MoneyError as error:
        raise PydanticCustomError("money_format", "{message}", {"message": error.message}) from None
    return text


Text = Annotated[str, AfterValidator(_clean)]
Name = Annotated[str, StringConstraints(max_length=50), AfterValidator(_clean), AfterValidator(_not_blank)]
DivisionStr = Annotated[str, AfterValidator(_division), Field(examples=["130624100201"], max_length=12)]
YuanStr = Annotated[str, AfterValidator(_yuan), Field(examples=["1234.50"], max_length=20)]
