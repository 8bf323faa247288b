"""The commands of the demo county: generate it, and score practices against its truth."""

import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from demo_county.generate import DEFAULT_HOUSEHOLDS, DEFAULT_SEED, generate
from demo_county.manifest import Manifest
from demo_county.places import Village
from demo_county.score import Figures, Scored, any_signal_practice, single_threshold_practice


def run_generate(out: Path, households: int, seed: int, until: date, villages: Sequence[Village]) -> Manifest:
    """Generate into `out` with a progress bar on a terminal, then say what was made."""
    with Progress(disable=not sys.stderr.isatty(), console=Console(stderr=True)) as progress:
        task = progress.add_task("生成示范县 demo county", total=households)
        manifest = generate(
            out,
            households=households,
            seed=seed,
            until=until,
            villages=villages,
            on_progress=lambda done, _: progress.update(task, completed=done),
        )
    typer.echo(
        f"示范县 demo county: 户 households={manifest.households} 人 residents={manifest.residents} "
        f"应帮扶 needs_help={manifest.needs_help} 目录 folder={out}"
    )
    return manifest


def run_score(
    folder: Path, policy_practice: Callable[[Path, Path | None], Scored], sheet: Path | None = None
) -> None:
    """Print the figures of both plain practices, of the policy in force, and of a draft if a sheet tells one.

    A policy has two lines: a county that has watched the year before, and one that begins with the year.
    """
    _print("单一阈值 single_threshold", single_threshold_practice(folder))
    _print("任一部门信号 any_signal", any_signal_practice(folder))
    _print_policy("现行政策 policy", policy_practice(folder, None))
    if sheet is not None:
        _print_policy("政策草案 draft", policy_practice(folder, sheet))


def demo_commands(
    villages: Callable[[], Sequence[Village]],
    today: Callable[[], date],
    policy_practice: Callable[[Path, Path | None], Scored],
) -> typer.Typer:
    """The `demo` command group; the caller says where villages and the day come from, and what a policy finds."""
    demo_app = typer.Typer(help="示范县 Demo county: generate, score", no_args_is_help=True)

    @demo_app.command("generate")
    def generate_command(
        out: Annotated[Path, typer.Option(help="folder to fill")],
        households: Annotated[int, typer.Option(min=1)] = DEFAULT_HOUSEHOLDS,
        seed: Annotated[int, typer.Option()] = DEFAULT_SEED,
        until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="last day")] = None,
    ) -> None:
        """Generate a demo county."""
        run_generate(out, households, seed, until.date() if until else today(), villages())

    @demo_app.command("score")
    def score_command(
        folder: Annotated[Path, typer.Argument(metavar="DIR")],
        policy: Annotated[
            Path | None, typer.Option(exists=True, help="CSV of a draft's changes: 参数, 取值, 生效日期, 文号")
        ] = None,
    ) -> None:
        """Score single thresholds, the policy in force and a draft against the truth of a generated folder."""
        run_score(folder, policy_practice, policy)

    return demo_app


def _print_policy(name: str, scored: Scored) -> None:
    _print(name, scored.running)
    _print(f"{name}_from_cold（首年启用）", scored.from_cold)


def _print(name: str, figures: Figures) -> None:
    typer.echo(
        f"{name}: 预警 warned={figures.warned} 占户 share={figures.share:.2%} 属实 confirmed={figures.confirmed} "
        f"查准 precision={figures.precision:.2%} 查全 recall={figures.recall:.1%}"
    )
