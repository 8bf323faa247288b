"""What is shipped for deployment, and what the program really has, side by side."""

import importlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from typer.main import get_command

from services.cli import app
from shared.security.keys import HELD_BY, TOKEN_KEY
from shared.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "deploy"
SERVICES = tuple(sorted(path.parent.name for path in (PROJECT / "services").glob("*/settings.py")))


def settings_class(service: str) -> type[Settings]:
    """The settings of a service."""
    kind: type[Settings] = getattr(
        importlib.import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings"
    )
    return kind


def variables(kind: type[Settings]) -> set[str]:
    """The environment variables a settings class reads."""
    return {f"FANGPIN_{name.upper()}" for name in kind.model_fields}


def known_variables() -> set[str]:
    """The environment variables that any settings class reads."""
    return set().union(*(variables(settings_class(service)) for service in SERVICES))


def key_files(service: str) -> set[str]:
    """The key files a service may hold."""
    return {f"{name}.key" for name in HELD_BY[service]} | {TOKEN_KEY}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text("compose.yaml"))
    return loaded


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def parse_command(line: Sequence[str]) -> None:
    """Let the real command line parse `line`, without running it; raises what the command line raises."""
    command: Any = get_command(app)
    context: Any = None
    rest = list(line)
    while True:
        context = command.make_context(command.name or "fangpin", rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return
        _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])


def sh_lines(markdown: str) -> Iterator[str]:
    """The commands in the shell blocks of a page, continuation lines joined."""
    for block in re.findall(r"```sh\n(.*?)```", markdown, re.S):
        yield from block.replace("\\\n", " ").splitlines()


def sql_statements(markdown: str) -> Iterator[str]:
    """The statements in the SQL blocks of a page."""
    for block in re.findall(r"```sql\n(.*?)```", markdown, re.S):
        yield from (statement.strip() for statement in block.split(";") if statement.strip())
