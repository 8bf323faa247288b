"""Access is a table: who may call what, and sees which kinds of field."""

import pytest

from shared.security.access import (
    FIELD_CLASSES_OF_ROLE,
    SCOPES,
    SCOPES_OF_ROLE,
    SCOPES_OF_SYSTEMS,
    allowed_scopes,
    field_classes,
)
from shared.security.principal import Principal
from shared.vocabulary.terms import Role

FIELDS = {"contact", "cause", "class", "amount", "health", "complaint", "identity"}


def principal(role: Role | None) -> Principal:
    return Principal("x", "person" if role else "system", "130624000000", role=role)


def test_both_tables_name_every_role() -> None:
    assert set(SCOPES_OF_ROLE) == set(FIELD_CLASSES_OF_ROLE) == set(Role)
    assert all(scopes <= SCOPES.keys() for scopes in SCOPES_OF_ROLE.values())
    assert all(fields <= FIELDS for fields in FIELD_CLASSES_OF_ROLE.values())


@pytest.mark.parametrize(
    ("role", "fields"),
    [
        (Role.GRID_WORKER, {"contact", "cause"}),
        (Role.VILLAGE_SECRETARY, {"contact", "cause", "class"}),
        (Role.FIRST_SECRETARY, {"contact", "cause", "class"}),
        (Role.VILLAGE_CADRE, {"contact", "cause", "class"}),
        (Role.TOWNSHIP_DEPUTY, {"contact", "cause", "class", "amount", "complaint"}),
        (Role.TOWNSHIP_LEADER, {"contact", "cause", "class", "amount", "complaint"}),
        (Role.COUNTY_ADMIN, {"contact", "cause", "class", "amount", "health", "complaint"}),
        (Role.LIAISON, set()),
        (Role.AUDITOR, {"cause", "class", "amount"}),
        (None, {"cause", "class"}),
    ],
)
def test_each_sees_its_kinds_of_field(role: Role | None, fields: set[str]) -> None:
    assert field_classes(principal(role)) == fields


def test_nobody_sees_identity_numbers_by_role() -> None:
    assert not any("identity" in fields for fields in FIELD_CLASSES_OF_ROLE.values())


def test_who_writes_nothing_audits() -> None:
    assert not any(
        scope.endswith((":write", ":act", ":admin", ":decide", ":rescreen")) for scope in SCOPES_OF_ROLE[Role.AUDITOR]
    )


def test_only_the_county_decides_and_administers() -> None:
    for scope in ("monitoring:decide", "monitoring:rescreen", "alerts:admin", "subscriptions:admin"):
        assert [role for role in Role if scope in SCOPES_OF_ROLE[role]] == [Role.COUNTY_ADMIN]


def test_a_system_holds_no_scope_of_a_persons_judgement() -> None:
    persons = {
        "intake:appeals:decide",
        "monitoring:decide",
        "monitoring:policy",
        "monitoring:quality:close",
        "alerts:act",
        "alerts:tasks",
        "alerts:supervise",
        "alerts:silence",
    }
    assert frozenset(SCOPES) - SCOPES_OF_SYSTEMS == persons
    for role in (None, *Role):
        assert not allowed_scopes("system", role, frozenset(SCOPES)) & {
            "monitoring:decide",
            "monitoring:policy",
            "alerts:act",
        }


@pytest.mark.parametrize("role", list(Role))
def test_nothing_is_given_that_was_not_asked_for(role: Role) -> None:
    assert allowed_scopes("person", role, frozenset()) == frozenset()
    assert allowed_scopes("person", role, frozenset({"root"})) == frozenset()
