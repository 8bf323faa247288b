"""What is otherwise between two tables of routes: nodes that came, went, or say something else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.alerts.domain.route_table import COLUMNS, Row


@dataclass(frozen=True, slots=True)
class Difference:
    """`changed`: node -> column -> what it said and says; `is_reordered`: what both have stands otherwise."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, Mapping[str, tuple[str, str]]]
    is_reordered: bool


def difference(before: Sequence[Row], after: Sequence[Row]) -> Difference:
    """Nodes are the same by their names."""
    old, new = ({row["node"]: row for row in rows} for rows in (before, after))
    kept = [name for name in new if name in old]
    changed = {name: cells for name in kept if (cells := _cells(old[name], new[name]))}
    return Difference(
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        changed,
        kept != [name for name in old if name in new],
    )


def _cells(before: Row, after: Row) -> dict[str, tuple[str, str]]:
    pairs = {column.zh: (before.get(name, ""), after.get(name, "")) for name, column in COLUMNS.items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
