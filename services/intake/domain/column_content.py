"""What sure rows say, as JSON written column by column: byte for byte what `RowChecker` has its content become.

No value in it needs an escape, so pieces of text are joined. What does not apply or is not known is null, and is
left out.
"""

import json
from collections.abc import Iterator, Sequence

import polars as pl

from services.intake.domain.column_cells import ATTRIBUTE, COUNTED, SPOKEN, VALUE, WHOLE, all_hold, looked_up
from services.intake.domain.feed_layout import Column, FactSpec, FeedLayout

RECORD_KEY = " record"
"""The column of the rows' natural keys."""

Piece = str | pl.Expr


def as_json(value: object) -> str:
    """A value as content writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def content(layout: FeedLayout) -> pl.Expr:
    """The content of each row: all its observations."""
    said = [_observation(layout, fact) for fact in layout.facts]
    if any(fact.when for fact in layout.facts):
        every = [
            pl.when(all_hold(fact.when, layout)).then(_joined(pieces)) if fact.when else _joined(pieces)
            for fact, pieces in zip(layout.facts, said, strict=True)
        ]
        listed: Sequence[Piece] = [_listed(every)]
    else:
        listed = [piece for pieces in said for piece in (",", *pieces)][1:]
    return _joined(['{"observations":[', *listed, "]", *_whom_it_concerns(layout), "}"])


def _whom_it_concerns(layout: FeedLayout) -> Sequence[Piece]:
    """Of asset data that say nothing, whom they are about: whether so much may be kept his household must allow."""
    person = next((fact.person for fact in layout.facts if fact.person is not None), None)
    if not layout.needs_authorisation or not all(fact.when for fact in layout.facts) or person is None:
        return ()
    nothing = ~pl.any_horizontal(all_hold(fact.when, layout) for fact in layout.facts)
    index = _joined(['"', pl.col(SPOKEN + person), '"']).fill_null("null")
    return [pl.when(nothing).then(_joined([',"person":', index])).otherwise(pl.lit(""))]


def _joined(pieces: Sequence[Piece]) -> pl.Expr:
    """The pieces as one text, null where one of them is; constants that follow each other are joined beforehand."""
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return pl.concat_str([pl.lit(piece) if isinstance(piece, str) else piece for piece in merged])


def _listed(texts: Sequence[pl.Expr]) -> pl.Expr:
    """Those of the texts that are there, with commas between them; empty if none is."""
    return pl.concat_str(texts, separator=",", ignore_nulls=True)


def _observation(layout: FeedLayout, fact: FactSpec) -> list[Piece]:
    part = "" if fact.part is None else as_json(f"#{fact.part}")[1:-1]
    pieces: list[Piece] = ['{"record":"', pl.col(RECORD_KEY), f'{part}","kind":{as_json(fact.kind)}']
    pieces += [',"occurred_on":"', pl.col(SPOKEN + fact.occurred_on), '"']
    for name, column in fact.told_as_is:
        if column is not None:
            pieces += _field(name, layout.column(column))
    pieces += _person_name(layout, fact)
    if fact.value:
        pieces += _if_known(layout, fact.value, [',"value":"', _value(layout, fact.value), '"'])
    pieces += _attributes(layout, fact)
    pieces += [f",{as_json(name)}:{as_json(value)}" for name, value in fact.fixed.items()]
    pieces += [piece for name, day, column in _days(fact) for piece in _day(name, day, layout.column(column))]
    return [*pieces, *_own_codes_alone(layout, fact), "}"]


def _if_known(layout: FeedLayout, names: Sequence[str], pieces: Sequence[Piece]) -> Sequence[Piece]:
    """The pieces, or nothing where one of these columns says nothing."""
    if all(layout.column(name).required and not layout.column(name).withheld for name in names):
        return pieces
    return [_joined(pieces).fill_null("")]


def _field(name: str, column: Column) -> Sequence[Piece]:
    """A field that holds a column's value as it is."""
    pieces = [f',"{name}":', *_json_of(column, VALUE)]
    return pieces if column.required and not column.withheld else [_joined(pieces).fill_null("")]


