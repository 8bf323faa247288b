"""A small invented village: its cadres, its households, and the files about them."""

import csv
import io
from dataclasses import dataclass
from datetime import date

from shared.vocabulary.identity_number import check_digit

COUNTY = "130624000000"
VILLAGE = "130624100200"
NEIGHBOUR = "130624100201"

OFFICER_HEADER = ["工号", "姓名", "角色", "手机", "邮箱", "行政区划代码"]
ROSTER_HEADER = [
    "户编号",
    "姓名",
    "证件号码",
    "与户主关系",
    "联系电话",
    "行政区划代码",
    "户类型",
    "参加居民医保",
    "参加职工医保",
    "住房等级",
    "实际居住房屋等级",
    "收入年度",
    "工资性收入",
    "生产经营性收入",
    "生产经营性支出",
    "财产性收入",
    "转移性收入",
]
MEDICAL_HEADER = [
    "结算单号",
    "证件号码",
    "姓名",
    "结算日期",
    "就诊类别",
    "住院号",
    "医疗总费用",
    "基本医保支付",
    "大病保险支付",
    "医疗救助支付",
    "其他支付",
    "合规自付",
    "目录外自付",
]


def number(serial: int, birth: str = "19700101") -> str:
    """An identity number of the reserved area 990000, right in its check digit."""
    first = f"990000{birth}{serial % 1000:03d}"
    return first + check_digit(first)


@dataclass(frozen=True)
class Family:
    """A household of one; `serial` makes all its numbers."""

    serial: int
    division: str = VILLAGE
    wage_yuan: str = "20000"
    base_group: str = "一般农户"

    @property
    def household_no(self) -> str:
        return f"130624{self.serial:010d}"

    @property
    def identity_number(self) -> str:
        return number(self.serial % 1000, f"19{60 + self.serial // 1000 % 30:02d}0101")

    @property
    def name(self) -> str:
        return "张" + "甲乙丙丁戊己庚辛壬癸"[self.serial % 10] + "子丑寅卯辰巳午未申酉"[self.serial // 10 % 10]

    def roster_row(self, year: int) -> list[str]:
        return [
            self.household_no,
            self.name,
            self.identity_number,
            "户主",
            "19900000001",
            self.division,
            self.base_group,
            "是",
            "否",
            "A",
            "A",
            str(year),
            self.wage_yuan,
            "0",
            "0",
            "0",
            "0",
        ]

    def stay_row(self, on: date, self_paid: int, settlement: str) -> list[str]:
        return [
            settlement,
            self.identity_number,
            self.name,
            on.isoformat(),
            "住院",
            f"S{settlement}",
            str(self_paid + 5000),
            "5000",
            "0",
            "0",
            "0",
            str(self_paid),
            "0",
        ]

    def report(self, on: date) -> dict[str, object]:
        """What this family would send to POST /intake/v1/self-reports."""
        return {
            "household_no": self.household_no,
            "division": self.division,
            "hardships": ["illness"],
            "consent": {"version": "2025-1"},
            "description": "家里人住院，借了钱",
            "reported_on": on.isoformat(),
            "reporter": {"name": self.name, "identity_number": self.identity_number, "phone": "19900000001"},
        }


def officers_csv(*villages: str) -> str:
    """A secretary (工号 S-<village>) and a grid worker for each village, and one administrator of the county."""
    rows = [["A-1", "县管", "county_admin", "19900000009", "admin@demo.invalid", COUNTY]]
    for village in villages:
        rows.append([f"S-{village}", "王书记", "village_secretary", "19900000002", "s@demo.invalid", village])
        rows.append([f"G-{village}", "李网格", "grid_worker", "19900000003", "g@demo.invalid", village])
    return as_csv([OFFICER_HEADER, *rows])


def roster_csv(families: list[Family], year: int) -> str:
    return as_csv([ROSTER_HEADER, *(family.roster_row(year) for family in families)])


def as_csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
