"""Write a JSON Schema for each document of a policy package, for the editors of those who write policy."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from services.monitoring.domain.answer_parameters import AnswerParameters
from services.monitoring.domain.indicator_reader import JUDGED
from services.monitoring.domain.measure import FACT_KINDS, Aggregate, Scope
from services.monitoring.domain.member_value import MemberAggregate, MembersOf
from services.monitoring.domain.window import Window
from shared.policies.medical_rule import COUNTS, GROUPS, SCOPES, WINDOWS
from shared.policies.unit import Unit
from shared.vocabulary.terms import Cause, Severity, Visit

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
MONTHS: Schema = {"type": "integer", "minimum": 12, "maximum": 999, "description": "最多保存几个月"}
FLAG: Schema = {"type": "boolean"}
NUMBER_OR_TEXT: Schema = {"type": ["string", "number"]}
CONDITION: Schema = {"type": ["string", "boolean"], "description": "真、假或未知的表达式，例如 net_income < limit"}
DAY: Schema = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "年-月-日"}
NAME = r"^[a-z][a-z0-9_]{0,47}$"


def write_policy_schemas(folder: Path) -> list[Path]:
    """Write the schemas, a file each; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, schema in policy_schemas().items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def policy_schemas() -> dict[str, Schema]:
    """A schema for each document, and one for region files.

    They know shapes and words; units, names and circles are checked by `fangpin policy check`.
    """
    note = _fields({"label_zh": TEXT, "when": CONDITION}, {"numbers": _by_name(TEXT)})
    documents = {
        "package": _package(),
        "parameters": _by_name(_parameter()),
        "measures": _by_name(_measure()),
        "members": _by_name(_member()),
        "derived": _by_name(_derived()),
        "indicators": _by_name(_indicator()),
        "causes": _list(_fields({"cause": _one_of(Cause), "when": CONDITION})),
        "classes": _list(_class()),
        "exclusions": _by_name(_exclusion()),
        **dict.fromkeys(("flags", "quality", "civil_affairs", "removal"), _by_name(note)),
        "region": _region(),
    }
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {name: {"$schema": dialect, "title": name, **schema} for name, schema in documents.items()}


