"""What is true of one thing, day by day: values that follow each other without overlapping."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Span(Generic[V]):
    """A value that holds in [valid_from, valid_to); a null end is open, a null start as old as the register."""

    value: V
    valid_from: date | None
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        """Whether the value is true on that day; on the day it ends it is not."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


def holding(spans: Iterable[Span[V]], day: date) -> Span[V] | None:
    """The span that holds on a day, if one does."""
    return next((span for span in spans if span.holds(day)), None)


def altered(
    spans: Iterable[Span[V]], day: date, change: Callable[[V], V | None], *, alike: Callable[[V, V], bool]
) -> list[Span[V]]:
    """The spans with the value of `day` changed from then on, until something else was said of it (None: it ends).

    Later spans that follow without a gap are changed too while they are `alike` in what changes, so that a death told
    late also ends what was entered after it. Some span must hold on `day`.
    """
    ordered = _ordered(spans)
    first = next(i for i, span in enumerate(ordered) if span.holds(day))
    last = first + 1
    while last < len(ordered) and _follows(ordered[last - 1], ordered[last], ordered[first], alike):
        last += 1
    run = ordered[first:last]
    kept = [replace(run[0], valid_to=day)] if run[0].valid_from is None or run[0].valid_from < day else []
    changed = [(change(span.value), span) for span in run]
    new = [Span(value, _later(day, span.valid_from), span.valid_to) for value, span in changed if value is not None]
    return joined([*ordered[:first], *kept, *new, *ordered[last:]])


def moved_to(value: V, spans: Iterable[Span[V]], day: date) -> list[Span[V]]:
    """The spans with another value from `day` on, until the next that is known already."""
    return altered(spans, day, lambda _: value, alike=lambda _, __: False)


def begun(spans: Iterable[Span[V]], day: date, value: V) -> list[Span[V]]:
    """The spans with `value` from `day` on, until the next span; none may hold on `day`."""
    ordered = _ordered(spans)
    until = min((s.valid_from for s in ordered if s.valid_from is not None and s.valid_from > day), default=None)
    return joined([*ordered, Span(value, day, until)])


def parted(spans: Iterable[Span[V]], day: date) -> tuple[list[Span[V]], list[Span[V]]]:
    """The spans until `day`, and those from then on; one that holds on both sides is cut in two."""
    before, after = [], []
    for span in _ordered(spans):
        if span.valid_from is None or span.valid_from < day:
            until = day if span.valid_to is None else min(span.valid_to, day)
            before.append(replace(span, valid_to=until))
        if span.valid_to is None or span.valid_to > day:
            after.append(replace(span, valid_from=_later(day, span.valid_from)))
    return before, after


def filled(own: Iterable[Span[V]], other: Iterable[Span[V]]) -> list[Span[V]]:
    """The own spans, and of the other ones what falls on days of which the own say nothing."""
    mine = _ordered(own)
    found = list(mine)
    for span in _ordered(other):
        rest: list[Span[V]] = [span]
        for taken in mine:
            rest = [piece for each in rest for piece in _without(each, taken)]
        found += rest
    return joined(found)


def _without(span: Span[V], taken: Span[V]) -> list[Span[V]]:
    """What is left of a span on days that another does not hold."""
    before = [span] if taken.valid_from is not None else []
    if before and (span.valid_to is None or span.valid_to > taken.valid_from):  # type: ignore[operator]
        before = [replace(span, valid_to=taken.valid_from)]
    after = []
    if taken.valid_to is not None:
        after = [replace(span, valid_from=_later(taken.valid_to, span.valid_from))]
    return [each for each in (*before, *after) if _has_days(each)]


def _has_days(span: Span[V]) -> bool:
    return span.valid_from is None or span.valid_to is None or span.valid_from < span.valid_to


def joined(spans: Iterable[Span[V]]) -> list[Span[V]]:
    """The spans in order; neighbours of one value become one."""
    out: list[Span[V]] = []
    for span in _ordered(spans):
        last = out[-1] if out else None
        if last and last.valid_to == span.valid_from and span.valid_from is not None and last.value == span.value:
            out[-1] = replace(out[-1], valid_to=span.valid_to)
        else:
            out.append(span)
    return out


def _ordered(spans: Iterable[Span[V]]) -> Sequence[Span[V]]:
    return sorted(spans, key=lambda span: span.valid_from or date.min)


def _follows(before: Span[V], span: Span[V], first: Span[V], alike: Callable[[V, V], bool]) -> bool:
    return before.valid_to is not None and before.valid_to == span.valid_from and alike(first.value, span.value)


def _later(day: date, other: date | None) -> date:
    return day if other is None else max(day, other)
