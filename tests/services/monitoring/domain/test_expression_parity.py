"""Any well-typed expression means the same to PostgreSQL and to the interpreter, unknowns included."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.monitoring.domain.compiled_expression import SqlWriter
from services.monitoring.domain.evaluated_expression import Interpreter, Value
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
from tests.services.monitoring.domain.ledger_database import LedgerWriter

NUMBERS, FLAGS, TEXTS = ("a", "b", "c"), ("p", "q"), ("t", "u")
TYPES = {**dict.fromkeys(NUMBERS, "bigint"), **dict.fromkeys(FLAGS, "boolean"), **dict.fromkeys(TEXTS, "text")}

numbers: st.SearchStrategy[Expression] = st.deferred(
    lambda: st.one_of(
        st.builds(Name, st.sampled_from(NUMBERS)),
        st.builds(Literal, st.sampled_from([0, 1, 3, 10_000])),
        st.builds(Negative, numbers),
        st.builds(Arithmetic, st.sampled_from("+-*"), numbers, numbers),
        st.builds(lambda a, b: Call("at_least", (a, b)), numbers, numbers),
        st.builds(lambda each: Call("max_known", tuple(each)), st.lists(numbers, min_size=2, max_size=3)),
        st.builds(_case, flags, numbers, st.one_of(st.none(), numbers)),
    )
)
texts: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Name, st.sampled_from(TEXTS)), st.builds(Literal, st.sampled_from(["C", "D", "it's"]))
)
flags: st.SearchStrategy[Expression] = st.deferred(
    lambda: st.one_of(
        st.builds(Name, st.sampled_from(FLAGS)),
        st.builds(Literal, st.booleans()),
        st.builds(Comparison, st.sampled_from(["<", "<=", "=", "<>", ">", ">="]), numbers, numbers),
        st.builds(Comparison, st.sampled_from(["=", "<>"]), texts, texts),
        st.builds(Logic, st.sampled_from(["and", "or"]), flags, flags),
        st.builds(Not, flags),
        st.builds(IsNull, st.one_of(flags, numbers, texts)),
        st.builds(
            lambda each, options: OneOf(each, tuple(options)), texts, st.lists(st.sampled_from("ABCD"), min_size=1)
        ),
        st.builds(_case, flags, flags, st.one_of(st.none(), flags)),
    )
)


def _case(condition: Expression, value: Expression, otherwise: Expression | None) -> Expression:
    return Case(((condition, value),), otherwise)


VALUES = st.fixed_dictionaries(
    {
        **dict.fromkeys(NUMBERS, st.one_of(st.none(), st.sampled_from([0, 1, 2, 949_999, 950_000]))),
        **dict.fromkeys(FLAGS, st.sampled_from([None, True, False])),
        **dict.fromkeys(TEXTS, st.sampled_from([None, "C", "D", "it's"])),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(expressions=st.lists(st.one_of(numbers, flags), min_size=1, max_size=12), values=VALUES)
async def test_sql_and_interpreter_agree(
    ledger: LedgerWriter, expressions: list[Expression], values: dict[str, Any]
) -> None:
    interpreter = Interpreter(values.__getitem__)
    columns = ", ".join(SqlWriter(lambda name: f"d.{name}").write(each) for each in expressions)
    given_values = ", ".join(f"${index}::{TYPES[name]} as {name}" for index, name in enumerate(values, 1))
    row = await ledger.connection.fetchrow(f"select {columns} from (select {given_values}) d", *values.values())
    expected: list[Value] = [interpreter.value(each) for each in expressions]
    assert row is not None
    assert list(row) == expected
