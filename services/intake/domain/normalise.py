"""Values as departments write them, brought to one form: the value and what was done to it, or why it is refused.

Nothing is guessed: what was changed is named in `notes`, what could mean two things is refused with an example.
A blank, or a mark that stands for one ("-", "无", "暂无"), is null and never zero.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from services.intake.domain.feed_layout import Column, ColumnType, Month
from shared.vocabulary.division import DivisionCodeError, DivisionLevel, level_of, parse_division
from shared.vocabulary.identity_number import IdentityNumberError, holds_identity_number, parse_identity_number


@dataclass(frozen=True, slots=True)
class Normal:
    """A value in its normal form; money in fen, codes as codes. `notes` are stable codes of what was done."""

    value: Any
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text is no value of its column: stable code, reason, what is right."""

    code: str
    reason: str
    expected: str | None = None
    example: str | None = None


@dataclass(frozen=True, slots=True)
class DisabilityCertificate:
    """A certificate number (残疾人证号): identity number, type digit and grade digit."""

    identity_number: str
    type: str
    grade: str


Outcome = Normal | Refusal

NULL = Normal(None)
NO_NOTES: tuple[str, ...] = ()
EARLIEST = date(1900, 1, 1)
CHINA = timezone(timedelta(hours=8))
EXCEL_EPOCH = date(1899, 12, 30)  # Serial 61 and above; Excel believes that 1900 was a leap year.
EXCEL_SERIALS = range(61, 73051)  # Up to 2099-12-31.

BLANK_MARKS = frozenset(
    {"-", "--", "—", "——", "－", "/", "／", "\\", "无", "暂无", "空", "未填", "NULL", "null", "N/A", "n/a", "None"}
)
EXCEL_ERRORS = frozenset({"#REF!", "#DIV/0!", "#N/A", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"})
FOR_EVER = frozenset({"长期", "永久", "无期限", "长期有效", "无固定期限"})
YES = frozenset({"是", "有", "√", "✓", "✔", "☑", "1", "y", "yes", "true", "t", "对", "已参保", "参保", "已参加"})
NO = frozenset({"否", "无", "没有", "×", "✗", "✘", "x", "0", "n", "no", "false", "f", "未参保", "未参加", "不是"})

NOTES = MappingProxyType(
    {
        "blank_mark": "用“-”“无”“暂无”等表示空白，按未填处理，不按0处理",
        "spaces": "去掉了多余的空格或不可见字符",
        "apostrophe": '去掉了前面的单引号或 ="…"',
        "width": "全角字符改为半角",
        "date_form": "日期改为 2026-01-05 的形式",
        "time_dropped": "去掉了日期后面的时间",
        "excel_serial": "Excel 日期序号改为日期",
        "thousands": "去掉了千分位逗号",
        "currency": "去掉了货币符号或单位",
        "ten_thousand": "以万元为单位的数换算为元",
        "decimal_dropped": "去掉了整数后面的 .0",
        "fraction_dropped": "百分数只取整数部分",
        "year_form": "去掉了“年”字",
        "upper_case": "末位小写x改为大写",
        "separators": "去掉了证件号码中的空格或连字符",
        "legacy_15_digits": "15位旧号换算为18位",
        "sequence_000": "证件号码顺序码为000，请核对",
        "month_only": "只有年月，按版式约定取该月第一天或最后一天",
        "permit": "港澳台居民居住证号码",
        "foreign_resident": "外国人永久居留身份证号码",
        "open_ended": "长期或9999年按没有终止日期处理",
        "reversal_sign": "冲销行的负数按冲销的金额处理",
        "zone": "时间带时区，按北京时间的那一天",
        "division_succeeded": "已撤并的村 (社区) 代码改为承接它的村 (社区) 代码",
        "own_code_found": "按本部门编码找到以前报送过的人、户或区划",
        "middle_dot": "姓名间隔号统一为“·”",
    }
)

_SURROUND = " \t\r\n\u00a0\u3000\u200b\u200c\u200d\u2060\ufeff"
_UNWRAP = re.compile(r'="(.*)"', re.DOTALL)
_UNSEEN = re.compile(r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u2028\u2029\ufff9-\ufffb]")
_INVISIBLE = re.compile(r"[\u00ad\u200b\u2060\ufeff]")
_JOINERS = re.compile(r"[\u200c\u200d]")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE = re.compile(
    r"([0-9]{4})(?:[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})[日号]?|([0-9]{2})([0-9]{2}))"
)
_TIME = re.compile(r"[ T]+[0-9]{1,2}[:：][0-9]{2}([:：][0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?$")
_ZONED = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]+([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})"
)
_YEAR_MONTH = re.compile(r"([0-9]{4})(?:[-/.年])?([0-9]{1,2})月?")
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2})0*)?(%?)")
_MONTH = re.compile(r"[0-9]{4}[-/.年][0-9]{1,2}月?")
_SHORT_YEAR = re.compile(r"'?[0-9]{2}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?")
_DAY_FIRST = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}")
_LUNAR = re.compile(r"农历|阴历|腊月|正月|初[一二三四五六七八九十]|廿")
_CHINESE_DATE = re.compile(r"[零〇○一二三四五六七八九]{2,4}年.*")
_PLAIN_MONEY = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,2}))?")
_MONEY = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]*))?")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_CURRENCY = re.compile(r"^(?:人民币|RMB|CNY|[¥￥$])|(?:人民币|RMB|CNY|元整?|块)$", re.IGNORECASE)
_CHINESE_NUMERALS = re.compile(r"[零〇一二三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾佰仟]")
_SCIENTIFIC = re.compile(r"[+-]?[0-9](\.[0-9]+)?[eE][+-]?[0-9]+")
_INTEGER = re.compile(r"(-?[0-9]{1,12})(\.0*)?")
_YEAR = re.compile(r"([0-9]{4})(年|\.0)?")
_CERTIFICATE = re.compile(r"([0-9]{17}[0-9X])([1-7])([1-4])(B[0-9])?")
_LISTED = re.compile(r"[、,，;；/+和\s]+")


