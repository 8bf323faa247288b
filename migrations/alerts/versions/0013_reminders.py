"""What was told of overdue tasks, re-checks and correction tickets, so that it is told once."""

import sqlalchemy as sa
from alembic import op

revision = "0013_reminders"
down_revision = "0012_sealed_log"
branch_labels = None
depends_on = None

WORKER = "fangpin_alerts_worker"
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "reminder",
        sa.Column("owed", sa.TEXT(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("told_at", _MOMENT, nullable=False),
        sa.Column("superior_at", _MOMENT, nullable=True),
        sa.Column("superior_told_at", _MOMENT, nullable=True),
        sa.CheckConstraint("owed IN ('task','recheck','ticket')", name=op.f("ck_reminder_owed")),
        sa.PrimaryKeyConstraint("owed", "item_id", "round", name=op.f("pk_reminder")),
        schema="alerts",
    )
    op.create_index(
        "ix_reminder_superior",
        "reminder",
        ["superior_at"],
        schema="alerts",
        postgresql_where=sa.text("superior_at IS NOT NULL"),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON alerts.reminder TO {WORKER}")


def downgrade() -> None:
    op.drop_table("reminder", schema="alerts")
