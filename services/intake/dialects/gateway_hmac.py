"""Provincial gateways (省级共享网关): HMAC-SHA256 over client, time and nonce; the gateway takes it for ten minutes.

Source: the public interface description of Shandong's gateway (X-Client-Id, X-Timestamp, X-Nonce, X-Signature).
"""

import base64
import hmac


def sign(*, client_id: str, secret: str, at_ms: int, nonce: str) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), f"{client_id}{at_ms}{nonce}".encode(), "sha256")
    return {
        "X-Client-Id": client_id,
        "X-Timestamp": str(at_ms),
        "X-Nonce": nonce,
        "X-Signature": base64.b64encode(digest).decode(),
    }
