"""Open a report by its receipt code: a wrong code, a mistyped one and one that was replaced look alike."""

from dataclasses import dataclass
from uuid import UUID

from services.intake import repository_limits as limits
from services.intake import repository_reports as repository
from services.intake.domain.receipt_code import parse_code
from services.intake.domain.report_limit import LimitKind, window_of
from services.intake.keep_limits import Use, local_now, most_of, refused, subject_index, use_index_once
from services.intake.receipt import code_index
from services.intake.settings import IntakeSettings
from shared.db.scope import transaction
from shared.errors import NotFound
from shared.runtime import Runtime


class ReceiptUnknown(NotFound):
    code, title = "receipt_unknown", "受理码不正确"


@dataclass(frozen=True, slots=True)
class Opened:
    """The report a code opens, its division, and what the database knows the code by."""

    report_id: UUID
    division: str
    index: bytes


async def open_receipt(runtime: Runtime, typed: str, address: str) -> Opened:
    """The report; ReceiptUnknown, or LimitReached for whoever tries too often. Nothing but the code opens it."""
    index = code_index(runtime.keys, parse_code(typed) or "")
    async with transaction(runtime.pool) as connection:
        found = await repository.place_of_receipt(connection, index)
        if found is not None:
            await use_index_once(connection, runtime, LimitKind.CODE_READ, index)
    if found is None:
        raise await _wrong(runtime, address)
    return Opened(found["report_id"], found["division"], index)


async def _wrong(runtime: Runtime, address: str) -> Exception:
    """Count a wrong code of an address, in a transaction of its own, so that the refusal does not undo it."""
    assert isinstance(runtime.settings, IntakeSettings)
    kind, now = LimitKind.WRONG_CODE, local_now(runtime)
    most, subject = most_of(runtime.settings, kind), subject_index(runtime, Use(kind, address))
    async with transaction(runtime.pool) as connection:
        counted = await limits.use_once(connection, kind, subject, window_of(kind, now).start, most)
    return (
        ReceiptUnknown("请核对受理码后再试；遗失的，请到村委会凭身份证补发") if counted else refused(kind, most, now)
    )
