"""Put a silence over a part of one's range, or end it before its time: a person's deed, with a reason, audited."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts import repository_silences
from services.alerts.domain.condition import read_condition
from services.alerts.domain.route import Matcher
from services.alerts.domain.silence import FARTHEST, LONGEST, is_selective
from services.alerts.repository import Row
from services.alerts.schemas_silences import SilenceIn
from services.alerts.take_step import PersonNeeded
from shared.errors import DivisionOutOfRange, FieldError, NotFound, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range, covers
from shared.vocabulary.identifiers import new_id


class SilenceRefused(Unprocessable):
    code, title = "silence_refused", "静默未生效"


class SilenceUnknown(NotFound):
    code, title = "silence_unknown", "没有找到该静默"


async def put_silence(
    connection: asyncpg.Connection,
    body: SilenceIn,
    caller: Principal,
    runtime: Runtime,
    request_id: str | None = None,
) -> Row:
    """The silence as stored. PersonNeeded, DivisionOutOfRange, SilenceRefused."""
    now, author = runtime.clock.now(), author_of(caller)
    division = body.division or caller.division
    if not covers(caller.division, division):
        raise DivisionOutOfRange
    matchers = _matchers(body.match, caller.division)
    starts_at = body.starts_at or now
    _check_times(starts_at, body.ends_at, now)
    silence_id = await repository_silences.add_silence(
        connection,
        {
            "silence_id": new_id(now),
            "division": division,
            "division_hi": code_range(division)[1],
            "matchers": [asdict(matcher) for matcher in matchers],
            "reason": body.reason,
            "author": author,
            "author_role": caller.role,
            "starts_at": starts_at,
            "ends_at": body.ends_at,
            "created_at": now,
        },
    )
    detail = {"match": [str(m) for m in matchers], "division": division, "ends_at": str(body.ends_at)}
    await audit(
        connection, caller, "silence.put", f"silence:{silence_id}", now=now, request_id=request_id, detail=detail
    )
    return await silence_seen(connection, silence_id, caller)


async def expire_silence(
    connection: asyncpg.Connection,
    silence_id: UUID,
    caller: Principal,
    runtime: Runtime,
    request_id: str | None = None,
) -> Row:
    """The silence, ended now if it had not ended. PersonNeeded, SilenceUnknown, DivisionOutOfRange."""
    now, author = runtime.clock.now(), author_of(caller)
    silence = await silence_seen(connection, silence_id, caller)
    if not covers(caller.division, silence["division"]):
        raise DivisionOutOfRange("上级设置的静默由上级解除")
    await repository_silences.expire_silence(connection, silence_id, author, now)
    await audit(connection, caller, "silence.expire", f"silence:{silence_id}", now=now, request_id=request_id)
    return await silence_seen(connection, silence_id, caller)


def author_of(caller: Principal) -> str:
    """The caller's officer number; PersonNeeded."""
    if not caller.is_person or not caller.officer_no:
        raise PersonNeeded("静默须由登记在册的乡镇或县级干部本人设置")
    return caller.officer_no


async def silence_seen(connection: asyncpg.Connection, silence_id: UUID, caller: Principal) -> Row:
    """A silence over the caller's range; SilenceUnknown."""
    silence = await repository_silences.silence_by_id(connection, silence_id, *code_range(caller.division))
    if silence is None:
        raise SilenceUnknown
    return silence


def _matchers(text: str, scope: str) -> tuple[Matcher, ...]:
    matchers, wrong = read_condition(text, scope)
    errors = [FieldError("body/match", e.code, e.message, e.expected, e.example) for e in wrong]
    if not errors and not is_selective(matchers):
        errors = [
            FieldError("body/match", "matches_everything", "至少要有一个限定的条件", None, "原因=因学; 等级=黄色")
        ]
    if errors:
        raise SilenceRefused(f"有 {len(errors)} 处错误", errors=errors)
    return matchers


def _check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    error = None
    if starts_at < now:
        error = FieldError("body/starts_at", "in_the_past", "不能早于现在", "现在或以后，不填即为现在")
    elif starts_at > now + FARTHEST:
        error = FieldError("body/starts_at", "too_far", f"最多提前 {FARTHEST.days} 天设置")
    elif ends_at <= starts_at:
        error = FieldError("body/ends_at", "ends_before_it_starts", "应晚于开始时间")
    elif ends_at - starts_at > LONGEST:
        error = FieldError("body/ends_at", "too_long", f"最长 {LONGEST.days} 天", f"开始后 {LONGEST.days} 天以内")
    if error:
        raise SilenceRefused("时间有误", errors=[error])
