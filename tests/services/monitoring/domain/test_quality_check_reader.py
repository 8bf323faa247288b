"""The file of checks is read strictly: a mistake names its line and what is right."""

import pytest

from services.monitoring.domain.quality_check import Level
from services.monitoring.domain.quality_check_reader import FIGURES, read_checks
from services.monitoring.quality_book import quality_book
from services.monitoring.schemas_quality import VillageFigures
from shared.policies import PolicyMistake
from shared.policies.document import read_document

WHOLE = """
thresholds:
  wage_high: {label_zh: 月工资过高, unit: CNY, value: "30000.00", source: 某文件}
columns:
  member:
    work_wage: {type: money}
    school: {type: text, choices: [primary, junior]}
  household:
    safe_water: {type: flag}
counts:
  heads: relation = '户主'
checks:
  - {code: one, label_zh: 一, level: member, when: WHEN, owner: village, days: 7, severity: 1, mend: 改}
"""


def read(when: str, **changes: str) -> None:
    text = WHOLE.replace("WHEN", f'"{when}"')
    for old, new in changes.items():
        text = text.replace(old, new)
    read_checks(read_document(text, "checks.yaml"), ["a_note"])


def test_a_whole_file_reads() -> None:
    read("work_wage > wage_high and school = 'primary'")


@pytest.mark.parametrize(
    ("when", "word"),
    [
        ("work_wages > wage_high", "work_wages"),
        ("work_wage > 30000", "单位不同"),
        ("school = 'secondary'", "secondary"),
        ("safe_water", "safe_water"),
        ("age / 2 > 3", "除法"),
        ("age", "flag"),
    ],
)
def test_a_condition_that_cannot_be_is_refused_with_its_line(when: str, word: str) -> None:
    with pytest.raises(PolicyMistake) as raised:
        read(when)
    assert word in str(raised.value)
    assert "checks.yaml 第13行" in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("severity: 1", "severity: 6"),
        ("level: member", "level: person"),
        ("mend: 改", "mends: 改"),
        ("owner: village", "owner: village, note: no_such_note"),
        ("level: member", "level: intake"),
    ],
)
def test_a_field_that_is_wrong_is_refused(old: str, new: str) -> None:
    with pytest.raises(PolicyMistake):
        read("age > 3", **{old: new})


def test_a_village_may_say_what_the_checks_read_and_nothing_else() -> None:
    assert set(VillageFigures.model_fields) - {"village", "as_of"} == set(FIGURES)


def test_checks_of_every_level_are_shipped() -> None:
    levels = {check.level for check in quality_book().checks.values()}
    assert levels == set(Level)
    assert all(check.days > 0 and check.mend for check in quality_book().checks.values())
