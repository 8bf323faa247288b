"""The schemas for editors know the shapes of policy documents, and are those that the program writes."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from services.monitoring.write_policy_schemas import policy_schemas, write_policy_schemas
from shared.policies.package import DOCUMENTS, HOME

SCHEMAS = HOME / "schema"
# Checks of the register and of lists are no part of a policy package, and have readers of their own.
SHIPPED = sorted(path for path in HOME.glob("*/*.yaml") if path.parent.name != "checks")


class EditorLoader(yaml.SafeLoader):
    """Dates stay text, as in an editor."""


EditorLoader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _document(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=EditorLoader)


def _schema(path: Path) -> Any:
    name = "region" if path.parent.name in ("regions", "variants") else path.stem
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


def test_the_files_are_what_the_program_writes(tmp_path: Path) -> None:
    for path in write_policy_schemas(tmp_path / "schema"):
        assert path.read_bytes() == (SCHEMAS / path.name).read_bytes(), "run `fangpin policy schema`"


def test_every_document_has_a_schema() -> None:
    assert set(policy_schemas()) == {*DOCUMENTS, "region"}
    for schema in policy_schemas().values():
        jsonschema_rs.validator_for(schema)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_schema_accepts_what_is_shipped_and_the_document_names_it(path: Path) -> None:
    schema = _schema(path)
    assert [each.message for each in jsonschema_rs.validator_for(schema).iter_errors(_document(path))] == []
    name = "region" if path.parent.name in ("regions", "variants") else path.stem
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema=../schema/{name}.json"


@pytest.mark.parametrize(
    ("document", "change"),
    [
        (
            "measures",
            {"mine": {"label_zh": "我的", "kinds": ["income.lottery"], "window": "account", "aggregate": "sum"}},
        ),
        (
            "measures",
            {"mine": {"label_zh": "我的", "kinds": ["income.wage"], "window": "decade", "aggregate": "sum"}},
        ),
        ("members", {"mine": {"when": "is_counted"}}),
        ("derived", {"mine": {"label_zh": "我的", "unit": "texts", "is": "a"}}),
        ("derived", {"我的": {"label_zh": "我的", "unit": "CNY", "is": "wages"}}),
        ("indicators", {"mine": {"label_zh": "我的", "department": "a", "basis": "b", "sentence": {"fired": "c"}}}),
        ("flags", {"mine": {"label_zh": "我的", "condition": "a"}}),
        ("region", {"label_zh": "某县"}),
        ("package", {"label_zh": "我的", "version": "1", "applies_from": "2026-01-01"}),
    ],
)
def test_the_schema_refuses_another_shape(document: str, change: dict[str, Any]) -> None:
    assert not jsonschema_rs.is_valid(policy_schemas()[document], change)


def test_a_rule_has_exactly_one_kind_of_line() -> None:
    rule = {"scope": "person", "window": "month", "visits": ["outpatient"], "groups": ["general"]}
    dated = {"from": "2026-01-01", "source": "示例值", "verified": False}
    for line, valid in (
        ({"threshold_yuan": "500.00"}, True),
        ({"share_of_rural_income": 0.5}, True),
        ({}, False),
        ({"threshold_yuan": "500.00", "share_of_rural_income": 0.5}, False),
    ):
        values = [{**dated, "value": [{**rule, **line}]}]
        document = {"label_zh": "某县", "parameters": {"medical_rules": {"values": values}}}
        assert jsonschema_rs.is_valid(policy_schemas()["region"], document) is valid
