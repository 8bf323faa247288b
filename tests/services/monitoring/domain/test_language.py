"""The language parses to known trees, and lets nothing else in."""

import pytest

from services.monitoring.domain.expression import Expression, names_in
from services.monitoring.domain.language import Place, parse
from shared.policies import PolicyMistake

PLACE = Place("derived.yaml", 7)

# A fixed corpus: both judges share the parsed tree, so its meaning is pinned here.
CORPUS = {
    "a + b * c": "Arithmetic('+', Name('a'), Arithmetic('*', Name('b'), Name('c')))",
    "a - b - c": "Arithmetic('-', Arithmetic('-', Name('a'), Name('b')), Name('c'))",
    "-a * b": "Arithmetic('*', Negative(Name('a')), Name('b'))",
    "(a + b) * c": "Arithmetic('*', Arithmetic('+', Name('a'), Name('b')), Name('c'))",
    "p or q and r": "Logic('or', Name('p'), Logic('and', Name('q'), Name('r')))",
    "not p and q": "Logic('and', Not(Name('p')), Name('q'))",
    "not a = b": "Not(Comparison('=', Name('a'), Name('b')))",
    "a <> b": "Comparison('<>', Name('a'), Name('b'))",
    "a != b": "Comparison('<>', Name('a'), Name('b'))",
    "a >= 10000 * b": "Comparison('>=', Name('a'), Arithmetic('*', Literal(10000), Name('b')))",
    "a is null": "IsNull(Name('a'))",
    "a is not null": "Not(IsNull(Name('a')))",
    "g in ('C', 'D')": "OneOf(Name('g'), ('C', 'D'))",
    "g not in ('C')": "Not(OneOf(Name('g'), ('C',)))",
    "case when p then a end": "Case(((Name('p'), Name('a')),), None)",
    "case when p then a when q then b else 0 end": (
        "Case(((Name('p'), Name('a')), (Name('q'), Name('b'))), Literal(0))"
    ),
    "at_least(a - b, 0)": "Call('at_least', (Arithmetic('-', Name('a'), Name('b')), Literal(0)))",
    "AT_LEAST(a, 0)": "Call('at_least', (Name('a'), Literal(0)))",
    "max_known(a, b)": "Call('max_known', (Name('a'), Name('b')))",
    "has(types, 5)": "Call('has', (Name('types'), Literal(5)))",
    "true and false": "Logic('and', Literal(True), Literal(False))",
    "g = 'it''s'": "Comparison('=', Name('g'), Literal(\"it's\"))",
}


def _shown(tree: Expression) -> str:
    """The tree without field names."""
    text = repr(tree)
    for field in (
        "operator",
        "left",
        "right",
        "operand",
        "name",
        "value",
        "options",
        "branches",
        "otherwise",
        "function",
        "arguments",
    ):
        text = text.replace(f"{field}=", "")
    return text


@pytest.mark.parametrize("text", CORPUS)
def test_text_parses_to_its_tree(text: str) -> None:
    assert _shown(parse(text, PLACE)) == CORPUS[text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a b",
        "a,b",
        "a;",
        "a; b",
        "a; drop table fact",
        "drop table fact",
        "select 1",
        "(select 1)",
        "a /b",
        "a % b",
        "a || b",
        "a::int",
        "cast(a as int)",
        "a -- b",
        "a /* b */",
        "a # b",
        '"a"',
        "$1",
        ":a",
        "@a",
        "?",
        "a.b",
        "a[1]",
        "array[1]",
        "now()",
        "current_date",
        "date '2024-01-01'",
        "interval '1 day'",
        "1.5",
        "1e3",
        "1_000",
        "0x10",
        "a like 'b'",
        "a between 1 and 2",
        "a is true",
        "a is distinct from b",
        "exists (select 1)",
        "a in (select 1)",
        "a in (b)",
        "a in ()",
        "coalesce(a, 0)",
        "greatest(a, 0)",
        "least(a, 0)",
        "nullif(a, 0)",
        "sum(a)",
        "count(*)",
        "*",
        "a as b",
        "null",
        "a ~ 'x'",
        "a ^ 2",
        "a << 1",
        "a & 1",
        "E'x'",
        "U&'x'",
        "$$x$$",
        "pg_sleep(1)",
        "case a when 1 then 2 end",
        "case end",
        "a over ()",
        'a collate "C"',
        "9999999999999",
    ],
)
def test_everything_else_is_refused_with_file_and_line(text: str) -> None:
    with pytest.raises(PolicyMistake, match=r"derived\.yaml 第7行"):
        parse(text, PLACE)


@pytest.mark.parametrize(
    "text", ["(" * 500 + "a" + ")" * 500, "not " * 300 + "a", "- " * 300 + "a", "a + " * 600 + "a"]
)
def test_long_and_deep_texts_are_refused_not_crashed_on(text: str) -> None:
    with pytest.raises(PolicyMistake):
        parse(text, PLACE)


def test_names_are_listed_in_order() -> None:
    assert list(names_in(parse("case when p then a + b else at_least(c, 0) end", PLACE))) == ["p", "a", "b", "c"]
