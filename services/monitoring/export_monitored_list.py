"""Export our monitored list in the national system's column order, so that nobody types twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from services.monitoring import repository_monitored as repository
from services.monitoring.compare_monitored_list import list_told
from services.monitoring.domain.monitored_list import COLUMNS, RISKS
from services.monitoring.domain.policy import load_policy
from services.monitoring.list_households import FilterNotForPost
from services.monitoring.read_household import CLASS, CONTACT
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import audit
from shared.security.masking import mask_name, mask_number, mask_phone
from shared.security.principal import Principal
from shared.vocabulary.division import code_range, lineage_of
from shared.vocabulary.money import yuan
from shared.vocabulary.terms import BaseGroup, Cause
from shared.web.spreadsheet import BYTE_ORDER_MARK, csv_lines

LISTED = "listed"
MOST = 100_000
AMOUNT = "amount"
UNSAFE = ("C", "D")
_PLACES = ("省", "市", "县", "乡(镇)", "行政村")
_INCOMES = {
    "工资性收入": "income.wage",
    "生产经营性收入": "income.business_sales",
    "财产性收入": "income.property",
    "转移性收入": "income.transfer_regular",
    "生产经营性支出": "cost.production",
}


class RevealNotForPost(FilterNotForPost):
    code, title = "reveal_not_allowed", "您的岗位不能查看完整证件号码"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which households: those our register lists, or those of one kind of difference; where they live."""

    division: str
    households: str = LISTED
    encoding: str = "utf-8"
    purpose: str | None = None

    @property
    def reveals(self) -> bool:
        """Names and numbers whole, for a purpose that was given."""
        return self.purpose is not None


async def export_monitored_list(
    scoped: asyncpg.Connection,
    query: ListQuery,
    caller: Principal,
    runtime: Runtime,
    *,
    request_id: str | None = None,
) -> bytes:
    """The list as a CSV file; every export leaves an audit row."""
    sees = field_classes(caller)
    if CLASS not in sees:
        raise FilterNotForPost("导出名单需要查看监测类别的权限")
    if query.reveals and (not caller.is_person or CONTACT not in sees):
        raise RevealNotForPost("完整的姓名和证件号码只向有权限的本人开放；其他情形请用隐去的名单")
    rows = await repository.for_export(scoped, await _chosen(scoped, query, runtime), runtime.clock.today())
    codes = {code for row in rows for code in lineage_of(row["registered_division"])}
    places = await name_places(runtime.directory_pool, codes, runtime.clock.today())
    await audit(
        scoped,
        caller,
        "monitored_list.reveal" if query.reveals else "monitored_list.export",
        f"division:{query.division}",
        now=runtime.clock.now(),
        purpose=query.purpose,
        request_id=request_id,
        detail={"households": len(rows), "which": query.households},
    )
    sheet = _Sheet(places, sees, query.reveals, runtime)
    return _encoded(csv_lines([COLUMNS, *(sheet.line(row) for row in rows)]), query.encoding)


async def _chosen(scoped: asyncpg.Connection, query: ListQuery, runtime: Runtime) -> list[int]:
    lo, hi = code_range(query.division)
    if query.households == LISTED:
        return await repository.listed_here(scoped, lo, hi)
    told = await list_told(runtime, query.division)
    rows = await repository.differences(scoped, told, lo, hi, [query.households], "", MOST)
    return [row["household_id"] for row in rows if row["household_id"] is not None]


def _encoded(text: bytes, encoding: str) -> bytes:
    return BYTE_ORDER_MARK + text if encoding == "utf-8" else text.decode().encode("gb18030")


@dataclass(frozen=True, slots=True)
class _Sheet:
    places: Mapping[str, str]
    sees: frozenset[str]
    reveals: bool
    runtime: Runtime

    def line(self, row: Mapping[str, Any]) -> list[str]:
        """A household under the national columns; what we do not know stays empty."""
        cells = {**self._whose(row), **_risk(row), **_home(row)}
        if AMOUNT in self.sees:
            cells |= _incomes(row)
        return [cells.get(column, "") for column in COLUMNS]

    def _whose(self, row: Mapping[str, Any]) -> dict[str, str]:
        where = [self.places[code] for code in lineage_of(row["registered_division"])]
        name, phone = row["head_name"], row["phone"] or ""
        return {
            **dict(zip(_PLACES, where, strict=False)),
            "户编号": row["household_no"],
            "户主姓名": name if self.reveals else mask_name(name),
            "户主证件号码": self._number(row),
            "户联系电话": phone if self.reveals else mask_phone(phone),
            "人数": str(row["living"]),
        }

    def _number(self, row: Mapping[str, Any]) -> str:
        if row["sealed_number"] is None:
            return ""
        number = self.runtime.keys.open(row["sealed_number"], "resident", "sealed_number", row["number_index"].hex())
        return number if self.reveals else mask_number(number)


def _risk(row: Mapping[str, Any]) -> dict[str, str]:
    removed = row["listed_as"] is None and row["previously"] is not None
    causes = [cause.zh for index, cause in enumerate(Cause) if (row["causes"] or 0) >> index & 1]
    code = row["listed_as"] or row["previously"]
    return {
        "监测对象类别": load_policy().label(code) if code else "",
        "首次识别时间": _month(row["first_entered"]),
        "识别监测时间": _month(row["entered"]),
        "风险是否已消除": "是" if removed else "否",
        "消除监测时间": _month(row["listed_on"]) if removed else "",
        **dict(zip(RISKS, causes, strict=False)),
    }


def _home(row: Mapping[str, Any]) -> dict[str, str]:
    facts = row["facts"] or {}
    cells = {"易地搬迁": "是" if "state.relocated" in facts else ""}
    if group := _value(facts, "state.base_group"):
        cells["户类型"] = BaseGroup(group).zh
    if grade := _value(facts, "state.dwelling"):
        occupied = facts["state.dwelling"]["attributes"].get("occupied", grade)
        cells["是否危房户"] = "是" if occupied in UNSAFE else "否"
    return cells


def _incomes(row: Mapping[str, Any]) -> dict[str, str]:
    facts = row["facts"] or {}
    known = {column: facts[kind]["fen"] for column, kind in _INCOMES.items() if kind in facts}
    return {column: yuan(fen) for column, fen in known.items() if fen is not None}


def _value(facts: Mapping[str, Any], kind: str) -> str | None:
    value: str | None = facts[kind]["value"] if kind in facts else None
    return value


def _month(day: date | None) -> str:
    return f"{day:%Y%m}" if day else ""
