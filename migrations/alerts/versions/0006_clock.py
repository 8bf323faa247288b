"""The work calendar, the clocks of alerts by unit, the escalation of an alert, and the watch over all that."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006_clock"
down_revision = "0005_routes"
branch_labels = None
depends_on = None

APP = "fangpin_alerts"
WORKER = "fangpin_alerts_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
OF_ALERT = "EXISTS (SELECT 1 FROM alerts.alert a WHERE a.alert_id = alert_escalation.alert_id)"
IN_RANGE = f"region >= {LO} AND region < {HI}"
# Days off are no secret of the places above; only one's own are written.
APPLIES = f"({IN_RANGE}) OR ({LO} < {HI} AND region <= {LO} AND region_hi >= {HI})"

REACHES = ("duty", "deputy", "paired", "fallthrough", "copy", "handed_over")


def upgrade() -> None:
    _add_clocks()
    _create_calendar()
    _create_escalation()
    _create_watch()
    _admit_reaches((*REACHES, "escalated"))


def downgrade() -> None:
    op.execute("UPDATE alerts.assignment SET reach = 'fallthrough' WHERE reach = 'escalated'")
    _admit_reaches(REACHES)
    for table in ("watch_incident", "watch_beat", "alert_escalation", "work_calendar_change", "work_calendar_day"):
        op.drop_table(table, schema="alerts")
    for column in ("acknowledge_unit", "verify_unit", "ack_from", "verify_from"):
        op.drop_column("alert", column, schema="alerts")


def _add_clocks() -> None:
    for name, unit in (("acknowledge_unit", "hours"), ("verify_unit", "days")):
        column = sa.Column(name, sa.TEXT(), server_default=sa.text(f"'{unit}'"), nullable=False)
        op.add_column("alert", column, schema="alerts")
    for name in ("ack_from", "verify_from"):
        op.add_column("alert", sa.Column(name, sa.DateTime(timezone=True)), schema="alerts")
    for name in ("acknowledge_unit", "verify_unit"):
        units = f"{name} IN ('hours','working_hours','days','working_days')"
        op.create_check_constraint(op.f(f"ck_alert_{name}"), "alert", units, schema="alerts")


def _admit_reaches(reaches: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_assignment_reach"), "assignment", schema="alerts")
    listed = ",".join(f"'{reach}'" for reach in reaches)
    op.create_check_constraint(op.f("ck_assignment_reach"), "assignment", f"reach IN ({listed})", schema="alerts")


def _create_calendar() -> None:
    op.create_table(
        "work_calendar_day",
        sa.Column("region", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("region_hi", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('holiday','workday')", name=op.f("ck_work_calendar_day_kind")),
        sa.CheckConstraint(
            "source IN ('chinesecalendar','state_council','county')", name=op.f("ck_work_calendar_day_source")
        ),
        sa.PrimaryKeyConstraint("region", "date", "source", name=op.f("pk_work_calendar_day")),
        schema="alerts",
    )
    op.create_table(
        "work_calendar_change",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("region", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("region_hi", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("after_alert", sa.Uuid(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_work_calendar_change")),
        schema="alerts",
    )
    _secure("work_calendar_day", APPLIES, IN_RANGE)
    _secure("work_calendar_change", IN_RANGE, IN_RANGE)
    # The policy shows the days that apply; only one's own may go.
    op.execute(
        f"CREATE POLICY own ON alerts.work_calendar_day AS RESTRICTIVE FOR DELETE TO {APP} USING ({IN_RANGE})"
    )
    op.execute(f"GRANT SELECT, INSERT, DELETE ON alerts.work_calendar_day TO {APP}")
    op.execute(f"GRANT INSERT ON alerts.work_calendar_change TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON alerts.work_calendar_day TO {WORKER}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON alerts.work_calendar_change TO {WORKER}")


def _create_escalation() -> None:
    op.create_table(
        "alert_escalation",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("chain_snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_step_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("step BETWEEN 1 AND 4", name=op.f("ck_alert_escalation_step")),
        sa.CheckConstraint(
            "(next_step_at IS NULL) = (finished_at IS NOT NULL)", name=op.f("ck_alert_escalation_finished")
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_alert_escalation_alert_id")
        ),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alert_escalation")),
        schema="alerts",
    )
    op.create_index(
        "ix_alert_escalation_due",
        "alert_escalation",
        ["next_step_at"],
        unique=False,
        schema="alerts",
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    _secure("alert_escalation", OF_ALERT, OF_ALERT)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON alerts.alert_escalation TO {APP}, {WORKER}")


def _create_watch() -> None:
    op.create_table(
        "watch_beat",
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watch_beat")),
        schema="alerts",
    )
    op.create_table(
        "watch_incident",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("trouble", sa.TEXT(), nullable=False),
        sa.Column("detail", sa.TEXT(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_watch_incident")),
        schema="alerts",
    )
    op.create_index(
        "ux_watch_incident_open",
        "watch_incident",
        ["trouble"],
        unique=True,
        schema="alerts",
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON alerts.watch_beat, alerts.watch_incident TO {WORKER}")


def _secure(table: str, reads: str, writes: str) -> None:
    op.execute(f"ALTER TABLE alerts.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON alerts.{table} TO {APP} USING ({reads}) WITH CHECK ({writes})")
    op.execute(f"CREATE POLICY worker ON alerts.{table} TO {WORKER} USING (true) WITH CHECK (true)")
