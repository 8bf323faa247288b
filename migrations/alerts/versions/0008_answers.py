"""Answers that are true: tries, offers, second officers, re-checks, tasks of departments, joint consultations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_answers"
down_revision = "0007_phone"
branch_labels = None
depends_on = None

APP = "fangpin_alerts"
WORKER = "fangpin_alerts_worker"
_OF_ALERT = "EXISTS (SELECT 1 FROM alerts.alert a WHERE a.alert_id = {table}.alert_id)"
_STATUSES = "'open','acknowledged','verifying','closed'"
_STATUSES_NOW = "'open','acknowledged','verifying','confirming','closed'"

# table -> whose rows its own are seen with
SECURED = {
    **{
        table: _OF_ALERT.format(table=table)
        for table in ("client_step", "attempt", "handover", "recheck", "sector_task", "consultation")
    },
    "sector_task_log": "EXISTS (SELECT 1 FROM alerts.sector_task t WHERE t.task_id = sector_task_log.task_id)",
    "consultation_opinion": (
        "EXISTS (SELECT 1 FROM alerts.consultation c WHERE c.consultation_id = consultation_opinion.consultation_id)"
    ),
}
GRANTS = {
    APP: {
        "client_step": "SELECT, INSERT",
        "attempt": "SELECT, INSERT",
        "handover": "SELECT, INSERT, UPDATE",
        "recheck": "SELECT, INSERT, UPDATE",
        "sector_task": "SELECT, INSERT, UPDATE",
        "sector_task_log": "SELECT, INSERT",
        "consultation": "SELECT, INSERT, UPDATE",
        "consultation_opinion": "SELECT, INSERT",
        "verification": "UPDATE (state, second_officer_no, second_at, second_reason)",
    },
    WORKER: {
        "recheck": "SELECT, UPDATE",
        "handover": "SELECT, UPDATE",
        **{
            table: "SELECT"
            for table in (
                "client_step",
                "attempt",
                "sector_task",
                "sector_task_log",
                "consultation",
                "consultation_opinion",
            )
        },
    },
}


def upgrade() -> None:
    _allow_statuses(_STATUSES_NOW)
    _create_tables()
    _extend_verifications()
    for role, grants in GRANTS.items():
        for table, privileges in grants.items():
            op.execute(f"GRANT {privileges} ON alerts.{table} TO {role}")
    for table, condition in SECURED.items():
        _secure(table, condition)


def downgrade() -> None:
    """Back to one answer an alert: what waits for a second officer is being verified again, the answer forgotten."""
    for table in ("sector_task_log", "sector_task", "recheck", "consultation_opinion"):
        op.drop_table(table, schema="alerts")
    op.execute("DELETE FROM alerts.verification WHERE state <> 'stands'")
    op.execute("UPDATE alerts.alert SET status = 'verifying' WHERE status = 'confirming'")
    for index in ("ux_verification_standing", "ix_verification_alert_id", "ix_verification_verified_at"):
        op.drop_index(index, "verification", schema="alerts")
    op.create_unique_constraint(op.f("uq_verification_alert_id"), "verification", ["alert_id"], schema="alerts")
    for column in ("needs", "state", "second_officer_no", "second_at", "second_reason", "consultation_id"):
        op.drop_column("verification", column, schema="alerts")
    for table in ("consultation", "handover", "attempt", "client_step"):
        op.drop_table(table, schema="alerts")
    _allow_statuses(_STATUSES)


def _allow_statuses(statuses: str) -> None:
    op.drop_constraint(op.f("ck_alert_status"), "alert", schema="alerts")
    op.create_check_constraint(op.f("ck_alert_status"), "alert", f"status IN ({statuses})", schema="alerts")


def _secure(table: str, condition: str) -> None:
    op.execute(f"ALTER TABLE alerts.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON alerts.{table} TO {APP} USING ({condition}) WITH CHECK ({condition})")
    op.execute(f"CREATE POLICY worker ON alerts.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def _create_tables() -> None:
    op.create_table(
        "attempt",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("method", sa.TEXT(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_on", sa.Date(), nullable=False),
        sa.Column("note", sa.TEXT(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("method IN ('visit','call')", name=op.f("ck_attempt_method")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_attempt_alert_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempt")),
        schema="alerts",
    )
    op.create_index(op.f("ix_attempt_alert_id"), "attempt", ["alert_id"], unique=False, schema="alerts")
    op.create_table(
        "client_step",
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.TEXT(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_client_step_alert_id")),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_client_step")),
        schema="alerts",
    )
    op.create_index(op.f("ix_client_step_alert_id"), "client_step", ["alert_id"], unique=False, schema="alerts")
    op.create_table(
        "consultation",
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("called_by", sa.TEXT(), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("departments", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("question", sa.TEXT(), nullable=False),
        sa.Column("opinions_by", sa.Date(), nullable=False),
        sa.Column("meets_on", sa.Date(), nullable=False),
        sa.Column("state", sa.TEXT(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("attendees", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("measures", sa.TEXT(), nullable=True),
        sa.Column("decided_by", sa.TEXT(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'decided') = (num_nonnulls(decided_at, decided_by, held_on) = 3)",
            name=op.f("ck_consultation_decided"),
        ),
        sa.CheckConstraint("state IN ('open','decided')", name=op.f("ck_consultation_state")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_consultation_alert_id")),
        sa.PrimaryKeyConstraint("consultation_id", name=op.f("pk_consultation")),
        schema="alerts",
    )
    op.create_index(op.f("ix_consultation_alert_id"), "consultation", ["alert_id"], unique=False, schema="alerts")
    op.create_index(
        "ux_consultation_open",
        "consultation",
        ["alert_id"],
        unique=True,
        schema="alerts",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "handover",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("from_officer_no", sa.TEXT(), nullable=False),
        sa.Column("to_officer_no", sa.TEXT(), nullable=False),
        sa.Column("to_role", sa.TEXT(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("state", sa.TEXT(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("answer", sa.TEXT(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'pending') = (settled_at IS NULL)", name=op.f("ck_handover_settled")),
        sa.CheckConstraint("kind IN ('assign','refer','transfer')", name=op.f("ck_handover_kind")),
        sa.CheckConstraint(
            "state <> 'declined' OR answer IS NOT NULL", name=op.f("ck_handover_declined_with_reason")
        ),
        sa.CheckConstraint(
            "state IN ('pending','accepted','declined','withdrawn','lapsed')", name=op.f("ck_handover_state")
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_handover_alert_id")),
        sa.ForeignKeyConstraint(
            ["to_officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_handover_to_officer_no")
        ),
        sa.PrimaryKeyConstraint("handover_id", name=op.f("pk_handover")),
        schema="alerts",
    )
    op.create_index(op.f("ix_handover_alert_id"), "handover", ["alert_id"], unique=False, schema="alerts")
    op.create_index(
        "ux_handover_pending",
        "handover",
        ["alert_id"],
        unique=True,
        schema="alerts",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "consultation_opinion",
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("department", sa.TEXT(), nullable=False),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("opinion", sa.TEXT(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["alerts.consultation.consultation_id"],
            name=op.f("fk_consultation_opinion_consultation_id"),
        ),
        sa.PrimaryKeyConstraint("consultation_id", "department", name=op.f("pk_consultation_opinion")),
        schema="alerts",
    )
    op.create_table(
        "recheck",
        sa.Column("verification_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.TEXT(), server_default=sa.text("'due'"), nullable=False),
        sa.Column("found", sa.TEXT(), nullable=True),
        sa.Column("checked_by", sa.TEXT(), nullable=True),
        sa.Column("method", sa.TEXT(), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("met", sa.TEXT(), nullable=True),
        sa.Column("note", sa.TEXT(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened", sa.Uuid(), nullable=True, comment="the alert it led to"),
        sa.CheckConstraint(
            "(state = 'due') = (num_nonnulls(found, checked_by, method, checked_on, met, settled_at) = 0)",
            name=op.f("ck_recheck_due"),
        ),
        sa.CheckConstraint("method IN ('visit','call')", name=op.f("ck_recheck_method")),
        sa.CheckConstraint("state IN ('due','agrees','differs')", name=op.f("ck_recheck_state")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_recheck_alert_id")),
        sa.ForeignKeyConstraint(["opened"], ["alerts.alert.alert_id"], name=op.f("fk_recheck_opened")),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["alerts.verification.verification_id"], name=op.f("fk_recheck_verification_id")
        ),
        sa.PrimaryKeyConstraint("verification_id", name=op.f("pk_recheck")),
        schema="alerts",
    )
    op.create_index(op.f("ix_recheck_alert_id"), "recheck", ["alert_id"], unique=False, schema="alerts")
    op.create_index(
        "ix_recheck_due",
        "recheck",
        ["due_at"],
        unique=False,
        schema="alerts",
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_recheck_to_open",
        "recheck",
        ["settled_at"],
        unique=False,
        schema="alerts",
        postgresql_where=sa.text("state = 'differs' AND opened IS NULL"),
    )
    op.create_table(
        "sector_task",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("verification_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.TEXT(), nullable=False),
        sa.Column("sector", sa.TEXT(), nullable=False),
        sa.Column("about", sa.TEXT(), nullable=True),
        sa.Column("state", sa.TEXT(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("round", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("feedback", sa.TEXT(), nullable=True),
        sa.Column("feedback_note", sa.TEXT(), nullable=True),
        sa.Column("feedback_by", sa.TEXT(), nullable=True),
        sa.Column("feedback_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_sector_task_closed")),
        sa.CheckConstraint("feedback IN ('done','not_possible')", name=op.f("ck_sector_task_feedback")),
        sa.CheckConstraint("sector IN ('education','medical','housing','water')", name=op.f("ck_sector_task_sector")),
        sa.CheckConstraint("state IN ('open','answered','closed')", name=op.f("ck_sector_task_state")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_sector_task_alert_id")),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["alerts.verification.verification_id"], name=op.f("fk_sector_task_verification_id")
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_sector_task")),
        schema="alerts",
    )
    op.create_index(op.f("ix_sector_task_alert_id"), "sector_task", ["alert_id"], unique=False, schema="alerts")
    op.create_index(
        op.f("ix_sector_task_sector_task_id"), "sector_task", ["sector", "task_id"], unique=False, schema="alerts"
    )
    op.create_index(
        "ux_sector_task_open",
        "sector_task",
        ["subject", "sector"],
        unique=True,
        schema="alerts",
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "sector_task_log",
        sa.Column("log_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.TEXT(), nullable=False),
        sa.Column("action", sa.TEXT(), nullable=False),
        sa.Column("state_after", sa.TEXT(), nullable=False),
        sa.Column("note", sa.TEXT(), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["alerts.sector_task.task_id"], name=op.f("fk_sector_task_log_task_id")),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_sector_task_log")),
        schema="alerts",
    )
    op.create_index(
        op.f("ix_sector_task_log_task_id_log_id"),
        "sector_task_log",
        ["task_id", "log_id"],
        unique=False,
        schema="alerts",
    )


def _extend_verifications() -> None:
    op.add_column(
        "verification",
        sa.Column(
            "needs",
            postgresql.ARRAY(sa.TEXT()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="三保障 and water found lacking, by sector",
        ),
        schema="alerts",
    )
    op.add_column(
        "verification",
        sa.Column("state", sa.TEXT(), server_default=sa.text("'stands'"), nullable=False),
        schema="alerts",
    )
    op.add_column("verification", sa.Column("second_officer_no", sa.TEXT(), nullable=True), schema="alerts")
    op.add_column("verification", sa.Column("second_at", sa.DateTime(timezone=True), nullable=True), schema="alerts")
    op.add_column("verification", sa.Column("second_reason", sa.TEXT(), nullable=True), schema="alerts")
    op.add_column("verification", sa.Column("consultation_id", sa.Uuid(), nullable=True), schema="alerts")
    op.drop_constraint(op.f("uq_verification_alert_id"), "verification", schema="alerts", type_="unique")
    op.create_index(op.f("ix_verification_alert_id"), "verification", ["alert_id"], unique=False, schema="alerts")
    op.create_index(
        op.f("ix_verification_verified_at"), "verification", ["verified_at"], unique=False, schema="alerts"
    )
    op.create_index(
        "ux_verification_standing",
        "verification",
        ["alert_id"],
        unique=True,
        schema="alerts",
        postgresql_where=sa.text("state <> 'refused'"),
    )
    op.create_foreign_key(
        op.f("fk_verification_consultation_id"),
        "verification",
        "consultation",
        ["consultation_id"],
        ["consultation_id"],
        source_schema="alerts",
        referent_schema="alerts",
    )
    for name, condition in (
        ("state", "state IN ('awaiting','stands','refused')"),
        ("second_whole", "num_nonnulls(second_officer_no, second_at) IN (0, 2)"),
        ("two", "second_officer_no IS DISTINCT FROM officer_no OR second_officer_no IS NULL"),
    ):
        op.create_check_constraint(op.f(f"ck_verification_{name}"), "verification", condition, schema="alerts")
