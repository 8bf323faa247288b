"""Names of people (姓名) as different sources write them: whether two spellings may be one name."""

import unicodedata

# What separates the parts of a minority name, however it is written, and blanks.
_SEPARATORS = dict.fromkeys(map(ord, " .·•‧∙・●⋅᛫-'`"))
# What offices print for a character hidden on purpose, or one their machine does not have.
_WILDCARDS = frozenset("*?□■_〓")
# Forms of one character, as registers of different years write it (异体字, 繁体字).
_VARIANTS = str.maketrans(
    "峯羣喆堃祕劉張陳趙楊黃吳孫馬鄭許謝馮蔣韓錢鳳蘭華國強剛勇軍偉麗貴慶東龍瑩曉紅連萬雲",
    "峰群哲坤秘刘张陈赵杨黄吴孙马郑许谢冯蒋韩钱凤兰华国强刚勇军伟丽贵庆东龙莹晓红连万云",
)


def normal_name(name: str) -> str:
    """A name without blanks and middle dots, in one width, case and form of its characters."""
    return unicodedata.normalize("NFKC", name).lower().translate(_SEPARATORS).translate(_VARIANTS)


def may_be_same_name(one: str, other: str) -> bool:
    """Whether two spellings may be one name: a hidden or missing character agrees with any, an unknown name too."""
    first, second = normal_name(one), normal_name(other)
    if _WILDCARDS.issuperset(first) or _WILDCARDS.issuperset(second):
        return True
    return len(first) == len(second) and all(map(_agree, first, second))


def _agree(one: str, other: str) -> bool:
    return one == other or one in _WILDCARDS or other in _WILDCARDS
