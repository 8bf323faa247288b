"""A token for trying things out; only demo keys sign it."""

from collections.abc import Sequence
from datetime import timedelta

from shared.clock import SystemClock
from shared.errors import Forbidden, Unprocessable
from shared.security.access import SCOPES_OF_ROLE, SCOPES_OF_SYSTEMS, allowed_scopes
from shared.security.keys import DEMO_MARK, load_keys
from shared.security.principal import Principal
from shared.security.tokens import TokenIssuer
from shared.settings import Settings
from shared.vocabulary.division import parse_division
from shared.vocabulary.terms import Role


class DemoOnly(Forbidden):
    code, title = "demo_only", "仅演示模式可用"


def demo_token(
    settings: Settings,
    role: str,
    division: str,
    *,
    scopes: Sequence[str] | None = None,
    officer_no: str | None = None,
    department: str | None = None,
    lifetime: timedelta,
) -> str:
    """Sign a token for a role, or for `system`; `division` is the range it sees."""
    if not (settings.data / "keys" / DEMO_MARK).exists():
        raise DemoOnly("此数据目录不是演示目录；正式环境请使用统一身份平台登录，系统请用 POST /oauth2/token")
    known = _role(role)
    asked = frozenset(scopes or (SCOPES_OF_ROLE[known] if known else SCOPES_OF_SYSTEMS))
    kind = "person" if known else "system"
    principal = Principal(
        subject=officer_no or f"demo-{role}",
        kind="person" if known else "system",
        role=known,
        division=str(parse_division(division)),
        scopes=allowed_scopes(kind, known, asked),
        name=f"演示{role}",
        department=department,
        officer_no=officer_no,
    )
    keys = load_keys(settings.data / "keys", "alerts", demo=True)
    return TokenIssuer(keys.token_key, settings.issuer).issue(principal, now=SystemClock().now(), lifetime=lifetime)


def _role(text: str) -> Role | None:
    if text == "system":
        return None
    try:
        return Role(text)
    except ValueError:
        raise Unprocessable(f"没有角色 {text}；可用：system、{'、'.join(Role)}") from None
