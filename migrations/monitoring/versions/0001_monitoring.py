"""The first tables of monitoring, their row-level security, and what each role may do.

Two walls: every query filters by division, and these policies show a transaction only the rows of its scope
(`app.lo`, `app.hi`, set inside the transaction; unset shows nothing). A household is in scope by the place where it
lives or where it is registered; people, facts and assessments are seen through their household. Workers have a role
of their own. Facts are partitioned by county; `monitoring.ensure_county` makes a partition at first sight.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_monitoring"
down_revision = None
branch_labels = None
depends_on = None

APP = "fangpin_monitoring"
WORKER = "fangpin_monitoring_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"

HOUSEHOLD = (
    f"(living_division >= {LO} AND living_division < {HI})"
    f" OR (registered_division >= {LO} AND registered_division < {HI})"
)
OF_HOUSEHOLD = "EXISTS (SELECT 1 FROM monitoring.household h WHERE h.household_id = {table}.household_id)"
OF_MEMBER = "EXISTS (SELECT 1 FROM monitoring.household_member m WHERE m.resident_id = resident.resident_id)"
IN_RANGE = f"division >= {LO} AND division < {HI}"
# How fresh a county's data is may be known in the county and in every place below it.
OF_COUNTY = f"(county || '000000' >= {LO} AND county || '000000' < {HI}) OR county = left({LO}, 6)"

# table -> (what the app role may read, what it may write)
POLICIES = {
    "household": (HOUSEHOLD, HOUSEHOLD),
    **{
        table: (OF_HOUSEHOLD.format(table=table), OF_HOUSEHOLD.format(table=table))
        for table in ("household_member", "fact", "assessment", "verification", "decision")
    },
    "resident": (OF_MEMBER, "false"),
    "unmatched_observation": (IN_RANGE, "false"),
    "rescreen": (IN_RANGE, IN_RANGE),
    "feed_freshness": (OF_COUNTY, "false"),
}

GRANTS_TO_APP = {
    "household": "SELECT, UPDATE (listed_as, listed_on, facts_version, due_at, priority, rescreen_id)",
    "household_member": "SELECT",
    "resident": "SELECT",
    "fact": "SELECT, INSERT, UPDATE (superseded_at)",
    "assessment": "SELECT",
    "verification": "SELECT",
    "decision": "SELECT, INSERT",
    "unmatched_observation": "SELECT",
    "rescreen": "SELECT, INSERT",
    "feed_freshness": "SELECT",
    "policy_activation": "SELECT",
    "outbox": "SELECT (id), INSERT",
    "outbox_delivery": "INSERT",
    "subscription": "SELECT (subscription_id, name, types, active)",
    "idempotency_key": "SELECT, INSERT, UPDATE, DELETE",
    "audit_log": "INSERT",
}

# Assessments, verifications and audit rows are never changed; facts only learn that they were superseded.
GRANTS_TO_WORKER = {
    "household": "SELECT, INSERT, UPDATE",
    "household_member": "SELECT, INSERT, UPDATE",
    "resident": "SELECT, INSERT, UPDATE",
    "fact": "SELECT, INSERT, UPDATE (superseded_at, received_at, origin, county)",
    "assessment": "SELECT, INSERT",
    "verification": "SELECT, INSERT",
    "decision": "SELECT",
    "unmatched_observation": "SELECT, INSERT, UPDATE, DELETE",
    "rescreen": "SELECT, INSERT",
    "feed_freshness": "SELECT, INSERT, UPDATE",
    "policy_activation": "SELECT, INSERT",
    "outbox": "SELECT, INSERT, UPDATE, DELETE",
    "outbox_delivery": "SELECT, INSERT, UPDATE, DELETE",
    "subscription": "SELECT, INSERT, UPDATE, DELETE",
    "inbox": "SELECT, INSERT, UPDATE, DELETE",
    "idempotency_key": "SELECT, INSERT, UPDATE, DELETE",
    "audit_log": "INSERT",
}

# The body names every object in full and the search path is pinned, so the caller cannot slip in objects of his own.
# The new table is attached, not created as a partition: that takes no lock readers or writers would wait for.
ENSURE_COUNTY = f"""
CREATE FUNCTION monitoring.ensure_county(place text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := 'fact_' || place;
BEGIN
    IF place IS NULL OR place !~ '^[0-9]{{6}}$' THEN
        RAISE EXCEPTION 'not a county code' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass('monitoring.' || part) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('monitoring.ensure_county', 0));
    IF to_regclass('monitoring.' || part) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE monitoring.%I (LIKE monitoring.fact INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    EXECUTE format('ALTER TABLE monitoring.%I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE monitoring.%I FORCE ROW LEVEL SECURITY', part);
    EXECUTE format('CREATE POLICY worker ON monitoring.%I TO {WORKER} USING (true) WITH CHECK (true)', part);
    EXECUTE format('ALTER TABLE monitoring.fact ATTACH PARTITION monitoring.%I FOR VALUES IN (%L)', part, place);
END
$$
"""


def upgrade() -> None:
    op.execute("CREATE SEQUENCE monitoring.fact_fact_id_seq")
    _create_tables()
    op.execute(ENSURE_COUNTY)
    op.execute("REVOKE ALL ON FUNCTION monitoring.ensure_county(text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION monitoring.ensure_county(text) TO {WORKER}")
    op.execute(f"GRANT USAGE ON SCHEMA monitoring TO {APP}, {WORKER}")
    op.execute(f"GRANT USAGE ON SEQUENCE monitoring.fact_fact_id_seq TO {APP}, {WORKER}")
    for role, grants in ((APP, GRANTS_TO_APP), (WORKER, GRANTS_TO_WORKER)):
        for table, privileges in grants.items():
            op.execute(f"GRANT {privileges} ON monitoring.{table} TO {role}")
    for table, (reads, writes) in POLICIES.items():
        _secure(table, reads, writes)


def downgrade() -> None:
    op.execute("DROP FUNCTION monitoring.ensure_county(text)")
    for table in reversed(TABLES):
        op.drop_table(table, schema="monitoring")
    op.execute("DROP SEQUENCE monitoring.fact_fact_id_seq")


def _secure(table: str, reads: str, writes: str) -> None:
    op.execute(f"ALTER TABLE monitoring.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE monitoring.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON monitoring.{table} TO {APP} USING ({reads}) WITH CHECK ({writes})")
    op.execute(f"CREATE POLICY worker ON monitoring.{table} TO {WORKER} USING (true) WITH CHECK (true)")


TABLES = (
    "audit_log",
    "fact",
    "feed_freshness",
    "household",
    "idempotency_key",
    "inbox",
    "outbox",
    "outbox_delivery",
    "policy_activation",
    "rescreen",
    "resident",
    "subscription",
    "unmatched_observation",
    "assessment",
    "decision",
    "household_member",
    "verification",
)


def _create_tables() -> None:
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
        schema="monitoring",
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"], unique=False, schema="monitoring")
    op.create_table(
        "fact",
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column(
            "fact_id",
            sa.BigInteger(),
            server_default=sa.text("nextval('monitoring.fact_fact_id_seq')"),
            nullable=False,
        ),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("resident_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("period_from", sa.Date(), nullable=True),
        sa.Column("period_to", sa.Date(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("gross_fen", sa.BigInteger(), nullable=True),
        sa.Column("compliant_fen", sa.BigInteger(), nullable=True),
        sa.Column("other_fen", sa.BigInteger(), nullable=True),
        sa.Column("relief_fen", sa.BigInteger(), nullable=True),
        sa.Column("visit", sa.Text(), nullable=True),
        sa.Column("stay", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=True),
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("data_set", sa.Text(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column(
            "origin",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="feed or report it came with",
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "ended_received_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the source said that it ended",
        ),
        sa.Column(
            "facts_version",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of the household, from this fact on",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("superseded_at >= recorded_at", name=op.f("ck_fact_known")),
        sa.CheckConstraint("period_from <= period_to", name=op.f("ck_fact_period")),
        sa.CheckConstraint("amount_fen BETWEEN 0 AND 10000000000000", name=op.f("ck_fact_amount_fen")),
        sa.CheckConstraint("gross_fen BETWEEN 0 AND 10000000000000", name=op.f("ck_fact_gross_fen")),
        sa.CheckConstraint("compliant_fen BETWEEN 0 AND 10000000000000", name=op.f("ck_fact_compliant_fen")),
        sa.CheckConstraint("other_fen BETWEEN 0 AND 10000000000000", name=op.f("ck_fact_other_fen")),
        sa.CheckConstraint("relief_fen BETWEEN 0 AND 10000000000000", name=op.f("ck_fact_relief_fen")),
        sa.PrimaryKeyConstraint("county", "fact_id", name=op.f("pk_fact")),
        schema="monitoring",
        postgresql_partition_by="LIST (county)",
    )
    op.create_index(
        "ix_fact_household",
        "fact",
        ["county", "household_id", "kind", "occurred_on"],
        unique=False,
        schema="monitoring",
    )
    op.create_index(
        "ix_fact_resident",
        "fact",
        ["resident_id"],
        unique=False,
        schema="monitoring",
        postgresql_where=sa.text("resident_id IS NOT NULL"),
    )
    op.create_index(
        "uq_fact_record",
        "fact",
        ["data_set", "record_key", "kind", "household_id", "county"],
        unique=True,
        schema="monitoring",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "feed_freshness",
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column("data_set", sa.Text(), nullable=False),
        sa.Column("newest_on", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("county", "data_set", name=op.f("pk_feed_freshness")),
        schema="monitoring",
    )
    op.create_table(
        "household",
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("household_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column("household_no", sa.Text(), nullable=False),
        sa.Column("registered_division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("living_division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("head_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("roster_on", sa.Date(), nullable=True, comment="date of the newest roster that lists it"),
        sa.Column("roster_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed_as", sa.Text(), nullable=True),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.Column("last_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_change_on", sa.Date(), nullable=True),
        sa.Column("assessment_id", sa.BigInteger(), nullable=True),
        sa.Column("recommendation", sa.Text(), nullable=True),
        sa.Column("severity", sa.SmallInteger(), nullable=True, comment="4 red, 3 orange, 2 yellow, 1 blue"),
        sa.Column("score", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "risk",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="recommendation, severity and what fired, as assessed last",
        ),
        sa.Column(
            "answered",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="the last visitor's outcome, with as much of the risk he saw as still stands",
        ),
        sa.Column(
            "warned_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="a warning opened and was not verified since",
        ),
        sa.Column(
            "waiting_reports",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="reports not assessed yet",
        ),
        sa.Column("rescreen_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_household_severity")),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_household")),
        sa.UniqueConstraint("household_no", name=op.f("uq_household_household_no")),
        schema="monitoring",
    )
    op.create_index(
        "ix_household_county", "household", ["county", "household_id"], unique=False, schema="monitoring"
    )
    op.create_index(
        "ix_household_due",
        "household",
        ["priority", "due_at"],
        unique=False,
        schema="monitoring",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_household_living_division", "household", ["living_division"], unique=False, schema="monitoring"
    )
    op.create_index(
        "ix_household_next_change_on",
        "household",
        ["next_change_on"],
        unique=False,
        schema="monitoring",
        postgresql_where=sa.text("next_change_on IS NOT NULL"),
    )
    op.create_index(
        "ix_household_registered_division",
        "household",
        ["registered_division"],
        unique=False,
        schema="monitoring",
    )
    op.create_index(
        "ix_household_rescreen",
        "household",
        ["rescreen_id"],
        unique=False,
        schema="monitoring",
        postgresql_where=sa.text("rescreen_id IS NOT NULL"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client", "key", name=op.f("pk_idempotency_key")),
        schema="monitoring",
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
        schema="monitoring",
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
        schema="monitoring",
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
        schema="monitoring",
    )
    op.create_index(
        "ix_outbox_delivery_due",
        "outbox_delivery",
        ["priority", "due_at"],
        unique=False,
        schema="monitoring",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "policy_activation",
        sa.Column("activation_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("activation_id", name=op.f("pk_policy_activation")),
        schema="monitoring",
    )
    op.create_table(
        "rescreen",
        sa.Column("rescreen_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rescreen_id", name=op.f("pk_rescreen")),
        schema="monitoring",
    )
    op.create_table(
        "resident",
        sa.Column("resident_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column(
            "sealed_number",
            sa.LargeBinary(),
            nullable=False,
            comment="AAD: resident, sealed_number, hex of number_index",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("died_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("resident_id", name=op.f("pk_resident")),
        sa.UniqueConstraint("number_index", name=op.f("uq_resident_number_index")),
        schema="monitoring",
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
        schema="monitoring",
    )
    op.create_table(
        "unmatched_observation",
        sa.Column("unmatched_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("data_set", sa.Text(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=True),
        sa.Column("household_no", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("op IN ('put', 'end')", name=op.f("ck_unmatched_observation_op")),
        sa.PrimaryKeyConstraint("unmatched_id", name=op.f("pk_unmatched_observation")),
        schema="monitoring",
    )
    op.create_index(
        "ix_unmatched_observation_division",
        "unmatched_observation",
        ["division"],
        unique=False,
        schema="monitoring",
    )
    op.create_index(
        "ix_unmatched_observation_household_no",
        "unmatched_observation",
        ["household_no"],
        unique=False,
        schema="monitoring",
        postgresql_where=sa.text("household_no IS NOT NULL"),
    )
    op.create_index(
        "ix_unmatched_observation_person",
        "unmatched_observation",
        ["person"],
        unique=False,
        schema="monitoring",
        postgresql_where=sa.text("person IS NOT NULL"),
    )
    op.create_index(
        "uq_unmatched_observation_record",
        "unmatched_observation",
        ["data_set", "record_key", "kind", "op"],
        unique=True,
        schema="monitoring",
    )
    op.create_table(
        "assessment",
        sa.Column("assessment_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("recommendation", sa.Text(), nullable=True),
        sa.Column("severity", sa.SmallInteger(), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("causes", sa.BigInteger(), nullable=False),
        sa.Column("fired", sa.BigInteger(), nullable=False),
        sa.Column("unknown", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.BigInteger(), nullable=False),
        sa.Column("confidence_percent", sa.SmallInteger(), nullable=False),
        sa.Column(
            "measured",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the compiled statement's row: integers in fen, members, choices",
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("facts_version", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["monitoring.household.household_id"], name=op.f("fk_assessment_household_id")
        ),
        sa.PrimaryKeyConstraint("assessment_id", name=op.f("pk_assessment")),
        schema="monitoring",
    )
    op.create_index(
        "ix_assessment_household_id",
        "assessment",
        ["household_id", "assessment_id"],
        unique=False,
        schema="monitoring",
    )
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("listed_as", sa.Text(), nullable=True),
        sa.Column("previously", sa.Text(), nullable=True),
        sa.Column("recommended", sa.Text(), nullable=True),
        sa.Column("assessment_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("document_no", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_by_name", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("(action = 'remove') = (listed_as IS NULL)", name=op.f("ck_decision_class")),
        sa.CheckConstraint("action IN ('enter', 'change', 'remove')", name=op.f("ck_decision_action")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["monitoring.household.household_id"], name=op.f("fk_decision_household_id")
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision")),
        schema="monitoring",
    )
    op.create_index(
        "ix_decision_household_id",
        "decision",
        ["household_id", "decided_on"],
        unique=False,
        schema="monitoring",
    )
    op.create_table(
        "household_member",
        sa.Column("member_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("resident_id", sa.BigInteger(), nullable=False),
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'living'"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('living', 'deceased', 'imprisoned', 'missing', 'long_term_away')",
            name=op.f("ck_household_member_status"),
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_household_member_validity")),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["monitoring.household.household_id"],
            name=op.f("fk_household_member_household_id"),
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["monitoring.resident.resident_id"], name=op.f("fk_household_member_resident_id")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_household_member")),
        schema="monitoring",
    )
    op.create_index(
        "ix_household_member_county",
        "household_member",
        ["county", "household_id"],
        unique=False,
        schema="monitoring",
    )
    op.create_index(
        "ix_household_member_resident_id",
        "household_member",
        ["resident_id"],
        unique=False,
        schema="monitoring",
    )
    op.create_index(
        "uq_household_member_current",
        "household_member",
        ["household_id", "resident_id", "valid_from"],
        unique=True,
        schema="monitoring",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "verification",
        sa.Column("verification_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("causes", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("officer_role", sa.Text(), nullable=False),
        sa.Column("facts_version", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("indicators", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column(
            "assessment_id",
            sa.BigInteger(),
            nullable=True,
            comment="the assessment that stood when the answer came",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["monitoring.household.household_id"], name=op.f("fk_verification_household_id")
        ),
        sa.PrimaryKeyConstraint("verification_id", name=op.f("pk_verification")),
        sa.UniqueConstraint("alert_id", name=op.f("uq_verification_alert_id")),
        schema="monitoring",
    )
    op.create_index(
        "ix_verification_household_id",
        "verification",
        ["household_id", "verification_id"],
        unique=False,
        schema="monitoring",
    )
