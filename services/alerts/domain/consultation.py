"""A joint consultation (联合会商): departments write, people meet, and what they decide closes the alert."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from services.alerts.domain.verification import Objection
from shared.vocabulary.terms import Outcome

FEWEST_ATTENDEES = 2


@dataclass(frozen=True, slots=True)
class Call:
    """Who is asked, and by when."""

    departments: tuple[str, ...]
    question: str
    opinions_by: date
    meets_on: date


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, when, by whom together; `measures` is who does what for the household."""

    held_on: date
    attendees: tuple[str, ...]
    outcome: Outcome
    causes: tuple[str, ...] = ()
    helped_by: str | None = None
    measures: str | None = None


def call_objections(call: Call, today: date) -> list[Objection]:
    """What is wrong with a call; empty: it stands."""
    found = []
    if len(set(call.departments)) != len(call.departments):
        found.append(Objection("departments", "department_twice", "同一部门只填一次"))
    if call.opinions_by < today:
        found.append(Objection("opinions_by", "opinions_in_past", "书面意见期限不能早于今天", today.isoformat()))
    if call.meets_on < call.opinions_by:
        found.append(
            Objection("meets_on", "meets_too_early", "会商日期不能早于书面意见期限", call.opinions_by.isoformat())
        )
    return found


def decision_objections(
    decision: Decision, *, called_on: date, today: date, awaited: Collection[str], opinions_by: date
) -> list[Objection]:
    """What is missing in a decision; `awaited`: departments that may still write, and have not."""
    found = []
    if awaited and today <= opinions_by:
        names = "、".join(sorted(awaited))
        found.append(Objection("outcome", "opinions_awaited", f"{names}尚未提交书面意见，期限未到"))
    if not called_on <= decision.held_on <= today:
        found.append(Objection("held_on", "held_out_of_time", "会商日期应在发起之后、今天之前", today.isoformat()))
    if len(set(decision.attendees)) < FEWEST_ATTENDEES:
        found.append(Objection("attendees", "attendees_required", "参会人员至少两人"))
    if decision.outcome is Outcome.NEED_MET and not decision.helped_by:
        found.append(Objection("helped_by", "helped_by_required", "困难已解决须写明由哪个部门帮扶", "民政局"))
    if decision.outcome is Outcome.IDENTIFY and not decision.causes:
        found.append(Objection("causes", "causes_required", "建议纳入监测须写明致贫返贫风险", '["illness"]'))
    return found
