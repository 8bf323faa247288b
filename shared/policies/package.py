"""A policy package as written: its YAML documents and the regions that override values."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shared.policies.document import Node, read_document
from shared.policies.mistake import PolicyMistake

HOME = Path(__file__).parent
REGIONS = HOME / "regions"
SHIPPED = ("national",)

DOCUMENTS = (
    "package",
    "parameters",
    "measures",
    "members",
    "derived",
    "indicators",
    "causes",
    "classes",
    "exclusions",
    "flags",
    "quality",
    "civil_affairs",
    "removal",
)
EXTENDS = "extends"


@dataclass(frozen=True, slots=True)
class RawPackage:
    """The documents of one package by name, the region files by division code, and the digest of its shape.

    `digest` covers the package's own files; a region's values show themselves in every answer instead, so
    that one county's new value does not rename the policy of all others. `siblings` names the packages beside it.
    """

    name: str
    documents: Mapping[str, Node]
    regions: Mapping[str, Node]
    digest: str
    siblings: tuple[str, ...] = ()


def load_package(on: date) -> RawPackage:
    """The shipped package in force on a day: the last one whose `applies_from` is not after it."""
    packages = [named_package(name) for name in SHIPPED]
    applied = [each for each in packages if _applies_from(each) <= on]
    if not applied:
        raise PolicyMistake(
            "package.yaml", 1, f"{on} 没有适用的政策包", right="applies_from 不晚于该日", example="2021-05-01"
        )
    return max(applied, key=_applies_from)


def named_package(name: str) -> RawPackage:
    """A shipped package by name, with the regions' values."""
    return read_package(HOME / name, REGIONS)


def read_package(directory: Path, regions: Path | None = None) -> RawPackage:
    """Read a package folder: one YAML file for each of DOCUMENTS, and `<division code>.yaml` for regions.

    A package whose header says `extends: other` holds only the documents (and fields of the header) that it
    replaces; the rest is that of the folder `other` beside it.
    """
    texts, documents = _documents(directory)
    overlays = {} if regions is None else {each.stem: _region(each) for each in sorted(regions.glob("*.yaml"))}
    return RawPackage(directory.name, documents, overlays, _digest(texts), packages_in(directory.parent))


def packages_in(home: Path = HOME) -> tuple[str, ...]:
    """The names of all packages of a folder, those of single regions too."""
    return tuple(sorted(each.parent.name for each in home.glob("*/package.yaml")))


def read_variants(home: Path = HOME) -> dict[str, Node]:
    """Ways of writing a parameter that a county may copy into its region file, by the file's name."""
    paths = sorted((home / "variants").glob("*.yaml"))
    return {each.stem: read_document(each.read_text(encoding="utf-8"), f"variants/{each.name}") for each in paths}


def checks_document() -> Node:
    """The checks of the register's quality; no package, since no place decides them."""
    path = HOME / "checks" / "quality.yaml"
    return read_document(path.read_text(encoding="utf-8"), f"checks/{path.name}")


def _documents(directory: Path) -> tuple[dict[str, str], dict[str, Node]]:
    """The texts a package rests on, and its documents."""
    header = _read(directory, "package", _text(directory / "package.yaml"))
    base = dict(header.entries()).get(EXTENDS)
    names = DOCUMENTS if base is None else [each for each in DOCUMENTS if (directory / f"{each}.yaml").exists()]
    own = {name: _text(directory / f"{name}.yaml") for name in names}
    documents = {name: _read(directory, name, text) for name, text in own.items()}
    if base is None:
        return own, documents
    texts, inherited = _documents(_beside(directory, base))
    own = {f"{directory.name}/{name}": text for name, text in own.items()}
    return {**texts, **own}, {**inherited, **documents, "package": _merged(inherited["package"], header)}


def _beside(directory: Path, base: Node) -> Path:
    folder = directory.parent / base.text()
    if base.text() == directory.name or not (folder / "package.yaml").exists():
        raise base.mistake(
            f"没有名为 {base.text()} 的政策包", right="同一目录下另一个政策包的名称", example="national"
        )
    return folder


def _merged(inherited: Node, header: Node) -> Node:
    own = {name: each for name, each in header.entries() if name != EXTENDS}
    return Node({**dict(inherited.entries()), **own}, header.file, header.line)


def _read(directory: Path, name: str, text: str) -> Node:
    return read_document(text, f"{directory.name}/{name}.yaml")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        right = f"政策包须有 {'、'.join(DOCUMENTS)}"
        where = f"{path.parent.name}/{path.name}"
        raise PolicyMistake(where, 1, "缺少此文件", right=right, example=path.name) from None


def _region(path: Path) -> Node:
    return read_document(path.read_text(encoding="utf-8"), f"regions/{path.name}")


def _applies_from(package: RawPackage) -> date:
    return dict(package.documents["package"].entries())["applies_from"].day()


def _digest(texts: Mapping[str, str]) -> str:
    joined = "\0".join(f"{name}\0{text}" for name, text in sorted(texts.items()))
    return hashlib.sha256(joined.encode()).hexdigest()[:12]
