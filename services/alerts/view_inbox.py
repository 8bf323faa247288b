"""View letters as their reader may: a login for a department reads what is asked of it, of warnings nothing."""

from services.alerts.repository import Row
from services.alerts.schemas import InboxItem
from shared.security.principal import Principal

# The inbox is a person's, whatever post he logs in with.
OF_ANOTHER_POST = "这条消息不是部门事务，请以相应岗位登录查看。"
SEES_ALERTS = "alerts:read"


def view_letter(row: Row, caller: Principal) -> InboxItem:
    """One item of the caller's own inbox."""
    if SEES_ALERTS in caller.scopes:
        return InboxItem.model_validate(dict(row))
    seen = {**dict(row), "alert_id": None, "link": None}
    if row["matter"] is None:
        seen |= {"title": "其他岗位的消息", "body": OF_ANOTHER_POST, "severity": None}
    return InboxItem.model_validate(seen)
