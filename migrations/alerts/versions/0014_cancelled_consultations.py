"""A joint consultation may be called off, with a reason."""

import sqlalchemy as sa
from alembic import op

revision = "0014_cancelled_consultations"
down_revision = "0013_reminders"
branch_labels = None
depends_on = None

APP, WORKER = "fangpin_alerts", "fangpin_alerts_worker"
TABLE = "alerts.consultation_cancelled"
# Row-level security of the consultation decides who sees it.
ROWS = "EXISTS (SELECT 1 FROM alerts.consultation c WHERE c.consultation_id = consultation_cancelled.consultation_id)"


def upgrade() -> None:
    _states("'open','decided','cancelled'")
    op.create_table(
        "consultation_cancelled",
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("cancelled_by", sa.TEXT(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["alerts.consultation.consultation_id"],
            name=op.f("fk_consultation_cancelled_consultation_id"),
        ),
        sa.PrimaryKeyConstraint("consultation_id", name=op.f("pk_consultation_cancelled")),
        schema="alerts",
    )
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON {TABLE} TO {APP} USING ({ROWS}) WITH CHECK ({ROWS})")
    op.execute(f"CREATE POLICY worker ON {TABLE} TO {WORKER} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO {APP}, {WORKER}")


def downgrade() -> None:
    op.drop_table("consultation_cancelled", schema="alerts")
    op.execute("ALTER TABLE alerts.consultation NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE alerts.consultation SET state = 'open' WHERE state = 'cancelled'")
    op.execute("ALTER TABLE alerts.consultation FORCE ROW LEVEL SECURITY")
    _states("'open','decided'")


def _states(names: str) -> None:
    op.drop_constraint(op.f("ck_consultation_state"), "consultation", schema="alerts")
    op.create_check_constraint(
        op.f("ck_consultation_state"), "consultation", f"state IN ({names})", schema="alerts"
    )