def normalise(column: Column, raw: str, today: date) -> Outcome:
    """The normal form of what a cell of `column` says, or why it is refused. A blank is null, required or not."""
    text, notes = bare(raw)
    if not text:
        return NULL
    if (refusal := _unreadable(text)) is not None:
        return refusal
    if text in BLANK_MARKS and not (column.type is ColumnType.BOOLEAN and text in NO):
        return Normal(None, ("blank_mark",))
    outcome = _BY_TYPE[column.type](column, text, today)
    if notes and isinstance(outcome, Normal):
        return Normal(outcome.value, notes + outcome.notes)
    return outcome


def bare(raw: str) -> tuple[str, tuple[str, ...]]:
    """The text without what surrounds it: blanks of all kinds, Excel's apostrophe, ="..."."""
    text = raw.strip(_SURROUND)
    notes: tuple[str, ...] = ("spaces",) if text != raw else ()
    if text[:1] in ("'", "’", "="):
        wrapped = _UNWRAP.fullmatch(text)
        shorter = wrapped.group(1) if wrapped else text.lstrip("'’")
        if shorter != text:
            text, notes = shorter.strip(_SURROUND), (*notes, "apostrophe")
    return text, notes


def _unreadable(text: str) -> Refusal | None:
    if text.isascii() and text.isprintable() and text[0] != "#":
        return None
    if "\x00" in text:
        return Refusal("nul_character", "含有空字符 (NUL)，文件可能已损坏，请重新导出")
    if _UNSEEN.search(text):
        return Refusal("control_character", "含有不可见的控制字符，请重新录入该单元格")
    if text.strip("#") == "":
        return Refusal("excel_overflow", "是“####”：Excel 列宽不足，导出的不是值", "调整列宽后重新导出")
    if text.upper() in EXCEL_ERRORS:
        return Refusal("excel_error", "是 Excel 公式错误，不是值", "改正公式或直接填写结果")
    return None


