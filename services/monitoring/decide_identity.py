"""Decide a doubtful identity: a named county person says who is who, and can take it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring import repository_identity as repository
from services.monitoring import repository_register as register
from services.monitoring.append_facts import move_facts
from services.monitoring.domain.identity_pair import ANSWERS, OF_TWO_RESIDENTS, Answer, Reason
from services.monitoring.domain.timeline import altered, holding
from services.monitoring.join_residents import (
    join_residents,
    link_number,
    part_residents,
    read_homes,
    restore,
    written_homes,
)
from services.monitoring.list_identity import PairNotFound
from services.monitoring.propose_identity import propose_doubts
from services.monitoring.record_decision import OnlyAPersonDecides
from services.monitoring.register_desk import OutOfRange, refused
from services.monitoring.schemas_identity import PairDecision
from shared.db.scope import transaction
from shared.errors import Conflict
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import covers
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role

USUAL = 5


class PairNotOpen(Conflict):
    """Somebody was quicker, or what was doubtful is so no more."""

    code, title = "identity_pair_not_open", "这一对已有决定或已不成问题"


class NothingToUndo(Conflict):
    code, title = "identity_pair_not_decided", "没有可撤销的决定"


class LaterDecisionStands(Conflict):
    code, title = "later_decision_stands", "涉及同一人的后一决定须先撤销"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a decision did: persons it concerns, and what an undo needs."""

    kept: dict[str, Any]
    survivor: int | None = None
    absorbed: int | None = None


async def decide_identity(
    scoped: asyncpg.Connection,
    pair_id: int,
    order: PairDecision,
    caller: Principal,
    runtime: Runtime,
    *,
    request_id: str,
) -> None:
    """Write the decision and let it take effect; of two who decide at once one is refused."""
    check_person(caller)
    async with transaction(runtime.worker_pool) as connection:
        pair = await _hold(scoped, connection, pair_id, caller)
        if pair["state"] != "open":
            raise PairNotOpen("请刷新后查看；如认定有误，可先撤销原决定")
        await settle_pair(connection, pair, order, caller, runtime, request_id=request_id)


async def settle_pair(
    connection: asyncpg.Connection,
    pair: Mapping[str, Any],
    order: PairDecision,
    caller: Principal,
    runtime: Runtime,
    *,
    request_id: str,
) -> None:
    """Let the answer to a pair that is held take effect."""
    answer, reason = Answer(order.decision), Reason(pair["reason"])
    if answer not in ANSWERS[reason]:
        allowed = "、".join(sorted(ANSWERS[reason]))
        raise refused("decision", "answer_does_not_fit", "这类问题不能这样决定", allowed)
    verdict = await _take_effect(connection, pair, order, runtime)
    await repository.set_state(connection, pair["pair_id"], answer)
    if verdict.survivor is not None:
        await propose_doubts(connection, [verdict.survivor], runtime)
    now = runtime.clock.now()
    row = repository.decision_row(
        new_id(now),
        pair["pair_id"],
        answer,
        (caller.subject, caller.name),
        now,
        reason=order.reason,
        document_no=order.document_no,
        survivor_id=verdict.survivor,
        absorbed_id=verdict.absorbed,
        kept=verdict.kept,
    )
    await repository.add_decision(connection, row)
    await _note(connection, pair, f"identity.{answer}", caller, order.reason, runtime, request_id)


async def undo_identity(
    scoped: asyncpg.Connection, pair_id: int, reason: str, caller: Principal, runtime: Runtime, *, request_id: str
) -> None:
    """Take the decision back: the pair is open again, and everything is as it would be without the decision."""
    check_person(caller)
    async with transaction(runtime.worker_pool) as connection:
        pair = await _hold(scoped, connection, pair_id, caller)
        decision = await repository.standing_decision(connection, pair_id)
        if decision is None:
            raise NothingToUndo
        if await repository.later_decision(connection, decision):
            raise LaterDecisionStands("请先撤销涉及同一人的后一决定")
        notes = await _take_back(connection, decision, runtime)
        await repository.set_state(connection, pair_id, "open")
        now, by = runtime.clock.now(), (caller.subject, caller.name)
        row = repository.decision_row(
            new_id(now), pair_id, "undo", by, now, undoes=decision["decision_id"], reason=reason, notes=notes
        )
        await repository.add_decision(connection, row)
        await _note(connection, pair, "identity.undo", caller, reason, runtime, request_id)


def check_person(caller: Principal) -> None:
    if not caller.is_person or caller.role is not Role.COUNTY_ADMIN:
        raise OnlyAPersonDecides("是否同一人须由县级管理员本人登录认定；系统令牌和其他岗位不能作出决定")


async def _hold(
    scoped: asyncpg.Connection, connection: asyncpg.Connection, pair_id: int, caller: Principal
) -> dict[str, Any]:
    """The pair, held after the rosters of its people; both sides must lie in the caller's range."""
    if not await repository.pair_visible(scoped, pair_id):
        raise PairNotFound
    pair = await repository.pair(connection, pair_id)
    people = [each for each in (pair["resident_id"], pair["other_resident_id"]) if each is not None]
    await households.lock_rosters(connection, await repository.counties(connection, people))
    held = await repository.hold_pair(connection, pair_id)
    assert held is not None
    homes = {home for home in (held["household_id"], held["other_household_id"]) if home is not None}
    for each in people:
        homes |= {
            h for h, spans in (await repository.belongings_of(connection, each)).items() if spans[-1].valid_to is None
        }
    await check_range(connection, sorted(homes), caller)
    return held


