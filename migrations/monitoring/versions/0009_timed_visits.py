"""What a visit took, and which figures of the dashboard a count changed: answers without them stay as they are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009_timed_visits"
down_revision = "0008_changes_in_order"
branch_labels = None
depends_on = None

WORKER = "fangpin_monitoring_worker"


def upgrade() -> None:
    comment = "way included; null: not timed, or nobody went"
    op.add_column(
        "verification", sa.Column("visit_minutes", sa.SmallInteger(), comment=comment), schema="monitoring"
    )
    # Answers are kept by processes that start with this program, so older counts may say that nothing changed.
    figures = sa.Column("figures", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("dashboard_version", figures, schema="monitoring")
    op.alter_column("dashboard_version", "figures", server_default=None, schema="monitoring")
    op.execute(f"GRANT UPDATE (households) ON monitoring.dashboard_figure TO {WORKER}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (households) ON monitoring.dashboard_figure FROM {WORKER}")
    op.drop_column("dashboard_version", "figures", schema="monitoring")
    op.drop_column("verification", "visit_minutes", schema="monitoring")
