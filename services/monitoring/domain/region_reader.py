"""Reads region files (地区): the values a place decides, and the package in force there from a day on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.monitoring.domain.policy_package import Regime
from shared.policies.document import Node
from shared.policies.package import RawPackage
from shared.policies.parameter import NATION, Parameter, overlaid

DIVISION = re.compile(r"[1-9][0-9]{5}", re.ASCII)


@dataclass(slots=True)
class Regions:
    """The parameters with every region's values over the nation's, the names of places, and their regimes."""

    parameters: dict[str, Parameter]
    places: dict[str, str] = field(default_factory=lambda: {NATION: "国家"})
    regimes: dict[str, tuple[Regime, ...]] = field(default_factory=dict)


def read_regions(raw: RawPackage, parameters: Mapping[str, Parameter]) -> Regions:
    """Read every region file over the package's own parameters."""
    regions = Regions(dict(parameters))
    for code, node in raw.regions.items():
        fields = node.fields(("label_zh", "parameters"), ("regimes",))
        if not DIVISION.fullmatch(code):
            raise node.mistake(f"文件名 {code} 不是区划代码", right="六位区划代码", example="130624.yaml")
        regions.places[code] = fields["label_zh"].text()
        _overlay(regions, code, fields["parameters"])
        if (regimes := fields.get("regimes")) is not None:
            regions.regimes[code] = _regimes(regimes, raw.siblings)
    return regions


def read_variant(node: Node, parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """The parameters as a county would have them that copied a variant (备选写法)."""
    regions = Regions(dict(parameters))
    _overlay(regions, NATION, node.fields(("label_zh", "parameters"))["parameters"])
    return regions.parameters


def _overlay(regions: Regions, code: str, node: Node) -> None:
    for name, values in node.entries():
        if name not in regions.parameters:
            right = f"地区只能给已有参数赋值：{'、'.join(sorted(regions.parameters))}"
            raise values.mistake(f"不认识的参数 {name}", right=right, example="monitoring_line")
        regions.parameters[name] = overlaid(regions.parameters[name], code, values)


def _regimes(node: Node, packages: tuple[str, ...]) -> tuple[Regime, ...]:
    regimes = tuple(_regime(each, packages) for each in node.elements())
    dates = [each.since for each in regimes]
    if dates != sorted(set(dates)):
        raise node.mistake("政策包的生效日期没有依次递增", right="日期由早到晚", example="from: 2026-01-01")
    return regimes


def _regime(node: Node, packages: tuple[str, ...]) -> Regime:
    fields = node.fields(("from", "package"))
    return Regime(fields["from"].day(), fields["package"].one_of(packages))
