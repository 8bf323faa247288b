"""The first tables of alerts, their row-level security, and what each role may do.

Two walls: every query filters by division, and these policies show a transaction only the rows of its scope
(`app.lo`, `app.hi`, `app.officer`, set inside the transaction; unset shows nothing). Workers have a role of their own.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_alerts"
down_revision = None
branch_labels = None
depends_on = None

APP = "fangpin_alerts"
WORKER = "fangpin_alerts_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
OFFICER = "nullif(current_setting('app.officer', true), '')"

# A cadre sees the posts below him, and those above him that answer for his place too.
IN_RANGE = f"division >= {LO} AND division < {HI}"
IN_RANGE_OR_ABOVE = f"({IN_RANGE}) OR ({LO} < {HI} AND division <= {LO} AND division_hi >= {HI})"
OF_ALERT = "EXISTS (SELECT 1 FROM alerts.alert a WHERE a.alert_id = {table}.alert_id)"
ALERT = (
    f"(living_division >= {LO} AND living_division < {HI})"
    f" OR (registered_division >= {LO} AND registered_division < {HI})"
)

# table -> (what the app role may read, what it may write)
POLICIES = {
    "officer": (IN_RANGE_OR_ABOVE, IN_RANGE),
    "duty": (IN_RANGE_OR_ABOVE, IN_RANGE),
    "endpoint": (IN_RANGE_OR_ABOVE, IN_RANGE),
    "alert": (ALERT, ALERT),
    **{
        table: (OF_ALERT.format(table=table), OF_ALERT.format(table=table))
        for table in ("alert_evidence", "alert_log", "assignment", "delivery", "verification")
    },
    "delivery_attempt": (
        "EXISTS (SELECT 1 FROM alerts.delivery d WHERE d.delivery_id = delivery_attempt.delivery_id)",
    )
    * 2,
    "notification": (
        f"CASE WHEN alert_id IS NULL THEN {IN_RANGE} ELSE {OF_ALERT.format(table='notification')} END",
    )
    * 2,
    # Whoever routes writes into other people's inboxes, and reads only his own.
    "inbox_item": (f"officer_no = {OFFICER}", "true"),
}

GRANTS_TO_APP = {
    "alembic_version": "SELECT",
    "officer": "SELECT, INSERT, UPDATE",
    "duty": "SELECT, INSERT, UPDATE",
    "endpoint": "SELECT, INSERT, UPDATE",
    "alert": "SELECT, UPDATE",
    "alert_evidence": "SELECT",
    "alert_log": "SELECT, INSERT",
    "assignment": "SELECT, INSERT, UPDATE",
    "notification": "SELECT, INSERT",
    "delivery": "SELECT, INSERT, UPDATE",
    "delivery_attempt": "SELECT",
    "inbox_counter": "SELECT, INSERT, UPDATE",
    "inbox_item": "SELECT, INSERT, UPDATE",
    "verification": "SELECT, INSERT",
    "outbox": "SELECT (id), INSERT",
    "outbox_delivery": "INSERT",
    "subscription": "SELECT (subscription_id, name, types, active)",
    "idempotency_key": "SELECT, INSERT, UPDATE, DELETE",
    "audit_log": "INSERT",
}

GRANTS_TO_WORKER = {
    **{
        table: "SELECT, INSERT, UPDATE"
        for table in (
            "officer",
            "duty",
            "endpoint",
            "alert_subject",
            "alert",
            "assignment",
            "notification",
            "delivery",
            "inbox_counter",
            "inbox_item",
        )
    },
    **{
        table: "SELECT, INSERT"
        for table in ("alert_evidence", "alert_log", "delivery_attempt", "verification")
    },
    **{
        table: "SELECT, INSERT, UPDATE, DELETE"
        for table in (
            "outbox",
            "outbox_delivery",
            "subscription",
            "inbox",
            "idempotency_key",
        )
    },
    "audit_log": "INSERT",
}


def upgrade() -> None:
    _create_tables()
    op.execute(f"GRANT USAGE ON SCHEMA alerts TO {APP}, {WORKER}")
    for role, grants in ((APP, GRANTS_TO_APP), (WORKER, GRANTS_TO_WORKER)):
        for table, privileges in grants.items():
            op.execute(f"GRANT {privileges} ON alerts.{table} TO {role}")
    for table, (reads, writes) in POLICIES.items():
        _secure(table, reads, writes)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema="alerts")


def _secure(table: str, reads: str, writes: str) -> None:
    op.execute(f"ALTER TABLE alerts.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON alerts.{table} TO {APP} USING ({reads}) WITH CHECK ({writes})")
    op.execute(f"CREATE POLICY worker ON alerts.{table} TO {WORKER} USING (true) WITH CHECK (true)")


TABLES = (
    "alert",
    "alert_subject",
    "audit_log",
    "idempotency_key",
    "inbox",
    "officer",
    "outbox",
    "outbox_delivery",
    "subscription",
    "alert_evidence",
    "alert_log",
    "assignment",
    "duty",
    "endpoint",
    "inbox_counter",
    "notification",
    "verification",
    "delivery",
    "inbox_item",
    "delivery_attempt",
)


def _create_tables() -> None:
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.TEXT(), nullable=False),
        sa.Column("household_no", sa.TEXT(), nullable=True),
        sa.Column("living_division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("registered_division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("contact_name", sa.TEXT(), nullable=False),
        sa.Column("contact_phone", sa.TEXT(), nullable=True),
        sa.Column("severity", sa.TEXT(), nullable=True),
        sa.Column("recommendation", sa.TEXT(), nullable=True),
        sa.Column("listed_as", sa.TEXT(), nullable=True),
        sa.Column("causes", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("report_ids", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("facts_version", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.TEXT(), nullable=False),
        sa.Column("acknowledge_hours", sa.SmallInteger(), nullable=False),
        sa.Column("verify_days", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.TEXT(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("outcome", sa.TEXT(), nullable=True),
        sa.Column("follows", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("ack_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verify_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("routed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL) AND (status = 'closed') = (outcome IS NOT NULL)",
            name=op.f("ck_alert_closed_with_outcome"),
        ),
        sa.CheckConstraint(
            "outcome IN ('identify','need_met','already_monitored','no_risk','data_wrong','moved','deceased')",
            name=op.f("ck_alert_outcome"),
        ),
        sa.CheckConstraint("severity IN ('red','orange','yellow','blue')", name=op.f("ck_alert_severity")),
        sa.CheckConstraint(
            "status IN ('open','acknowledged','verifying','closed')", name=op.f("ck_alert_status")
        ),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alert")),
        schema="alerts",
    )
    op.create_index(
        "ix_alert_ack_due",
        "alert",
        ["ack_due_at"],
        unique=False,
        schema="alerts",
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        op.f("ix_alert_living_division_alert_id"),
        "alert",
        ["living_division", "alert_id"],
        unique=False,
        schema="alerts",
    )
    op.create_index(
        op.f("ix_alert_registered_division_alert_id"),
        "alert",
        ["registered_division", "alert_id"],
        unique=False,
        schema="alerts",
    )
    op.create_index(op.f("ix_alert_household_no"), "alert", ["household_no"], unique=False, schema="alerts")
    op.create_index(op.f("ix_alert_subject"), "alert", ["subject"], unique=False, schema="alerts")
    op.create_index(
        "ix_alert_unrouted",
        "alert",
        ["opened_at"],
        unique=False,
        schema="alerts",
        postgresql_where=sa.text("routed_at IS NULL AND status <> 'closed'"),
    )
    op.create_index(
        "ux_alert_open_subject",
        "alert",
        ["subject"],
        unique=True,
        schema="alerts",
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_table(
        "alert_subject",
        sa.Column("subject", sa.TEXT(), nullable=False),
        sa.Column("facts_version", sa.BigInteger(), nullable=False),
        sa.Column("report_ids", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_alert_subject")),
        schema="alerts",
    )
    op.create_table(
        "audit_log",
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_log")),
        schema="alerts",
    )
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"], unique=False, schema="alerts")
    op.create_table(
        "idempotency_key",
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client", "key", name=op.f("pk_idempotency_key")),
        schema="alerts",
    )
    op.create_table(
        "inbox",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_inbox")),
        schema="alerts",
    )
    op.create_table(
        "officer",
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("phone", sa.TEXT(), nullable=True),
        sa.Column("email", sa.TEXT(), nullable=True),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("division_hi", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("officer_no", name=op.f("pk_officer")),
        schema="alerts",
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("aggregatetype", sa.String(), nullable=False),
        sa.Column("aggregateid", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("traceparent", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        schema="alerts",
    )
    op.create_table(
        "outbox_delivery",
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'due'"), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("outbox_id", "subscription_id", name=op.f("pk_outbox_delivery")),
        schema="alerts",
    )
    op.create_index(
        "ix_outbox_delivery_due",
        "outbox_delivery",
        ["priority", "due_at"],
        unique=False,
        schema="alerts",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "subscription",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("types", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("division", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("name", name=op.f("uq_subscription_name")),
        schema="alerts",
    )
    op.create_table(
        "alert_evidence",
        sa.Column("evidence_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("item", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.TEXT(), nullable=False),
        sa.Column("facts_version", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.TEXT(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('finding','fact')", name=op.f("ck_alert_evidence_kind")),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_alert_evidence_alert_id")
        ),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_alert_evidence")),
        sa.UniqueConstraint("alert_id", "digest", name=op.f("uq_alert_evidence_alert_id_digest")),
        schema="alerts",
    )
    op.create_table(
        "alert_log",
        sa.Column("log_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.TEXT(), nullable=False),
        sa.Column("action", sa.TEXT(), nullable=False),
        sa.Column("status_before", sa.TEXT(), nullable=True),
        sa.Column("status_after", sa.TEXT(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_alert_log_alert_id")),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_alert_log")),
        schema="alerts",
    )
    op.create_index(
        op.f("ix_alert_log_alert_id_log_id"),
        "alert_log",
        ["alert_id", "log_id"],
        unique=False,
        schema="alerts",
    )
    op.create_table(
        "assignment",
        sa.Column("assignment_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("role", sa.TEXT(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("reach", sa.TEXT(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "reach IN ('duty','fallthrough','copy','handed_over')", name=op.f("ck_assignment_reach")
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_assignment_alert_id")),
        sa.ForeignKeyConstraint(
            ["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_assignment_officer_no")
        ),
        sa.PrimaryKeyConstraint("assignment_id", name=op.f("pk_assignment")),
        schema="alerts",
    )
    op.create_index(
        op.f("ix_assignment_officer_no"), "assignment", ["officer_no"], unique=False, schema="alerts"
    )
    op.create_index(
        "ux_assignment_current",
        "assignment",
        ["alert_id", "officer_no"],
        unique=True,
        schema="alerts",
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "duty",
        sa.Column("duty_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("role", sa.TEXT(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("division_hi", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "role IN ('grid_worker','village_secretary','first_secretary','township_leader','county_admin')",
            name=op.f("ck_duty_role"),
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_duty_valid")),
        sa.ForeignKeyConstraint(
            ["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_duty_officer_no")
        ),
        sa.PrimaryKeyConstraint("duty_id", name=op.f("pk_duty")),
        sa.UniqueConstraint(
            "officer_no",
            "role",
            "division",
            "valid_from",
            name=op.f("uq_duty_officer_no_role_division_valid_from"),
        ),
        schema="alerts",
    )
    op.create_index(
        op.f("ix_duty_division_role"), "duty", ["division", "role"], unique=False, schema="alerts"
    )
    op.create_table(
        "endpoint",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.TEXT(), nullable=False),
        sa.Column("address", sa.TEXT(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("officer_no", sa.TEXT(), nullable=True),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("division_hi", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("state", sa.TEXT(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("state_reason", sa.TEXT(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('webhook','smtp','console')", name=op.f("ck_endpoint_channel")),
        sa.CheckConstraint("state IN ('active','broken','disabled')", name=op.f("ck_endpoint_state")),
        sa.ForeignKeyConstraint(
            ["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_endpoint_officer_no")
        ),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_endpoint")),
        sa.UniqueConstraint(
            "channel",
            "address",
            "division",
            "officer_no",
            name="uq_endpoint_owner",
            postgresql_nulls_not_distinct=True,
        ),
        schema="alerts",
    )
    op.create_index(op.f("ix_endpoint_division"), "endpoint", ["division"], unique=False, schema="alerts")
    op.create_index(op.f("ix_endpoint_officer_no"), "endpoint", ["officer_no"], unique=False, schema="alerts")
    op.create_table(
        "inbox_counter",
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("last_item_no", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_inbox_counter_officer_no")
        ),
        sa.PrimaryKeyConstraint("officer_no", name=op.f("pk_inbox_counter")),
        schema="alerts",
    )
    op.create_table(
        "notification",
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("dedupe_key", sa.TEXT(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.TEXT(), nullable=True),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("recipient", sa.TEXT(), nullable=True),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("decision", sa.TEXT(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "decision = 'send' OR reason IS NOT NULL", name=op.f("ck_notification_withheld_with_reason")
        ),
        sa.CheckConstraint("decision IN ('send','suppress','defer')", name=op.f("ck_notification_decision")),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_notification_alert_id")
        ),
        sa.ForeignKeyConstraint(
            ["recipient"], ["alerts.officer.officer_no"], name=op.f("fk_notification_recipient")
        ),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notification")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_notification_dedupe_key")),
        schema="alerts",
    )
    op.create_index(
        op.f("ix_notification_alert_id"), "notification", ["alert_id"], unique=False, schema="alerts"
    )
    op.create_index(
        op.f("ix_notification_division"), "notification", ["division"], unique=False, schema="alerts"
    )
    op.create_table(
        "verification",
        sa.Column("verification_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.TEXT(), nullable=False),
        sa.Column("causes", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("method", sa.TEXT(), nullable=True),
        sa.Column("contacted_by", sa.TEXT(), nullable=True),
        sa.Column("contacted_on", sa.Date(), nullable=True),
        sa.Column("met", sa.TEXT(), nullable=True),
        sa.Column("helped_by", sa.TEXT(), nullable=True),
        sa.Column("note", sa.TEXT(), nullable=True),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("officer_role", sa.TEXT(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("method IN ('visit','call')", name=op.f("ck_verification_method")),
        sa.CheckConstraint(
            "num_nonnulls(method, contacted_by, contacted_on) IN (0, 3)",
            name=op.f("ck_verification_contact_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_verification_alert_id")
        ),
        sa.PrimaryKeyConstraint("verification_id", name=op.f("pk_verification")),
        sa.UniqueConstraint("alert_id", name=op.f("uq_verification_alert_id")),
        schema="alerts",
    )
    op.create_table(
        "delivery",
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.TEXT(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("message", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.TEXT(), server_default=sa.text("'due'"), nullable=False),
        sa.Column("outcome", sa.TEXT(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'due') = (due_at IS NOT NULL)", name=op.f("ck_delivery_due")),
        sa.CheckConstraint("state IN ('due','delivered','dead','cancelled')", name=op.f("ck_delivery_state")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_delivery_alert_id")),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["alerts.endpoint.endpoint_id"], name=op.f("fk_delivery_endpoint_id")
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["alerts.notification.notification_id"],
            name=op.f("fk_delivery_notification_id"),
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("notification_id", "channel", "endpoint_id", name="uq_delivery_once"),
        schema="alerts",
    )
    op.create_index(op.f("ix_delivery_alert_id"), "delivery", ["alert_id"], unique=False, schema="alerts")
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["priority", "due_at"],
        unique=False,
        schema="alerts",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "inbox_item",
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("item_no", sa.BigInteger(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("severity", sa.TEXT(), nullable=True),
        sa.Column("title", sa.TEXT(), nullable=False),
        sa.Column("body", sa.TEXT(), nullable=False),
        sa.Column("link", sa.TEXT(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["alerts.notification.notification_id"],
            name=op.f("fk_inbox_item_notification_id"),
        ),
        sa.ForeignKeyConstraint(
            ["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_inbox_item_officer_no")
        ),
        sa.PrimaryKeyConstraint("officer_no", "item_no", name=op.f("pk_inbox_item")),
        sa.UniqueConstraint("notification_id", name=op.f("uq_inbox_item_notification_id")),
        schema="alerts",
    )
    op.create_index(
        "ix_inbox_item_unread",
        "inbox_item",
        ["officer_no", "item_no"],
        unique=False,
        schema="alerts",
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_table(
        "delivery_attempt",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.TEXT(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["alerts.delivery.delivery_id"], name=op.f("fk_delivery_attempt_delivery_id")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "attempt", name=op.f("pk_delivery_attempt")),
        schema="alerts",
    )
