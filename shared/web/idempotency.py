"""The Idempotency-Key of a request: one random value for each new deed, the same one when it is tried again."""

from shared.errors import BadRequest, Unprocessable
from shared.vocabulary.identity_number import holds_identity_number

LONGEST_KEY = 255


class IdempotencyKeyRefused(BadRequest):
    code, title = "idempotency_key_refused", "幂等键不正确"


class IdempotencyKeyReused(Unprocessable):
    code, title = "idempotency_key_reused", "同一幂等键的内容不一致"


def idempotency_key(values: list[str]) -> str:
    """The one Idempotency-Key of a request, 1 to 255 visible ASCII characters."""
    if not values:
        raise IdempotencyKeyRefused("缺少请求头 Idempotency-Key；每次新的提交用一个新的随机值，重试时用同一个值")
    if len(values) > 1:
        raise IdempotencyKeyRefused("Idempotency-Key 出现了不止一次")
    key = values[0].strip()
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise IdempotencyKeyRefused(f"Idempotency-Key 应为 1 至 {LONGEST_KEY} 个可见 ASCII 字符")
    if holds_identity_number(key):
        raise IdempotencyKeyRefused("Idempotency-Key 不得含有身份证号，请用随机值")
    return key
