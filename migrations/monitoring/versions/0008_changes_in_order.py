"""The place of a told change among those that other systems pull."""

import sqlalchemy as sa
from alembic import op

revision = "0008_changes_in_order"
down_revision = "0007_screening"
branch_labels = None
depends_on = None

SEQUENCE = "monitoring.outbox_position_seq"
RISK = "type = 'cn.fangpin.monitoring.risk_changed.v1'"


def upgrade() -> None:
    op.execute(f"CREATE SEQUENCE {SEQUENCE}")
    op.execute(f"GRANT USAGE, SELECT ON SEQUENCE {SEQUENCE} TO fangpin_monitoring_worker")
    op.add_column(
        "outbox",
        sa.Column("position", sa.BigInteger(), comment="among the changes that are pulled; given after the commit"),
        schema="monitoring",
    )
    op.create_index("uq_outbox_position", "outbox", ["position"], unique=True, schema="monitoring")
    op.create_index(
        "ix_outbox_unnumbered",
        "outbox",
        ["id"],
        schema="monitoring",
        postgresql_where=sa.text(f"position IS NULL AND {RISK}"),
    )


def downgrade() -> None:
    for name in ("ix_outbox_unnumbered", "uq_outbox_position"):
        op.drop_index(name, "outbox", schema="monitoring")
    op.drop_column("outbox", "position", schema="monitoring")
    op.execute(f"DROP SEQUENCE {SEQUENCE}")
