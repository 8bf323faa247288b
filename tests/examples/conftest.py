"""A running house with the demo county, for programs that know nothing of its insides."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.running import Running, new_folder, until
from tests.journeys.village import COUNTY

ROOT = Path(__file__).resolve().parents[2]
MAIN_JOB_SECONDS = 240


@dataclass
class DemoCounty(Running):
    """All in one, with 300 households of the demo county."""

    def commands(self) -> dict[str, list[str]]:
        options = ["--port", str(self.ports["all"]), "--data", str(self.data), "--households", "300"]
        return {"up": ["up", *options]}

    def households(self) -> list[dict[str, str]]:
        """The rows of the roster that speak for a household."""
        with (self.data / "demo" / "household_register.csv").open(encoding="utf-8-sig") as roster:
            return [row for row in csv.DictReader(roster) if row["与户主关系"] == "户主"]

    def add_client(self, client_id: str, *scopes: str, department: str | None = None) -> dict[str, str]:
        """Register a system by the command line; the environment its program needs."""
        told = ["--name", client_id, "--division", COUNTY, "--data", str(self.data)]
        told += [part for scope in scopes for part in ("--scope", scope)]
        told += ["--department", department] if department else []
        secret = run([str(fangpin()), "clients", "add", client_id, *told]).stdout.strip()
        return {"FANGPIN_CLIENT_ID": client_id, "FANGPIN_CLIENT_SECRET": secret, "FANGPIN_URL": self.url("intake")}


def fangpin() -> Path:
    """The console script of the environment that runs the tests."""
    return Path(sys.executable).parent / "fangpin"


def run(command: list[str], expected: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the project's folder as a user would; its exit code must be the expected one."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == expected, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def example(name: str, *arguments: str, expected: int = 0, **environment: str) -> str:
    """Run one of the examples; what it printed."""
    return run([sys.executable, str(ROOT / "examples" / name), *arguments], expected, **environment).stdout


@pytest.fixture(scope="package")
def county() -> Iterator[DemoCounty]:
    with new_folder() as folder:
        house = DemoCounty("all_in_one", folder / "data")
        house.data.mkdir()
        house.start()
        until((house.data / "demo" / "done.json").exists, "the main job is done", MAIN_JOB_SECONDS, every=0.5)
        yield house
        assert set(house.stop()) == {0}


@pytest.fixture(scope="package")
def path_with_curl(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with python3, and with curl: this machine's, or a stand-in, since the tests need only Python."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "python3").symlink_to(sys.executable)
    if shutil.which("curl") is None:
        stand_in = folder / "curl"
        program = Path(__file__).with_name("stand_in_curl.py")
        stand_in.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
        stand_in.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
