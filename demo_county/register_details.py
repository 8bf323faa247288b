"""What the register says of members and households beside names and incomes (登记项), and what is wrong in it.

Drawn with chances of its own, so that the lives stay as they were. Doubts (疑点) are planted in some rows: each is
something that can be true of nobody, or needs to be looked at, and is written down with the number of its check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from demo_county.chance import Chance
from demo_county.life import Life
from demo_county.people import Household, Person

MEMBER_COLUMNS = (
    "性别",
    "民族",
    "文化程度",
    "在校生状况",
    "义务教育阶段未上学原因",
    "健康状况",
    "残疾证号",
    "劳动技能",
    "是否务工",
    "务工所在地",
    "务工时间(月)",
    "就业渠道",
    "月工资",
    "是否参加大病保险",
    "是否参加城乡居民基本养老保险",
    "是否参加城镇职工基本养老保险",
    "享受低保政策情况",
    "享受特困供养政策情况",
)
HOUSEHOLD_COLUMNS = (
    "人数",
    "是否危房户",
    "住房面积",
    "是否解决安全饮用水",
    "是否通生活用电",
    "是否有卫生厕所",
    "与村主干路距离",
    "耕地面积",
    "林地面积",
    "退耕还林面积",
    "林果面积",
    "牧草地面积",
    "水面面积",
)
DETAIL_COLUMNS = (*MEMBER_COLUMNS, *HOUSEHOLD_COLUMNS)

DOUBTS_FILE = "register_doubts.ndjson"
SHARE_OF_DOUBTS = 0.02  # Of rows; provinces found some percent of records doubtful when they first looked.
PLACES = ("江苏省苏州市昆山市", "浙江省杭州市余杭区", "北京市大兴区", "天津市武清区", "河北省保定市阜平县")
PENSION_AGE, PUPIL, TEEN = 60, range(6, 16), range(16, 18)
Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A planted doubt: the number of the check that should find it."""

    household_no: str
    line: int
    check: int


def details_of(life: Life, position: int) -> tuple[list[str], int | None]:
    """The cells of a member's row, in the order of the columns, and the check that a doubt in it breaks."""
    household, person = life.household, life.household.persons[position]
    chance = Chance(f"register/{household.number}/{position}/{household.income_rank!r}")
    cells = _member(life, position, chance)
    if position == 0:
        cells |= _household(household, chance)
    doubt = _doubt(cells, person, chance) if chance.happens(SHARE_OF_DOUBTS) else None
    return [cells.get(column, "") for column in DETAIL_COLUMNS], doubt


def _member(life: Life, position: int, chance: Chance) -> Cells:
    household, person = life.household, life.household.persons[position]
    cells = {
        "性别": "男" if person.sex == "male" else "女",
        "民族": "汉族" if chance.happens(0.97) else chance.one_of(("回族", "满族", "蒙古族")),
        "文化程度": _education(person, chance),
        "在校生状况": school_stage(person),
        "义务教育阶段未上学原因": "已完成义务教育" if person.age == 16 and not person.is_student else "",
        "健康状况": _health(life, position),
        "劳动技能": _labour(life, position),
        "是否参加大病保险": "是" if person.is_insured else "否",
        "享受低保政策情况": "农村低保" if household.gets_allowance else "未享受",
        "享受特困供养政策情况": "不享受",
    }
    held = _certificate(life, position)
    if held is not None:
        cells["残疾证号"] = f"{person.identity_number}{held[0]}{held[1]}"
    employee = person.employee_insured
    cells["是否参加城乡居民基本养老保险"] = "否" if employee or person.age < 16 or person.is_student else "是"
    cells["是否参加城镇职工基本养老保险"] = "是" if employee else "否"
    return cells | _work(life, position, chance)


def _education(person: Person, chance: Chance) -> str:
    """Blank for those at school, whose stage says it."""
    if person.age < 16 or person.is_student:
        return ""
    if person.age < 23:
        return chance.one_of(("初中", "高中"))
    if person.age < 45:
        return chance.one_of(("小学", "初中", "初中", "初中", "高中"))
    return chance.one_of(("文盲或半文盲", "小学", "小学", "初中"))


def school_stage(person: Person) -> str:
    """The stage the register names; blank for who has left school."""
    if person.age < 3:
        return "学龄前儿童"
    if person.age < 6:
        return "学前教育"
    if person.age < 12:
        return "小学"
    if person.age < 15:
        return ("七年级", "八年级", "九年级")[person.age - 12]
    if person.age == 15:
        return "普通高中一年级"
    if not person.is_student:
        return ""
    return "普通高中二年级" if person.age < 18 else "高职高专一年级"


