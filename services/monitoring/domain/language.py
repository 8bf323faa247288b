"""The policy language (政策语言): one small SQL expression, parsed by sqlglot and let in piece by piece.

Only what is listed here passes; everything else is an error with file, line, what is right and an example.
sqlglot rewrites some tokens silently and accepts several statements, so tokens are checked before the tree.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from services.monitoring.domain.expression import (
    Arithmetic,
    Call,
    Case,
    Comparison,
    Expression,
    IsNull,
    Literal,
    Logic,
    Name,
    Negative,
    Not,
    OneOf,
)
from shared.policies.mistake import PolicyMistake

MAX_LENGTH = 2_000
MAX_TOKENS = 400
MAX_DEPTH = 24

FUNCTIONS = ("at_least", "max_known", "has")

TOKENS = frozenset(
    {
        TokenType.VAR,
        TokenType.NUMBER,
        TokenType.STRING,
        TokenType.TRUE,
        TokenType.FALSE,
        TokenType.NULL,
        TokenType.L_PAREN,
        TokenType.R_PAREN,
        TokenType.COMMA,
        TokenType.PLUS,
        TokenType.DASH,
        TokenType.STAR,
        TokenType.LT,
        TokenType.LTE,
        TokenType.GT,
        TokenType.GTE,
        TokenType.EQ,
        TokenType.NEQ,
        TokenType.AND,
        TokenType.OR,
        TokenType.NOT,
        TokenType.IS,
        TokenType.IN,
        TokenType.CASE,
        TokenType.WHEN,
        TokenType.THEN,
        TokenType.ELSE,
        TokenType.END,
    }
)
ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
COMPARISONS = {exp.LT: "<", exp.LTE: "<=", exp.EQ: "=", exp.NEQ: "<>", exp.GTE: ">=", exp.GT: ">"}
LOGIC = {exp.And: "and", exp.Or: "or"}

ALLOWED = "只用名称、数字、文字、比较、+ - *、and or not、case、in、is null"

# What people try, and what to write instead.
INSTEAD: dict[object, tuple[str, str]] = {
    TokenType.SLASH: ("不用除法，改用乘法比较", "10000 * rigid_outlay >= outlay_share * net_income"),
    TokenType.SEMICOLON: ("只写一个表达式，不加分号", "net_income < limit"),
    TokenType.SELECT: ("不能写查询，只能用已定义的名称", "net_income < limit"),
    TokenType.BETWEEN: ("用两个比较代替 between", "a >= 1 and a <= 2"),
    TokenType.PARAMETER: ("直接写参数名称", "monitoring_line"),
    TokenType.DCOLON: ("不转换类型，量在定义处说明单位", "unit: CNY"),
    TokenType.IDENTIFIER: ("名称不加双引号，文字用单引号", "base_group = 'general'"),
}
FUNCTION_INSTEAD = {
    "greatest": ("用 at_least(x, 0)，未知仍是未知", "at_least(cost - relief, 0)"),
    "coalesce": ("未知不当作零；确需默认值时写 case when x is null", "case when x is null then 0 else x end"),
    "least": ("用 case when 比较两者", "case when a < b then a else b end"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands."""

    file: str
    line: int

    def mistake(self, what: str, *, right: str, example: str) -> PolicyMistake:
        return PolicyMistake(self.file, self.line, what, right=right, example=example)


def parse(text: str, place: Place) -> Expression:
    """Read exactly one expression; names are not yet looked up (see expression_type)."""
    if len(text) > MAX_LENGTH:
        raise place.mistake(
            f"表达式长 {len(text)} 字，太长", right=f"不超过 {MAX_LENGTH} 字，拆成派生值", example="derived: …"
        )
    _check_tokens(text, place)
    try:
        trees = Postgres().parse(text)
    except (SqlglotError, RecursionError) as error:
        raise _unreadable(text, place) from error
    if len(trees) != 1 or trees[0] is None:
        raise _unreadable(text, place)
    return _Reader(place).read(trees[0], 0)


def _unreadable(text: str, place: Place) -> PolicyMistake:
    return place.mistake(
        f"看不懂表达式“{text}”", right="一个完整的表达式，括号和引号成对", example="net_income < 100 or insured"
    )


def _check_tokens(text: str, place: Place) -> None:
    try:
        tokens = Postgres().tokenize(text)
    except SqlglotError as error:
        raise _unreadable(text, place) from error
    if len(tokens) > MAX_TOKENS:
        raise place.mistake(
            f"表达式有 {len(tokens)} 个词，太长", right=f"不超过 {MAX_TOKENS} 个词，拆成派生值", example="derived: …"
        )
    if "--" in text or "/*" in text or any(token.comments for token in tokens):
        raise place.mistake("表达式里有注释", right="注释写在YAML里，用 # 开头", example="# 说明")
    _check_nesting(tokens, place)
    for token in tokens:
        if token.token_type not in TOKENS and token.text.lower() not in FUNCTIONS:
            raise _refused_token(token, text, place)


