"""One small county, generated once for all tests of its files."""

from pathlib import Path

import pytest

from demo_county.generate import generate
from demo_county.manifest import Manifest
from tests.demo_county.small_county import SEED, UNTIL, VILLAGES


@pytest.fixture(scope="session")
def small_county(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("county")
    return folder, generate(folder, households=1_500, seed=SEED, until=UNTIL, villages=VILLAGES)
