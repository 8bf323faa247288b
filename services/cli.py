"""The command line: `fangpin X`; `./manage X` is the same inside the project's own environment."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from demo_county.commands import demo_commands
from demo_county.score import Scored
from services.assess_command import add_assess_command
from services.places import shipped_villages
from services.policy_commands import add_policy_commands
from services.verify_log_command import add_log_commands
from shared.clock import SystemClock
from shared.errors import FangpinError
from shared.settings import Settings

app = typer.Typer(
    name="fangpin",
    help="防贫：农村低收入人口动态监测（fangpin: monitoring of low-income rural households）",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ServiceName = Literal["intake", "monitoring", "alerts"]

DataOption = Annotated[Path | None, typer.Option("--data", help="数据目录（内置数据库与密钥），默认 .fangpin")]
PortOption = Annotated[int, typer.Option("--port", help="端口")]


def settings_of(data: Path | None = None, **given: Any) -> Settings:
    """Settings from the environment, under what the command line says."""
    stated = {name: value for name, value in given.items() if value is not None}
    if data is not None:
        stated["data"] = data
    return Settings(**stated)


def attached(settings: Settings, *schemas: str) -> Settings:
    """Settings that know the database of `schemas`: from the environment, or the embedded server that `up` owns."""
    from shared.db.embedded import running_url

    if settings.database_url or all(getattr(settings, f"{schema}_database_url") for schema in schemas):
        return settings
    url = running_url(settings.data / "pg")
    return settings.model_copy(update={"database_url": url, "demo": settings.demo or _is_demo(settings)})


def _is_demo(settings: Settings) -> bool:
    from shared.security.keys import DEMO_MARK

    return (settings.data / "keys" / DEMO_MARK).exists()


@app.command()
def up(
    port: PortOption = 8000,
    data: DataOption = None,
    households: Annotated[int, typer.Option("--households", min=0, help="演示农户数，全县约 75000，0 不载入")] = 3000,
    seed: Annotated[int, typer.Option("--seed", help="演示数据的随机种子")] = 20260101,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="不载入演示数据，用于正式数据")] = False,
) -> None:
    """启动全部服务（内置数据库、三个服务及其后台任务），并跑通一遍主流程。"""
    from services.up import run_up

    settings = settings_of(
        data,
        port=port,
        demo=None if no_demo else True,
        **dict.fromkeys(("public_url", "intake_url", "monitoring_url", "alerts_url"), f"http://127.0.0.1:{port}"),
    )
    run_up(settings, households=households, seed=seed, demo=not no_demo)


@app.command()
def serve(
    service: ServiceName,
    port: PortOption = 8000,
    host: Annotated[str, typer.Option("--host", help="监听地址")] = "127.0.0.1",
    data: DataOption = None,
) -> None:
    """单独启动一个服务。"""
    from services.all_in_one import create_service
    from services.processes import run
    from services.processes import serve as serve_app
    from shared.logs import configure_logs

    settings = attached(settings_of(data), service, "directory")
    configure_logs(settings.log_level)
    application = create_service(service, settings)
    run(lambda stop: serve_app(application, host, port, stop))


@app.command()
def work(
    service: ServiceName,
    light: Annotated[bool, typer.Option("--light", help="只做轻任务（投递、评估、通知）")] = False,
    heavy: Annotated[bool, typer.Option("--heavy", help="只做重任务（文件入库、全县重筛）")] = False,
    metrics_port: Annotated[int | None, typer.Option("--metrics-port", help="在本机此端口提供 /metrics")] = None,
    parent: Annotated[int | None, typer.Option("--parent", hidden=True)] = None,
    data: DataOption = None,
) -> None:
    """单独启动一个服务的后台任务。"""
    from prometheus_client import start_http_server

    from services.all_in_one import create_worker
    from services.processes import run
    from services.processes import work as work_on
    from shared.logs import configure_logs

    settings = attached(settings_of(data), service, "directory")
    configure_logs(settings.log_level)
    if metrics_port:
        start_http_server(metrics_port, addr="127.0.0.1")
    worker = create_worker(service, settings)
    if light != heavy:
        worker = worker.only(lambda task: task.heavy == heavy, ticks=light)
    run(lambda stop: work_on([worker], stop, parent=parent))


@app.command()
def migrate(data: DataOption = None) -> None:
    """建立或升级数据库结构（角色、四个模式、行政区划）。"""
    from services.up import prepare_database
    from shared.db.heads import SCHEMAS

    settings = attached(settings_of(data), *SCHEMAS)
    asyncio.run(prepare_database(settings, echo=typer.echo))


@app.command()
def token(
    role: Annotated[str, typer.Option("--role", help="county_admin、township_leader、village_secretary … 或 system")],
    division: Annotated[str, typer.Option("--division", help="行政区划代码，12 位")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help="权限，可重复；默认为该角色的全部权限")] = None,
    officer: Annotated[str | None, typer.Option("--officer", help="工号")] = None,
    department: Annotated[str | None, typer.Option("--department", help="部门")] = None,
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=720)] = 120,
    data: DataOption = None,
) -> None:
    """打印一个演示用令牌（仅演示模式；正式环境的干部登录由统一身份平台负责）。"""
    from services.demo_token import demo_token

    settings = settings_of(data)
    typer.echo(
        demo_token(
            settings,
            role,
            division,
            scopes=scope,
            officer_no=officer,
            department=department,
            lifetime=timedelta(minutes=minutes),
        )
    )


@app.command()
def bench(
    name: str,
    size: Annotated[int | None, typer.Option("--size")] = None,
    runs: Annotated[int | None, typer.Option("--runs")] = None,
    only: Annotated[str | None, typer.Option("--only", help="只测其中一部分")] = None,
) -> None:
    """测量（见 benchmarks/）；最后一行输出为一个 JSON 对象。"""
    import runpy

    folder = Path(__file__).resolve().parent.parent / "benchmarks"
    script = folder / f"{name}.py"
    if not script.exists():
        known = "、".join(sorted(path.stem for path in folder.glob("[a-z]*.py")))
        raise typer.BadParameter(f"没有名为 {name} 的测量；可用：{known}")
    given = {"--size": size, "--runs": runs, "--only": only}
    sys.argv = [str(script), *(text for name, value in given.items() if value for text in (name, str(value)))]
    runpy.run_path(str(script), run_name="__main__")


regions_app = typer.Typer(help="行政区划", no_args_is_help=True)
keys_app = typer.Typer(help="密钥", no_args_is_help=True)
clients_app = typer.Typer(help="系统客户端", no_args_is_help=True)
policy_app = typer.Typer(help="政策包", no_args_is_help=True)
app.add_typer(regions_app, name="regions")
app.add_typer(keys_app, name="keys")
app.add_typer(clients_app, name="clients")
add_assess_command(app)
add_log_commands(app, lambda data, *schemas: attached(settings_of(data), *schemas))
add_policy_commands(policy_app)
app.add_typer(policy_app, name="policy")
app.add_typer(
    demo_commands(shipped_villages, SystemClock().today, lambda folder, sheet: _policy_practice(folder, sheet)),
    name="demo",
)


def _policy_practice(folder: Path, sheet: Path | None) -> Scored:
    from services.score_policy import drafted, policy_practice

    return policy_practice(folder, None if sheet is None else drafted(sheet))


@regions_app.command("import")
def regions_import(file: Path, data: DataOption = None) -> None:
    """导入行政区划文件（code,name 或公开的 villages.csv，可含全国 62 万个村）。"""
    from services.up import with_directory
    from shared.regions.commands import import_regions

    async def load(connection: Any) -> None:
        await import_regions(connection, file, echo=typer.echo)

    asyncio.run(with_directory(attached(settings_of(data), "directory"), load))


@keys_app.command("create")
def keys_create(data: DataOption = None) -> None:
    """生成一套新的密钥（仅在密钥目录为空时）；请立即备份。"""
    from shared.security.keys import create_keys

    folder = settings_of(data).data / "keys"
    if folder.exists() and any(folder.iterdir()):
        raise typer.BadParameter(f"{folder} 中已有密钥；密钥不能重新生成，否则已加密的数据无法解密")
    create_keys(folder, demo=False)
    typer.echo(f"已生成：{folder}")


@clients_app.command("add")
def clients_add(
    client_id: str,
    name: Annotated[str, typer.Option("--name")],
    division: Annotated[str, typer.Option("--division")],
    scope: Annotated[list[str], typer.Option("--scope", help="权限，可重复")],
    department: Annotated[str | None, typer.Option("--department")] = None,
    data: DataOption = None,
) -> None:
    """登记一个系统客户端，打印其密钥（只显示这一次）。"""
    from services.clients import add_client
    from services.up import with_directory

    async def store(connection: Any) -> str:
        return await add_client(
            connection, client_id, name=name, division=division, scopes=scope, department=department
        )

    typer.echo(asyncio.run(with_directory(attached(settings_of(data), "directory"), store)))


@policy_app.command("check")
def policy_check(
    folder: Annotated[
        Path | None, typer.Argument(help="政策目录（含各政策包、regions、variants），默认为随程序提供的")
    ] = None,
) -> None:
    """检查政策包：语言、参数、地区、备选写法、算例。"""
    from services.monitoring.check_policies import check_policies
    from shared.policies.package import HOME

    checked = check_policies(folder or HOME)
    for version in checked.versions:
        typer.echo(f"政策包有效 policy={version}")
    typer.echo(f"地区 {checked.regions} 个，备选写法 {checked.variants} 个，算例 {checked.cases} 个")
    for case, wrong in checked.red.items():
        typer.echo(f"算例不符：{case}：{'；'.join(wrong)}", err=True)
    if checked.red:
        raise typer.Exit(1)


@policy_app.command("schema")
def policy_schema(
    folder: Annotated[Path | None, typer.Argument(help="写到哪个目录，默认为随程序提供的政策目录的 schema")] = None,
) -> None:
    """写出编辑器用的 JSON Schema：写政策包时有提示，写错时有下划线。"""
    from services.monitoring.write_policy_schemas import write_policy_schemas
    from shared.policies.package import HOME

    for path in write_policy_schemas(folder or HOME / "schema"):
        typer.echo(f"已写出：{path}")


def main() -> None:
    """Run the command; a refusal is a sentence on stderr, not a stack of frames."""
    try:
        app()
    except FangpinError as error:
        print(f"{error.title}（{error.code}）：{error.detail}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
