"""Bases and types of request and response bodies."""

import re
import unicodedata
from datetime import date, datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from shared.vocabulary.division import parse_division
from shared.vocabulary.identity_number import holds_identity_number
from shared.vocabulary.money import MoneyError, parse_yuan

# NUL cannot be stored; other controls and direction marks make a text look like another.
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    r"\ufff9-\ufffb]"
)
_LINE_BREAK = re.compile(r"[\t\r\n]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Strict(BaseModel):
    """A body that means one thing: unknown fields, numbers as dates and true as 1 are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=10_000, str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any, info: ValidationInfo) -> Any:
        kinds = _kinds_of(cls, str(info.field_name))
        if isinstance(value, str) and _FORBIDDEN.search(value):
            raise _control_character()
        if date in kinds and not _is_date(value):
            raise PydanticCustomError("date_type", "日期应为 年-月-日，例如 2026-01-31")
        if not kinds.isdisjoint({datetime, AwareDatetime}) and not isinstance(value, str | datetime | None):
            raise PydanticCustomError("datetime_type", "时间应为文本并带时区，例如 2026-01-31T08:00:00+08:00")
        if int in kinds and bool not in kinds and isinstance(value, bool):
            raise PydanticCustomError("int_type", "应为整数")
        return value


@cache
def _kinds_of(model: type[BaseModel], field: str) -> frozenset[Any]:
    """The types a field may have, without what annotates them."""
    annotation = model.model_fields[field].annotation
    several = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return frozenset(get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in several)


def _is_date(value: Any) -> bool:
    if isinstance(value, str):
        return _DATE.fullmatch(value.strip()) is not None
    return value is None or isinstance(value, date)


def _control_character() -> PydanticCustomError:
    return PydanticCustomError("control_character", "文字中含有控制字符或不可见字符，请删除")


def _clean(text: str) -> str:
    if _FORBIDDEN.search(text):
        raise _control_character()
    if not text.strip() and text:
        raise PydanticCustomError("blank", "不能只有空格")
    return unicodedata.normalize("NFC", text.strip())


def _not_blank(text: str) -> str:
    if not text:
        raise PydanticCustomError("blank", "不能为空")
    if _LINE_BREAK.search(text):
        raise _control_character()
    return text


def without_identity_number(text: str) -> str:
    """The text; refused if an identity number stands in it, which is kept sealed in fields of its own only."""
    if holds_identity_number(text):
        raise PydanticCustomError("identity_number_in_text", "请不要在此填写身份证号")
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
OpenText = Annotated[Text, AfterValidator(without_identity_number)]
Name = Annotated[
    str,
    StringConstraints(max_length=50),
    AfterValidator(_clean),
    AfterValidator(_not_blank),
    AfterValidator(without_identity_number),
]
DivisionStr = Annotated[str, AfterValidator(_division), Field(examples=["130624100201"], max_length=12)]
YuanStr = Annotated[str, AfterValidator(_yuan), Field(examples=["1234.50"], max_length=20)]
