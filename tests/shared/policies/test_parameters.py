"""Parameters are looked up by place and date, and never silently zero."""

from datetime import date

import pytest

from shared.policies import ParameterSet, ParameterUnknown, PolicyMistake
from shared.policies.document import read_document
from shared.policies.parameter import Parameter, ParameterRefused, overlaid, read_parameter
from shared.policies.parameter_set import parameters_at
from shared.policies.unit import Unit

LINE = """
label_zh: 监测线
unit: CNY/person/year
bounds: ["1000.00", "20000.00"]
values:
  - {from: 2024-01-01, value: "8500.00", source: 国家, verified: false}
  - {from: 2025-01-01, value: "9000.00", source: 国家, verified: true}
"""
VILLAGE = "130624100201"


def _line() -> Parameter:
    return read_parameter("monitoring_line", read_document(LINE, "parameters.yaml"))


def _with(parameter: Parameter, place: str, since: str, value: str) -> Parameter:
    text = f'values: [{{from: {since}, value: "{value}", source: 文件, verified: true}}]'
    return overlaid(parameter, place, read_document(text, f"regions/{place}.yaml"))


@pytest.mark.parametrize(
    ("on", "fen"), [(date(2024, 1, 1), 850_000), (date(2024, 12, 31), 850_000), (date(2025, 1, 1), 900_000)]
)
def test_last_value_on_or_before_the_day_holds(on: date, fen: int) -> None:
    assert _line().value_at(VILLAGE, on).value == fen


def test_day_before_the_first_value_is_an_error_naming_parameter_place_and_date() -> None:
    with pytest.raises(ParameterUnknown) as refused:
        _line().value_at(VILLAGE, date(2023, 12, 31))
    for words in ("monitoring_line", VILLAGE, "2023-12-31"):
        assert words in refused.value.detail


@pytest.mark.parametrize(
    ("place", "decided_by"),
    [("130624", "130624"), ("130600", "130600"), ("130000", "130000"), ("130625", "national")],
)
def test_nearest_place_decides(place: str, decided_by: str) -> None:
    answer = _with(_line(), place, "2024-06-01", "8800.00").value_at(VILLAGE, date(2024, 7, 1))
    assert answer.decided_by == decided_by
    assert answer.value == (850_000 if decided_by == "national" else 880_000)


def test_county_goes_before_province() -> None:
    parameter = _with(_with(_line(), "130000", "2024-06-01", "8800.00"), "130624", "2024-02-01", "8700.00")
    assert parameter.value_at(VILLAGE, date(2024, 7, 1)).value == 870_000


def test_place_that_has_not_decided_yet_leaves_it_to_the_nation() -> None:
    answer = _with(_line(), "130624", "2024-06-01", "8800.00").value_at(VILLAGE, date(2024, 5, 31))
    assert answer.decided_by == "national"


def _set() -> ParameterSet:
    return parameters_at({"monitoring_line": _line()}, VILLAGE, date(2024, 3, 15))


def test_override_is_echoed_as_the_request_s() -> None:
    answer = _set().override({"monitoring_line": "7300.00"})["monitoring_line"]
    assert (answer.value, answer.decided_by) == (730_000, "request")
    assert answer.as_data()["value"] == "7300.00"


@pytest.mark.parametrize("text", ["7300.001", "999.99", "20000.01", "seven", "1e4", ""])
def test_bad_override_is_refused(text: str) -> None:
    with pytest.raises(ParameterRefused, match="monitoring_line"):
        _set().override({"monitoring_line": text})


def test_unknown_override_is_refused() -> None:
    with pytest.raises(ParameterRefused, match="poverty_line"):
        _set().override({"poverty_line": "1.00"})


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (Unit.CNY, "0.01", 1),
        (Unit.SHARE, "0.2", 2_000),
        (Unit.SHARE, "1", 10_000),
        (Unit.FLAG, "true", True),
        (Unit.MONTHS, "18", 18),
        (Unit.TEXT, "on", "on"),
    ],
)
def test_value_reads_and_writes_itself(unit: Unit, text: str, value: object) -> None:
    assert unit.read(text) == value
    assert unit.read(unit.write(unit.read(text))) == value


@pytest.mark.parametrize("text", ["0.00001", "-1", "1,5", "20%"])
def test_share_has_at_most_four_decimals(text: str) -> None:
    with pytest.raises(ValueError, match="比例"):
        Unit.SHARE.read(text)


def test_yaml_words_stay_words() -> None:
    assert read_document("answer: no", "a.yaml").entries()[0][1].text() == "no"


def test_empty_document_has_no_entries() -> None:
    assert read_document("# 空", "a.yaml").entries() == []


@pytest.mark.parametrize("text", ["- a", "a: [b]"])
def test_wrong_shape_is_a_mistake_with_its_line(text: str) -> None:
    with pytest.raises(PolicyMistake, match="第1行"):
        read_document(text, "a.yaml").fields(("a",))["a"].text()