def _text(column: Column, text: str, _: date) -> Outcome:
    if _DIRECTION.search(text):
        return Refusal("control_character", "含有改变文字方向的不可见字符，请重新录入该单元格")
    value, notes = (text, NO_NOTES) if text.isascii() else _visible(text)
    if column.name == "person_name":
        value, named = _name(value)
        notes = tuple(dict.fromkeys((*notes, *named)))
    if holds_identity_number(value):
        # What this column says is kept and shown in clear.
        reason = f"{column.header}中是身份证号，请核对各列是否错位"
        return Refusal("identity_number_misplaced", reason, None, column.example)
    if len(value) > column.max_length:
        limit = f"{column.max_length} 个字"
        return Refusal("too_long", f"超过 {limit}", f"不超过 {limit}", column.example)
    if column.pattern and not re.fullmatch(column.pattern, value):
        return Refusal("wrong_form", f"{column.header}格式不正确", None, column.example)
    return Normal(value, notes)


def _visible(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without characters that nobody sees; joiners stay, some scripts are written with them."""
    value = _INVISIBLE.sub("", text)
    return value, ("spaces",) if value != text else NO_NOTES


def _name(text: str) -> tuple[str, tuple[str, ...]]:
    """Minority names have · • ． or others between their parts; a blank inside a short name is only layout."""
    value = re.sub(r"[•‧∙・．･●⋅᛫]", "·", text)
    notes: tuple[str, ...] = ("middle_dot",) if value != text else ()
    if not value.isascii() and (bare := _JOINERS.sub("", re.sub(r"\s+", "", value))) != value:
        value, notes = bare, (*notes, "spaces")
    return value, notes


def _identity_number(column: Column, text: str, today: date) -> Outcome:
    try:
        number = parse_identity_number(text, today)
    except IdentityNumberError as error:
        return Refusal(error.code, error.message_zh, "18位公民身份号码", column.example)
    return Normal(number, number.notes)


def _disability_certificate(column: Column, text: str, today: date) -> Outcome:
    compact = unicodedata.normalize("NFKC", text).replace(" ", "").replace("-", "").upper()
    match = _CERTIFICATE.fullmatch(compact)
    if match is None:
        expected = "18位身份号码 + 类别1位(1-7) + 等级1位(1-4)"
        return Refusal("wrong_form", "残疾人证号应为20位", expected, column.example)
    inner = _identity_number(column, match.group(1), today)
    if isinstance(inner, Refusal):
        return Refusal(inner.code, f"残疾人证号前18位不正确：{inner.reason}", None, column.example)
    return Normal(
        DisabilityCertificate(match.group(1), match.group(2), match.group(3)), ("width",) if compact != text else ()
    )


def _date(column: Column, text: str, today: date) -> Outcome:
    if _ISO_DATE.fullmatch(text):
        return _day(column, text[:4], text[5:7], text[8:], today, ())
    plain, notes = _half_width(text)
    if zoned := _ZONED.fullmatch(plain):
        return _zoned(column, zoned, today, notes)
    untimed = _TIME.sub("", plain).strip()
    if untimed != plain:
        plain, notes = untimed, (*notes, "time_dropped")
    if match := _DATE.fullmatch(plain):
        year, month, day = match.group(1), *(g for g in match.groups()[1:] if g is not None)
        form = () if _ISO_DATE.fullmatch(plain) else ("date_form",)
        return _day(column, year, month, day, today, (*notes, *form))
    if plain.isascii() and plain.isdigit() and len(plain) <= 5 and int(plain) in EXCEL_SERIALS:
        return _checked_day(column, EXCEL_EPOCH + timedelta(int(plain)), today, (*notes, "excel_serial"))
    if column.month is not None and (match := _YEAR_MONTH.fullmatch(plain)):
        return _month(column, int(match.group(1)), int(match.group(2)), today, (*notes, "month_only"))
    if column.open_ended and plain in FOR_EVER:
        return Normal(None, (*notes, "open_ended"))
    return _refused_date(plain)


def _zoned(column: Column, match: re.Match[str], today: date, notes: tuple[str, ...]) -> Outcome:
    """The day in China at an instant that was written with its zone."""
    zone = "+00:00" if match[3] == "Z" else match[3]
    try:
        instant = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
        day = instant.astimezone(CHINA).date()
    except (ValueError, OverflowError):
        return Refusal("no_such_date", "没有这一天或这个时刻", "真实存在的日期", "2026-01-05")
    return _checked_day(column, day, today, (*notes, "time_dropped", "zone"))


def _month(column: Column, year: int, month: int, today: date, notes: tuple[str, ...]) -> Outcome:
    """A bare month as its first or last day; the running month ends today."""
    if not 1 <= month <= 12:
        return Refusal("no_such_date", "没有这个月", "真实存在的年月", "2026-01")
    last = monthrange(year, month)[1] if column.month is Month.LAST else 1
    day = date(year, month, last)
    runs = (year, month) == (today.year, today.month)
    return _checked_day(column, min(day, today) if runs else day, today, notes)


def _day(column: Column, year: str, month: str, day: str, today: date, notes: tuple[str, ...]) -> Outcome:
    try:
        return _checked_day(column, date(int(year), int(month), int(day)), today, notes)
    except ValueError:
        return Refusal("no_such_date", "没有这一天", "真实存在的日期", "2026-01-05")


def _checked_day(column: Column, value: date, today: date, notes: tuple[str, ...]) -> Outcome:
    if value.year >= 9999 and column.open_ended:
        return Normal(None, (*notes, "open_ended"))
    if value.year >= 9999:
        return Refusal("open_ended_date", "长期或无期限不是发生日期", "具体日期", "2026-01-05")
    if value < EARLIEST:
        return Refusal("date_out_of_range", "日期早于1900年", "1900年以后的日期", "2026-01-05")
    if value > today and not column.future:
        return Refusal("date_in_future", "日期晚于今天", "今天或以前的日期", "2026-01-05")
    return Normal(value, notes)


def _refused_date(text: str) -> Refusal:
    iso = "年-月-日，年份4位"
    if _SHORT_YEAR.fullmatch(text):
        return Refusal("two_digit_year", "年份只有两位，无法判断世纪", iso, "2026-01-05")
    if _DAY_FIRST.fullmatch(text):
        return Refusal("ambiguous_date", "无法判断哪个是月、哪个是日", iso, "2026-01-05")
    if _MONTH.fullmatch(text):
        return Refusal("month_only", "只有年月，没有日", iso, "2026-01-05")
    if _LUNAR.search(text):
        return Refusal("lunar_date", "是农历日期", "公历日期", "2026-01-05")
    if text in FOR_EVER:
        return Refusal("open_ended_date", "长期或无期限不是发生日期", "具体日期", "2026-01-05")
    if _CHINESE_DATE.fullmatch(text):
        return Refusal("chinese_numerals", "是中文数字的日期", "阿拉伯数字", "2026-01-05")
    return Refusal("date_form", "不是可以识别的日期", iso, "2026-01-05")


def _money(column: Column, text: str, _: date) -> Outcome:
    if column.unit == "yuan" and (match := _PLAIN_MONEY.fullmatch(text)):
        fen = int(match.group(1)) * 100 + int((match.group(2) or "").ljust(2, "0"))
        return _plausible(column, fen, ())
    plain, notes = _half_width(text)
    plain = plain.replace(" ", "")
    factor = 10_000 if column.unit == "ten_thousand_yuan" else 1
    bare_number = _CURRENCY.sub("", _CURRENCY.sub("", plain))
    if bare_number != plain:
        notes = (*notes, "currency")
    if column.typed and (bare_number != plain or "," in plain or plain.endswith("万")):
        return Refusal("money_form", "JSON 中的金额不带千分位、货币符号和“万”", "以元为单位的数字文本", "1234.50")
    if bare_number.endswith("万"):
        bare_number, factor = bare_number[:-1], 10_000
    if _THOUSANDS.fullmatch(bare_number):
        bare_number, notes = bare_number.replace(",", ""), (*notes, "thousands")
    match = _MONEY.fullmatch(bare_number)
    if match is None:
        return _refused_money(bare_number)
    return _scaled(column, match, factor, notes)


def _scaled(column: Column, match: re.Match[str], factor: int, notes: tuple[str, ...]) -> Outcome:
    sign, whole, decimals = match.group(1), match.group(2), match.group(3) or ""
    places = 2 if factor == 1 else 6
    if len(decimals) > places:
        return Refusal("too_many_decimals", f"小数超过{places}位", f"最多{places}位小数", "1234.50")
    fen = int(whole) * 100 * factor + int(decimals.ljust(places, "0") or 0)
    if factor != 1:
        notes = (*notes, "ten_thousand")
    return _plausible(column, -fen if sign else fen, notes)


def _plausible(column: Column, fen: int, notes: tuple[str, ...]) -> Outcome:
    if fen < 0 and not column.negative:
        return Refusal("negative_amount", "金额不能为负数", "0 或正数", "1234.50")
    if abs(fen) > column.max_yuan * 100:
        limit = f"{column.max_yuan} 元"
        return Refusal("implausible_amount", f"金额超过 {limit}，请核对单位 (元/万元)", f"不超过 {limit}", "1234.50")
    return Normal(fen, notes)


def _refused_money(text: str) -> Refusal:
    if _SCIENTIFIC.fullmatch(text):
        return Refusal("scientific_notation", "是科学计数法，可能已丢失精度", "普通数字", "1234.50")
    if _CHINESE_NUMERALS.search(text):
        return Refusal("chinese_numerals", "是中文数字", "阿拉伯数字", "12000.00")
    if text.endswith("%"):
        return Refusal("percent", "是百分数，不是金额", "以元为单位的数字", "1234.50")
    return Refusal("money_form", "不是可以识别的金额", "以元为单位的数字，最多两位小数", "1234.50")


def _boolean(column: Column, text: str, _: date) -> Outcome:
    word = unicodedata.normalize("NFKC", text).lower()
    if word in YES:
        return Normal(True)
    if word in NO:
        return Normal(False)
    return Refusal("not_yes_or_no", "不是“是”或“否”", "是 / 否", "是")


def _code(column: Column, text: str, _: date) -> Outcome:
    if column.multiple:
        return _codes(column, text)
    code = _coded(column, text)
    return Normal(code) if code is not None else _unknown_code(column)


def _codes(column: Column, text: str) -> Outcome:
    found = [_coded(column, part) for part in _LISTED.split(text) if part]
    if not found or None in found:
        return _unknown_code(column)
    return Normal(tuple(sorted({code for code in found if code is not None})))


def _coded(column: Column, text: str) -> str | None:
    """The code of an accepted text; the code itself is accepted too."""
    if text in column.codes:
        return column.codes[text]
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    if plain.endswith(".0") and plain[:-2].isdigit():
        plain = plain[:-2]
    if plain in column.codes:
        return column.codes[plain]
    known = set(column.codes.values())
    return next((code for code in (plain, plain.upper(), plain.lower()) if code in known), None)


def _unknown_code(column: Column) -> Refusal:
    choices = list(dict.fromkeys(column.codes))
    return Refusal("unknown_code", f"{column.header}不在代码表中", " / ".join(choices[:12]), column.example)


def _integer(column: Column, text: str, _: date) -> Outcome:
    plain, notes = _half_width(text)
    match = _INTEGER.fullmatch(plain)
    if match is None:
        return Refusal("not_an_integer", "不是整数", "整数", column.example or "3")
    if match.group(2):
        notes = (*notes, "decimal_dropped")
    value = int(match.group(1))
    if value < 0 and not column.negative:
        return Refusal("negative_number", "不能为负数", "0 或正整数", column.example or "3")
    if column.most is not None and value > column.most:
        return Refusal("implausible_number", f"大于 {column.most}", f"不超过 {column.most}", column.example or "3")
    return Normal(value, notes)


def _percent(column: Column, text: str, _: date) -> Outcome:
    """Hundredths of a percent, or whole percents; 0.3 without a sign may be a share and is refused."""
    plain, notes = _half_width(text)
    match = _PERCENT.fullmatch(plain.replace(" ", ""))
    right = column.example or "35"
    if match is None:
        return Refusal("not_a_percentage", "不是百分数", "0 至 100，最多两位小数", right)
    basis = int(match.group(1)) * 100 + int((match.group(2) or "").ljust(2, "0"))
    if 0 < basis <= 100 and not match.group(3):
        return Refusal("ambiguous_percentage", "无法判断是百分数还是小数", "写明百分号，例如 35%", right)
    if basis > (column.most or 100) * 100:
        return Refusal("implausible_number", f"大于 {column.most or 100}%", "0 至 100", right)
    if column.unit == "basis_points":
        return Normal(basis, notes)
    return Normal(basis // 100, (*notes, "fraction_dropped") if basis % 100 else notes)


def _division(column: Column, text: str, _: date) -> Outcome:
    plain, notes = _half_width(text)
    if plain.endswith(".0"):
        plain, notes = plain[:-2], (*notes, "decimal_dropped")
    if _SCIENTIFIC.fullmatch(plain):
        return Refusal("precision_lost", "是科学计数法，末位已丢失", "12位行政区划代码 (文本)", column.example)
    try:
        division = parse_division(plain)
    except DivisionCodeError as error:
        return Refusal(error.code, error.message, "12位村级行政区划代码", column.example)
    if level_of(division) is not DivisionLevel.VILLAGE:
        return Refusal("not_a_village", "不是村级 (社区) 代码", "12位村级行政区划代码", column.example)
    return Normal(str(division), notes)


def _year(column: Column, text: str, today: date) -> Outcome:
    plain, notes = _half_width(text)
    match = _YEAR.fullmatch(plain)
    if match is None:
        return Refusal("year_form", "不是4位年份", "4位年份", "2025")
    year = int(match.group(1))
    if not EARLIEST.year <= year <= today.year:
        return Refusal("year_out_of_range", "年份早于1900年或晚于今年", "1900年至今年", "2025")
    return Normal(year, (*notes, "year_form") if match.group(2) else notes)


def _half_width(text: str) -> tuple[str, tuple[str, ...]]:
    if text.isascii():
        return text, ()
    plain = unicodedata.normalize("NFKC", text)
    return plain, ("width",) if plain != text else ()


_BY_TYPE: Mapping[ColumnType, Callable[[Column, str, date], Outcome]] = MappingProxyType(
    {
        ColumnType.TEXT: _text,
        ColumnType.IDENTITY_NUMBER: _identity_number,
        ColumnType.DISABILITY_CERTIFICATE: _disability_certificate,
        ColumnType.DATE: _date,
        ColumnType.MONEY_YUAN: _money,
        ColumnType.BOOLEAN: _boolean,
        ColumnType.CODE: _code,
        ColumnType.INTEGER: _integer,
        ColumnType.DIVISION: _division,
        ColumnType.YEAR: _year,
        ColumnType.PERCENT: _percent,
    }
)
