"""Routes that read strictly: one meaning of a JSON body, no unknown query parameter."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from shared.errors import FieldError, Unprocessable, UnsupportedMedia
from shared.web.strict_json import parse_strict


class UnknownParameter(Unprocessable):
    """A filter that is not known is refused: ignoring it would show more than was asked for."""

    code, title = "unknown_parameter", "不认识的查询参数"


class StrictRoute(APIRoute):
    """A route whose request is checked before FastAPI reads it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = frozenset(_query_names(self.dependant))
        reads_json = self.body_field is not None and not _is_form(self)

        async def strictly(request: Request) -> Response:
            unknown = [name for name in request.query_params if name not in known]
            if unknown:
                raise _unknown(unknown, known)
            if reads_json:
                _need_json(request)
                request._json = parse_strict(await request.body())
            return await handle(request)

        return strictly


def Router(**options: Any) -> APIRouter:  # noqa: N802 - stands where a class would.
    """An APIRouter of strict routes."""
    return APIRouter(route_class=StrictRoute, **options)


def _query_names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from (field.alias or name for name, field in annotation.model_fields.items())
        else:
            yield parameter.alias
    for inner in dependant.dependencies:
        yield from _query_names(inner)


def _is_form(route: APIRoute) -> bool:
    return any(type(p.field_info).__name__ in {"Form", "File"} for p in route.dependant.body_params)


def _need_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMedia(f"请求体类型为“{kind[:60] or '未注明'}”；应为 application/json")


def _unknown(names: list[str], known: frozenset[str]) -> UnknownParameter:
    errors = [
        FieldError(f"query/{name[:50]}", "unknown_parameter", "没有这个查询参数", "、".join(sorted(known)) or "无")
        for name in names[:20]
    ]
    return UnknownParameter("查询参数有误，为避免误解，请求未执行", errors=errors)