def _person_name(layout: FeedLayout, fact: FactSpec) -> Sequence[Piece]:
    """The name goes along if the row names the person."""
    if fact.person is None or fact.person_name is None:
        return ()
    pieces = [',"person_name":', *_json_of(layout.column(fact.person_name), VALUE)]
    if layout.column(fact.person).required:
        return _if_known(layout, [fact.person_name], pieces)
    named = pl.when(pl.col(SPOKEN + fact.person).is_not_null()).then(_joined(pieces))
    return [named.fill_null("")]


def _value(layout: FeedLayout, names: Sequence[str]) -> pl.Expr:
    """Several codes in one cell follow each other without a mark."""
    words = [pl.col(SPOKEN + name) for name in names]
    several = [layout.column(name).multiple for name in names]
    return pl.concat_str(
        [
            word.str.replace_all("\x1e", "", literal=True) if many else word
            for word, many in zip(words, several, strict=True)
        ],
        separator="-",
    )


def _attributes(layout: FeedLayout, fact: FactSpec) -> Iterator[Piece]:
    """What is known of the attributes, and those that are the same for every row; the department's numbers behind."""
    fixed = [f"{as_json(name)}:{as_json(value)}" for name, value in fact.fixed_attributes.items()]
    if not fact.attributes and not fixed:
        return
    known = [
        _joined([f"{as_json(name)}:", *_json_of(layout.column(column), ATTRIBUTE)])
        for name, column in fact.attributes.items()
    ]
    own = [_joined(['"own_codes":{', numbers, "}"]) for numbers in _own_codes(layout)]
    listed = _listed([*known, *map(pl.lit, fixed), *own])
    whole = _joined([',"attributes":{', listed, "}"])
    yield whole if fixed else pl.when(_any_attribute(layout, fact)).then(whole).otherwise(pl.lit(""))


def _any_attribute(layout: FeedLayout, fact: FactSpec) -> pl.Expr:
    forms = (_json_of(layout.column(column), ATTRIBUTE) for column in fact.attributes.values())
    return pl.any_horizontal(_joined(form).is_not_null() for form in forms)


def _own_codes(layout: FeedLayout) -> list[pl.Expr]:
    """The department's own numbers of a row, listed; null where it says none. Empty if the layout has none."""
    said = [
        _joined([f"{as_json(name)}:", *_json_of(layout.column(column), VALUE)])
        for name, column in layout.told_codes.items()
    ]
    listed = _listed(said)
    return [pl.when(listed != "").then(listed)] if said else []


def _own_codes_alone(layout: FeedLayout, fact: FactSpec) -> Iterator[Piece]:
    """Where nothing else is an attribute, they come last."""
    if fact.fixed_attributes:
        return
    for numbers in _own_codes(layout):
        alone = _joined([',"attributes":{"own_codes":{', numbers, "}}"])
        others = _any_attribute(layout, fact) if fact.attributes else pl.lit(False)
        yield pl.when(~others).then(alone).fill_null("")


def _days(fact: FactSpec) -> Iterator[tuple[str, int, str]]:
    """The days of a fact besides the one it happened on: name, days to be added, column."""
    if fact.period is not None:
        yield "period_from", 0, fact.period[0]
        yield "period_to", 0, fact.period[1]
    if fact.ended_on is not None:
        yield "ended_on", 0, fact.ended_on
    if fact.last_day is not None:
        yield "ended_on", 1, fact.last_day


def _day(name: str, later: int, column: Column) -> Sequence[Piece]:
    said = pl.col(SPOKEN + column.name)
    if later:
        said = (pl.col(WHOLE + column.name) + later).cast(pl.Int32).cast(pl.Date).cast(pl.String)
    return [_joined([f',"{name}":"', said, '"']).fill_null("")]


def _json_of(column: Column, form: str) -> list[Piece]:
    """A column's value as JSON: looked up by its text, or what it says, in quotes if that is no number."""
    if looked_up(column):
        return [pl.col(form + column.name)]
    said = pl.col(SPOKEN + column.name)
    return [said] if column.type in COUNTED else ['"', said, '"']