def _certificate(life: Life, position: int) -> tuple[int, int] | None:
    held = life.household.persons[position].certificate or life.fate.certificates.get(position)
    return None if held is None else (held.kind, held.grade)


def _health(life: Life, position: int) -> str:
    said = ["长期慢性病"] if life.household.persons[position].is_chronic else []
    if any(who == position for who, _ in life.fate.serious):
        said.append("患有大病")
    if _certificate(life, position) is not None:
        said.append("残疾")
    return "、".join(said) or "健康"


def _labour(life: Life, position: int) -> str:
    person, held = life.household.persons[position], _certificate(life, position)
    if person.age < 16 or person.is_student:
        return "无劳动力"
    if held is not None and held[1] <= 2:
        return "丧失劳动力"
    if person.age >= PENSION_AGE:
        return "弱劳动力或半劳动力" if person.can_work else "无劳动力"
    return "普通劳动力" if person.can_work or _health(life, position) == "健康" else "弱劳动力或半劳动力"


def _work(life: Life, position: int, chance: Chance) -> Cells:
    """Those with wages of some size work for somebody; the others farm."""
    wages = life.usual.wages.get(position, 0.0)
    months = 6 + chance.below(6)
    if _labour(life, position) not in ("普通劳动力", "弱劳动力或半劳动力") or not 400 < wages / months < 30_000:
        return {"是否务工": "否"}
    return {
        "是否务工": "是",
        "务工所在地": chance.one_of(PLACES),
        "务工时间(月)": str(months),
        "就业渠道": chance.one_of(("自主就业", "亲友介绍", "政府组织")),
        "月工资": f"{wages / months:.2f}",
    }


def _household(household: Household, chance: Chance) -> Cells:
    return {
        "人数": str(len(household.persons)),
        "是否危房户": "是" if household.lived_in_house in "CD" else "否",
        "住房面积": str(40 + chance.below(120)),
        "是否解决安全饮用水": "是",
        "是否通生活用电": "是",
        "是否有卫生厕所": "是" if chance.happens(0.9) else "否",
        "与村主干路距离": f"{chance.random() * 3:.1f}",
        "耕地面积": f"{chance.random() * 12:.1f}",
        "林地面积": f"{chance.random() * 20:.1f}",
        "退耕还林面积": "0",
        "林果面积": f"{chance.random() * 4:.1f}",
        "牧草地面积": "0",
        "水面面积": "0",
    }


def _doubt(cells: Cells, person: Person, chance: Chance) -> int | None:
    """Spoil the cells with one doubt that the row offers a place for; the number of its check."""
    numbers = list(DOUBTS)
    first = chance.below(len(numbers))
    for step in range(len(numbers)):
        number = numbers[(first + step) % len(numbers)]
        spoilt = DOUBTS[number](cells, person)
        if spoilt is not None:
            cells.update(spoilt)
            return number
    return None


DOUBTS: Mapping[int, Callable[[Cells, Person], Cells | None]] = {
    10: lambda c, p: {"性别": "女" if p.sex == "male" else "男"},
    12: lambda c, p: {"人数": str(int(c["人数"]) + 1)} if "人数" in c else None,
    13: lambda c, p: {"民族": ""},
    14: lambda c, p: {"健康状况": ""} if c["健康状况"] == "健康" else None,
    21: lambda c, p: {"在校生状况": ""} if p.age in PUPIL else None,
    24: lambda c, p: {"在校生状况": "小学"} if p.is_student else None,
    29: lambda c, p: {"文化程度": "小学"} if p.age in TEEN and c["文化程度"] else None,
    32: lambda c, p: {"劳动技能": "普通劳动力"} if p.age < 16 else None,
    33: lambda c, p: {"劳动技能": "普通劳动力"} if p.age >= 60 else None,
    34: lambda c, p: {"劳动技能": "无劳动力"} if 16 <= p.age < 60 and _is_able(c, p) else None,
    37: lambda c, p: {"残疾证号": ""} if c.get("残疾证号") else None,
    43: lambda c, p: {"月工资": "45000.00"} if c.get("月工资") else None,
    44: lambda c, p: {"务工时间(月)": ""} if c.get("务工时间(月)") else None,
    52: lambda c, p: {"是否参加大病保险": ""},
    56: lambda c, p: {"住房面积": ""} if "住房面积" in c else None,
    57: lambda c, p: {"与村主干路距离": "7.5"} if "与村主干路距离" in c else None,
    58: lambda c, p: {"耕地面积": "160"} if "耕地面积" in c else None,
}


def _is_able(cells: Cells, person: Person) -> bool:
    return cells["健康状况"] == "健康" and cells["是否务工"] == "否" and not person.is_student
