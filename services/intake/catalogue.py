"""The layouts this installation ships: read once, checked, found by name."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from services.intake.domain.feed_layout import FeedLayout, LayoutInvalid
from services.intake.domain.layout_reader import read_layout
from shared.errors import NotFound

FOLDER = Path(__file__).parent / "layouts"


class LayoutUnknown(NotFound):
    code, title = "layout_unknown", "没有这个数据集版式"


@cache
def versions(folder: Path = FOLDER) -> Mapping[tuple[str, int], FeedLayout]:
    """Every layout by name and version; LayoutInvalid names the file and key that is wrong."""
    found: dict[tuple[str, int], FeedLayout] = {}
    for path in sorted(folder.glob("*.yaml")):
        layout = read_layout(_parse(path), path.name)
        if path.name != f"{layout.name}.v{layout.version}.yaml":
            raise LayoutInvalid(path.name, "/name", f"文件名应为 {layout.name}.v{layout.version}.yaml")
        found[layout.name, layout.version] = layout
    return found


@cache
def layouts(folder: Path = FOLDER) -> Mapping[str, FeedLayout]:
    """The newest version of every layout, by name; files are read by it unless they came before it did."""
    every = versions(folder)
    return {name: every[name, version] for name, version in sorted(every)}


def layout_named(name: str, version: int | None = None) -> FeedLayout:
    """The layout of that name, in that version or its newest; LayoutUnknown lists the names there are."""
    try:
        return layouts()[name] if version is None else versions()[name, version]
    except KeyError:
        raise LayoutUnknown(f"没有名为 {name[:40]} 的版式；现有: {', '.join(layouts())}") from None


def _parse(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise LayoutInvalid(path.name, "/", f"不是有效的 YAML: {error}") from error
