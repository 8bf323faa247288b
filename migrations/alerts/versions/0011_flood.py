"""Pushes that are grouped, deferred, digested: groups, what became of each message, digests, monthly sheets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011_flood"
down_revision = "0010_channels"
branch_labels = None
depends_on = None

APP = "fangpin_alerts"
WORKER = "fangpin_alerts_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
OFFICER = "nullif(current_setting('app.officer', true), '')"
IN_RANGE = f"division >= {LO} AND division < {HI}"
_MOMENT = sa.DateTime(timezone=True)
_DIVISION = sa.String(length=12, collation="C")

# table -> (whose rows a request sees, what it may do)
TABLES = {
    "notify_group": (IN_RANGE, "SELECT, INSERT, UPDATE"),
    "digest_run": (f"recipient = {OFFICER}", "SELECT"),
    "monthly_sheet": (IN_RANGE, "SELECT"),
}
_COLUMNS = ("not_before", "group_key", "urgent", "carried_by", "outcome", "ended_at")


def upgrade() -> None:
    _notification()
    op.alter_column("delivery", "alert_id", nullable=True, schema="alerts")
    _create_tables()
    for table, (rows, of_app) in TABLES.items():
        op.execute(f"ALTER TABLE alerts.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scope ON alerts.{table} TO {APP} USING ({rows}) WITH CHECK ({rows})")
        op.execute(f"CREATE POLICY worker ON alerts.{table} TO {WORKER} USING (true) WITH CHECK (true)")
        op.execute(f"GRANT {of_app} ON alerts.{table} TO {APP}")
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON alerts.{table} TO {WORKER}")
    op.execute(f"GRANT UPDATE (outcome, ended_at) ON alerts.notification TO {APP}")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table, schema="alerts")
    for table in ("notification", "delivery", "delivery_attempt"):
        op.execute(f"ALTER TABLE alerts.{table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "DELETE FROM alerts.delivery_attempt t USING alerts.delivery d"
        " WHERE t.delivery_id = d.delivery_id AND d.alert_id IS NULL"
    )
    op.execute("DELETE FROM alerts.delivery WHERE alert_id IS NULL")
    op.execute("UPDATE alerts.notification SET decision = 'defer' WHERE decision = 'digest'")
    for table in ("notification", "delivery", "delivery_attempt"):
        op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")
    op.alter_column("delivery", "alert_id", nullable=False, schema="alerts")
    op.execute(f"REVOKE UPDATE (outcome, ended_at) ON alerts.notification FROM {APP}")
    _decisions("'send','suppress','defer'")
    for name in _COLUMNS:
        op.drop_column("notification", name, schema="alerts")


def _decisions(names: str) -> None:
    op.drop_constraint(op.f("ck_notification_decision"), "notification", schema="alerts")
    op.create_check_constraint(
        op.f("ck_notification_decision"), "notification", f"decision IN ({names})", schema="alerts"
    )


def _notification() -> None:
    for column in (
        sa.Column("not_before", _MOMENT, nullable=True),
        sa.Column("group_key", sa.TEXT(), nullable=True),
        sa.Column("urgent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("carried_by", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.TEXT(), nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
    ):
        op.add_column("notification", column, schema="alerts")
    _decisions("'send','suppress','defer','digest'")
    op.create_check_constraint(
        op.f("ck_notification_outcome"),
        "notification",
        "outcome IN ('sent','digested','cancelled')",
        schema="alerts",
    )
    op.create_check_constraint(
        op.f("ck_notification_ended"),
        "notification",
        "(outcome IS NULL) = (ended_at IS NULL) AND (decision <> 'suppress' OR outcome IS NULL)",
        schema="alerts",
    )
    for name, columns, where in (
        ("ix_notification_grouped", ["group_key"], "group_key IS NOT NULL AND outcome IS NULL"),
        ("ix_notification_to_digest", ["recipient"], "decision IN ('digest','defer') AND outcome IS NULL"),
        ("ix_notification_carried_by", ["carried_by"], "carried_by IS NOT NULL"),
        ("ix_notification_pushed", ["recipient", "ended_at"], "carried_by = notification_id"),
    ):
        op.create_index(name, "notification", columns, schema="alerts", postgresql_where=sa.text(where))


def _create_tables() -> None:
    op.create_table(
        "notify_group",
        sa.Column("group_key", sa.TEXT(), nullable=False),
        sa.Column("recipient", sa.TEXT(), nullable=True),
        sa.Column("division", _DIVISION, nullable=False),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("sent_set", sa.TEXT(), nullable=True),
        sa.Column("sent_alerts", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sent_at", _MOMENT, nullable=True),
        sa.Column("due_at", _MOMENT, nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["recipient"], ["alerts.officer.officer_no"], name=op.f("fk_notify_group_recipient")),
        sa.PrimaryKeyConstraint("group_key", name=op.f("pk_notify_group")),
        schema="alerts",
    )
    op.create_index(
        "ix_notify_group_due",
        "notify_group",
        ["priority", "due_at"],
        schema="alerts",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "digest_run",
        sa.Column("recipient", sa.TEXT(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["recipient"], ["alerts.officer.officer_no"], name=op.f("fk_digest_run_recipient")),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["alerts.notification.notification_id"],
            name=op.f("fk_digest_run_notification_id"),
        ),
        sa.PrimaryKeyConstraint("recipient", "day", name=op.f("pk_digest_run")),
        schema="alerts",
    )
    op.create_table(
        "monthly_sheet",
        sa.Column("division", _DIVISION, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("division", "month", name=op.f("pk_monthly_sheet")),
        schema="alerts",
    )
