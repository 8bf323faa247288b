"""A doubtful identity: two who may be one person, or one who may be two; what is asked and what may be answered."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Reason(StrEnum):
    """Why somebody has to look."""

    NAME_DIFFERS = "name_differs"
    NUMBER_CHANGED = "number_changed"
    NO_NUMBER = "no_number"
    TWO_HOUSEHOLDS = "two_households"
    RELATION_MISMATCH = "relation_mismatch"
    SAME_NAME_AND_BIRTH = "same_name_and_birth"
    WAITING = "waiting"


class Answer(StrEnum):
    """What a person decides."""

    SAME = "same"
    DIFFERENT = "different"
    MOVED = "moved"


QUESTIONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.NAME_DIFFERS: "同一证件号码，姓名与花名册不一致",
        Reason.NUMBER_CHANGED: "同户同名同生日，证件号码不同：可能换了号码",
        Reason.NO_NUMBER: "无证件号码的成员，与另一人同名同生日：可能已办证",
        Reason.TWO_HOUSEHOLDS: "同一人同时在两户",
        Reason.RELATION_MISMATCH: "与户主关系和性别、年龄不符：可能借用了他人号码",
        Reason.SAME_NAME_AND_BIRTH: "同村同名同生日的两人：可能重复登记",
        Reason.WAITING: "未匹配到农户的数据，由人认定为此人",
    }
)
OF_TWO_RESIDENTS = frozenset({Reason.NUMBER_CHANGED, Reason.NO_NUMBER, Reason.SAME_NAME_AND_BIRTH})
_YES_OR_NO = frozenset({Answer.SAME, Answer.DIFFERENT})
ANSWERS: Mapping[Reason, frozenset[Answer]] = MappingProxyType(
    dict.fromkeys(Reason, _YES_OR_NO) | {Reason.TWO_HOUSEHOLDS: frozenset({Answer.MOVED, Answer.DIFFERENT})}
)

# Relation to the head -> the sex it implies; and relations a generation below or above him.
FEMALE = (
    "之女",
    "之儿媳",
    "之孙女",
    "之外孙女",
    "之母",
    "之岳母",
    "之婆婆",
    "之祖母",
    "之外祖母",
    "之曾孙女",
    "之侄女",
    "之兄弟媳妇",
)
MALE = (
    "之子",
    "之女婿",
    "之孙子",
    "之外孙子",
    "之父",
    "之岳父",
    "之公公",
    "之祖父",
    "之外祖父",
    "之曾孙子",
    "之侄儿",
)
YOUNGER = ("之子", "之女", "之孙子", "之孙女", "之外孙子", "之外孙女", "之曾孙子", "之曾孙女")
OLDER = ("之父", "之母", "之祖父", "之祖母", "之外祖父", "之外祖母")
GENERATION_YEARS = 12
