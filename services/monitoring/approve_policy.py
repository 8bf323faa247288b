"""Approve a draft: a second person, never its author, and never a machine."""

from typing import Any

import asyncpg

from services.monitoring import repository_policies as repository
from services.monitoring.change_parameters import require_person
from shared.errors import Conflict, Forbidden, NotFound
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import covers


class PolicyNotFound(NotFound):
    """Drafts out of range are not told from those that do not exist."""

    code, title = "policy_not_found", "没有找到这个政策版本"


class ASecondPersonApproves(Forbidden):
    code, title = "a_second_person_approves", "须由另一人审批"


class PolicyStateDoesNotFit(Conflict):
    code, title = "policy_state", "政策版本的状态不允许此操作"


async def approve_policy(
    connection: asyncpg.Connection, version: str, by: Principal, runtime: Runtime, *, request_id: str | None = None
) -> None:
    """Record who approves; a draft's changes never change, so what is approved is what is published."""
    require_person(by)
    draft = await hold_draft(connection, version, by)
    if draft["state"] == "withdrawn":
        raise PolicyStateDoesNotFit("该草案已经撤回，不能审批")
    if draft["state"] != "draft":
        raise PolicyStateDoesNotFit("该版本已经审批过")
    if by.subject == draft["authored_by"]:
        raise ASecondPersonApproves("起草人不能审批自己的草案，请另一位有权限的人员审批")
    now = runtime.clock.now()
    await repository.approve(connection, draft["draft_id"], by.subject, by.name, now)
    await audit(connection, by, "policy.approve", f"policy:{version}", now=now, request_id=request_id)


async def hold_draft(connection: asyncpg.Connection, version: str, by: Principal) -> dict[str, Any]:
    """The draft, locked; one that is not the caller's to decide is not found."""
    seen = await repository.find(connection, version)
    if seen is None or not covers(by.division, seen["division"]):
        raise PolicyNotFound
    draft = await repository.hold(connection, version)
    if draft is None:
        raise PolicyNotFound
    return draft
