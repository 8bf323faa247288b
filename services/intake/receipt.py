"""Receipt codes: made from the report's id and a key, so that a retry gets the same and the database holds none."""

from uuid import UUID

from services.intake.domain.receipt_code import code_of
from shared.security.keys import Keyring

FIRST = 1


def receipt_code(keys: Keyring, report_id: UUID, receipt_no: int = FIRST) -> str:
    """The code of a report; `receipt_no` counts up when it is given a new one."""
    return code_of(keys.keyed_digest("receipt", f"{report_id}/{receipt_no}"))


def code_index(keys: Keyring, code: str) -> bytes:
    """What the database knows a code by."""
    return keys.keyed_digest("receipt.index", code)