async def check_range(connection: asyncpg.Connection, home_ids: Sequence[int], caller: Principal) -> None:
    """OutOfRange unless each household lies or lives in the caller's range."""
    for home in (await register.homes(connection, home_ids)).values():
        if not any(covers(caller.division, home[name]) for name in ("living_division", "registered_division")):
            raise OutOfRange("涉及的另一户不在您的区划内，请由上一级办理")


async def _take_effect(
    connection: asyncpg.Connection, pair: Mapping[str, Any], order: PairDecision, runtime: Runtime
) -> Verdict:
    reason, answer = Reason(pair["reason"]), Answer(order.decision)
    if answer is Answer.MOVED:
        return await _move(connection, pair, order, runtime)
    if answer is Answer.SAME and reason in OF_TWO_RESIDENTS:
        survivor, absorbed = await _roles(connection, pair, order.survivor_member_id)
        return Verdict(await join_residents(connection, survivor, absorbed, runtime), survivor, absorbed)
    if answer is Answer.SAME and reason is Reason.WAITING:
        kept = await link_number(connection, pair["person"], pair["resident_id"], runtime)
        return Verdict(kept, pair["resident_id"])
    return Verdict({})


async def _roles(connection: asyncpg.Connection, pair: Mapping[str, Any], wanted: int | None) -> tuple[int, int]:
    """Who goes on and who is the same as he: who has a number, who belongs somewhere now, who was added last."""
    ids = [pair["resident_id"], pair["other_resident_id"]]
    if wanted is not None and wanted not in ids:
        raise refused("survivor_member_id", "not_of_the_pair", "不是这一对中的人", "、".join(map(str, ids)))
    people = await repository.residents(connection, ids)
    homes = {each: await repository.belongings_of(connection, each) for each in ids}
    if any(not homes[each] for each in ids):
        raise PairNotOpen("其中一人已并入他人")

    def rank(each: int) -> tuple[bool, bool, bool, int]:
        lives = any(spans[-1].valid_to is None for spans in homes[each].values())
        return each == wanted, people[each]["no_id_reason"] is None, lives, each

    absorbed, survivor = sorted(ids, key=rank)
    return survivor, absorbed


async def _move(
    connection: asyncpg.Connection, pair: Mapping[str, Any], order: PairDecision, runtime: Runtime
) -> Verdict:
    """End the membership in one of the two households from the day on."""
    assert order.on is not None
    resident_id = pair["resident_id"]
    homes = await register.homes(connection, [pair["household_id"], pair["other_household_id"]])
    left = next((home for home in homes.values() if home["household_no"] == order.leaves_household_no), None)
    if left is None:
        numbers = "、".join(home["household_no"] for home in homes.values())
        raise refused("leaves_household_no", "not_of_the_pair", "不是这一对中的户", numbers)
    if order.on > runtime.clock.today():
        raise refused("on", "day_out_of_range", "迁出日期不能晚于今天", f"{runtime.clock.today()} 或以前")
    before = await repository.belongings_of(connection, resident_id)
    spans = before.get(left["household_id"], [])
    if holding(spans, order.on) is None:
        raise refused("on", "not_a_member", "此人当日不是该户成员", "其在该户期间的某一天")
    after = {**before, left["household_id"]: altered(spans, order.on, lambda _: None, alike=lambda _, __: True)}
    at = await households.database_time(connection)
    await register.rewrite_belonging(connection, left, resident_id, after[left["household_id"]], at)
    await _follow(connection, resident_id, homes, runtime)
    return Verdict({"own": written_homes(before), "after": written_homes(after)}, resident_id)


async def _take_back(connection: asyncpg.Connection, decision: asyncpg.Record, runtime: Runtime) -> list[str]:
    kept, survivor = decision["kept"], decision["survivor_id"]
    if decision["decision"] == Answer.MOVED:
        before = read_homes(kept["own"])
        notes = await restore(connection, survivor, before, read_homes(kept["after"]))
        await _follow(connection, survivor, before, runtime)
        return notes
    if decision["decision"] == Answer.SAME and survivor is not None:
        return await part_residents(connection, kept, survivor, decision["absorbed_id"], runtime)
    return []


async def _follow(
    connection: asyncpg.Connection, resident_id: int, homes: Mapping[int, Any], runtime: Runtime
) -> None:
    now = runtime.clock.now()
    await move_facts(connection, [resident_id], "", now=now, priority=USUAL)
    await households.mark_changed(connection, sorted(homes), now=now, priority=USUAL)


async def _note(
    connection: asyncpg.Connection,
    pair: Mapping[str, Any],
    action: str,
    caller: Principal,
    reason: str,
    runtime: Runtime,
    request_id: str,
) -> None:
    await audit(
        connection,
        caller,
        action,
        f"identity_pair:{pair['pair_id']}",
        now=runtime.clock.now(),
        purpose=reason,
        request_id=request_id,
        detail={"why": pair["reason"]},
    )
