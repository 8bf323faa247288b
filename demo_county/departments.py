"""What departments send: the household register, monthly medical settlements, the disability register.

Settlements hold every stay and chronic visit, and outpatient visits over 100 yuan; the uninsured are missing.
The register is late: who died in the last two years still stands in it. Two more sheets hold what the county
knew already when the year of the files began; no department sends them again.
"""

from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.files import GB18030, UTF8, UTF8_BOM, Sheet, yuan
from demo_county.incomes import UsualIncome
from demo_county.insurance import Bill
from demo_county.life import Life
from demo_county.mistakes import Mistakes
from demo_county.months import LENGTH, Period
from demo_county.people import Household, Person
from demo_county.register_details import DETAIL_COLUMNS, Doubt, details_of

ROSTER_FILE = "household_register.csv"
DISABILITY_FILE = "disability_register.csv"
MEDICAL_FILES = "medical_settlement_*.csv"
EARLIER_INCOME_FILE, EARLIER_MEDICAL_FILE = "earlier_incomes.csv", "earlier_settlements.csv"
EARLIER_DAY = 15  # Of the month: an earlier bill draws no day, so that the files stay as they were.

INCOME_COLUMNS = (
    "收入年度",
    "工资性收入",
    "生产经营性收入",
    "生产经营性支出",
    "财产性收入",
    "转移性收入",
)
ROSTER_COLUMNS = (
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
    *DETAIL_COLUMNS,
    *INCOME_COLUMNS,
)
MEDICAL_COLUMNS = (
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
)
DISABILITY_COLUMNS = (
    "残疾证号",
    "姓名",
    "证件号码",
    "残疾类别",
    "残疾等级",
    "发证日期",
    "行政区划代码",
)


class Departments:
    """Writes each household into every department's file; remembers whose register row will be refused."""

    def __init__(
        self, folder: Path, period: Period, calibration: Calibration, mistakes: Mistakes, stack: ExitStack
    ) -> None:
        self._period = period
        self._calibration = calibration
        self._mistakes = mistakes
        self.roster = stack.enter_context(Sheet(folder / ROSTER_FILE, ROSTER_COLUMNS, UTF8_BOM))
        self.disability = stack.enter_context(Sheet(folder / DISABILITY_FILE, DISABILITY_COLUMNS, GB18030))
        self.incomes = stack.enter_context(Sheet(folder / EARLIER_INCOME_FILE, ("户编号", *INCOME_COLUMNS), UTF8))
        self.earlier = stack.enter_context(Sheet(folder / EARLIER_MEDICAL_FILE, MEDICAL_COLUMNS, UTF8))
        self.medical = {m: stack.enter_context(_medical_sheet(folder, period, m)) for m in period.last_year}
        self.unmatched: dict[str, int] = {}
        self.doubts: list[Doubt] = []

    def write(self, life: Life, chance: Chance) -> frozenset[int]:
        """Write the household everywhere; returns the members whose register row a reader refuses."""
        refused = self._register(life, chance)
        for bill in life.bills:
            if life.household.persons[bill.treatment.person].is_insured:
                self._settle(life.household, bill, refused, chance)
        for position, person in enumerate(life.household.persons):
            self._certify(life, position, person, refused, chance)
        return refused

    def _register(self, life: Life, chance: Chance) -> frozenset[int]:
        refused = set()
        self.incomes.write(
            [life.household.number, str(self._period.reporting_year - 1), *earlier_income(life, self._calibration)]
        )
        incomes = verified_income(life, self._period, self._calibration, chance)
        for position, person in enumerate(life.household.persons):
            details, doubt = details_of(life, position)
            row = [*_register_row(life.household, person), *details]
            row += [str(self._period.reporting_year), *incomes] if position == 0 else [""] * 6
            written = self._mistakes.write(self.roster, "roster", row, chance)
            if written.rejected:
                refused.add(position)
            elif doubt is not None:
                self.doubts.append(Doubt(life.household.number, written.line, doubt))
        return frozenset(refused)

    def _settle(self, household: Household, bill: Bill, refused: frozenset[int], chance: Chance) -> None:
        """One row in the month of settlement, which is sometimes the month after the treatment."""
        late = chance.happens(self._calibration.number("health.late_settlement"))
        month = bill.treatment.month + late
        if month in self.medical:
            day = self._period.firsts[month] + timedelta(days=chance.below(28))
            row = self._settlement(self.medical[month], month, day, household, bill)
            self._write_about(self.medical[month], "medical", row, bill.treatment.person in refused, chance)
        elif month < LENGTH:
            day = self._period.firsts[month].replace(day=EARLIER_DAY)
            self.earlier.write(self._settlement(self.earlier, month, day, household, bill))

    def _settlement(self, sheet: Sheet, month: int, day: date, household: Household, bill: Bill) -> list[str]:
        person, kind = household.persons[bill.treatment.person], bill.treatment.kind
        number = f"{self._period.compact(month)}{sheet.line:07d}"
        stay = f"ZY{number}" if kind == "住院" else ""
        row = [f"JS{number}", person.identity_number, person.name, day.isoformat(), kind, stay]
        return [*row, *_amounts(bill)]

    def _certify(self, life: Life, position: int, person: Person, refused: frozenset[int], chance: Chance) -> None:
        held = person.certificate or life.fate.certificates.get(position)
        if held is None:
            return
        row = [
            f"{person.identity_number}{held.kind}{held.grade}",
            person.name,
            person.identity_number,
            str(held.kind),
            str(held.grade),
            held.issued_on.isoformat(),
            life.household.division,
        ]
        self._write_about(self.disability, "disability", row, position in refused, chance)

    def _write_about(self, sheet: Sheet, book: str, row: list[str], is_unlisted: bool, chance: Chance) -> None:
        """Write a row about a person; counts it when a reader will accept it but find nobody."""
        written = self._mistakes.write(sheet, book, row, chance)
        if not written.rejected and (is_unlisted or written.unknown):
            self.unmatched[sheet.name] = self.unmatched.get(sheet.name, 0) + 1


