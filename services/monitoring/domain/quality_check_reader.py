"""Reads the checks of quality from their file, strictly: a misspelt name is a mistake with file and line."""

from collections.abc import Iterable, Mapping

from services.monitoring.domain.expression import names_in
from services.monitoring.domain.expression_type import FLAG, NUMBER, Type
from services.monitoring.domain.indicator_reader import read_condition
from services.monitoring.domain.quality_check import Kind, Level, QualityBook, QualityCheck, Threshold
from shared.policies.document import Node
from shared.policies.unit import Unit

TEXT, TEXTS = Type(Unit.TEXT), Type(Unit.TEXTS)
OF_KIND: Mapping[Kind, Type] = {
    Kind.TEXT: TEXT,
    Kind.FLAG: FLAG,
    Kind.LIST: TEXTS,
    Kind.NUMBER: NUMBER,
    Kind.MONEY: Type(Unit.CNY),
    Kind.PER_HEAD: Type(Unit.CNY_PER_PERSON_YEAR),
    Kind.HUNDREDTHS: NUMBER,
    Kind.MONTH: Type(Unit.MONTHS),
    Kind.DAY: Type(Unit.DAYS),
}
OF_MEMBER: Mapping[str, Type] = {
    "relation": TEXT,
    "sex_by_number": Type(Unit.TEXT, frozenset(("male", "female"))),
    "age": NUMBER,
    "detailed": FLAG,
    "certificate_type": Type(Unit.TEXT, frozenset("1234567")),
    "certificate_grade": Type(Unit.TEXT, frozenset("1234")),
    "certificate_own": FLAG,
    "posts": NUMBER,
    "place_to_county": FLAG,
    "away": FLAG,
    "today": Type(Unit.DAYS),
    "households_of_person": NUMBER,
    "deceased_unrecorded": FLAG,
}
"""What the register itself knows of a member."""

OF_HOUSEHOLD: Mapping[str, Type] = {
    "detailed": FLAG,
    "persons": NUMBER,
    "base_group": Type(Unit.TEXT, frozenset(("lifted_out", "general"))),
    "monitored": FLAG,
    "phone": TEXT,
    "phone_is_mobile": FLAG,
    "others_with_phone": NUMBER,
    "phone_in_two_places": FLAG,
    "numbered_elsewhere": FLAG,
    "risks": TEXTS,
    "measures_taken": TEXTS,
    "no_measures": FLAG,
    "monitoring_line": Type(Unit.CNY_PER_PERSON_YEAR),
}
"""What it knows of a household, and the line of the policy in force."""

FIGURES = (
    "pensioners",
    "bus",
    "clinics",
    "toilets",
    "doctors",
    "dibao_persons",
    "tekun_persons",
    "disabled_persons",
    "unsafe_water_households",
    "unsafe_house_households",
    "village_arable_mu",
)
"""What a village says of itself; areas in hundredths of a mu."""

OF_VILLAGE: Mapping[str, Type] = dict.fromkeys((*FIGURES, "total_households", "households_arable_mu"), NUMBER)
REQUIRED = ("code", "label_zh", "level", "owner", "days", "severity", "mend")
OPTIONAL = ("number", "when", "note", "codes")


def read_checks(root: Node, notes: Iterable[str]) -> QualityBook:
    """The checks in a document; PolicyMistake names the line that is wrong. `notes` are those of assessments."""
    parts = root.fields(("thresholds", "columns", "counts", "checks"))
    thresholds = {name: _threshold(name, node) for name, node in parts["thresholds"].entries()}
    columns = parts["columns"].fields(("member", "household"))
    members, member_types = _columns(columns["member"])
    households, household_types = _columns(columns["household"])
    known = {name: each.type for name, each in thresholds.items()}
    of_member = {**known, **OF_MEMBER, **member_types}
    counts = {name: read_condition(node, of_member) for name, node in parts["counts"].entries()}
    types = {
        Level.MEMBER: of_member,
        Level.HOUSEHOLD: {**known, **OF_HOUSEHOLD, **household_types, **dict.fromkeys(counts, NUMBER)},
        Level.VILLAGE: {**known, **OF_VILLAGE},
    }
    checks: dict[str, QualityCheck] = {}
    for node in parts["checks"].elements():
        check = _check(node, types, frozenset(notes))
        if check.code in checks:
            raise node.mistake(f"{check.code} 重复出现", right="代码只用一次", example="wage_doubtful")
        checks[check.code] = check
    return QualityBook(checks, thresholds, members, households, counts)


def _threshold(name: str, node: Node) -> Threshold:
    fields = node.fields(("label_zh", "unit", "value", "source"))
    unit = Unit(fields["unit"].one_of([each.value for each in Unit]))
    try:
        value = int(unit.read(fields["value"].text()))
    except ValueError as error:
        raise fields["value"].mistake(str(error), right="写成该单位的值", example=unit.example) from error
    return Threshold(name, fields["label_zh"].text(), Type(unit), value, fields["source"].text())


def _columns(node: Node) -> tuple[dict[str, Kind], dict[str, Type]]:
    kinds, types = {}, {}
    for name, each in node.entries():
        fields = each.fields(("type",), ("choices",))
        kinds[name] = Kind(fields["type"].one_of(Kind))
        types[name] = Type(OF_KIND[kinds[name]].unit, frozenset(fields.texts("choices")))
    return kinds, types


def _check(node: Node, types: Mapping[Level, Mapping[str, Type]], notes: frozenset[str]) -> QualityCheck:
    fields = node.fields(REQUIRED, OPTIONAL)
    level = Level(fields["level"].one_of(Level))
    number, when, note = fields.get("number"), fields.get("when"), fields.get("note")
    if level is Level.INTAKE:
        if when is not None or not fields.texts("codes"):
            raise node.mistake("报送时拒收的写错误码", right="codes，没有 when", example="codes: [wrong_length]")
    elif when is None and note is None:
        raise node.mistake("没有写何时是疑点", right="when 或 note", example="when: heads <> 1")
    condition = None if when is None else read_condition(when, types[level])
    return QualityCheck(
        code=fields["code"].text(),
        label_zh=fields["label_zh"].text(),
        level=level,
        owner=fields["owner"].text(),
        days=int(fields["days"].text()),
        severity=int(fields["severity"].one_of("12345")),
        mend=fields["mend"].text(),
        number=None if number is None else int(number.text()),
        when=condition,
        note=None if note is None else note.one_of(notes),
        codes=fields.texts("codes"),
        reads=() if condition is None else tuple(dict.fromkeys(names_in(condition))),
    )
