"""A self-report as its caller may see it: stages always, the person by field class, the number always masked."""

from typing import Any

from services.intake.domain.self_report import ReportStage
from services.intake.schemas import RelativeView, SelfReportView, StageView
from shared.security.access import field_classes
from shared.security.keys import Keyring
from shared.security.masking import mask_name, mask_number, mask_numbers_in
from shared.security.principal import Principal
from shared.vocabulary.money import yuan

TITLES = {
    ReportStage.RECEIVED: "已收到",
    ReportStage.MATCHED: "已找到农户",
    ReportStage.ASSESSED: "已评估",
    ReportStage.ROUTED: "已派给责任人",
    ReportStage.ACKNOWLEDGED: "责任人已签收",
    ReportStage.VERIFIED: "已入户核实",
}


def view_report(row: Any, caller: Principal, keys: Keyring) -> SelfReportView:
    """The view of a report as `report_by_id` finds it; the stages tell how far a withdrawn one had got."""
    seen = field_classes(caller)
    contact = "contact" in seen
    stages = [StageView(stage=s, title=t, at=row[f"{s}_at"]) for s, t in TITLES.items()]

    def opened(column: str) -> str | None:
        sealed = row[column]
        return None if sealed is None else keys.open(sealed, "self_report", column, str(row["report_id"]))

    return SelfReportView(
        id=row["report_id"],
        status="withdrawn" if row["taken_back_at"] else [s.stage for s in stages if s.at is not None][-1],
        stages=stages,
        unmatched=row["unmatched_at"] is not None and row["matched_at"] is None,
        alert_id=row["alert_id"],
        division=row["division"],
        household_no=row["household_no"],
        reporter_name=row["reporter_name"] if contact else mask_name(row["reporter_name"]),
        identity_number=mask_number(opened("sealed_number") or ""),
        phone=opened("sealed_phone") if contact else None,
        hardships=row["hardships"] if "cause" in seen else None,
        description=mask_numbers_in(opened("sealed_description") or "") or None if contact else None,
        amount_yuan=yuan(row["amount_fen"]) if "amount" in seen and row["amount_fen"] is not None else None,
        on_behalf_of=row["on_behalf_of"],
        reported_on=row["reported_on"],
        received_at=row["received_at"],
        channel=row["channel"],
        ticket_no=row["ticket_no"],
        filed_by=row["filed_by"],
        relative=_relative(opened("sealed_filer"), contact=contact),
        consent_version=row["consent_version"],
        basis=row["basis"],
        corrects=row["root_id"],
        withdrawn_at=row["taken_back_at"],
        outcome=row["outcome"] if "cause" in seen else None,
    )


def _relative(text: str | None, *, contact: bool) -> RelativeView | None:
    if text is None:
        return None
    said = RelativeView.model_validate_json(text)
    return said if contact else RelativeView(name=mask_name(said.name), relation=said.relation, phone=None)
