"""Monitoring told what is held about a person and who looked there; with the looks here it is the whole answer."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg

from services.intake import repository_own_record as repository
from services.intake.own_record import sealed_answer
from shared.contracts.envelope import Event
from shared.contracts.monitoring import Access, OwnRecordTold
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.vocabulary.terms import Role, Source
from shared.web.events import MessageRefused

MOST_LOOKS = 200
ACTIONS = {
    "household.read": "查看农户信息",
    "assessment.read": "查看评估",
    "history.read": "查看历史",
    "counterfactual.read": "查看差距分析",
    "self_report.read": "查看您的申报",
    "attachment.download": "下载您的附件",
    "attachment.list": "查看您的附件目录",
}


async def record_own_record(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Keep the answer for whoever asked; a request that is gone is forgotten."""
    told = OwnRecordTold.model_validate(event.data)
    asked = await repository.lock(connection, _id(told.request_id))
    if asked is None:
        return ()
    here = [_here(row) for row in await repository.looks_at_reports(connection, asked["person_index"], MOST_LOOKS)]
    accesses = sorted([*told.accesses, *here], key=lambda look: look.at, reverse=True)[:MOST_LOOKS]
    places = {look.organisation for look in accesses if look.organisation and look.organisation.isdigit()}
    names = await name_places(runtime.directory_pool, places, runtime.clock.today())
    answer = {
        "holdings": [_holding(one.model_dump(mode="json")) for one in told.holdings],
        "looks": [_look(look, names) for look in accesses],
    }
    sealed = sealed_answer(runtime, asked["request_id"], answer)
    await repository.answer(connection, asked["request_id"], sealed, runtime.clock.now())
    return ()


def _here(row: asyncpg.Record) -> Access:
    detail = row["detail"]
    organisation = detail.get("department") or detail.get("division")
    return Access(
        at=row["at"],
        role=detail.get("role") or row["actor_kind"],
        organisation=organisation,
        action=row["action"],
        purpose=row["purpose"],
    )


def _holding(one: dict[str, Any]) -> dict[str, Any]:
    source = Source(one.pop("source"))
    return {**one, "department": one.get("department") or source.zh}


def _look(look: Access, names: dict[str, str]) -> dict[str, Any]:
    role = Role(look.role).zh if look.role in set(Role) else "业务系统"
    return {
        "at": look.at.isoformat(),
        "role": role,
        "organisation": names.get(look.organisation or "", look.organisation or "未记录"),
        "what": ACTIONS.get(look.action, look.action),
        "purpose": look.purpose,
    }


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise MessageRefused("request_id 应为 UUID") from None
