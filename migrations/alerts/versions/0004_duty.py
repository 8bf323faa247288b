"""Deputies, absences, household pairing, and whom an alert is about: he does not see it.

The ladder of posts has seven steps where it had five; the levels of those who answer are counted anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_duty"
down_revision = "0003_messages_as_written"
branch_labels = None
depends_on = None

APP = "fangpin_alerts"
WORKER = "fangpin_alerts_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
OFFICER = "nullif(current_setting('app.officer', true), '')"

IN_RANGE = f"division >= {LO} AND division < {HI}"
LIVES_OR_IS_REGISTERED = (
    f"(living_division >= {LO} AND living_division < {HI})"
    f" OR (registered_division >= {LO} AND registered_division < {HI})"
)
# Worked out once for a statement, and as a rule empty.
NOT_ABOUT_HIM = (
    f"NOT (alert_id = ANY (ARRAY(SELECT b.alert_id FROM alerts.alert_barred b WHERE b.officer_no = {OFFICER})))"
)
OF_OFFICER = "EXISTS (SELECT 1 FROM alerts.officer o WHERE o.officer_no = absence.officer_no{more})"
OFFICER_IN_RANGE = OF_OFFICER.format(more=f" AND o.division >= {LO} AND o.division < {HI}")

# table -> (what the app role may read, what it may write)
POLICIES = {
    "absence": (OF_OFFICER.format(more=""), OFFICER_IN_RANGE),
    "pairing": (IN_RANGE, IN_RANGE),
    "alert_barred": (f"officer_no = {OFFICER} OR {LIVES_OR_IS_REGISTERED}", LIVES_OR_IS_REGISTERED),
}
GRANTS = {"absence": "SELECT, INSERT, UPDATE", "pairing": "SELECT, INSERT, UPDATE", "alert_barred": "SELECT, INSERT"}

ROLES = (
    "role IN ('grid_worker','village_secretary','first_secretary','village_cadre','township_deputy',"
    "'township_leader','county_admin','liaison')"
)
FORMER_ROLES = "role IN ('grid_worker','village_secretary','first_secretary','township_leader','county_admin')"
REACHES = "reach IN ('duty','deputy','paired','fallthrough','copy','handed_over')"
FORMER_REACHES = "reach IN ('duty','fallthrough','copy','handed_over')"


def upgrade() -> None:
    _widen_officers_and_duties()
    _create_tables()
    for table, privileges in GRANTS.items():
        for role in (APP, WORKER):
            op.execute(f"GRANT {privileges} ON alerts.{table} TO {role}")
    for table, (reads, writes) in POLICIES.items():
        _secure(table, reads, writes)
    _see_alerts(f"({LIVES_OR_IS_REGISTERED}) AND {NOT_ABOUT_HIM}")
    _check("assignment", "reach", REACHES)
    _check("duty", "role", ROLES)
    _count_levels("6", "7")


def downgrade() -> None:
    _count_levels("4", "5")
    _check("duty", "role", FORMER_ROLES)
    _check("assignment", "reach", FORMER_REACHES)
    _see_alerts(LIVES_OR_IS_REGISTERED)
    for table in ("alert_barred", "pairing", "absence"):
        op.drop_table(table, schema="alerts")
    for column in ("deputy_no", "households"):
        op.drop_column("duty", column, schema="alerts")
    for column in ("household_no", "department"):
        op.drop_column("officer", column, schema="alerts")


def _secure(table: str, reads: str, writes: str) -> None:
    op.execute(f"ALTER TABLE alerts.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON alerts.{table} TO {APP} USING ({reads}) WITH CHECK ({writes})")
    op.execute(f"CREATE POLICY worker ON alerts.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def _see_alerts(reads: str) -> None:
    """Everything about an alert is read through it, and so hidden with it."""
    op.execute(f"ALTER POLICY scope ON alerts.alert USING ({reads}) WITH CHECK ({LIVES_OR_IS_REGISTERED})")


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, schema="alerts")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition, schema="alerts")


def _count_levels(township: str, county: str) -> None:
    """The owner of the table is held by the wall as well, and stands aside while it migrates."""
    op.execute("ALTER TABLE alerts.assignment NO FORCE ROW LEVEL SECURITY")
    op.execute(
        f"UPDATE alerts.assignment SET level = CASE role WHEN 'township_leader' THEN {township} ELSE {county} END"
        " WHERE role IN ('township_leader', 'county_admin')"
    )
    op.execute("ALTER TABLE alerts.assignment FORCE ROW LEVEL SECURITY")


def _widen_officers_and_duties() -> None:
    op.add_column("officer", sa.Column("household_no", sa.TEXT()), schema="alerts")
    op.add_column("officer", sa.Column("department", sa.TEXT()), schema="alerts")
    op.create_index(
        "ix_officer_household_no",
        "officer",
        ["household_no"],
        schema="alerts",
        postgresql_where=sa.text("household_no IS NOT NULL"),
    )
    op.add_column("duty", sa.Column("deputy_no", sa.TEXT()), schema="alerts")
    op.add_column("duty", sa.Column("households", sa.Integer()), schema="alerts")
    op.create_foreign_key(
        op.f("fk_duty_deputy_no"),
        "duty",
        "officer",
        ["deputy_no"],
        ["officer_no"],
        source_schema="alerts",
        referent_schema="alerts",
    )
    op.create_check_constraint(op.f("ck_duty_another_deputy"), "duty", "deputy_no <> officer_no", schema="alerts")
    op.create_check_constraint(op.f("ck_duty_households"), "duty", "households >= 0", schema="alerts")


def _create_tables() -> None:
    op.create_table(
        "absence",
        sa.Column("absence_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_absence_days")),
        sa.ForeignKeyConstraint(["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_absence_officer_no")),
        sa.PrimaryKeyConstraint("absence_id", name=op.f("pk_absence")),
        sa.UniqueConstraint("officer_no", "first_day", name=op.f("uq_absence_officer_no_first_day")),
        schema="alerts",
    )
    op.create_table(
        "pairing",
        sa.Column("pairing_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("household_no", sa.TEXT(), nullable=False),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("base_group", sa.TEXT(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("reason", sa.TEXT(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("until IS NULL OR until > since", name=op.f("ck_pairing_valid")),
        sa.CheckConstraint("base_group IN ('lifted_out','general')", name=op.f("ck_pairing_base_group")),
        sa.ForeignKeyConstraint(["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_pairing_officer_no")),
        sa.PrimaryKeyConstraint("pairing_id", name=op.f("pk_pairing")),
        sa.UniqueConstraint(
            "household_no", "officer_no", "since", name=op.f("uq_pairing_household_no_officer_no_since")
        ),
        schema="alerts",
    )
    for column in ("officer_no", "division"):
        op.create_index(op.f(f"ix_pairing_{column}"), "pairing", [column], schema="alerts")
    op.create_table(
        "alert_barred",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("why", sa.TEXT(), nullable=False),
        sa.Column("living_division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("registered_division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("why IN ('family','complaint')", name=op.f("ck_alert_barred_why")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_alert_barred_alert_id")),
        sa.ForeignKeyConstraint(
            ["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_alert_barred_officer_no")
        ),
        sa.PrimaryKeyConstraint("alert_id", "officer_no", name=op.f("pk_alert_barred")),
        schema="alerts",
    )
    op.create_index(op.f("ix_alert_barred_officer_no"), "alert_barred", ["officer_no"], schema="alerts")