def verified_income(life: Life, period: Period, calibration: Calibration, chance: Chance) -> list[str]:
    """The reporting year's income as cadres verify it (核定收入), in yuan, in the order of the columns.

    Close to a usual year: loss years of a farm are not booked, and only a part of lost wages is seen.
    """
    usual, seen = life.usual, calibration.number("income.dip_seen")
    usual_wages = sum(usual.wages.values())
    real_wages = sum(life.books.flows.wages[m] for m in period.reporting_months)
    wages = usual_wages + seen * min(0.0, real_wages - usual_wages)
    return [str(round(part * (0.98 + 0.04 * chance.random()))) for part in (wages, *_besides_wages(usual))]


def earlier_income(life: Life, calibration: Calibration) -> list[str]:
    """The income of the year before the reporting year: a usual one then, since the months we know begin after it."""
    parts = (sum(life.usual.wages.values()), *_besides_wages(life.usual))
    return [str(round(part / (1 + calibration.number("income.growth")))) for part in parts]


def _besides_wages(usual: UsualIncome) -> tuple[float, float, float, float]:
    return usual.business_revenue, usual.business_cost, usual.property_income, usual.transfers


def _medical_sheet(folder: Path, period: Period, month: int) -> Sheet:
    """The month's file; one office exports odd months from an old system in GB18030."""
    encoding = GB18030 if period.firsts[month].month % 2 else UTF8
    return Sheet(folder / f"medical_settlement_{period.compact(month)}.csv", MEDICAL_COLUMNS, encoding)


def _register_row(household: Household, person: Person) -> list[str]:
    return [
        household.number,
        person.name,
        person.identity_number,
        person.relation,
        household.phone,
        household.division,
        "脱贫户" if household.is_formerly_poor else "一般农户",
        "是" if person.resident_insured else "否",
        "是" if person.employee_insured else "否",
        household.registered_house,
        household.lived_in_house,
    ]


def _amounts(bill: Bill) -> list[str]:
    parts = (bill.basic, bill.critical, bill.assistance, bill.other, bill.self_compliant, bill.self_outside)
    return [yuan(bill.treatment.gross), *map(yuan, parts)]
