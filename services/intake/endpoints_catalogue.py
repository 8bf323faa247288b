"""The catalogue of data sets over HTTP: pages and templates for anybody, layouts of its own for a county."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from services.intake.add_layout import add_layout, retire_layout
from services.intake.catalogue import LayoutUnknown, example_of, layout_for, layouts_for, owner_of, refresh_catalogue
from services.intake.domain.feed import LayoutMode
from services.intake.endpoints import FeedReader
from services.intake.render_catalogue import BASE, render_catalogue, render_data_set
from services.intake.schemas import LayoutView
from services.intake.write_template import write_template
from shared.security.principal import Principal
from shared.web.dependencies import ContextDep, RuntimeDep, require
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.spreadsheet import CSV, XLSX

Admin = Annotated[Principal, Depends(require("intake:layouts"))]
LAYOUT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "与内置版式相同的 YAML 或 JSON；name 以 own_ 开头",
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}
PAGE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}

router = Router(tags=["layouts"])


@router.get(BASE, summary="数据目录（公开网页）", response_class=HTMLResponse, responses=PAGE)
async def get_catalogue(runtime: RuntimeDep) -> HTMLResponse:
    """收哪些数据、用途、依据、保存期限；不含任何人的数据，也不含各县自定义的数据集。"""
    await refresh_catalogue(runtime.worker_pool)
    return HTMLResponse(render_catalogue(layouts_for(None).values()))


@router.get(
    f"{BASE}/{{name}}",
    summary="一个数据集的说明（公开网页）",
    response_class=HTMLResponse,
    responses={**PAGE, **problems(404)},
)
async def get_data_set(name: str, runtime: RuntimeDep) -> HTMLResponse:
    """列名、同义列名、选项、规则、示例。"""
    await refresh_catalogue(runtime.worker_pool)
    return HTMLResponse(render_data_set(layout_for(None, name)))


@router.get(
    f"{BASE}/{{name}}/template.xlsx",
    summary="报送模板",
    response_class=Response,
    responses={200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}, **problems(404)},
)
async def get_template(name: str, runtime: RuntimeDep) -> Response:
    """带下拉选项和填写说明的空白工作簿。"""
    await refresh_catalogue(runtime.worker_pool)
    return _file(write_template(layout_for(None, name)), XLSX, f"{name}.xlsx")


@router.get(
    f"{BASE}/{{name}}/example.csv",
    summary="示例文件，含常见错误",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **problems(404)},
)
async def get_example(name: str) -> Response:
    """虚构数据。"""
    path = example_of(layout_for(None, name))
    if path is None:
        raise LayoutUnknown("这个数据集没有示例文件")
    return _file(path.read_bytes(), CSV, f"{name}.csv")


@router.post(
    "/intake/v1/layouts",
    status_code=201,
    summary="增加自定义数据集，或其新版本",
    responses=problems(400, 401, 403, 409, 413, 422),
    openapi_extra=LAYOUT_BODY,
)
async def post_layout(
    request: Request,
    response: Response,
    caller: Admin,
    runtime: RuntimeDep,
    context: ContextDep,
    mode: Annotated[LayoutMode, Query(description="只检查，或检查后启用")] = LayoutMode.SAVE,
) -> LayoutView:
    """与内置版式同样检查；只能用于本人区划，名称以 own_ 开头。"""
    body, save = await request.body(), mode is LayoutMode.SAVE
    layout = await add_layout(runtime, caller, body, save=save, request_id=context.request_id)
    response.status_code = 201 if save else 200
    return LayoutView.whole(layout, owner_of(layout.name))


@router.get(
    "/intake/v1/layouts/{name}/template.xlsx",
    summary="报送模板，含本县自定义的数据集",
    response_class=Response,
    responses={
        200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}},
        **problems(401, 403, 404, 422),
    },
)
async def get_own_template(name: str, caller: FeedReader, runtime: RuntimeDep) -> Response:
    """带下拉选项和填写说明的空白工作簿；自定义的数据集只有所属区划可以下载。"""
    await refresh_catalogue(runtime.worker_pool)
    return _file(write_template(layout_for(caller.division, name)), XLSX, f"{name}.xlsx")


@router.delete(
    "/intake/v1/layouts/{name}", status_code=204, summary="停用自定义数据集", responses=problems(401, 403, 404, 422)
)
async def delete_layout(name: str, caller: Admin, runtime: RuntimeDep, context: ContextDep) -> None:
    """不再接收新文件；已接收的数据不变。"""
    await retire_layout(runtime, caller, name, request_id=context.request_id)


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
