"""A joint consultation (联合会商) as its verbs find and refuse it."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.alerts import repository_consultations
from services.alerts.domain.verification import Objection
from shared.errors import Conflict, FieldError, NotFound, Unprocessable
from shared.security.principal import Principal
from shared.vocabulary.terms import Role


class ConsultationUnknown(NotFound):
    """There is no such consultation, it is out of range, or it does not ask the liaison's department."""

    code, title = "consultation_unknown", "没有找到这次会商"


class ConsultationRefused(Unprocessable):
    code, title = "consultation_refused", "会商内容不完整"


class ConsultationDecided(Conflict):
    code, title = "consultation_decided", "会商已有决定"


async def consultation_of(connection: asyncpg.Connection, consultation_id: UUID, caller: Principal) -> asyncpg.Record:
    """A consultation as the caller may see it: a liaison, those that ask his department."""
    found = await repository_consultations.consultation_by_id(connection, consultation_id)
    if found is None or (caller.role is Role.LIAISON and caller.department not in found["departments"]):
        raise ConsultationUnknown
    return found


def refuse(found: Sequence[Objection]) -> None:
    if found:
        errors = [FieldError(f"body/{o.field}", o.code, o.message, example=o.example) for o in found]
        raise ConsultationRefused("；".join(o.message for o in found), errors=errors)
