"""A request sees the rows of its caller, and what is acknowledged is committed."""

import asyncpg
import pytest

from tests.shared.web.conftest import Edge

VILLAGES = ["130624100201", "130624100202", "130624101201", "130625100201"]


@pytest.fixture(autouse=True)
async def _villages(edge: Edge, small_admin: asyncpg.Connection) -> None:
    await small_admin.executemany("INSERT INTO place VALUES ($1, $2)", list(enumerate(VILLAGES)))


@pytest.mark.parametrize(
    ("division", "seen"),
    [
        ("130624100201", VILLAGES[:1]),
        ("130624100000", VILLAGES[:2]),
        ("130624000000", VILLAGES[:3]),
        ("130600000000", VILLAGES),
        ("130626000000", []),
    ],
)
async def test_a_caller_sees_his_division_and_what_lies_below(edge: Edge, division: str, seen: list[str]) -> None:
    answer = await edge.http.get("/intake/v1/places", headers=edge.bearer("village_secretary", division))
    assert answer.json() == seen


async def test_a_row_outside_is_refused_and_a_row_inside_is_there_at_once(edge: Edge) -> None:
    mine = edge.bearer("village_secretary", "130624100201")
    refused = await edge.http.post("/intake/v1/places/130624100202", headers=mine)
    assert (refused.status_code, refused.json()["code"]) == (403, "out_of_range")
    added = await edge.http.post("/intake/v1/places/130624100201", headers=mine)
    assert added.status_code == 200
    assert (await edge.http.get("/intake/v1/places", headers=mine)).json() == ["130624100201"] * 2
