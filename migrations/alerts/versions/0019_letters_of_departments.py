"""Let a letter name the task, ticket or consultation it is about, and a message that is called off say why."""

import sqlalchemy as sa
from alembic import op

revision = "0019_letters_of_departments"
down_revision = "0018_moves"
branch_labels = None
depends_on = None

APP = "fangpin_alerts"


def upgrade() -> None:
    op.add_column("inbox_item", sa.Column("matter", sa.TEXT()), schema="alerts")
    op.add_column("inbox_item", sa.Column("matter_id", sa.Uuid()), schema="alerts")
    op.create_check_constraint(
        op.f("ck_inbox_item_matter"),
        "inbox_item",
        "matter IN ('task','ticket','consultation','recheck')",
        schema="alerts",
    )
    op.create_check_constraint(
        op.f("ck_inbox_item_matter_with_id"), "inbox_item", "(matter IS NULL) = (matter_id IS NULL)", schema="alerts"
    )
    op.execute(f"GRANT UPDATE (reason) ON alerts.notification TO {APP}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (reason) ON alerts.notification FROM {APP}")
    for name in ("matter", "matter_with_id"):
        op.drop_constraint(op.f(f"ck_inbox_item_{name}"), "inbox_item", schema="alerts")
    op.drop_column("inbox_item", "matter_id", schema="alerts")
    op.drop_column("inbox_item", "matter", schema="alerts")