def _fields(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    known = {**required, **(optional or {})}
    return {"type": "object", "properties": known, "required": list(required), "additionalProperties": False}


def _by_name(each: Schema, pattern: str = NAME) -> Schema:
    return {"type": "object", "patternProperties": {pattern: each}, "additionalProperties": False}


def _list(each: Schema, *, unique: bool = False) -> Schema:
    return {"type": "array", "items": each, "uniqueItems": True} if unique else {"type": "array", "items": each}


def _one_of(allowed: Iterable[str]) -> Schema:
    return {"enum": [str(each) for each in allowed]}


def _units(*, listed: bool) -> Schema:
    return _one_of(each.value for each in Unit if each is not Unit.LIST and (listed or not each.is_listed))


def _package() -> Schema:
    deadline = _fields({"acknowledge_hours": TEXT, "verify_days": TEXT})
    terms = _fields(dict.fromkeys(("effect", "exempt_on_sudden", "sudden", "note"), TEXT))
    own = {"label_zh": TEXT, "version": TEXT, "applies_from": DAY}
    shared: Mapping[str, Schema] = {
        "data_sets": _by_name(
            _fields(
                {"label_zh": TEXT, "stale_after": TEXT},
                {"served_by": _list(TEXT, unique=True), "keep_months": MONTHS},
            )
        ),
        "score": _fields(dict.fromkeys((*Severity, "cap"), TEXT)),
        "deadlines": _fields(dict.fromkeys(Severity, deadline)),
        "answers": _fields(dict.fromkeys((each.name for each in fields(AnswerParameters)), TEXT)),
        "exclusions": terms,
    }
    whole = _fields(own, {**shared, "extends": TEXT})
    return {**whole, "anyOf": [{"required": ["extends"]}, {"required": list(shared)}]}


def _rule() -> Schema:
    rule = _fields(
        {
            "scope": _one_of(SCOPES),
            "window": _one_of(WINDOWS),
            "visits": _list(_one_of(Visit), unique=True),
            "groups": _list(_one_of(GROUPS), unique=True),
        },
        {
            "counts": _one_of(COUNTS),
            "threshold_yuan": {"type": "string", "pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$"},
            "share_of_rural_income": {"type": ["number", "string"]},
            "inclusive": FLAG,
        },
    )
    return {**rule, "oneOf": [{"required": ["threshold_yuan"]}, {"required": ["share_of_rural_income"]}]}


def _values() -> Schema:
    listed = _list({"anyOf": [TEXT, _rule()]})
    value: Schema = {"anyOf": [{"type": ["string", "number", "boolean"]}, listed]}
    return _list(_fields({"from": DAY, "value": value, "source": TEXT, "verified": FLAG}))


def _parameter() -> Schema:
    bounds = {**_list(NUMBER_OR_TEXT), "minItems": 2, "maxItems": 2}
    known = {"label_zh": TEXT, "unit": _units(listed=True), "values": _values()}
    return _fields(known, {"bounds": bounds, "choices": _list(TEXT, unique=True)})


def _measure() -> Schema:
    known = {
        "label_zh": TEXT,
        "kinds": _list(_one_of(sorted(FACT_KINDS)), unique=True),
        "window": _one_of(Window),
        "aggregate": _one_of(Aggregate),
    }
    optional = {
        "scope": _one_of(Scope),
        "amount": TEXT,
        "value": TEXT,
        "where": CONDITION,
        "choices": _list(TEXT, unique=True),
        "includes_deceased": FLAG,
    }
    return _fields(known, optional)


def _member() -> Schema:
    optional = {
        "aggregate": _one_of(MemberAggregate),
        "of": _one_of(MembersOf),
        "when": CONDITION,
        "value": TEXT,
        "unit": _units(listed=False),
        "in_basis": FLAG,
    }
    return _fields({"label_zh": TEXT}, optional)


def _derived() -> Schema:
    known = {"label_zh": TEXT, "unit": _units(listed=False), "is": CONDITION}
    return _fields(known, {"choices": _list(TEXT, unique=True), "in_basis": FLAG})


def _indicator() -> Schema:
    severity = _fields({"level": _one_of(Severity)}, {"when": CONDITION})
    threshold = _fields({"parameter": TEXT}, {"when": CONDITION})
    known = {
        "label_zh": TEXT,
        "department": TEXT,
        "basis": TEXT,
        "sentence": _fields({"fired": TEXT, "clear": TEXT, "unknown": TEXT}, {"without": TEXT}),
    }
    optional = {
        "when": CONDITION,
        "measured": TEXT,
        "per_person": FLAG,
        "threshold": {"anyOf": [TEXT, _list(threshold)]},
        "rules": TEXT,
        "cause": _one_of(Cause),
        "severity": {"anyOf": [_one_of(Severity), _list(severity)]},
        "weight": TEXT,
        "clear_needs": _list(TEXT, unique=True),
        "fired_needs": _list(TEXT, unique=True),
    }
    judged = {"anyOf": [{"required": [name]} for name in JUDGED]}
    either = [{"required": ["when"], "not": {"required": ["rules"]}}, {"required": ["rules"], "not": judged}]
    return {**_fields(known, optional), "oneOf": either}


def _class() -> Schema:
    code: Schema = {"type": ["string", "null"]}
    return _fields({"code": code, "label_zh": TEXT, "when": CONDITION}, {"severity": _one_of(Severity)})


def _exclusion() -> Schema:
    known = {"label_zh": TEXT, "when": CONDITION, "sentence": _fields({"fired": TEXT}, {"exempt": TEXT})}
    return _fields(known, {"counts_when": CONDITION, "clear_needs": _list(TEXT, unique=True)})


def _region() -> Schema:
    regime = _fields({"from": DAY, "package": TEXT})
    return _fields(
        {"label_zh": TEXT, "parameters": _by_name(_fields({"values": _values()}))}, {"regimes": _list(regime)}
    )
