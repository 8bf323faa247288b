"""Layout files: those shipped are whole; a mistake in one names the file and the key."""

import copy
import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.intake.catalogue import FOLDER, layout_named, layouts
from services.intake.domain.feed_layout import LayoutInvalid
from services.intake.domain.header_map import map_header
from services.intake.domain.layout_reader import read_layout
from services.monitoring.domain.measure import FACT_KINDS
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.tag import TAGS

FILES = sorted(FOLDER.glob("*.yaml"))


def parsed(name: str = "medical_settlement.v1.yaml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_shipped_layout_reads(path: Path) -> None:
    layout = read_layout(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
    assert layout_named(layout.name, layout.version) == layout
    assert layouts()[layout.name].version >= layout.version
    assert all((layout.purpose, layout.legal_basis, layout.owner))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_key_of_a_layout_is_checked(path: Path) -> None:
    whole = parsed(path.name)
    for key in whole:
        for wrong in ({**whole, key: 3.5}, {**whole, f"{key}x": whole[key]}):
            with pytest.raises(LayoutInvalid) as raised:
                read_layout(wrong, path.name)
            assert path.name in str(raised.value)


def broken(change: Any) -> dict[str, Any]:
    raw = copy.deepcopy(parsed())
    change(raw)
    return raw


MISTAKES = [
    (lambda r: r["columns"][0].update(typ="text"), "/columns/0/typ"),
    (lambda r: r["columns"][0].update(type="texts"), "/columns/0/type"),
    (lambda r: r["columns"][1].update(name="settlement_no"), "/columns/1"),
    (lambda r: r["columns"][4].pop("codes"), "/columns/4/codes"),
    (lambda r: r.update(natural_key=["nothing"]), "/natural_key"),
    (lambda r: r.update(natural_key=["stay"]), "/natural_key"),
    (lambda r: r["rules"][0].update(target="nothing"), "/rules/0/target"),
    (lambda r: r["rules"][0].update(level="fatal"), "/rules/0/level"),
    (lambda r: r["facts"][0].update(occurred_on="gross"), "/facts/0/occurred_on"),
    (lambda r: r["facts"][0]["amounts"].update(cost="gross"), "/facts/0/amounts"),
    (lambda r: r["facts"][0].pop("person"), "/facts/0/person"),
    (lambda r: r.update(facts=[]), "/facts"),
    (lambda r: r.update(kind="snapshot"), "/facts"),
    (lambda r: r["retention"].pop("raw_days"), "/retention/raw_days"),
    (lambda r: r["columns"][3].update(month="middle"), "/columns/3/month"),
    (lambda r: r["columns"][6].update(unit="percent"), "/columns/6/unit"),
    (lambda r: r["facts"][0].update(when={"visit": ["surgery"]}), "/facts/0/when"),
    (lambda r: r["facts"][0].update(when={"nothing": "known"}), "/facts/0/when"),
    (lambda r: r["facts"][0].update(when={"visit": "positive"}), "/facts/0/when"),
    (lambda r: r["facts"][0].update(fixed={"verified": "yes"}), "/facts/0/fixed"),
    (lambda r: r["facts"][0].update(fixed={"amount_fen": 1}), "/facts/0/fixed"),
    (lambda r: r["facts"][0].update(period=["settled_on"]), "/facts/0/period"),
    (lambda r: r["facts"][0].update(period=["settled_on", "stay"]), "/facts/0/period"),
    (lambda r: r["facts"].append(dict(r["facts"][0])), "/facts"),
    (lambda r: r["columns"][5].update(withheld=True), "/facts"),
    (lambda r: r["columns"][3].update(required=False), "/facts/0/occurred_on"),
    (lambda r: r.update(source="rumour"), "/source"),
    (lambda r: r.update(own_codes={"house": "stay"}), "/own_codes"),
    (lambda r: r.update(reversal={"column": "visit", "codes": ["surgery"], "of": "stay"}), "/reversal/codes"),
    (lambda r: r.update(reversal={"column": "visit", "codes": ["inpatient"]}), "/reversal/of"),
]


@pytest.mark.parametrize(("change", "key"), MISTAKES, ids=[key for _, key in MISTAKES])
def test_a_mistake_names_file_and_key(change: Any, key: str) -> None:
    with pytest.raises(LayoutInvalid) as raised:
        read_layout(broken(change), "x.yaml")
    assert (raised.value.file, raised.value.key) == ("x.yaml", key)


@pytest.mark.parametrize(
    "header", ["证件号码", " 身份证号 ", "公民身份\n号码", "*证件号码", "证件号码（必填）", "IDENTITY_NUMBER"]
)
def test_a_header_is_known_by_its_synonyms(header: str) -> None:
    [cell] = map_header(layouts()["medical_settlement"], [header]).cells
    assert cell.column == "identity_number"


@pytest.mark.parametrize(
    ("header", "unit"),
    [("医疗总费用", None), ("医疗总费用(元)", "yuan"), ("医疗总费用（万元）", "ten_thousand_yuan")],
)
def test_a_header_may_name_the_unit(header: str, unit: str | None) -> None:
    [cell] = map_header(layouts()["medical_settlement"], [header]).cells
    assert (cell.column, cell.unit) == ("gross", unit)


def assets() -> set[str]:
    return {name for name, layout in layouts().items() if any(f.kind.startswith("asset.") for f in layout.facts)}


def test_asset_data_need_the_households_authorisation() -> None:
    assert {name for name, layout in layouts().items() if layout.needs_authorisation} == assets()
    assert assets() == {"vehicles", "businesses", "property", "deposits"}


def test_every_fact_is_of_a_kind_that_policies_know() -> None:
    """The vocabulary belongs to monitoring, which intake does not import."""
    known = FACT_KINDS | {tag.kind for tag in TAGS.values()}
    assert {fact.kind for layout in layouts().values() for fact in layout.facts} <= known


def test_every_data_set_is_one_that_the_policy_knows_the_age_of() -> None:
    assert set(layouts()) == set(load_policy().data_sets)


def test_no_row_says_two_things_under_one_name() -> None:
    """Facts of one kind and part stand under one name: their conditions must shut each other out."""
    for layout in layouts().values():
        for one, other in itertools.combinations(layout.facts, 2):
            if (one.kind, one.part) == (other.kind, other.part):
                asked = {each.column: each.codes for each in one.when}
                assert any(not asked.get(each.column, each.codes) & each.codes for each in other.when), layout.name
