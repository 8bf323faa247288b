"""kill -9 of any process at any moment: nothing acknowledged is lost, nothing is doubled."""

from collections.abc import Iterator

import pytest

from tests.journeys.faults import Losses, kill_one, kill_postgresql, rounds_of
from tests.journeys.running import Running, new_folder
from tests.journeys.test_journey import load_village
from tests.journeys.village import VILLAGE, Family

pytestmark = [pytest.mark.processes, pytest.mark.timeout(420)]

ROUNDS = 25  # In each mode; `fangpin bench faults` runs more.
FAMILIES = [Family(1000 + n, VILLAGE) for n in range(400)]
SOME, OTHERS = FAMILIES[:300], FAMILIES[300:]


@pytest.fixture(scope="module", params=["all_in_one", "separate"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    with new_folder() as folder:
        house = Running(request.param, folder / "data", forked=True)
        house.data.mkdir()
        house.start()
        load_village(house, FAMILIES)
        yield house
        house.stop()


def assert_nothing_lost_or_doubled(losses: Losses) -> None:
    assert losses.acknowledged > losses.rounds, losses
    assert (losses.lost, losses.doubled_alerts, losses.repeated_new_id) == (0, 0, 0), losses


def test_nothing_is_lost_or_doubled_when_processes_are_killed(running: Running) -> None:
    assert_nothing_lost_or_doubled(rounds_of(kill_one, running, SOME, ROUNDS, seed=20261122, hurry=True))


def test_services_recover_by_themselves_when_postgresql_is_killed(running: Running) -> None:
    assert_nothing_lost_or_doubled(rounds_of(kill_postgresql, running, OTHERS, 2, seed=1, hurry=True))
