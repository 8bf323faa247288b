"""Mistakes (差错) as they happen at departments: each one planted is also written down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from demo_county.chance import Chance
from demo_county.files import Sheet
from shared.vocabulary.identity_number import CHECK_CHARACTERS, check_digit

Row = list[str]

# Kinds a reader must put right, or pass on, without refusing the row.
NOT_REFUSED = frozenset(("unknown_person", "other_name", "excel_thousands", "lower_case_x", "fullwidth_id"))
UNMATCHED = "unknown_person"
CONFLICT = "duplicate_row_conflict"

BAD_CODES = {
    "与户主关系": "待核",
    "住房等级": "E",
    "就诊类别": "体检",
    "残疾类别": "9",
    "残疾等级": "5",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One planted mistake. `line` counts from 1 with the header; a conflict is with an earlier line."""

    file: str
    line: int
    column: str
    kind: str
    rejected: bool
    conflicts_with_line: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Where a row came to stand, whether a reader will refuse it, and whether its person is unknown."""

    line: int
    rejected: bool
    unknown: bool = False


@dataclass(slots=True)
class Mistakes:
    """Writes rows to sheets and spoils some; `stranger` gives number and name of somebody on no roster."""

    share: Mapping[str, float]
    stranger: Callable[[], tuple[str, str]]
    plans: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=lambda: PLANS)
    planted: list[Mistake] = field(default_factory=list)

    def write(self, sheet: Sheet, book: str, row: Row, chance: Chance) -> Written:
        """Write the row of that book (roster, medical, disability, a data set), as it is or with one mistake."""
        if chance.random() >= self.share[book]:
            return Written(sheet.write(row), False)
        plans = self.plans[book]
        first = chance.below(len(plans))
        for step in range(len(plans)):
            kind, column = plans[(first + step) % len(plans)]
            spoilt = self._spoilt(kind, column, row, sheet)
            if spoilt is not None:
                return self._plant(sheet, kind, column, row, spoilt)
        return Written(sheet.write(row), False)

    def _spoilt(self, kind: str, column: str, row: Row, sheet: Sheet) -> Row | None:
        """The row with that mistake in it; None when the row offers no place for it."""
        position, changed = sheet.position(column), list(row)
        if kind == UNMATCHED:
            changed[position], changed[sheet.position("姓名")] = self.stranger()
            return changed
        if kind == "out_of_pocket_over_total":
            changed[position] = f"{float(row[sheet.position('医疗总费用')]) + 100:.2f}"
            return changed
        cell = SPOIL[kind](row[position], column)
        if cell is None or cell == row[position]:
            return None
        changed[position] = cell
        return changed

    def _plant(self, sheet: Sheet, kind: str, column: str, row: Row, spoilt: Row) -> Written:
        earlier = sheet.write(row) if kind == CONFLICT else None
        line = sheet.write(spoilt)
        rejected = kind not in NOT_REFUSED
        self.planted.append(Mistake(sheet.name, line, column, kind, rejected, earlier))
        if earlier is not None:
            return Written(earlier, False)
        return Written(line, rejected, kind == UNMATCHED)


def _another(text: str, column: str) -> str:
    """Another name, or another day of the month."""
    if column == "姓名":
        return text + "甲"
    return text[:-2] + ("02" if text.endswith("01") else "01")


def _wrong_check_digit(number: str, _: str) -> str:
    return number[:-1] + CHECK_CHARACTERS[CHECK_CHARACTERS.index(number[-1]) - 1]


def _impossible_date(text: str, column: str) -> str:
    if column != "证件号码":
        return text[:4] + "-02-30"
    first_17 = text[:10] + "0230" + text[14:17]
    return first_17 + check_digit(first_17)


def _thousands(amount: str, _: str) -> str | None:
    whole, point, fen = amount.partition(".")
    return f"{int(whole):,}{point}{fen}" if len(whole) > 3 else None


def _negative(amount: str, _: str) -> str | None:
    return f"-{amount}" if amount.strip("0.") else None


SPOIL: Mapping[str, Callable[[str, str], str | None]] = {
    "wrong_check_digit": _wrong_check_digit,
    "impossible_date": _impossible_date,
    "scientific_notation_id": lambda number, _: f"{int(number[:17]) * 10:.5E}",
    "lower_case_x": lambda number, _: number.lower(),
    "fullwidth_id": lambda number, _: "".join(chr(ord(c) + 0xFEE0) for c in number),
    "blank_required": lambda _, __: "",
    "bad_code": lambda _, column: BAD_CODES.get(column, "待核"),
    "negative_amount": _negative,
    "excel_thousands": _thousands,
    CONFLICT: _another,
    "other_name": _another,
}

_ON_IDENTITY = (
    ("wrong_check_digit", "证件号码"),
    ("scientific_notation_id", "证件号码"),
    ("lower_case_x", "证件号码"),
    ("fullwidth_id", "证件号码"),
)
PLANS: Mapping[str, Sequence[tuple[str, str]]] = {
    "roster": (
        *_ON_IDENTITY,
        ("blank_required", "姓名"),
        (CONFLICT, "姓名"),
        ("impossible_date", "证件号码"),
        ("bad_code", "与户主关系"),
        ("bad_code", "住房等级"),
        ("negative_amount", "工资性收入"),
        ("excel_thousands", "工资性收入"),
    ),
    "medical": (
        *_ON_IDENTITY,
        ("blank_required", "证件号码"),
        (CONFLICT, "结算日期"),
        ("impossible_date", "结算日期"),
        ("bad_code", "就诊类别"),
        ("blank_required", "结算单号"),
        ("out_of_pocket_over_total", "合规自付"),
        ("negative_amount", "基本医保支付"),
        ("excel_thousands", "医疗总费用"),
        (UNMATCHED, "证件号码"),
        (UNMATCHED, "证件号码"),
    ),
    "disability": (
        *_ON_IDENTITY,
        ("blank_required", "证件号码"),
        (CONFLICT, "发证日期"),
        ("impossible_date", "发证日期"),
        ("bad_code", "残疾类别"),
        ("bad_code", "残疾等级"),
        (UNMATCHED, "证件号码"),
    ),
}
