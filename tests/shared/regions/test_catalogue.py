"""The shipped lists are whole, consistent and dated."""

from collections import Counter
from datetime import date

import pytest

from shared.regions.catalogue import shipped_regions
from shared.regions.region import Region
from shared.vocabulary.division import DivisionLevel


@pytest.fixture(scope="module")
def shipped() -> list[Region]:
    return list(shipped_regions())


def test_the_lists_are_whole(shipped: list[Region]) -> None:
    levels = Counter(region.level for region in shipped)
    assert levels == {
        DivisionLevel.PROVINCE: 34,
        DivisionLevel.PREFECTURE: 342,
        DivisionLevel.COUNTY: 2979,  # 2,978 published, less 3 that repeat their city, and 4 of the newer list.
        DivisionLevel.TOWNSHIP: 41_351,  # 41,352 published, less 金门县 repeated as its own township.
        DivisionLevel.VILLAGE: 213,
    }


def test_no_code_appears_twice_and_every_parent_is_there(shipped: list[Region]) -> None:
    codes = {region.code for region in shipped}
    assert len(codes) == len(shipped)
    assert {region.parent for region in shipped} - codes == {None}


def test_the_villages_are_of_one_county(shipped: list[Region]) -> None:
    villages = {region.code: region.name for region in shipped if region.level is DivisionLevel.VILLAGE}
    assert {code[:6] for code in villages} == {"130624"}
    assert villages["130624100200"] == "城厢村村民委员会"


def test_what_only_the_newer_list_has_begins_with_it(shipped: list[Region]) -> None:
    newer = {region.code[:6]: region for region in shipped if region.source == "mca-2024"}
    assert {"653228", "653229"} <= newer.keys()
    assert newer["653228"].name == "和康县"
    assert {region.valid_from for region in newer.values()} == {date(2024, 12, 31)}
    assert {region.valid_from for region in shipped if region.source == "nbs-2023"} == {date(2023, 6, 30)}


@pytest.mark.parametrize("code", ["130171000000", "232761000000", "620201000000", "632857000000"])
def test_statistical_codes_stay_in_force_though_the_civil_list_lacks_them(shipped: list[Region], code: str) -> None:
    (region,) = [region for region in shipped if region.code == code]
    assert region.valid_to is None


def test_a_region_ends_before_the_day_it_is_no_longer_in_force(shipped: list[Region]) -> None:
    ended = Region(
        code=shipped[0].code, name="甲", valid_from=date(2023, 1, 1), valid_to=date(2024, 1, 1), source="test"
    )
    days = (date(2022, 12, 31), date(2023, 1, 1), date(2023, 12, 31), date(2024, 1, 1))
    assert [ended.is_valid_on(day) for day in days] == [False, True, True, False]
