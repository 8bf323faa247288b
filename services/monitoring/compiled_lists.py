"""Lists and checks as SQL: each list is a set of (household, resident), each check joins them.

Binds: $1 the county, $2 the day. Names in the text come from the checked file only; its values are quoted.
"""

from collections.abc import Iterable

from services.monitoring.domain.list_check import ListCheck, ListChecks, ListSpec, Of

# A person belongs where the register has him that day; his facts may have been moved to an earlier household.
LIVING = """
SELECT m.household_id, m.resident_id FROM household_member m JOIN household h USING (household_id)
WHERE m.county = $1 AND m.superseded_at IS NULL AND m.valid_from <= $2 AND (m.valid_to IS NULL OR m.valid_to > $2)
  AND h.ended_on IS NULL AND m.status <> 'deceased'
"""
REGISTER = {
    "members": LIVING,
    "double": f"""
        SELECT min(household_id) AS household_id, resident_id FROM ({LIVING}) l
        GROUP BY resident_id HAVING count(DISTINCT household_id) > 1
    """,
    "recommended": "SELECT household_id, NULL::bigint AS resident_id FROM household"
    " WHERE county = $1 AND ended_on IS NULL AND recommendation IS NOT NULL",
    "without_risk": "SELECT household_id, NULL::bigint AS resident_id"
    " FROM household h JOIN standing s USING (household_id)"
    " WHERE h.county = $1 AND h.ended_on IS NULL AND h.recommendation IS NULL AND h.severity IS NULL"
    " AND s.assessment_id IS NOT NULL",
    "listed": "SELECT household_id, NULL::bigint AS resident_id FROM household"
    " WHERE county = $1 AND ended_on IS NULL AND listed_as IS NOT NULL",
    "emptied": f"""
        SELECT household_id, NULL::bigint AS resident_id FROM household h
        WHERE county = $1 AND ended_on IS NULL
          AND NOT EXISTS (SELECT FROM ({LIVING}) l WHERE l.household_id = h.household_id)
          AND EXISTS (SELECT FROM household_member m WHERE m.household_id = h.household_id)
    """,
}


def list_sql(spec: ListSpec) -> str:
    """The list on the day: (household_id, resident_id), each once; resident null in lists of households."""
    if spec.register is not None:
        return REGISTER[spec.register]
    wheres = [
        "f.county = $1",
        f"f.kind IN ({_literals(spec.kinds)})",
        "f.superseded_at IS NULL",
        "f.occurred_on <= $2",
    ]
    wheres.append("(f.ended_on IS NULL OR f.ended_on > $2)")
    if spec.values:
        wheres.append(f"f.value IN ({_literals(spec.values)})")
    wheres += [f"f.attributes->>{_literal(key)} IN ({_literals(each)})" for key, each in spec.attributes.items()]
    resident = "f.resident_id" if spec.of is Of.PERSON else "NULL::bigint AS resident_id"
    if spec.of is Of.PERSON:
        wheres.append("f.resident_id IS NOT NULL")
    return f"SELECT DISTINCT f.household_id, {resident} FROM fact f WHERE {' AND '.join(wheres)}"


def check_sql(check: ListCheck, checks: ListChecks) -> str:
    """Whom a check finds: (household_id, resident_id)."""
    first, *others = check.present
    key = "resident_id" if check.of is Of.PERSON else "household_id"
    wheres = [_within(key, name) for name in others]
    wheres += [_within("household_id", name) for name in check.within]
    wheres += [f"NOT {_within(key, name)}" for name in check.absent]
    wheres += [f"EXISTS (SELECT FROM {name})" for name in check.needs]
    names = dict.fromkeys([*check.present, *check.within, *check.absent, *check.needs])
    withs = ", ".join(f"{name} AS MATERIALIZED ({list_sql(checks.lists[name])})" for name in names)
    resident = "x.resident_id" if check.of is Of.PERSON else "NULL::bigint AS resident_id"
    condition = " AND ".join(wheres) or "true"
    return f"WITH {withs} SELECT DISTINCT x.household_id, {resident} FROM {first} x WHERE {condition}"


def _within(key: str, name: str) -> str:
    return f"EXISTS (SELECT FROM {name} y WHERE y.{key} = x.{key})"


def _literals(values: Iterable[str]) -> str:
    return ", ".join(map(_literal, values))


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
