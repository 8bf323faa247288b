"""The data sets of this installation (数据目录): those it ships, and those its counties added, found by name.

Shipped layouts are files, read once. A county's own are rows; every process keeps what it has read of them, and
`refresh_catalogue` looks whether there is more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import yaml

from services.intake.domain.feed_layout import FeedLayout, LayoutInvalid
from services.intake.domain.layout_reader import read_layout
from shared.errors import NotFound
from shared.vocabulary.division import covers

FOLDER = Path(__file__).parent / "layouts"
Versions = Mapping[tuple[str, int], FeedLayout]


class LayoutUnknown(NotFound):
    code, title = "layout_unknown", "没有这个数据集版式"


@dataclass(slots=True)
class Own:
    """What a process knows of the layouts that counties added: every version, the retired names, whose they are."""

    versions: dict[tuple[str, int], FeedLayout] = field(default_factory=dict)
    divisions: dict[str, str] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    seen: tuple[Any, ...] = (0, 0, None)


_OWN = Own()


@cache
def shipped(folder: Path = FOLDER) -> Versions:
    """Every shipped layout by name and version; LayoutInvalid names the file and key that is wrong."""
    found: dict[tuple[str, int], FeedLayout] = {}
    for path in sorted(folder.glob("*.yaml")):
        layout = read_layout(_parse(path), path.name)
        if path.name != f"{layout.name}.v{layout.version}.yaml":
            raise LayoutInvalid(path.name, "/name", f"文件名应为 {layout.name}.v{layout.version}.yaml")
        found[layout.name, layout.version] = layout
    return found


def versions() -> Versions:
    """Every layout in use or once in use, by name and version."""
    return {**shipped(), **_OWN.versions}


def layouts() -> Mapping[str, FeedLayout]:
    """The newest version of every layout in use, by name; files are read by it unless they came before it did."""
    every = versions()
    return {name: every[name, version] for name, version in sorted(every) if name not in _OWN.retired}


def layout_named(name: str, version: int | None = None) -> FeedLayout:
    """The layout of that name in its newest version, if in use; or in that version, in use or not."""
    try:
        return layouts()[name] if version is None else versions()[name, version]
    except KeyError:
        raise LayoutUnknown(f"没有名为 {name[:40]} 的版式") from None


def layouts_for(division: str | None) -> Mapping[str, FeedLayout]:
    """The layouts in use that a division may know of (None: that anybody may): what a county added is its own matter,
    and that of those within it and above it."""
    return {name: layout for name, layout in layouts().items() if is_known_to(division, name)}


def layout_for(division: str | None, name: str) -> FeedLayout:
    """The layout of that name, if a division may know of it; another's is unknown, by the same words."""
    known = layouts_for(division)
    if name not in known:
        raise LayoutUnknown(f"没有名为 {name[:40]} 的版式；现有: {', '.join(known)}")
    return known[name]


def is_known_to(division: str | None, name: str) -> bool:
    """Whether a layout is shipped, or added by this division, one above it or one within it."""
    owner = owner_of(name)
    return owner is None or (division is not None and (covers(owner, division) or covers(division, owner)))


def title_of(name: str) -> str:
    """What a data set is called, also one that is out of use; its name if nothing is known of it."""
    every = versions()
    newest = max((version for named, version in every if named == name), default=None)
    return name if newest is None else every[name, newest].title


def owner_of(name: str) -> str | None:
    """The division that added a layout, which alone may send it; None for those that are shipped."""
    return _OWN.divisions.get(name)


def example_of(layout: FeedLayout) -> Path | None:
    """The example file of a shipped layout, with typical mistakes: its version's, or the last one's before it."""
    paths = (FOLDER / "examples" / f"{layout.name}.v{number}.csv" for number in range(layout.version, 0, -1))
    return next((path for path in paths if path.exists()), None)


async def refresh_catalogue(pool: asyncpg.Pool) -> None:
    """Learn what counties added or retired since the last look; cheap if nothing."""
    seen = await pool.fetchrow(
        "SELECT count(*) AS rows, count(retired_at) AS retired, max(changed_at) AS newest FROM own_layout"
    )
    assert seen is not None
    if tuple(seen.values()) == _OWN.seen:
        return
    rows = await pool.fetch(
        "SELECT name, version, division, document, retired_at FROM own_layout ORDER BY name, version"
    )
    _OWN.versions = {(row["name"], row["version"]): own_layout(row["document"]) for row in rows}
    _OWN.divisions = {row["name"]: row["division"] for row in rows}
    _OWN.retired = frozenset(row["name"] for row in rows if row["retired_at"] is not None)
    _OWN.seen = tuple(seen.values())


def own_layout(document: Any) -> FeedLayout:
    """The layout in a document that a county sent; LayoutInvalid names the key that is wrong."""
    return read_layout(document, "版式")


def _parse(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise LayoutInvalid(path.name, "/", f"不是有效的 YAML: {error}") from error