def _check_nesting(tokens: list[Token], place: Place) -> None:
    """Refuse deep nesting before the recursive parser sees it."""
    depth = 0
    for token in tokens:
        depth += token.token_type in (TokenType.L_PAREN, TokenType.CASE)
        depth -= token.token_type in (TokenType.R_PAREN, TokenType.END)
        if depth > MAX_DEPTH:
            raise _too_deep(place)


def _too_deep(place: Place) -> PolicyMistake:
    return place.mistake("表达式嵌套太深", right=f"不超过 {MAX_DEPTH} 层，拆成派生值", example="derived: …")


def _refused_token(token: Token, text: str, place: Place) -> PolicyMistake:
    right, example = INSTEAD.get(token.token_type, (ALLOWED, "a < b"))
    return place.mistake(f"“{token.text}”不可用（在“{text}”中）", right=right, example=example)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns sqlglot's tree into ours, class by class; an unlisted class is refused."""

    place: Place

    def read(self, node: exp.Expr, depth: int) -> Expression:
        if depth > MAX_DEPTH * 4:
            raise _too_deep(self.place)
        kind = type(node)
        if kind is exp.Paren:
            return self.read(node.this, depth + 1)
        if kind in ARITHMETIC:
            return Arithmetic(ARITHMETIC[kind], *self._sides(node, depth))
        if kind in COMPARISONS:
            return Comparison(COMPARISONS[kind], *self._sides(node, depth))
        if kind in LOGIC:
            return Logic(LOGIC[kind], *self._sides(node, depth))
        if (reader := READERS.get(kind)) is None:
            raise self.refuse(node)
        return reader(self, node, depth + 1)

    def refuse(self, node: exp.Expr) -> PolicyMistake:
        name = str(node.this).lower() if isinstance(node, exp.Anonymous) else node.key.lower()
        only = f"函数只有 {'、'.join(FUNCTIONS)}；{ALLOWED}"
        right, example = FUNCTION_INSTEAD.get(name, (only, "at_least(x, 0)"))
        return self.place.mistake(f"“{node.sql('postgres')}”不可用", right=right, example=example)

    def _sides(self, node: exp.Expr, depth: int) -> tuple[Expression, Expression]:
        return self.read(node.this, depth + 1), self.read(node.expression, depth + 1)

    def literal(self, node: exp.Expr, depth: int) -> Expression:
        if node.args.get("is_string"):
            return Literal(str(node.this))
        if not str(node.this).isdecimal() or len(str(node.this)) > 12:
            raise self.place.mistake(
                f"数字 {node.this} 不可用", right="整数；金额、比例写成参数", example='outlay_share: "0.2"'
            )
        return Literal(int(node.this))

    def boolean(self, node: exp.Expr, depth: int) -> Expression:
        return Literal(bool(node.this))

    def name(self, node: exp.Expr, depth: int) -> Expression:
        identifier = node.this
        if not isinstance(identifier, exp.Identifier) or identifier.args.get("quoted") or node.args.get("table"):
            raise self.refuse(node)
        return Name(str(identifier.this))

    def negative(self, node: exp.Expr, depth: int) -> Expression:
        return Negative(self.read(node.this, depth))

    def negation(self, node: exp.Expr, depth: int) -> Expression:
        return Not(self.read(node.this, depth))

    def is_null(self, node: exp.Expr, depth: int) -> Expression:
        if type(node.expression) is not exp.Null:
            raise self.place.mistake(
                "is 后面只能是 null 或 not null", right="真假值直接写，或前加 not", example="not insured"
            )
        known = IsNull(self.read(node.this, depth))
        return Not(known) if node.args.get("negate") else known

    def one_of(self, node: exp.Expr, depth: int) -> Expression:
        options = [self.read(each, depth) for each in node.args.get("expressions") or ()]
        if not options or not all(isinstance(each, Literal) for each in options):
            raise self.place.mistake(
                "in 后面应是列出的文字或整数", right="in ('…', '…')", example="grade in ('C', 'D')"
            )
        values = tuple(each.value for each in options if isinstance(each, Literal))
        return OneOf(self.read(node.this, depth), values)

    def case(self, node: exp.Expr, depth: int) -> Expression:
        if node.args.get("this") is not None:
            raise self.place.mistake(
                "case 后面不写值", right="每个 when 写完整条件", example="case when a = 'x' then 1 end"
            )
        branches = tuple(
            (self.read(each.this, depth), self.read(each.args["true"], depth)) for each in node.args["ifs"]
        )
        default = node.args.get("default")
        return Case(branches, None if default is None else self.read(default, depth))

    def call(self, node: exp.Expr, depth: int) -> Expression:
        if str(node.this).lower() not in FUNCTIONS:
            raise self.refuse(node)
        return Call(str(node.this).lower(), tuple(self.read(each, depth) for each in node.expressions))


READERS: dict[type, Callable[[_Reader, exp.Expr, int], Expression]] = {
    exp.Literal: _Reader.literal,
    exp.Boolean: _Reader.boolean,
    exp.Column: _Reader.name,
    exp.Neg: _Reader.negative,
    exp.Not: _Reader.negation,
    exp.Is: _Reader.is_null,
    exp.In: _Reader.one_of,
    exp.Case: _Reader.case,
    exp.Anonymous: _Reader.call,
}
