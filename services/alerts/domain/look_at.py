"""What a visitor looks at (看什么), by the cause of the warning: a line a village cadre can act on."""

from collections.abc import Iterable
from types import MappingProxyType

from shared.vocabulary.terms import Cause

_BY_CAUSE = MappingProxyType(
    {
        Cause.ILLNESS: "看住院和门诊票据：自己付了多少；医保报销、大病保险、医疗救助办了没有",
        Cause.DISABILITY: "看残疾证和补贴发放；需不需要护理、辅具",
        Cause.DISASTER: "看受灾的房屋、庄稼、牲畜；救助和保险赔付到了没有",
        Cause.ACCIDENT: "问事故经过和花费；赔偿、临时救助办了没有",
        Cause.SCHOOLING: "看孩子是否在校；学费、生活费有没有困难，资助到了没有",
        Cause.LABOUR_SHORTAGE: "看家里谁能干活；公益岗位、土地流转、代耕有没有办",
        Cause.JOB_INSTABILITY: "问务工的人：还在不在岗，工资拖没拖欠，收入少了多少",
        Cause.BUSINESS_FAILURE: "看产业现场：亏了多少，贷款还不还得上，销路怎么样",
        Cause.HOUSING: "看房屋墙体、屋顶、门窗；有没有安全鉴定，下雨漏不漏",
        Cause.WATER: "看水龙头出不出水；水量够不够，水质清不清",
        Cause.OTHER: "问家里最近出了什么事，日子过得怎么样",
    }
)
_ASKED = "农户自己申报了困难：先问清要什么帮助，答复要当面说清楚"
_UNKNOWN = "问家里最近出了什么事，逐项看吃、穿、上学、看病、住房、饮水"


def look_at(causes: Iterable[str], *, has_reported: bool) -> tuple[str, ...]:
    """What to look at, most telling first; there is always something."""
    lines = [_ASKED] if has_reported else []
    lines += [_BY_CAUSE[Cause(cause)] for cause in dict.fromkeys(causes) if cause in _KNOWN]
    return tuple(lines) or (_UNKNOWN,)


_KNOWN = frozenset(cause.value for cause in _BY_CAUSE)
