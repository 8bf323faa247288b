"""A token in the Authorization header (RFC 6750)."""


def sign(*, client_id: str, secret: str, at_ms: int, nonce: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
