"""The checks and the layout of the register speak of the same columns and codes."""

from services.intake.catalogue import layouts
from services.intake.domain.feed_layout import ColumnType
from services.monitoring.domain.quality_check import Kind
from shared.policies import checks_document

LAYOUT = layouts()["household_register"]
BESIDE = {"left_out"}
KINDS = {
    ColumnType.BOOLEAN: Kind.FLAG,
    ColumnType.INTEGER: Kind.NUMBER,
    ColumnType.DATE: Kind.DAY,
    ColumnType.CODE: Kind.TEXT,
}


def test_every_column_that_checks_read_is_one_of_the_layout_with_its_codes() -> None:
    assert LAYOUT.household is not None
    parts = checks_document().data()["columns"]
    carried = {"member": LAYOUT.household.member_details, "household": LAYOUT.household.household_details}
    schemes = {"insured_resident", "insured_employee"}
    for level, columns in parts.items():
        assert set(columns) - set(carried[level]) - BESIDE <= schemes, level
        for name, said in columns.items():
            if name in BESIDE:
                continue
            column = LAYOUT.column(name)
            expected = Kind.LIST if column.multiple else KINDS.get(column.type)
            assert expected is None or said["type"] == expected, name
            assert set(said.get("choices", ())) <= set(column.codes.values()), name
