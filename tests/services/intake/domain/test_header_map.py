"""A header means one column: the one that is called so, and only else the one that is called so without the unit."""

import pytest

from services.intake.catalogue import shipped
from services.intake.domain.header_map import map_header


@pytest.mark.parametrize(("name", "version"), sorted(shipped()))
def test_a_file_with_all_headers_of_a_data_set_has_each_column_once(name: str, version: int) -> None:
    layout = shipped()[name, version]
    asked = [c for c in layout.columns if not c.withheld]
    header = map_header(layout, [f"{c.header}*" if c.required else c.header for c in asked])
    assert [cell.column for cell in header.cells] == [c.name for c in asked]
    assert header.usable


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("公益性岗位", "public_posts"),
        ("公益性岗位（月数）", "post_months"),
        ("公益性岗位月数", "post_months"),
        ("务工时间", "work_months"),
        ("月工资（元）", "work_wage"),
    ],
)
def test_what_stands_in_brackets_is_part_of_a_name_or_a_unit(header: str, column: str) -> None:
    layout = shipped()["household_register", 2]
    (cell,) = map_header(layout, [header]).cells
    assert cell.column == column
