"""Reads a layout file's content strictly: a misspelt key is an error that names the file and the key."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from services.intake.domain.feed_layout import (
    Asked,
    Cadence,
    Column,
    ColumnType,
    Condition,
    FactSpec,
    FeedLayout,
    HouseholdSpec,
    Kind,
    LayoutInvalid,
    Month,
    Owner,
    Reversal,
    Rule,
    RuleKind,
)
from shared.vocabulary.terms import Source, Visit

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)

AMOUNTS = frozenset({"amount_fen", "gross_fen", "compliant_fen", "other_fen", "relief_fen"})
UNITS = {
    ColumnType.MONEY_YUAN: ("yuan", "ten_thousand_yuan"),
    ColumnType.PERCENT: ("basis_points", "percent"),
}
# The standard name of the column with the name of the person whom a row is about.
PERSON_NAME = "person_name"
MEMBER_FIELDS = frozenset({"number", "name", "insured_resident", "insured_employee"})
# What must be known of a member who has no number; a layout that has no columns for it demands the number.
UNNUMBERED_FIELDS = frozenset({"no_id_reason", "sex", "birth_date"})
HEAD_FIELDS = frozenset({"base_group", "phone", "dwelling_grade", "occupied_grade"})
INCOME_FIELDS = frozenset({"wage_fen", "business_sales_fen", "production_cost_fen", "property_fen", "transfer_fen"})


def read_layout(raw: Any, file: str) -> FeedLayout:
    """The layout in a parsed YAML document, or LayoutInvalid."""
    return _Reader(file).layout(raw)


class _Part:
    """One mapping of the file, its keys taken one by one; what is left over at the end is an error."""

    def __init__(self, file: str, path: str, raw: Any) -> None:
        self.file, self.path = file, path
        if not isinstance(raw, Mapping):
            raise LayoutInvalid(file, path or "/", "应为键值结构 (mapping)")
        self.rest = dict(raw)

    def take(self, key: str, kind: type[T], default: Any = ...) -> T:
        """The value of `key`, of the right type; LayoutInvalid if absent without a default."""
        if key not in self.rest:
            if default is ...:
                raise self.wrong(key, "缺少此项")
            return default  # type: ignore[no-any-return]
        value = self.rest.pop(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"应为 {kind.__name__}")
        return value

    def word(self, key: str, words: type[W], default: Any = ...) -> W:
        """The value of `key` as a member of an enumeration."""
        text = self.take(key, str, default)
        try:
            return words(text)
        except ValueError:
            raise self.wrong(key, f"应为 {', '.join(words)} 之一") from None

    def texts(self, key: str, default: Any = ...) -> tuple[str, ...]:
        """The value of `key` as a list of texts."""
        values = self.take(key, list, default)
        if not all(isinstance(v, str) for v in values):
            raise self.wrong(key, "应为文本列表")
        return tuple(values)

    def pairs(self, key: str, default: Any = ...) -> dict[str, str]:
        """The value of `key` as a mapping of text to text."""
        values = self.take(key, dict, default)
        if not all(isinstance(k, str) and isinstance(v, str) for k, v in values.items()):
            raise self.wrong(key, "键和值都应为文本 (数字请加引号)")
        return dict(values)

    def end(self) -> None:
        """Nothing may be left over."""
        if self.rest:
            raise self.wrong(str(next(iter(self.rest))), "不认识的键")

    def wrong(self, key: str, message: str) -> LayoutInvalid:
        return LayoutInvalid(self.file, f"{self.path}/{key}", message)


class _Reader:
    """Reads one file; `names` are the columns that the later parts may refer to."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.names: dict[str, Column] = {}

    def layout(self, raw: Any) -> FeedLayout:
        part = _Part(self.file, "", raw)
        columns = tuple(self._column(i, c) for i, c in enumerate(part.take("columns", list)))
        self._unique(columns)
        retention = _Part(self.file, "/retention", part.take("retention", dict))
        layout = FeedLayout(
            name=part.take("name", str),
            version=part.take("version", int),
            title=part.take("title", str),
            department=part.take("department", str),
            department_title=part.take("department_title", str),
            kind=part.word("kind", Kind),
            cadence=part.word("cadence", Cadence),
            overdue_after_days=part.take("overdue_after_days", int),
            natural_key=self._known(part, "natural_key", part.texts("natural_key")),
            purpose=part.take("purpose", str),
            legal_basis=part.take("legal_basis", str),
            retention_months=retention.take("rows_months", int),
            raw_retention_days=retention.take("raw_days", int),
            owner=part.take("owner", str),
            columns=columns,
            rules=tuple(self._rule(i, r) for i, r in enumerate(part.take("rules", list, []))),
            facts=tuple(self._fact(i, f) for i, f in enumerate(part.take("facts", list, []))),
            household=self._household(part.take("household", dict, None)),
            source=part.word("source", Source, Source.DEPARTMENT.value),
            needs_authorisation=part.take("needs_authorisation", bool, False),
            reversal=self._reversal(part.take("reversal", dict, None)),
            own_codes=self._own_codes(part),
        )
        retention.end()
        part.end()
        self._whole(layout)
        return layout

    def _column(self, i: int, raw: Any) -> Column:
        part = _Part(self.file, f"/columns/{i}", raw)
        column = Column(
            name=part.take("name", str),
            header=part.take("header", str),
            type=part.word("type", ColumnType),
            required=part.take("required", bool, False),
            synonyms=part.texts("synonyms", []),
            codes=part.pairs("codes", {}),
            multiple=part.take("multiple", bool, False),
            unit=part.take("unit", str, "basis_points" if raw.get("type") == ColumnType.PERCENT else "yuan"),
            negative=part.take("negative", bool, False),
            max_yuan=part.take("max_yuan", int, 10_000_000),
            max_length=part.take("max_length", int, 100),
            pattern=part.take("pattern", str, None),
            tolerant=part.take("tolerant", bool, False),
            personal=part.take("personal", bool, False),
            future=part.take("future", bool, False),
            example=part.take("example", str, None),
            most=part.take("most", int, None),
            month=part.word("month", Month) if "month" in part.rest else None,
            withheld=part.take("withheld", bool, False),
            open_ended=part.take("open_ended", bool, False),
        )
        units = UNITS.get(column.type, ("yuan",))
        if column.unit not in units:
            raise part.wrong("unit", f"应为 {' 或 '.join(units)}")
        if (column.type is ColumnType.CODE) != bool(column.codes):
            raise part.wrong("codes", "代码列 (type: code) 必须且只有代码列可以有 codes")
        part.end()
        return column

    def _unique(self, columns: tuple[Column, ...]) -> None:
        headers: set[str] = set()
        for i, column in enumerate(columns):
            for text in {column.name, column.header, *column.synonyms}:
                if text in headers:
                    raise LayoutInvalid(self.file, f"/columns/{i}", f"列名或同义列名重复: {text}")
                headers.add(text)
            self.names[column.name] = column
        if not columns:
            raise LayoutInvalid(self.file, "/columns", "至少要有一列")

    def _known(self, part: _Part, key: str, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in self.names:
                raise part.wrong(key, f"没有名为 {name} 的列")
        return names

    def _name(self, part: _Part, key: str, types: set[ColumnType], default: Any = ...) -> Any:
        name: str | None = part.take(key, str, default)
        if name is None:
            return None
        if name not in self.names:
            raise part.wrong(key, f"没有名为 {name} 的列")
        if types and self.names[name].type not in types:
            raise part.wrong(key, f"列 {name} 的类型应为 {', '.join(sorted(types))}")
        return name

    def _rule(self, i: int, raw: Any) -> Rule:
        part = _Part(self.file, f"/rules/{i}", raw)
        rule = Rule(
            code=part.take("code", str),
            kind=part.word("kind", RuleKind),
            columns=self._known(part, "columns", part.texts("columns")),
            level=part.take("level", str),
            message=part.take("message", str),
            target=self._name(part, "target", set()),
            tolerance_fen=part.take("tolerance_fen", int, 0),
            when=self._conditions(part),
        )
        if rule.level not in {"error", "warning"}:
            raise part.wrong("level", "应为 error 或 warning")
        part.end()
        return rule

    def _fact(self, i: int, raw: Any) -> FactSpec:
        part = _Part(self.file, f"/facts/{i}", raw)
        amounts, attributes = part.pairs("amounts", {}), part.pairs("attributes", {})
        if unknown := set(amounts) - AMOUNTS:
            raise part.wrong("amounts", f"不认识的金额: {', '.join(sorted(unknown))}")
        self._known(part, "amounts", tuple(amounts.values()))
        self._known(part, "attributes", tuple(attributes.values()))
        fixed = self._fixed(part)
        fact = FactSpec(
            kind=part.take("kind", str),
            person=self._name(part, "person", {ColumnType.IDENTITY_NUMBER}, None),
            household=self._name(part, "household", {ColumnType.TEXT}, None),
            division=self._name(part, "division", {ColumnType.DIVISION}, None),
            occurred_on=self._name(part, "occurred_on", {ColumnType.DATE}),
            amounts=amounts,
            visit=self._name(part, "visit", {ColumnType.CODE}, None),
            stay=self._name(part, "stay", {ColumnType.TEXT}, None),
            value=self._known(part, "value", part.texts("value", [])),
            attributes=attributes,
            ends=part.take("ends_with_snapshot", bool, False),
            when=self._conditions(part),
            fixed=fixed,
            fixed_attributes=self._constants(part, "fixed_attributes"),
            period=self._period(part),
            ended_on=self._name(part, "ended_on", {ColumnType.DATE}, None),
            last_day=self._name(part, "last_day", {ColumnType.DATE}, None),
            part=part.take("part", str, None),
            person_name=PERSON_NAME if PERSON_NAME in self.names else None,
        )
        if fact.person is None and fact.household is None:
            raise part.wrong("person", "person 与 household 至少要有一个")
        if not self.names[fact.occurred_on].required:
            raise part.wrong("occurred_on", "发生日期的列必须是必填列")
        part.end()
        return fact

    def _fixed(self, part: _Part) -> dict[str, str | bool]:
        """Fields of a fact that no column gives."""
        fixed = self._constants(part, "fixed")
        allowed = {"value": str, "verified": bool, "visit": str}
        for name, value in fixed.items():
            if name not in allowed or not isinstance(value, allowed[name]):
                raise part.wrong("fixed", f"应为 {', '.join(allowed)} 的常量")
        if fixed.get("visit", "inpatient") not in list(Visit):
            raise part.wrong("fixed", f"visit 应为 {', '.join(Visit)} 之一")
        return fixed

    def _constants(self, part: _Part, key: str) -> dict[str, Any]:
        found = part.take(key, dict, {})
        if not all(isinstance(k, str) and isinstance(v, str | bool | int) for k, v in found.items()):
            raise part.wrong(key, "键为文本，值为文本、整数或 true/false")
        return dict(found)

    def _period(self, part: _Part) -> tuple[str, str] | None:
        names = part.texts("period", [])
        if len(names) not in (0, 2):
            raise part.wrong("period", "应为起、止两列")
        for name in self._known(part, "period", names):
            if self.names[name].type is not ColumnType.DATE:
                raise part.wrong("period", f"列 {name} 的类型应为 date")
        return (names[0], names[1]) if names else None

    def _conditions(self, part: _Part) -> tuple[Condition, ...]:
        """`when`: column to codes, or to known, unknown, positive."""
        raw = part.take("when", dict, {})
        self._known(part, "when", tuple(map(str, raw)))
        return tuple(self._condition(part, self.names[name], asked) for name, asked in raw.items())

    def _condition(self, part: _Part, column: Column, asked: Any) -> Condition:
        if isinstance(asked, str):
            if asked not in list(Asked):
                raise part.wrong("when", f"应为代码列表或 {', '.join(Asked)}")
            if asked == Asked.POSITIVE and column.type not in _NUMBERS:
                raise part.wrong("when", f"列 {column.name} 不是数")
            return Condition(column.name, asked=Asked(asked))
        known = {"true", "false"} if column.type is ColumnType.BOOLEAN else set(column.codes.values())
        if not isinstance(asked, list) or not asked or any(code not in known for code in map(str, asked)):
            raise part.wrong("when", f"列 {column.name} 的条件应取自 {', '.join(sorted(known))}")
        return Condition(column.name, frozenset(map(str, asked)))

    def _reversal(self, raw: Any) -> Reversal | None:
        if raw is None:
            return None
        inner = _Part(self.file, "/reversal", raw)
        column = self._name(inner, "column", {ColumnType.CODE})
        codes = frozenset(inner.texts("codes"))
        if not codes or not codes <= set(self.names[column].codes.values()):
            raise inner.wrong("codes", f"应取自列 {column} 的代码")
        reversal = Reversal(column, codes, self._name(inner, "of", {ColumnType.TEXT}))
        inner.end()
        return reversal

    def _own_codes(self, part: _Part) -> dict[str, str]:
        pairs = part.pairs("own_codes", {})
        if unknown := set(pairs) - set(Owner):
            raise part.wrong("own_codes", f"不认识的编码: {', '.join(sorted(unknown))}")
        self._known(part, "own_codes", tuple(pairs.values()))
        return pairs

    def _household(self, raw: Any) -> HouseholdSpec | None:
        if raw is None:
            return None
        part = _Part(self.file, "/household", raw)
        spec = HouseholdSpec(
            number=self._name(part, "number", {ColumnType.TEXT}),
            division=self._name(part, "division", {ColumnType.DIVISION}),
            relation=self._name(part, "relation", {ColumnType.TEXT, ColumnType.CODE}),
            head=part.take("head", str),
            member=self._fields(part, "member", MEMBER_FIELDS, UNNUMBERED_FIELDS),
            of_head=self._fields(part, "of_head", HEAD_FIELDS),
            income_year=self._name(part, "income_year", {ColumnType.YEAR}),
            income=self._fields(part, "income", INCOME_FIELDS),
            member_details=self._details(part, "member_details"),
            household_details=self._details(part, "household_details"),
        )
        if not spec.tells_unnumbered and not self.names[spec.member["number"]].required:
            raise part.wrong("member", f"证件号码不是必填列时应包含 {', '.join(sorted(UNNUMBERED_FIELDS))}")
        part.end()
        return spec

    def _details(self, part: _Part, key: str) -> tuple[str, ...]:
        """Columns told as they are; one that could refuse a row would let a detail cost a household."""
        names = self._known(part, key, part.texts(key, []))
        for name in names:
            if self.names[name].required or not self.names[name].tolerant:
                raise part.wrong(key, f"列 {name} 应为非必填 (required) 且错值只提示 (tolerant: true)")
        return names

    def _fields(
        self, part: _Part, key: str, fields: frozenset[str], optional: frozenset[str] = frozenset()
    ) -> dict[str, str]:
        """Columns by field: all of `fields`, and all of `optional` or none."""
        pairs = part.pairs(key)
        if optional & set(pairs):
            fields |= optional
        if wrong := set(pairs) ^ fields:
            raise part.wrong(key, f"应恰好包含 {', '.join(sorted(fields))}; 多出或缺少 {', '.join(sorted(wrong))}")
        self._known(part, key, tuple(pairs.values()))
        return pairs

    def _whole(self, layout: FeedLayout) -> None:
        if bool(layout.facts) == (layout.household is not None):
            raise LayoutInvalid(self.file, "/facts", "facts 与 household 必须且只能有一个")
        for name in layout.natural_key:
            if not self.names[name].required:
                raise LayoutInvalid(self.file, "/natural_key", f"自然键的列 {name} 必须是必填列")
        if not layout.natural_key:
            raise LayoutInvalid(self.file, "/natural_key", "至少要有一列")
        if layout.household and layout.natural_key != (layout.household.number,):
            raise LayoutInvalid(self.file, "/natural_key", "按户归并的数据集以户编号为自然键")
        if layout.kind is Kind.SNAPSHOT and not any(f.ends for f in layout.facts):
            raise LayoutInvalid(self.file, "/facts", "全量数据集至少有一类事实随清单结束 (ends_with_snapshot)")
        if layout.reversal and (layout.kind is Kind.SNAPSHOT or len(layout.natural_key) != 1):
            raise LayoutInvalid(self.file, "/reversal", "只有以一列编号为自然键的增量数据集可以冲销")
        said = [(fact.kind, fact.part, fact.when) for fact in layout.facts]
        if len(set(said)) < len(said):
            raise LayoutInvalid(self.file, "/facts", "同一行的同类事实应以 part 区分，或以 when 互斥")
        for name in (n for fact in layout.facts for n in fact.columns):
            if self.names[name].withheld:
                raise LayoutInvalid(self.file, "/facts", f"列 {name} 不得转出 (withheld)")


_NUMBERS = (ColumnType.MONEY_YUAN, ColumnType.INTEGER, ColumnType.PERCENT)
