"""The national exchange platform (国家数据共享交换平台): HMAC-SHA256 over service code, requester and time.

`client_id` is "<requester>/<service code>" (rid/sid). Source: several public clients of the platform agree on it.
"""

import base64
import hmac


def sign(*, client_id: str, secret: str, at_ms: int, nonce: str) -> dict[str, str]:
    requester, _, service = client_id.partition("/")
    digest = hmac.digest(secret.encode(), f"{service}{requester}{at_ms}".encode(), "sha256")
    return {
        "gjgxjhpt_rid": requester,
        "gjgxjhpt_sid": service,
        "gjgxjhpt_rtime": str(at_ms),
        "gjgxjhpt_sign": base64.b64encode(digest).decode(),
    }
