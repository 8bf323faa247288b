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

DOCUMENTS = ("package", "parameters", "measures", "members", "derived", "indicators", "causes", "classes", "flags")


@dataclass(frozen=True, slots=True)
class RawPackage:
    """The documents of one package by name, the region files by division code, and the digest of its shape.

    `digest` covers the package's own files; a region's values show themselves in every answer instead, so
    that one county's new value does not rename the policy of all others.
    """

    name: str
    documents: Mapping[str, Node]
    regions: Mapping[str, Node]
    digest: str


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
    """Read a package folder: one YAML file for each of DOCUMENTS, and `<division code>.yaml` for regions."""
    texts = {name: _text(directory / f"{name}.yaml") for name in DOCUMENTS}
    documents = {name: read_document(text, f"{directory.name}/{name}.yaml") for name, text in texts.items()}
    overlays = {} if regions is None else {each.stem: _region(each) for each in sorted(regions.glob("*.yaml"))}
    return RawPackage(directory.name, documents, overlays, _digest(texts))


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
