"""What the messages of feeds did, until it is told: a thousand messages are one sum, not a thousand messages back."""

import sqlalchemy as sa
from alembic import op

revision = "0013_bulk_facts"
down_revision = "0012_quality"
branch_labels = None
depends_on = None

WORKER = "fangpin_monitoring_worker"


def upgrade() -> None:
    op.create_table(
        "feed_count",
        sa.Column("count_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("feed_id", sa.Text(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("unmatched", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("count_id", name=op.f("pk_feed_count")),
        schema="monitoring",
    )
    op.execute("ALTER TABLE monitoring.feed_count ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE monitoring.feed_count FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY worker ON monitoring.feed_count TO {WORKER} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON monitoring.feed_count TO {WORKER}")


def downgrade() -> None:
    op.drop_table("feed_count", schema="monitoring")
