"""The packages are this project's own, wherever Python is started, and import without side effects."""

import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("services", "shared", "demo_county")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_resolves_inside_this_project(package: str) -> None:
    found = find_spec(package)
    assert found is not None
    assert Path(str(found.origin)).resolve() == ROOT / package / "__init__.py"


def test_packages_resolve_from_anywhere(tmp_path: Path) -> None:
    program = (
        "import importlib.util as u; print(*(u.find_spec(n).origin for n in ('services', 'shared', 'demo_county')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [Path(part).parent.parent for part in done.stdout.split()] == [ROOT] * 3


def test_every_package_is_shipped() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert sorted(settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == sorted(PACKAGES)
    assert sorted(settings["tool"]["mypy"]["packages"]) == sorted(PACKAGES)


def test_what_is_needed_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = {
        line.split("==")[0].split("[")[0].lower().replace("_", "-")
        for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    needed = {
        one.split(";")[0].split("[")[0].split(">")[0].split("=")[0].split("<")[0].strip().lower()
        for one in [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    }
    assert needed - locked == set()
