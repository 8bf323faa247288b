"""Say what speaks against removing a household from the list (不应消除的情形); the decision remains the person's."""

import asyncpg

from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.explain_assessment import explain_assessment
from shared.errors import FangpinError
from shared.runtime import Runtime
from shared.security.principal import Principal

NOT_ASSESSED = "本户尚不能评估，无法核对不应消除的情形"


async def caution_removal(
    connection: asyncpg.Connection, household_no: str, caller: Principal, package: PolicyPackage, runtime: Runtime
) -> list[str]:
    """The removal blockers of the assessment of today, by their names; or that there is no assessment."""
    try:
        view = await explain_assessment(connection, household_no, caller, runtime, as_of=None, known_at=None)
    except FangpinError:
        return [NOT_ASSESSED]
    labels = {note.name: note.label_zh for note in package.removal_blockers}
    return [labels.get(name, name) for name in view.removal_blockers or ()]
