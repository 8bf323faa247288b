"""Households of the case file, as a roster would bring them: through intake's own reading, into a message."""

import base64
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from services.intake.catalogue import layouts
from services.intake.domain.feed_row import FeedRow, RawRow, RowChecker, RowContext
from shared.contracts.envelope import Event
from shared.contracts.intake import HOUSEHOLDS_RECORDED
from shared.security.keys import Keyring
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.identity_number import check_digit

FILE = Path(__file__).parents[2] / "cases" / "quality" / "疑点.yaml"
CASES: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
LAYOUT = layouts()["household_register"]
VILLAGE, OTHER_VILLAGE, COUNTY = "130624100201", "130624101201", "130624000000"
TODAY = date(2026, 3, 15)
DOUBTFUL, RIGHT = "疑点", "正常"


@dataclass(frozen=True, slots=True)
class Case:
    """A household of a case: its number in the register, and what is done to it besides."""

    code: str
    side: str
    said: Mapping[str, Any]
    serial: int

    @property
    def household_no(self) -> str:
        if self.said.get("户编号含另一村"):
            return f"{OTHER_VILLAGE}{self.serial:06d}"
        return f"Q{self.serial:06d}"


def cases() -> Iterator[Case]:
    """Every household of the file: the doubtful one and the one that is right, by check."""
    serial = 0
    for code, sides in CASES["算例"].items():
        for side in (DOUBTFUL, RIGHT):
            serial += 1
            yield Case(code, side, sides.get(side, {}), serial)


def rows_of(case: Case, line_yuan: int) -> list[dict[str, str]]:
    """The rows of a roster that list the household."""
    said = case.said
    household = {**CASES["正常户"]["户"], **(CASES[said["监测"]] if "监测" in said else {}), **said.get("户", {})}
    people = copy.deepcopy(CASES["正常户"]["成员"])
    for place, changes in said.get("成员", {}).items():
        people[place - 1].update(changes)
    if "增加" in said:
        people.append({**people[1], **said["增加"]})
    household.setdefault("联系电话", "")
    if household["联系电话"] == CASES["正常户"]["户"]["联系电话"]:
        household["联系电话"] = f"199{case.serial:08d}"
    after = {"监测线": f"{line_yuan}", "监测线下": f"{line_yuan - 1}.99"}
    household = {name: after.get(value, value) for name, value in household.items()}
    rows = [_row(case, place, person) for place, person in enumerate(people)]
    rows[0] |= household
    return rows


def _row(case: Case, place: int, person: dict[str, Any]) -> dict[str, str]:
    born, sex = str(person.pop("出生")), person.pop("真实性别")
    first = f"999901{born.replace('-', '')}{case.serial * 2 + (1 if sex == '男' else 0):03d}"
    number = first + check_digit(first)
    card = str(person.get("残疾证号", ""))
    if card.startswith("本人"):
        person["残疾证号"] = number + card.removeprefix("本人")
    return {
        "户编号": case.household_no,
        "行政区划代码": VILLAGE,
        "姓名": f"测试{'甲乙丙丁戊'[place]}",
        "证件号码": number,
        **{name: str(value) for name, value in person.items()},
    }


def read(rows: list[dict[str, str]], keys: Keyring) -> list[FeedRow]:
    """The rows as intake reads them; a refused one is a mistake of the case."""
    context = RowContext(TODAY, (COUNTY, "130625000000"), keys.blind_index)
    checker, found = RowChecker(LAYOUT, context), []
    for line, row in enumerate(rows, 2):
        unknown = set(row) - {column.header for column in LAYOUT.columns}
        assert not unknown, unknown
        checked = checker.check(RawRow(line, [row.get(column.header, "") for column in LAYOUT.columns]))
        assert isinstance(checked, FeedRow), checked
        found.append(checked)
    return found


def told(groups: Mapping[str, list[FeedRow]], keys: Keyring, relations: Mapping[str, Mapping[int, str]]) -> Event:
    """The message in which intake brings these households."""
    event_id, households = new_id(), []
    for no, rows in groups.items():
        said = next(row.content["household"] for row in rows if "household" in row.content)
        members = []
        for i, row in enumerate(rows):
            assert row.number is not None
            sealed = keys.seal_for_transit(row.number, str(event_id), f"members/{no}/{i}")
            member = _known(row.content["member"]) | {"sealed": base64.b64encode(sealed).decode()}
            members.append(member | {"relation": relations.get(no, {}).get(i + 1, member["relation"])})
        households.append({**_known(said), "record": no, "members": members})
    data = {
        "feed_id": "roster",
        "department": "农业农村",
        "data_set": "household_register",
        "division": COUNTY,
        "received_at": datetime(2026, 3, 1, tzinfo=UTC).isoformat(),
        "recorded_from": "2026-01-01",
        "households": households,
    }
    return Event.make("fangpin/intake", HOUSEHOLDS_RECORDED, None, data, datetime.now(UTC), id_=event_id)


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
