"""Decide an appeal (裁定): by a person who did not give the answer, after a new look, with reasons in plain words."""

from uuid import UUID

import asyncpg

from services.intake import repository_appeals as repository
from services.intake.domain.appeal import TITLES, AppealState, AppealStep, Decider, after
from services.intake.file_appeal import PersonNeeded
from services.intake.say_again import Speaker, note
from shared.errors import Conflict, Forbidden, NotFound
from shared.runtime import Runtime

STEPS = {"upheld": AppealStep.UPHOLD, "changed": AppealStep.CHANGE}


class AppealUnknown(NotFound):
    code, title = "appeal_unknown", "没有这件申诉"


class OwnAnswer(Forbidden):
    """Who gave the answer, or looked again, cannot decide about it (回避)."""

    code, title = "own_answer", "本人作出的答复须由他人裁定"


class StepImpossible(Conflict):
    code, title = "appeal_step_impossible", "申诉在当前状态下不能这样办理"


async def decide_appeal(
    connection: asyncpg.Connection, runtime: Runtime, appeal_id: UUID, outcome: str, reason: str, speaker: Speaker
) -> asyncpg.Record:
    """Decide, in the caller's transaction; the appeal as it stands then."""
    decider = _decider(speaker)
    appeal = await repository.lock(connection, appeal_id)
    if appeal is None:
        raise AppealUnknown
    if decider.gave(appeal["answered_by"]) or decider.gave(appeal["looked_by"]):
        raise OwnAnswer("原答复或重新核实由您作出，须由另一位有权限的干部裁定")
    state = _after(AppealState(appeal["state"]), STEPS[outcome])
    sealed = runtime.keys.seal(reason, "appeal", "sealed_decision", str(appeal_id))
    await repository.decide(connection, appeal_id, state, decider.officer_no, sealed, runtime.clock.now())
    await note(connection, runtime, speaker, "appeal.decide", f"appeal:{appeal_id}", detail={"outcome": state})
    decided = await repository.by_id(connection, appeal_id)
    assert decided is not None
    return decided


def _decider(speaker: Speaker) -> Decider:
    caller = speaker.principal
    if caller is None or not caller.is_person or not caller.officer_no:
        raise PersonNeeded
    return Decider(caller.officer_no, caller.subject)


def _after(state: AppealState, step: AppealStep) -> AppealState:
    moved = after(state, step)
    if moved is None:
        hint = "须先由另一位干部重新核实" if state is AppealState.FILED else f"当前状态：{TITLES[state]}"
        raise StepImpossible(hint)
    return moved
