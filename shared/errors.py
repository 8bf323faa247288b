"""Errors as people read them: what was wrong, where, what is right, an example; with a stable code."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake in one place (`where` is a JSON pointer, a parameter name, or line and column)."""

    where: str
    code: str
    message: str
    expected: str | None = None
    example: str | None = None

    def as_json(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value is not None}


class FangpinError(Exception):
    """A refusal that the edge renders as a problem document (RFC 9457).

    Subclasses are named as the sentence that went wrong and carry their own stable `code`.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "系统内部错误"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = extra


class BadRequest(FangpinError):
    status, code, title = 400, "bad_request", "请求格式不正确"


class Unauthorized(FangpinError):
    status, code, title = 401, "unauthorized", "未登录或令牌无效"


class Forbidden(FangpinError):
    status, code, title = 403, "forbidden", "没有权限"


class DivisionOutOfRange(Forbidden):
    code, title = "division_out_of_range", "超出您的行政区划范围"


class NotFound(FangpinError):
    status, code, title = 404, "not_found", "没有找到"


class Conflict(FangpinError):
    status, code, title = 409, "conflict", "与现有状态冲突"


class Gone(FangpinError):
    status, code, title = 410, "gone", "已不再保留"


class TooLarge(FangpinError):
    status, code, title = 413, "too_large", "内容超过上限"


class UnsupportedMedia(FangpinError):
    status, code, title = 415, "unsupported_media_type", "不支持的内容类型"


class Unprocessable(FangpinError):
    status, code, title = 422, "unprocessable", "内容不符合要求"


class TooMany(FangpinError):
    status, code, title = 429, "too_many_requests", "请求过于频繁"


class Unavailable(FangpinError):
    status, code, title = 503, "unavailable", "服务暂时不可用"
