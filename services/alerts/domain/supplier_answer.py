"""What a supplier's own words mean: HTTP 200 is no success, its code is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.alerts.domain.delivery import OutcomeClass, SendOutcome


@dataclass(frozen=True, slots=True)
class CodeTable:
    """Which codes of a supplier mean what; a code that stands nowhere is tried again.

    `block` is how long it keeps everybody out after too many messages.
    """

    ok: Collection[str]
    retry: Collection[str] = frozenset()
    limited: Collection[str] = frozenset()
    fix: Collection[str] = frozenset()
    gone: Collection[str] = frozenset()
    block: timedelta | None = None
    otherwise: OutcomeClass = field(default=OutcomeClass.RETRY)

    def outcome_of(self, code: str) -> OutcomeClass:
        named = (
            (OutcomeClass.OK, self.ok),
            (OutcomeClass.RETRY, self.retry),
            (OutcomeClass.LIMITED, self.limited),
            (OutcomeClass.FIX, self.fix),
            (OutcomeClass.GONE, self.gone),
        )
        return next((outcome for outcome, codes in named if code in codes), self.otherwise)


def judge(table: CodeTable, answer: Any, *, code_at: str, status: int, id_at: str | None = None) -> SendOutcome:
    """The outcome that an answer tells; an answer without the code where it should stand is no success."""
    code = text_at(answer, code_at)
    if code is None:
        return SendOutcome(OutcomeClass.RETRY, status, "answer without a code")
    outcome = table.outcome_of(code)
    supplier_id = text_at(answer, id_at) if id_at and outcome is OutcomeClass.OK else None
    return SendOutcome(
        outcome,
        status,
        "" if outcome is OutcomeClass.OK else f"supplier said {code}",
        block=table.block if outcome is OutcomeClass.LIMITED else None,
        supplier_code=code,
        supplier_id=supplier_id,
    )


def value_at(value: Any, path: str) -> Any:
    """What stands at `a.b.0.c`; None if nothing does."""
    for step in path.split(".") if path else ():
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and len(step) < 5:
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def text_at(value: Any, path: str) -> str | None:
    """The text, number or truth at a path, as a text of at most 100 characters; None if nothing such stands there."""
    found = value_at(value, path)
    if isinstance(found, bool):
        return str(found).lower()
    return str(found)[:100].replace("\x00", "") if isinstance(found, str | int | float) else None
