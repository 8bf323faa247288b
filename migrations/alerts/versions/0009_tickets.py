"""Correction tickets: data that a visitor found wrong, for the department that sent it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009_tickets"
down_revision = "0008_answers"
branch_labels = None
depends_on = None

APP, WORKER = "fangpin_alerts", "fangpin_alerts_worker"
IN_RANGE = (
    "division >= nullif(current_setting('app.lo', true), '')"
    " AND division < nullif(current_setting('app.hi', true), '')"
)


def upgrade() -> None:
    op.create_table(
        "correction_ticket",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("household_no", sa.Text(), nullable=True),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("measured", postgresql.JSONB(), nullable=False, comment="by indicator, when it was found wrong"),
        sa.Column("facts_version", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("replied_by", sa.Text(), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open','answered','corrected','kept')", name=op.f("ck_correction_ticket_state")),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_correction_ticket_alert_id_alert")
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_correction_ticket")),
        sa.UniqueConstraint("alert_id", "department", name="uq_correction_ticket_department"),
        schema="alerts",
    )
    op.create_index("ix_correction_ticket_division", "correction_ticket", ["division", "ticket_id"], schema="alerts")
    op.create_index(
        "ix_correction_ticket_waiting",
        "correction_ticket",
        ["subject"],
        schema="alerts",
        postgresql_where=sa.text("state IN ('open','answered')"),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON alerts.correction_ticket TO {APP}, {WORKER}")
    op.execute("ALTER TABLE alerts.correction_ticket ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE alerts.correction_ticket FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON alerts.correction_ticket TO {APP} USING ({IN_RANGE}) WITH CHECK ({IN_RANGE})")
    op.execute(f"CREATE POLICY worker ON alerts.correction_ticket TO {WORKER} USING (true) WITH CHECK (true)")


def downgrade() -> None:
    op.drop_table("correction_ticket", schema="alerts")
