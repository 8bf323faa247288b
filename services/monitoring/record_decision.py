"""Record a decision: a named county person enters a household into the register, changes its class or removes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import asyncpg

from services.monitoring import repository_decisions as repository
from services.monitoring.append_facts import append_facts
from services.monitoring.domain.ledger import Content, Entry, Key, Place, Said
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.read_household import HouseholdNotFound
from shared.errors import Conflict, FieldError, Forbidden, Unprocessable
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role, Source

DATA_SET = "decision"
MONITORED = "state.monitored"
USUAL = 5
FIRST_DAY = date(2014, 1, 1)


class OnlyAPersonDecides(Forbidden):
    """The program recommends; people decide."""

    code, title = "only_a_person_decides", "只有县级人员可以作出决定"


class ClassUnknown(Unprocessable):
    code, title = "class_unknown", "没有这个监测类别"


class DecisionDoesNotFit(Conflict):
    code, title = "decision_does_not_fit", "决定与现有状态不符"


class DecisionDayOutOfRange(Unprocessable):
    code, title = "decision_day_out_of_range", "决定日期超出范围"


@dataclass(frozen=True, slots=True)
class DecisionOrder:
    """What is decided: `listed_as` None removes the household from the register."""

    listed_as: str | None
    decided_on: date
    document_no: str
    reason: str


async def record_decision(
    connection: asyncpg.Connection,
    household_no: str,
    order: DecisionOrder,
    by: Principal,
    *,
    package: PolicyPackage,
    blockers: Sequence[str] = (),
    now: datetime,
    today: date,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Write the decision, list the household accordingly, and make it due.

    `blockers`: what speaks against removing it; written down and told with the decision, which is the person's.
    """
    _check(order, by, package, today)
    household = await repository.hold(connection, household_no)
    if household is None:
        raise HouseholdNotFound
    _check_state(household, order)
    decision = {"decision_id": new_id(now), **_decision(household, order, by, blockers)}
    await repository.add(connection, decision)
    await repository.list_household(connection, household["household_id"], order.listed_as, order.decided_on)
    await append_facts(connection, _facts(household, decision, now), now=now, priority=USUAL)
    await audit(
        connection,
        by,
        f"household.{decision['action']}",
        f"household:{household_no}",
        now=now,
        purpose=order.document_no,
        request_id=request_id,
        detail={
            "listed_as": order.listed_as,
            "previously": household["listed_as"],
            "removal_blockers": len(decision["removal_blockers"]),
        },
    )
    return decision


def _check(order: DecisionOrder, by: Principal, package: PolicyPackage, today: date) -> None:
    if not by.is_person or by.role is not Role.COUNTY_ADMIN:
        raise OnlyAPersonDecides("纳入、变更、消除须由县级管理员本人登录办理；系统令牌和其他岗位不能作出决定")
    codes = [each.code for each in package.classes if each.code is not None]
    if order.listed_as is not None and order.listed_as not in codes:
        error = FieldError("body/listed_as", "class_unknown", "没有这个监测类别", "、".join(codes), codes[0])
        raise ClassUnknown("监测类别代码有误", errors=[error])
    if not FIRST_DAY <= order.decided_on <= today:
        error = FieldError("body/decided_on", "day_out_of_range", "决定日期超出范围", f"{FIRST_DAY} 至 {today}")
        raise DecisionDayOutOfRange("决定日期有误", errors=[error])


def _decision(
    household: asyncpg.Record, order: DecisionOrder, by: Principal, blockers: Sequence[str]
) -> dict[str, Any]:
    """What is decided, beside what the household was listed as and what was recommended."""
    return {
        "household_id": household["household_id"],
        "action": _action(household["listed_as"], order.listed_as),
        "listed_as": order.listed_as,
        "previously": household["listed_as"],
        "recommended": household["recommendation"],
        "assessment_id": household["assessment_id"],
        "decided_on": order.decided_on,
        "document_no": order.document_no,
        "reason": order.reason,
        "decided_by": by.subject,
        "decided_by_name": by.name,
        "removal_blockers": list(blockers) if order.listed_as is None else [],
    }


def _check_state(household: asyncpg.Record, order: DecisionOrder) -> None:
    """Decisions follow each other, and a household that went on in another is only removed."""
    if household["ended_on"] is not None and order.listed_as is not None:
        raise DecisionDoesNotFit(f"该户已于 {household['ended_on']} 并入他户，只能消除；请对合并后的户作出决定")
    if household["listed_on"] is not None and order.decided_on < household["listed_on"]:
        last = household["listed_on"]
        error = FieldError("body/decided_on", "before_the_last", "早于上一次决定", f"{last} 或以后", str(last))
        raise DecisionDayOutOfRange("决定日期早于上一次决定", errors=[error])


def _action(before: str | None, after: str | None) -> str:
    if before == after:
        raise DecisionDoesNotFit("该户已是这个状态，没有需要变更的内容")
    if before is None:
        return "enter"
    return "remove" if after is None else "change"


def _facts(household: asyncpg.Record, decision: dict[str, Any], now: datetime) -> list[Entry]:
    """The class as a dated state: the former one ends on the day of the decision, the new one begins."""
    place = Place(household["household_id"], household["county"])
    said = Said(now, str(decision["decision_id"]))
    facts: list[tuple[str, Literal["put", "end"], Content]] = []
    if household["listed_record"] is not None:
        ended = Content(household["listed_on"], ended_on=max(decision["decided_on"], household["listed_on"]))
        facts.append((household["listed_record"], "end", ended))
    if decision["listed_as"] is not None:
        content = Content(decision["decided_on"], value=decision["listed_as"])
        facts.append((str(decision["decision_id"]), "put", content))
    return [
        Entry(
            key=Key(DATA_SET, record, MONITORED),
            said=said,
            content=content,
            source=Source.DEPARTMENT.value,
            division=household["registered_division"],
            op=op,
            place=place,
        )
        for record, op, content in facts
    ]
