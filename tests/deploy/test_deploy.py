"""What is shipped for deployment fits the program: settings, commands, keys, files."""

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from shared.db.heads import MIGRATIONS
from shared.db.migrate import ROLES_FILE
from shared.settings import Settings
from tests.deploy.deployed import (
    FOLDER,
    PROJECT,
    SERVICES,
    compose,
    key_files,
    known_variables,
    parse_command,
    settings_class,
    text,
    variables,
)

# Read by the start script, not by the services.
OF_MANAGE = {"FANGPIN_VENV", "FANGPIN_PYTHON"}
SHIPPED = sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in {".key", ".pem", ".crt"})
PROCESSES = {
    name: part for name, part in compose()["services"].items() if part.get("command", [""])[0] in {"serve", "work"}
}
# Set by the command line, by the volume, or not for production.
NOT_PASSED = {
    "FANGPIN_FILES",
    "FANGPIN_DATA",
    "FANGPIN_DEMO",
    "FANGPIN_HOST",
    "FANGPIN_PORT",
    "FANGPIN_BODY_LIMIT_BYTES",
    *(f"FANGPIN_{name}_DATABASE_URL" for name in ("INTAKE", "MONITORING", "ALERTS", "DIRECTORY")),
}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_variable_named_is_a_setting(path: Path) -> None:
    named = set(re.findall(r"FANGPIN_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
    assert named - {"FANGPIN_OIDC"} <= known_variables() | OF_MANAGE


def test_no_file_turns_the_demo_mode_on() -> None:
    assert not [path for path in SHIPPED if re.search(r"FANGPIN_DEMO\s*[=:]", path.read_text(encoding="utf-8"))]


def example_settings() -> dict[str, str]:
    """All settings of env.example, those behind a comment sign too."""
    found = re.findall(r"^#?([A-Z_]+)=(.*)$", text("env.example"), re.M)
    return dict(found)


@pytest.mark.parametrize("service", SERVICES)
def test_the_example_of_the_environment_is_accepted(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in example_settings().items():
        monkeypatch.setenv(name, value)
    settings = settings_class(service)()
    assert settings.oidc_jwks_url == example_settings()["FANGPIN_OIDC_JWKS_URL"]
    assert settings.webhook_allowed_hosts == []


def test_the_example_holds_no_password() -> None:
    passwords = {name: value for name, value in example_settings().items() if name.endswith("PASSWORD")}
    assert len(passwords) == 6
    assert set(passwords.values()) == {""}


def test_compose_starts_the_six_processes_by_commands_that_exist() -> None:
    commands = [part["command"] for part in PROCESSES.values()]
    assert sorted((c[0], c[1]) for c in commands) == sorted((c, s) for c in ("serve", "work") for s in SERVICES)
    ours = [part for part in compose()["services"].values() if part["image"].startswith("fangpin:")]
    assert len(ours) == 8
    for part in ours:
        if part["command"] != ["--help"]:
            parse_command(part["command"])


@pytest.mark.parametrize("name", PROCESSES)
def test_a_container_gets_its_settings_its_login_and_its_keys_only(name: str) -> None:
    service, part = name.removesuffix("-worker"), PROCESSES[name]
    proxied = {"FORWARDED_ALLOW_IPS"} if service == "intake" else set()
    assert set(part["environment"]) - proxied == variables(settings_class(service)) - NOT_PASSED - not_for(service)
    url = f"postgresql://{service}_login:${{{service.upper()}_DB_PASSWORD:?set it in .env}}@postgres:5432/fangpin"
    assert part["environment"]["FANGPIN_DATABASE_URL"] == url
    binds = [volume for volume in part["volumes"] if isinstance(volume, dict)]
    assert {Path(bind["source"]).name for bind in binds} == key_files(service)
    assert all(bind["read_only"] and not bind["bind"]["create_host_path"] for bind in binds)
    assert {bind["target"] for bind in binds} == {f"/var/lib/fangpin/keys/{key}" for key in key_files(service)}


def not_for(service: str) -> set[str]:
    """Common settings that only alerts uses."""
    return set() if service == "alerts" else {name for name in variables(Settings) if name.startswith("FANGPIN_SMTP")}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_container_is_locked_down_and_waits_for_the_migration(name: str) -> None:
    part = PROCESSES[name]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert "user" not in part  # as the image says
    assert part["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert "ports" not in part


def test_only_nginx_can_be_reached_and_the_database_has_no_way_out() -> None:
    whole = compose()
    assert [name for name, part in whole["services"].items() if "ports" in part] == ["nginx"]
    assert whole["services"]["postgres"]["networks"] == ["database"]
    assert whole["networks"]["database"] == {"internal": True}
    assert "database" not in whole["services"]["nginx"]["networks"]


def test_no_password_stands_in_compose() -> None:
    for name, part in compose()["services"].items():
        for variable, value in (part.get("environment") or {}).items():
            if "PASSWORD" in variable and value is not None:
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), (name, variable)


def test_the_database_takes_the_connections_of_all_processes() -> None:
    pool = settings_class("intake").model_fields["pool_size"].default
    # Two pools and the engine of a service, two for the directory, one that listens.
    needed = len(PROCESSES) * (3 * pool + 2 + 1)
    (stated,) = [a for a in compose()["services"]["postgres"]["command"] if a.startswith("-cmax_connections=")]
    assert int(stated.split("=")[1]) > needed + 20


def unit(name: str) -> Any:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text(f"systemd/{name}"))
    return parser


def test_the_target_wants_six_units_and_each_runs_a_command_that_exists() -> None:
    wanted = re.findall(r"fangpin-(serve|work)@(\w+)\.service", text("systemd/fangpin.target"))
    assert sorted(wanted) == sorted((kind, service) for kind in ("serve", "work") for service in SERVICES)
    units = [(f"fangpin-{kind}@.service", service) for kind, service in wanted]
    for name, service in [*units, ("fangpin-migrate.service", "")]:
        program, *line = unit(name)["Service"]["ExecStart"].split()
        assert program == "/opt/fangpin/.venv/bin/fangpin"
        parse_command([word.replace("%i", service).replace("${FANGPIN_PORT}", "8001") for word in line])


@pytest.mark.parametrize("path", sorted((FOLDER / "systemd").glob("*.service")), ids=lambda path: path.name)
def test_a_unit_is_neither_root_nor_mighty(path: Path) -> None:
    part = unit(path.name)["Service"]
    assert part["User"].startswith("fangpin")
    assert part["CapabilityBoundingSet"] == ""
    assert {part[name] for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome")} == {"yes"}
    assert part["ProtectSystem"] == "strict"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continuation lines joined."""
    joined = re.sub(r"^#.*\n", "", text("Dockerfile"), flags=re.M).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


def copied() -> list[str]:
    return [source for name, rest in instructions() if name == "COPY" for source in rest.split()[:-1]]


def test_the_image_copies_what_exists_and_what_the_program_needs() -> None:
    assert all((PROJECT / source).exists() for source in copied())
    packages = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [*packages["packages"], MIGRATIONS.relative_to(PROJECT), ROLES_FILE.relative_to(PROJECT)]
    assert {str(one) for one in needed} <= set(copied())


def test_the_builder_sees_only_what_is_copied() -> None:
    lines = [line for line in text("Dockerfile.dockerignore").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(copied())


def test_the_image_runs_as_nobody_mighty_and_holds_no_secret() -> None:
    (user,) = [rest for name, rest in instructions() if name == "USER"]
    assert user == "10001:10001"
    assert [name for name, _ in instructions()].index("USER") > [name for name, _ in instructions()].index("COPY")
    told = [rest for name, rest in instructions() if name in {"ENV", "ARG"}]
    assert not [rest for rest in told if re.search(r"PASSWORD|SECRET|TOKEN|_KEY|DATABASE_URL", rest)]
    assert any("--require-hashes" in rest for name, rest in instructions() if name == "RUN")


def test_the_licence_is_the_one_that_is_declared() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["license"]
    assert declared == "Apache-2.0"
    licence = (PROJECT / "LICENSE").read_text()
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
