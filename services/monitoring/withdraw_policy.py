"""Withdraw a draft (撤回草案): its author or the county takes it back while nothing of it was published."""

import asyncpg

from services.monitoring import repository_policies as repository
from services.monitoring.approve_policy import PolicyStateDoesNotFit, hold_draft
from services.monitoring.change_parameters import require_person
from shared.errors import Forbidden
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.terms import Role

WHY_NOT = {
    "published": "该版本已经发布，不能撤回；请另起草案改回原来的取值",
    "in_force": "该版本已经启用，不能撤回；请另起草案改回原来的取值",
    "withdrawn": "该草案已经撤回",
}


class NotYoursToWithdraw(Forbidden):
    code, title = "not_yours_to_withdraw", "不能撤回他人的草案"


async def withdraw_policy(
    connection: asyncpg.Connection,
    version: str,
    reason: str,
    by: Principal,
    runtime: Runtime,
    *,
    request_id: str | None = None,
) -> None:
    """Record who takes the draft back and why; it stays readable and can be neither approved nor published."""
    require_person(by)
    draft = await hold_draft(connection, version, by)
    if by.subject != draft["authored_by"] and by.role is not Role.COUNTY_ADMIN:
        raise NotYoursToWithdraw("草案只能由起草人本人或县级管理员撤回")
    if draft["state"] in WHY_NOT:
        raise PolicyStateDoesNotFit(WHY_NOT[draft["state"]])
    now = runtime.clock.now()
    await repository.withdraw(connection, draft["draft_id"], by=by.subject, name=by.name, reason=reason, now=now)
    await audit(
        connection,
        by,
        "policy.withdraw",
        f"policy:{version}",
        now=now,
        purpose=reason,
        request_id=request_id,
        detail={"was": draft["state"], "authored_by": draft["authored_by"]},
    )
