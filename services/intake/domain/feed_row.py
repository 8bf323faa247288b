"""One row of a feed: checked against its layout, normalised, and turned into what monitoring is told."""

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from services.intake.domain.feed_layout import (
    Column,
    ColumnType,
    Condition,
    FactSpec,
    FeedLayout,
    HouseholdSpec,
    Owner,
    Reversal,
    Rule,
    RuleKind,
    as_word,
)
from services.intake.domain.normalise import DisabilityCertificate, Normal, Outcome, Refusal, normalise
from services.intake.domain.own_code import (
    FOUND,
    OWNERS,
    UNKNOWN,
    Code,
    CodeAlone,
    KnownPerson,
    LookedUp,
    NamedCode,
    code_of,
    code_text,
)
from services.intake.domain.quick_values import UNSURE, Quick, quick_reader
from services.intake.domain.row_error import RowError, echo
from shared.vocabulary.identity_number import IdentityNumber
from shared.vocabulary.money import yuan

Cell = str | int | float | bool | None
Values = Mapping[str, Any]
Index = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as read: the physical line where it starts, and one cell for each column of the layout.

    A cell that its reader refused already stands as the Refusal, one that an own code stood in for as LookedUp.
    """

    line: int
    cells: Sequence[Cell | Refusal | LookedUp]


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A good row. `record` is its natural key (an identity number in it is a blind index, hex).

    `content` is JSON without any identity number: observations, or a member and what the householder's row says of
    the household. `number` is the member's identity number, to be sealed by whoever stores the row. Equal `digest`s
    mean equal values. `notes` are (header, code) of what was normalised. A row with a `review` is held until a
    person has looked at it. `named` are the department's own codes beside what they stand for.
    """

    line: int
    record: str
    digest: bytes
    content: Mapping[str, Any]
    number: str | None = None
    is_head: bool = False
    newest: date | None = None
    warnings: tuple[RowError, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    review: tuple[RowError, ...] = ()
    named: tuple[NamedCode, ...] = ()


@dataclass(frozen=True, slots=True)
class BadRow:
    """A refused row: every mistake in it, and its natural key as far as it could be read."""

    line: int
    record: str | None
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class RowContext:
    """What a row is judged by: the day, the half-open range of divisions it may name, villages, the blind index.

    `heirs`: by the code of a village that is no more, the one of today that took it over.
    """

    today: date
    divisions: tuple[str, str]
    index: Index
    known_divisions: Container[str] | None = None
    heirs: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Reading:
    """What has been found in a row so far."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowError] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)

    def complain(self, column: Column, refusal: Refusal, raw: Cell = None) -> None:
        shown = echo(str(raw), personal=column.personal) if raw is not None else None
        level = "warning" if column.tolerant else "error"
        error = RowError(
            self.line,
            column.header,
            refusal.code,
            refusal.reason,
            refusal.expected,
            refusal.example,
            shown,
            level,  # type: ignore[arg-type]
        )
        (self.warnings if column.tolerant else self.errors).append(error)
        self.values[column.name] = None
        self.failed.add(column.name)

    def settle(self, column: Column, value: Any) -> None:
        """Take back what was said against a column, which has a value after all."""
        for said in (self.errors, self.warnings):
            said[:] = [error for error in said if error.column != column.header]
        self.failed.discard(column.name)
        self.values[column.name] = value

    def of_nobody(self, column: Column, asked: CodeAlone) -> None:
        """Say that the row's own code is not known, in place of what it would stand for."""
        right, owner = column.header, OWNERS[asked.code[0]]
        reason = f"本部门报送过的数据中没有这个{asked.column.header}，不知道是哪个{owner}"
        expected = f"同时填写{right}，或先报送同时有{asked.column.header}和{right}的行"
        shown = echo(asked.text, personal=asked.column.personal)
        error = RowError(self.line, asked.column.header, UNKNOWN, reason, expected, column.example, shown)
        self.errors.append(error)
        self.values[column.name] = None
        self.failed.add(column.name)


class RowChecker:
    """Checks the rows of one file: what is the same for all of them is worked out once."""

    __slots__ = ("_codes", "_context", "_digested", "_layout", "_plan", "_secret", "_unnamed")

    def __init__(self, layout: FeedLayout, context: RowContext) -> None:
        self._layout, self._context = layout, context
        absent = layout.unsaid
        self._plan = [(c, c.name, _unread if c.withheld else _quick(c, context, absent)) for c in layout.columns]
        self._secret = [c.name for c in layout.columns if c.type in _NUMBERED]
        self._unnamed = [fact for fact in layout.facts if not _always_names(layout, fact)]
        places = {c.name: at for at, c in enumerate(layout.columns)}
        self._digested = digested(layout)
        self._codes = [(each, places[each.column], places[each.stands_for]) for each in layout.crosswalk]

    def codes_alone(self, raw: RawRow) -> tuple[CodeAlone, ...]:
        """The own codes that the row carries where it does not say whose they are.

        A household's counts only if the row names no person either: it is his household then.
        """
        alone: list[CodeAlone] = []
        for each, at, stands_for in self._codes:
            cell = raw.cells[at]
            if cell is None or cell == "" or not self._blank(raw, stands_for):
                continue
            if each.owner is Owner.HOUSEHOLD and self._names_person(raw):
                continue
            text = code_text(self._meant(raw, at))
            if text is not None:
                code = code_of(each.owner, text, self._context.index)
                alone.append(CodeAlone(code, self._layout.columns[at], text, stands_for))
        return tuple(alone)

    def _names_person(self, raw: RawRow) -> bool:
        """Whether the row names its person, if only by his code."""
        for each, at, _ in self._codes:
            if each.owner is Owner.PERSON and not self._blank(raw, at):
                return True
        persons = {fact.person for fact in self._layout.facts}
        return any(c.name in persons and not self._blank(raw, at) for at, c in enumerate(self._layout.columns))

    def _blank(self, raw: RawRow, at: int) -> bool:
        return raw.cells[at] is None or raw.cells[at] == "" or self._meant(raw, at) is None

    def _meant(self, raw: RawRow, at: int) -> Any:
        """What a cell means; of one that is refused the refusal."""
        cell = raw.cells[at]
        if isinstance(cell, Refusal | LookedUp):
            return cell
        outcome = _outcome(self._layout.columns[at], cell, self._context.today)
        return outcome.value if isinstance(outcome, Normal) else outcome

    def check(self, raw: RawRow) -> FeedRow | BadRow:
        """The row in its normal form, or everything that is wrong with it."""
        layout, reading = self._layout, _Reading(raw.line)
        values = reading.values
        for (column, name, quick), cell in zip(self._plan, raw.cells, strict=True):
            value = quick(cell)
            if value is UNSURE:
                _read_cell(reading, column, cell, self._context)
            else:
                values[name] = value
        if layout.reversal is not None and reading.failed:
            _read_reversed_amounts(reading, layout, layout.reversal, raw, self._context.today)
        review = _set_aside(reading, layout, raw, self._context.today) if reading.errors and layout.holds_rows else ()
        for rule in layout.rules:
            _apply(reading, layout, rule)
        if layout.household:
            _check_head(reading, layout, layout.household)
            _check_unnumbered(reading, layout, layout.household)
        if self._unnamed:
            _check_named(reading, layout, self._unnamed)
        if layout.reversal:
            _check_reversal(reading, layout, layout.reversal)
        public = values | {name: _public(values[name], self._context) for name in self._secret}
        record = _record(layout, reading, public)
        if reading.errors:
            return BadRow(raw.line, record, (*review, *reading.errors))
        assert record is not None
        good = _good(layout, reading, public, record, self._context.index, _digest(layout, self._digested, public))
        for code, _, _ in self._codes:
            if values[code.column] is not None:
                good = replace(good, named=tuple(self._named(reading, public)))
                break
        return replace(good, review=tuple(map(_to_be_reviewed, review))) if review else good

    def _named(self, reading: _Reading, public: Values) -> Iterator[NamedCode]:
        """The own codes beside which the row says itself whose they are; one that takes back names nobody."""
        reversal, values = self._layout.reversal, reading.values
        if reversal is not None and values[reversal.column] in reversal.codes:
            return
        for each, _, _ in self._codes:
            text, owner = code_text(values[each.column]), public[each.stands_for]
            if text is not None and owner is not None and each.stands_for not in reading.found:
                day = max(values[fact.occurred_on] for fact in self._layout.facts)
                yield NamedCode(code_of(each.owner, text, self._context.index), str(owner), day)


def _unread(_: Cell | Refusal | LookedUp) -> None:
    """What is withheld is not even looked at."""


def _quick(column: Column, context: RowContext, absent: Container[str]) -> Quick:
    """Reads clean cells; a place is clean only if this file may name it, and what most files lack may be absent."""
    read = quick_reader(column, context.today)
    if column.name in absent and not column.required:
        return lambda cell: None if cell is None else read(cell)
    if column.type is not ColumnType.DIVISION:
        return read

    def placed(cell: Cell | Refusal | LookedUp) -> Any:
        value = read(cell)
        return UNSURE if value is not UNSURE and value is not None and misplaced(value, context) else value

    return placed


def looked_up(raw: RawRow, alone: Iterable[CodeAlone], owners: Mapping[Code, str]) -> RawRow:
    """The row with the owners of its own codes where it did not say them, or that they are not known."""
    cells = list(raw.cells)
    for asked in alone:
        cells[asked.at] = LookedUp(asked, owners.get(asked.code))
    return RawRow(raw.line, cells)


def _read_looked_up(reading: _Reading, column: Column, cell: LookedUp, context: RowContext) -> None:
    """What an own code stands for is read like what is written; of a person nothing is known but his index."""
    if cell.owner is None:
        reading.of_nobody(column, cell.asked)
        return
    reading.found.add(column.name)
    reading.notes.append((cell.asked.column.header, FOUND))
    if column.type is ColumnType.IDENTITY_NUMBER:
        reading.values[column.name] = KnownPerson(cell.owner)
    else:
        _read_cell(reading, column, cell.owner, context)


def _read_cell(reading: _Reading, column: Column, cell: Cell | Refusal | LookedUp, context: RowContext) -> None:
    if isinstance(cell, LookedUp):
        _read_looked_up(reading, column, cell, context)
        return
    if isinstance(cell, Refusal):
        reading.complain(column, cell)
        return
    outcome = _outcome(column, cell, context.today)
    if isinstance(outcome, Refusal):
        reading.complain(column, outcome, cell)
        return
    value = outcome.value
    if value is None and column.required:
        reading.complain(column, Refusal("required", f"{column.header}是必填项，不能为空", None, column.example))
        return
    if column.type is ColumnType.DIVISION and value is not None:
        refusal = misplaced(value, context)
        heir = context.heirs.get(value) if refusal is not None and refusal.code == UNKNOWN_DIVISION else None
        if refusal is not None and heir is None:
            reading.complain(column, refusal, value)
            return
        if heir is not None:
            value = heir
            reading.notes.append((column.header, "division_succeeded"))
    reading.values[column.name] = value
    if outcome.notes:
        reading.notes.extend((column.header, note) for note in outcome.notes)


def _read_reversed_amounts(
    reading: _Reading, layout: FeedLayout, reversal: Reversal, raw: RawRow, today: date
) -> None:
    """An amount that a reversal writes with a minus is the amount it takes back; elsewhere it stays refused."""
    if reading.values[reversal.column] not in reversal.codes:
        return
    for column, cell in zip(layout.columns, raw.cells, strict=True):
        if column.type is not ColumnType.MONEY_YUAN or column.name not in reading.failed or not isinstance(cell, str):
            continue
        outcome = normalise(replace(column, negative=True), cell, today)
        if isinstance(outcome, Normal) and outcome.value is not None:
            reading.settle(column, -outcome.value)
            reading.notes.extend((column.header, note) for note in (*outcome.notes, "reversal_sign"))


IMPLAUSIBLE = "implausible_amount"
MOST_YUAN = 10**12  # What is more than this is no amount at all.


def _set_aside(reading: _Reading, layout: FeedLayout, raw: RawRow, today: date) -> tuple[RowError, ...]:
    """If nothing is wrong but that amounts are implausible, read them as they stand, and answer what was wrong."""
    takes_back = layout.reversal is not None and reading.values[layout.reversal.column] in layout.reversal.codes
    if takes_back or any(error.code != IMPLAUSIBLE for error in reading.errors):
        return ()
    found: list[tuple[Column, int]] = []
    for column, cell in zip(layout.columns, raw.cells, strict=True):
        if column.name in reading.failed and not column.tolerant and not isinstance(cell, Refusal | LookedUp):
            outcome = _outcome(replace(column, max_yuan=MOST_YUAN), cell, today)
            if isinstance(outcome, Refusal):
                return ()
            found.append((column, outcome.value))
    review = tuple(reading.errors)
    for column, value in found:
        reading.settle(column, value)
    return review


def _to_be_reviewed(error: RowError) -> RowError:
    return replace(error, level="review", reason=f"{error.reason}；本行暂存待核，确认属实后才入库")


def _outcome(column: Column, cell: Cell, today: date) -> Outcome:
    """Typed JSON values are taken where they cannot lose anything: yes/no, whole numbers; all else is text."""
    if isinstance(cell, str):
        return normalise(column, cell, today)
    if cell is None:
        return Normal(None)
    if isinstance(cell, bool):
        if column.type is ColumnType.BOOLEAN:
            return Normal(cell)
    elif column.type in (ColumnType.INTEGER, ColumnType.YEAR):
        return normalise(column, str(cell), today)
    if isinstance(cell, float) and column.type in _NUMBERED:
        reason = f"{column.header}已丢失精度 (是小数或科学计数法)，应以文本 (字符串) 发送"
        return Refusal("precision_lost", reason, "JSON 字符串", column.example)
    reason = f"{column.header}应以文本 (字符串) 发送，以免丢失精度"
    return Refusal("send_as_text", reason, "JSON 字符串", column.example)


UNKNOWN_DIVISION = "division_unknown"


def successors(retired: Mapping[str, str], in_force: Container[str]) -> dict[str, str]:
    """The village in force that each retired one has become, perhaps by way of others that are no more either."""
    found: dict[str, str] = {}
    for code in retired:
        seen, heir = {code}, retired[code]
        while heir not in in_force and heir in retired and heir not in seen:
            seen.add(heir)
            heir = retired[heir]
        if heir in in_force:
            found[code] = heir
    return found


def misplaced(division: str, context: RowContext) -> Refusal | None:
    """Why this file may not name that place, if it may not."""
    lo, hi = context.divisions
    if not lo <= division < hi:
        return Refusal("division_outside_range", "行政区划不在本次报送的范围内", f"{lo} 至 {hi} 之间的代码")
    if context.known_divisions is not None and division not in context.known_divisions:
        return Refusal(UNKNOWN_DIVISION, "行政区划表中没有这个村 (社区) 代码", "现行12位村级代码")
    return None


def _apply(reading: _Reading, layout: FeedLayout, rule: Rule) -> None:
    if reading.failed.intersection((*rule.columns, rule.target)):
        return
    if not _all_hold(rule.when, reading):
        return
    expected = _RULES[rule.kind](reading.values, rule)
    if expected is None:
        return
    target = layout.column(rule.target)
    error = RowError(
        reading.line,
        target.header,
        rule.code,
        rule.message,
        expected,
        None,
        None,
        rule.level,  # type: ignore[arg-type]
    )
    (reading.errors if rule.level == "error" else reading.warnings).append(error)


def _sum_equals(values: Values, rule: Rule) -> str | None:
    """What the sum should be, if it is not; a part that is unknown leaves the question open."""
    parts = [values[name] for name in rule.columns]
    target = values[rule.target]
    if target is None or None in parts or abs(sum(parts) - target) <= rule.tolerance_fen:
        return None
    return f"各项之和为 {yuan(sum(parts))} 元"


def _sum_at_most(values: Values, rule: Rule) -> str | None:
    """The limit, if the known parts already exceed it."""
    total = sum(values[name] or 0 for name in rule.columns)
    target = values[rule.target]
    if target is None or total <= target:
        return None
    return f"两项之和不超过 {yuan(target)} 元，现为 {yuan(total)} 元"


def _certificate_agrees(values: Values, rule: Rule) -> str | None:
    """Which part of the certificate number contradicts its own column; multiple (7) agrees with any types."""
    certificate: DisabilityCertificate | None = values[rule.target]
    number, types, grade = (values[name] for name in rule.columns)
    if certificate is None:
        return None
    # Who is known by his code was compared with his certificate when he was named.
    if isinstance(number, IdentityNumber) and certificate.identity_number != number.number:
        return "残疾证号前18位与证件号码相同"
    if types and certificate.type != "7" and types != ("7",) and certificate.type not in types:
        return "残疾证号第19位与残疾类别相同"
    if grade is not None and certificate.grade != grade:
        return "残疾证号第20位与残疾等级相同"
    return None


def _any_known(values: Values, rule: Rule) -> str | None:
    """What is asked for, if the row says none of it."""
    if any(values[name] is not None for name in (*rule.columns, rule.target)):
        return None
    return "至少填写一项"


def _in_order(values: Values, rule: Rule) -> str | None:
    """The day that the target may not lie before, if it does."""
    days = [values[name] for name in rule.columns if values[name] is not None]
    target = values[rule.target]
    if target is None or not days or max(days) <= target:
        return None
    return f"不早于 {max(days).isoformat()}"


def _whole_year(values: Values, rule: Rule) -> str | None:
    """What is right, if the days from the first column to the target are no twelve months."""
    first, last = values[rule.columns[0]], values[rule.target]
    if first is None or last is None or 364 <= (last - first).days <= 366:
        return None
    return "起止相隔十二个月"


_RULES: Mapping[RuleKind, Callable[[Values, Rule], str | None]] = MappingProxyType(
    {
        RuleKind.SUM_EQUALS: _sum_equals,
        RuleKind.SUM_AT_MOST: _sum_at_most,
        RuleKind.CERTIFICATE_AGREES: _certificate_agrees,
        RuleKind.ANY_KNOWN: _any_known,
        RuleKind.IN_ORDER: _in_order,
        RuleKind.WHOLE_YEAR: _whole_year,
    }
)


def _all_hold(conditions: Sequence[Condition], reading: _Reading) -> bool:
    """Whether all conditions hold of what could be read."""
    return all(each.column not in reading.failed and each.holds(reading.values) for each in conditions)


def _always_names(layout: FeedLayout, fact: FactSpec) -> bool:
    """Whether a column that is never empty says whom a fact concerns."""
    return any(layout.column(name).required for name in (fact.person, fact.household) if name is not None)


def _check_named(reading: _Reading, layout: FeedLayout, facts: Sequence[FactSpec]) -> None:
    """Whatever a row says it says of somebody: of a person, or of a household by its number."""
    for fact in facts:
        named = [name for name in (fact.person, fact.household) if name is not None]
        nobody = reading.failed.isdisjoint(named) and all(reading.values[name] is None for name in named)
        if nobody and _all_hold(fact.when, reading):
            column = layout.column(named[0])
            either = " 或 ".join(layout.column(name).header for name in named)
            reason = f"没有{either}，不知道是谁的情况"
            reading.errors.append(
                RowError(reading.line, column.header, "nobody_named", reason, either, column.example)
            )
            return


def _check_reversal(reading: _Reading, layout: FeedLayout, reversal: Reversal) -> None:
    """A row that takes a record back names it."""
    if reading.values[reversal.column] not in reversal.codes:
        return
    of = layout.column(reversal.of)
    if reading.values[of.name] is None and of.name not in reading.failed:
        reading.complain(of, Refusal("reversal_of_nothing", f"冲销行必须填写{of.header}", None, of.example))


def _check_head(reading: _Reading, layout: FeedLayout, spec: HouseholdSpec) -> None:
    """The householder's row must name the base group; a year's income is whole or unknown."""
    values = reading.values
    if values[spec.relation] != spec.head:
        return
    group = layout.column(spec.of_head["base_group"])
    if values[group.name] is None and group.name not in reading.failed:
        reason = f"{spec.head}行必须填写{group.header}"
        reading.complain(group, Refusal("required", reason, " / ".join(group.codes), group.example))
    parts = [values[name] for name in (spec.income_year, *spec.income.values())]
    if None in parts and any(part is not None for part in parts):
        reading.warnings.append(
            RowError(
                reading.line,
                layout.column(spec.income_year).header,
                "income_incomplete",
                "收入年度和五项收入支出没有填全，本户本年收入按未知处理",
                "六列都填写，没有的填 0",
                level="warning",
            )
        )


def _check_unnumbered(reading: _Reading, layout: FeedLayout, spec: HouseholdSpec) -> None:
    """Of somebody without a number sex and birthday must be told; of everybody else the number tells them."""
    number, unnumbered = spec.member["number"], _unnumbered(spec, reading)
    if unnumbered:
        for column in (layout.column(spec.member["sex"]), layout.column(spec.member["birth_date"])):
            _demand(reading, column, f"没有证件号码的成员必须填写{column.header}")
    elif spec.tells_unnumbered and reading.values[number] is not None:
        _compare_with_number(reading, layout, spec, reading.values[number])


def _unnumbered(spec: HouseholdSpec, reading: _Reading) -> bool:
    """Whether the row says that its person has no number, and why."""
    without = spec.member["number"] not in reading.failed and reading.values[spec.member["number"]] is None
    return without and spec.tells_unnumbered and reading.values[spec.member["no_id_reason"]] is not None


def _demand(reading: _Reading, column: Column, reason: str) -> None:
    """What is otherwise only told must be known: a value that is none refuses the row."""
    if column.name in reading.failed:
        said = [warning for warning in reading.warnings if warning.column == column.header]
        reading.warnings[:] = [warning for warning in reading.warnings if warning.column != column.header]
        reading.errors.extend(replace(warning, level="error") for warning in said)
    elif reading.values[column.name] is None:
        known = " / ".join(column.codes) or None
        reading.errors.append(RowError(reading.line, column.header, "required", reason, known, column.example))


def _compare_with_number(reading: _Reading, layout: FeedLayout, spec: HouseholdSpec, number: IdentityNumber) -> None:
    """The number counts; what contradicts it is said to whoever can mend it."""
    values, reason = reading.values, layout.column(spec.member["no_id_reason"])
    if values[reason.name] is not None:
        _warn(reading, reason, "number_and_reason", "已填写证件号码，无证件号码原因未采用", "二者填一项")
    birth = layout.column(spec.member["birth_date"])
    if values[birth.name] is not None and values[birth.name] != number.birth_date:
        _warn(reading, birth, "birth_date_disagrees", "出生日期与证件号码不一致，以证件号码为准", "与证件号码一致")


def _warn(reading: _Reading, column: Column, code: str, reason: str, expected: str) -> None:
    reading.warnings.append(RowError(reading.line, column.header, code, reason, expected, level="warning"))


def _good(layout: FeedLayout, reading: _Reading, public: Values, record: str, index: Index, digest: bytes) -> FeedRow:
    values, number, is_head, newest = reading.values, None, False, None
    content: dict[str, Any]
    if layout.household:
        spec = layout.household
        content = _household_content(spec, reading, index)
        holder: IdentityNumber | None = values[spec.member["number"]]
        number, is_head = holder.number if holder else None, values[spec.relation] == spec.head
    else:
        content = {"observations": _observations(layout, record, values, public)}
        if layout.needs_authorisation and not content["observations"]:
            # The row says nothing; whether so much may be kept is still for its person's household to allow.
            content["person"] = next((public[fact.person] for fact in layout.facts if fact.person is not None), None)
        newest = max([values[fact.occurred_on] for fact in layout.facts])
    return FeedRow(
        reading.line,
        record,
        digest,
        content,
        number,
        is_head,
        newest,
        tuple(reading.warnings),
        tuple(reading.notes),
    )


def _record(layout: FeedLayout, reading: _Reading, public: Values) -> str | None:
    if reading.failed.intersection(layout.natural_key):
        return None
    return "/".join([str(public[name]) for name in layout.natural_key])


_NUMBERED = (ColumnType.IDENTITY_NUMBER, ColumnType.DISABILITY_CERTIFICATE)


def _public(value: Any, context: RowContext) -> Any:
    """The value with any identity number replaced by its blind index."""
    if isinstance(value, IdentityNumber):
        return context.index(value.number).hex()
    if isinstance(value, KnownPerson):
        return value.index
    if isinstance(value, DisabilityCertificate):
        return (context.index(value.identity_number).hex(), value.type, value.grade)
    return value


def _digest(layout: FeedLayout, columns: Sequence[str], public: Values) -> bytes:
    text = SEPARATOR.join([str(layout.version), *[said(public[name]) for name in columns]])
    return row_digests([text.encode()])[0]


def digested(layout: FeedLayout) -> list[str]:
    """The columns in which rows that differ differ: a person's own code says no more than who he is."""
    unsaid = layout.unsaid
    return [c.name for c in layout.columns if c.name not in unsaid]


SEPARATOR = "\x1f"  # No normal value holds it: control characters are refused.


def said(value: Any) -> str:
    """A public value of one column as it counts in a digest; null is empty, which no value is."""
    if value is None:
        return ""
    return "\x1e".join(value) if isinstance(value, tuple) else str(value)


def row_digests(texts: Iterable[bytes]) -> list[bytes]:
    """The digest (16 bytes) of each row, of its version and all values joined by SEPARATOR."""
    return [hashlib.blake2b(text, digest_size=16).digest() for text in texts]


def _observations(layout: FeedLayout, record: str, values: Values, public: Values) -> list[dict[str, Any]]:
    """What a row says; or, if it takes an earlier record back, that all of that is taken back."""
    reversal = layout.reversal
    if reversal is not None and values[reversal.column] in reversal.codes:
        taken_back = [_observation(fact, values[reversal.of], values, public) for fact in layout.facts]
        return [{**said, "op": "reverse"} for said in taken_back]
    said = [
        _observation(fact, record, values, public)
        for fact in layout.facts
        if not fact.when or all(each.holds(values) for each in fact.when)
    ]
    own = {name: values[column] for name, column in layout.told_codes.items() if values[column] is not None}
    for each in said if own else ():
        each["attributes"] = {**each.get("attributes", {}), "own_codes": own}
    return said


def part_of(record: str, fact: FactSpec) -> str:
    """The name of a fact's record: the row's, and which part of the row if one kind comes in several."""
    return record if fact.part is None else f"{record}#{fact.part}"


def _observation(fact: FactSpec, record: str, values: Values, public: Values) -> dict[str, Any]:
    """One observation in the form of the contract; what is unknown is absent."""
    said: dict[str, Any] = {
        "record": part_of(record, fact),
        "kind": fact.kind,
        "occurred_on": values[fact.occurred_on].isoformat(),
    }
    for name, column in fact.told_as_is:
        if column is not None and public[column] is not None:
            said[name] = public[column]
    if "person" in said and fact.person_name is not None and values[fact.person_name] is not None:
        said["person_name"] = values[fact.person_name]
    if fact.value and all(values[name] is not None for name in fact.value):
        said["value"] = "-".join([_word(values[name]) for name in fact.value])
    known = {n: json_value(values[c]) for n, c in fact.attributes.items() if values[c] is not None}
    if known or fact.fixed_attributes:
        said["attributes"] = {**known, **fact.fixed_attributes}
    if fact.fixed:
        said.update(fact.fixed)
    if fact.period or fact.ended_on or fact.last_day:
        said.update((name, day.isoformat()) for name, day in _days(fact, values) if day is not None)
    return said


def _days(fact: FactSpec, values: Values) -> Iterator[tuple[str, date | None]]:
    """The days of a fact besides the one it happened on."""
    if fact.period is not None:
        yield from zip(("period_from", "period_to"), (values[name] for name in fact.period), strict=True)
    if fact.ended_on is not None:
        yield "ended_on", values[fact.ended_on]
    if fact.last_day is not None and values[fact.last_day] is not None:
        yield "ended_on", values[fact.last_day] + timedelta(days=1)


def _word(value: Any) -> str:
    return "".join(value) if isinstance(value, tuple) else as_word(value) or ""


def json_value(value: Any) -> Any:
    """A value as attributes hold it; codes that are digits become numbers."""
    if isinstance(value, tuple):
        return [json_value(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, str) and len(value) <= 2 and value.isascii() and value.isdigit() else value


def _household_content(spec: HouseholdSpec, reading: _Reading, index: Index) -> dict[str, Any]:
    values = reading.values
    number: IdentityNumber | None = values[spec.member["number"]]
    member = {
        **(_numbered(number, index) if number else _without_number(spec, values, index)),
        "name": values[spec.member["name"]],
        "relation": values[spec.relation],
        "insured_resident": values[spec.member["insured_resident"]],
        "insured_employee": values[spec.member["insured_employee"]],
        "details": _details(spec.member_details, reading, number) or None,
    }
    if values[spec.relation] != spec.head:
        return {"member": member}
    details = _details(spec.household_details, reading, number, spec.of_head["phone"]) or None
    return {"member": member, "household": {**_household(spec, values), "details": details}}


def _numbered(number: IdentityNumber, index: Index) -> dict[str, Any]:
    return {
        "index": index(number.number).hex(),
        "sex": number.sex,
        "birth_date": number.birth_date.isoformat(),
    }


def _without_number(spec: HouseholdSpec, values: Values, index: Index) -> dict[str, Any]:
    """Who has no number goes by a stand-in, the same whenever the same household tells of the same name and birthday.

    It is keyed like an index, and never a number's: no number holds a zero byte.
    """
    birth: date = values[spec.member["birth_date"]]
    said = ("no_number", values[spec.number], values[spec.member["name"]], birth.isoformat())
    return {
        "index": index("\x00".join(said)).hex(),
        "sex": values[spec.member["sex"]],
        "birth_date": birth.isoformat(),
        "no_id_reason": values[spec.member["no_id_reason"]],
    }


def _details(
    names: tuple[str, ...], reading: _Reading, number: IdentityNumber | None, *others: str
) -> dict[str, Any]:
    """What these columns say; `left_out` names those (and others) whose value was none, which checks then tell."""
    if not names:
        return {}
    said = {name: _detail(value, number) for name in names if (value := reading.values[name]) is not None}
    left_out = [name for name in (*names, *others) if name in reading.failed]
    return {**said, "left_out": left_out} if left_out else said


def _detail(value: Any, number: IdentityNumber | None) -> Any:
    """A value as JSON; of a certificate only what is not the person's number, and whether it is his if he has one."""
    if isinstance(value, DisabilityCertificate):
        owner = {} if number is None else {"own": value.identity_number == number.number}
        return {"type": value.type, "grade": value.grade, **owner}
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _household(spec: HouseholdSpec, values: Values) -> dict[str, Any]:
    income = {name: values[column] for name, column in spec.income.items()}
    year = values[spec.income_year]
    whole = year is not None and None not in income.values()
    return {
        "household_no": values[spec.number],
        "division": values[spec.division],
        **{name: values[column] for name, column in spec.of_head.items()},
        "income_year": year if whole else None,
        "income": income if whole else None,
    }


def in_units(layout: FeedLayout, units: Mapping[str, str]) -> FeedLayout:
    """The layout with the money units that a file's header names instead of its own."""
    if not units:
        return layout
    columns = tuple(
        replace(c, unit=units[c.name]) if c.name in units and c.type is ColumnType.MONEY_YUAN else c
        for c in layout.columns
    )
    return replace(layout, columns=columns)
