"""An appeal as the county and as the household reads it: where it stands, until when, and why it was decided so."""

from datetime import date

import asyncpg

from services.intake.domain.appeal import OPEN, TITLES, AppealState, is_overdue
from services.intake.schemas_reports import AppealProgress, AppealView
from shared.security.access import field_classes
from shared.security.keys import Keyring
from shared.security.masking import mask_numbers_in
from shared.security.principal import Principal

RIGHT = "您有权要求由人工复核，本系统不自动作出决定；对裁定仍不服的，可向县级主管部门申请复查或拨打12317。"


def view_appeal(row: asyncpg.Record, caller: Principal, keys: Keyring, today: date) -> AppealView:
    """The view for a cadre; the household's own words only for posts that may read them."""
    state = AppealState(row["state"])
    return AppealView(
        id=row["appeal_id"],
        report_id=row["report_id"],
        household_no=row["household_no"],
        division=row["division"],
        against=row["against"],
        answered_by=row["answered_by"],
        reason=_opened(row, "sealed_reason", keys) if "contact" in field_classes(caller) else None,
        state=state,
        title=TITLES[state],
        filed_at=row["filed_at"],
        due_on=row["due_on"],
        overdue=is_overdue(state, row["due_on"], today),
        alert_id=row["alert_id"],
        looked_at=row["looked_at"],
        looked_by=row["looked_by"],
        look_outcome=row["look_outcome"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        decision_reason=_opened(row, "sealed_decision", keys),
    )


def appeal_progress(row: asyncpg.Record, keys: Keyring, today: date) -> AppealProgress:
    """The same for the household: no officer's number, the reasons whole."""
    state = AppealState(row["state"])
    return AppealProgress(
        id=row["appeal_id"],
        state=state,
        title=TITLES[state],
        filed_at=row["filed_at"],
        due_on=row["due_on"] if state in OPEN else None,
        overdue=is_overdue(state, row["due_on"], today),
        decided_at=row["decided_at"],
        reason=_opened(row, "sealed_decision", keys),
        right=RIGHT,
    )


def _opened(row: asyncpg.Record, column: str, keys: Keyring) -> str | None:
    sealed = row[column]
    return None if sealed is None else mask_numbers_in(keys.open(sealed, "appeal", column, str(row["appeal_id"])))
