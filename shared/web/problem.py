"""Every error body is a problem document (RFC 9457) with a stable code."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import asyncpg
import sqlalchemy.exc
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.errors import BadRequest, FangpinError, FieldError, Forbidden, Unavailable, Unprocessable
from shared.logs import log, mask

MEDIA_TYPE = "application/problem+json"


class ProblemField(BaseModel):
    """One mistake: where, what, what is right, an example."""

    where: str
    code: str
    message: str
    expected: str | None = None
    example: str | None = None


class ProblemDocument(BaseModel):
    """An error (RFC 9457); `code` is stable, the texts are for people."""

    type: str = Field(examples=["urn:fangpin:problem:unprocessable"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["unprocessable"])
    instance: str | None = None
    errors: list[ProblemField] = Field(default_factory=list)


class ValidationFailed(Unprocessable):
    code, title = "validation_failed", "内容不符合要求"


class BodyIncomplete(BadRequest):
    code, title = "body_incomplete", "请求体没有收完"


class DatabaseBusy(Unavailable):
    code, title = "database_unavailable", "数据库暂时不可用"


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of an endpoint, for its OpenAPI description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {
        status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase, "content": content}
        for status in sorted({*statuses, 400, 413, 503})
    }


def problem_response(error: FangpinError, instance: str | None = None) -> JSONResponse:
    body: dict[str, Any] = mask(
        {
            "type": f"urn:fangpin:problem:{error.code}",
            "title": error.title,
            "status": error.status,
            "detail": error.detail,
            "code": error.code,
            "instance": instance,
            "errors": [item.as_json() for item in error.errors],
            **error.extra,
        }
    )
    return JSONResponse(body, status_code=error.status, headers=error.headers, media_type=MEDIA_TYPE)


def unexpected_response(path: str, error: Exception) -> JSONResponse:
    """The answer to our own mistake, which the log describes and the caller never sees."""
    log.error("request.failed", path=path, error=type(error).__name__, exc_info=error)
    return problem_response(FangpinError("系统出错，已记录，请稍后再试"), path)


_DATABASE_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    sqlalchemy.exc.SQLAlchemyError,
    OSError,
    TimeoutError,
)


def install_problem_handlers(app: FastAPI) -> None:
    """Turn everything that can go wrong in a request into a problem document."""

    async def fangpin(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, FangpinError)
        return problem_response(error, request.url.path)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return problem_response(_of_http(error), request.url.path)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return problem_response(of_validation(error.errors(), error.body), request.url.path)

    async def database(request: Request, error: Exception) -> JSONResponse:
        known = of_database(error)
        if known is None:
            return await unexpected(request, error)
        return problem_response(known, request.url.path)

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return unexpected_response(request.url.path, error)

    async def gone(request: Request, error: Exception) -> JSONResponse:
        """The client went away; nobody reads this, but it is not our mistake."""
        return problem_response(
            BodyIncomplete("连接在请求体发完之前断开；没有接收任何内容，请重新发送"), request.url.path
        )

    app.add_exception_handler(FangpinError, fangpin)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in _DATABASE_ERRORS:
        app.add_exception_handler(kind, database)
    app.add_exception_handler(Exception, unexpected)


_HTTP_CODES: Mapping[int, tuple[str, str]] = {
    404: ("not_found", "没有找到"),
    405: ("method_not_allowed", "不支持的请求方法"),
}


def _of_http(error: HTTPException) -> FangpinError:
    code, title = _HTTP_CODES.get(error.status_code, ("bad_request", "请求格式不正确"))
    kind = type("HTTPProblem", (FangpinError,), {"status": error.status_code, "code": code, "title": title})
    problem: FangpinError = kind(title, headers=error.headers)
    return problem


def of_validation(errors: Sequence[Any], body: Any) -> FangpinError:
    """What is wrong with a body, field by field."""
    fields = [_field(item, body) for item in errors[:100]]
    return ValidationFailed(f"有 {len(errors)} 处不符合要求", errors=fields)


_MESSAGES: Mapping[str, str] = {
    "missing": "缺少必填项",
    "extra_forbidden": "不认识的字段",
    "string_type": "应为文本（加引号）",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "float_type": "应为数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "date_type": "应为日期文本，例如 2026-01-31",
    "date_parsing": "日期应为 年-月-日，例如 2026-01-31",
    "date_from_datetime_parsing": "日期应为 年-月-日，例如 2026-01-31",
    "string_too_long": "文字过长",
    "string_too_short": "文字过短",
    "too_short": "至少需要一项",
    "too_long": "项数过多",
    "string_pattern_mismatch": "格式不符",
    "model_attributes_type": "应为 JSON 对象",
    "dict_type": "应为 JSON 对象",
    "list_type": "应为 JSON 数组",
    "uuid_parsing": "编号格式不正确",
    "uuid_type": "编号格式不正确",
    "greater_than_equal": "数值过小",
    "less_than_equal": "数值过大",
}


def _field(item: Any, body: Any) -> FieldError:
    kind = str(item["type"])
    context = item.get("ctx") or {}
    expected = context.get("expected") or context.get("pattern") or context.get("max_length")
    message = _MESSAGES.get(kind) or (str(item["msg"]) if not kind.startswith("value_error") else "值不正确")
    if kind in {"enum", "literal_error"}:
        message = "不在允许的取值中"
    where = "/".join(str(part)[:60] for part in _as_sent(item["loc"], body))
    return FieldError(where, kind, message, None if expected is None else str(expected))


def _as_sent(loc: Sequence[str | int], body: Any) -> Iterator[str | int]:
    """The place in the body as the caller wrote it: without the names of ours for kinds of one thing."""
    here = {"body": body}
    for index, part in enumerate(loc):
        is_ours = isinstance(here, dict) and here and part not in here and index < len(loc) - 1
        if loc[0] == "body" and is_ours:
            continue
        yield part
        here = _inside(here, part)


def _inside(here: Any, part: str | int) -> Any:
    try:
        return here[part]
    except (KeyError, IndexError, TypeError):
        return None


class OutOfRangeRow(Forbidden):
    code, title = "out_of_range", "超出您的行政区划范围"


class ValueNotStorable(BadRequest):
    code, title = "value_not_storable", "含有无法保存的字符或数值"


_NOT_STORABLE = (
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
    asyncpg.DataError,
)
_BUSY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    # A connection whose server died in the middle of an exchange is in a state its client does not expect.
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    sqlalchemy.exc.TimeoutError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.OperationalError,
)


def of_database(error: Exception) -> FangpinError | None:
    """What a database error means to a caller; None if it is our own mistake."""
    cause: BaseException = getattr(error, "orig", None) or error
    if isinstance(cause.__cause__, asyncpg.PostgresError):
        cause = cause.__cause__
    if isinstance(cause, asyncpg.InsufficientPrivilegeError):
        return OutOfRangeRow()
    if isinstance(cause, _NOT_STORABLE):
        return ValueNotStorable()
    if isinstance(cause, _BUSY):
        detail = "数据库暂时不可用，请几秒后再试；使用同一幂等键重试不会重复"
        return DatabaseBusy(detail, headers={"Retry-After": "2"})
    return None
