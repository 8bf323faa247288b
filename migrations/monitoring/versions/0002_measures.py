"""The stored measures of every household, and rescreens that go on where they stopped.

Assessments keep the compiled statement's row as an array of integers; rows of engine 1 keep theirs as JSON. Their
foreign key goes: whoever writes one holds the household's row, and checking it doubled the cost of a rescreen.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_measures"
down_revision = "0001_monitoring"
branch_labels = None
depends_on = None

APP = "fangpin_monitoring"
WORKER = "fangpin_monitoring_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"

OF_HOUSEHOLD = "EXISTS (SELECT 1 FROM monitoring.household h WHERE h.household_id = measure.household_id)"
OF_RESCREEN = "EXISTS (SELECT 1 FROM monitoring.rescreen r WHERE r.rescreen_id = rescreen_range.rescreen_id)"
OF_COUNTY = f"county || '000000' >= {LO} AND county || '000000' < {HI}"

# table -> (what the app role may read, what it may write)
POLICIES = {
    "measure": (OF_HOUSEHOLD, "false"),
    "rescreen_range": (OF_RESCREEN, OF_RESCREEN),
    "calendar_run": (OF_COUNTY, "false"),
}
GRANTS = {
    APP: {
        "measure": "SELECT",
        "rescreen_range": "SELECT, INSERT, UPDATE (due_at)",
        "calendar_run": "SELECT",
        "rescreen": "UPDATE (cancelled_at, cancelled_by)",
    },
    WORKER: {
        "measure": "SELECT, INSERT, UPDATE, DELETE",
        "rescreen_range": "SELECT, INSERT, UPDATE",
        "calendar_run": "SELECT, INSERT, UPDATE (rescreen_id)",
        "rescreen": "UPDATE (cancelled_at, cancelled_by)",
    },
}
DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    _widen()
    _create_tables()
    for role, grants in GRANTS.items():
        for table, privileges in grants.items():
            op.execute(f"GRANT {privileges} ON monitoring.{table} TO {role}")
    for table, (reads, writes) in POLICIES.items():
        _secure(table, reads, writes)


def downgrade() -> None:
    for table in ("calendar_run", "rescreen_range", "measure"):
        op.drop_table(table, schema="monitoring")
    for table, column in (
        ("rescreen", "cancelled_by"),
        ("rescreen", "cancelled_at"),
        ("assessment", "outcome"),
        ("household", "gist"),
        ("household", "digest"),
    ):
        op.drop_column(table, column, schema="monitoring")
    op.execute("ALTER TABLE monitoring.household RESET (fillfactor)")
    op.execute("REVOKE UPDATE ON monitoring.rescreen FROM " + f"{APP}, {WORKER}")
    # Rows of engine 2 have no JSON; they stay readable by their columns, and every household is assessed again.
    op.execute("UPDATE monitoring.assessment SET measured = '{}' WHERE measured IS NULL")
    op.alter_column("assessment", "measured", nullable=False, schema="monitoring")
    op.create_foreign_key(
        op.f("fk_assessment_household_id"),
        "assessment",
        "household",
        ["household_id"],
        ["household_id"],
        source_schema="monitoring",
        referent_schema="monitoring",
    )


def _widen() -> None:
    op.drop_constraint(op.f("fk_assessment_household_id"), "assessment", schema="monitoring")
    op.alter_column(
        "assessment",
        "measured",
        nullable=True,
        comment="engine 1: the compiled statement's row as JSON",
        schema="monitoring",
    )
    op.add_column(
        "assessment",
        sa.Column(
            "outcome",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=True,
            comment="the compiled statement's row in the package's order; see stored_outcome",
        ),
        schema="monitoring",
    )
    op.add_column(
        "household",
        sa.Column("digest", sa.LargeBinary(), nullable=True, comment="of the assessment that stands"),
        schema="monitoring",
    )
    op.add_column(
        "household",
        sa.Column(
            "gist",
            sa.LargeBinary(),
            nullable=True,
            comment="digest of class, severity and what fired; empty: no risk",
        ),
        schema="monitoring",
    )
    # Room on each page, so that what a rescreen changes touches no index.
    op.execute("ALTER TABLE monitoring.household SET (fillfactor = 75)")
    op.add_column(
        "rescreen", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True), schema="monitoring"
    )
    op.add_column("rescreen", sa.Column("cancelled_by", sa.Text(), nullable=True), schema="monitoring")


def _secure(table: str, reads: str, writes: str) -> None:
    op.execute(f"ALTER TABLE monitoring.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE monitoring.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON monitoring.{table} TO {APP} USING ({reads}) WITH CHECK ({writes})")
    op.execute(f"CREATE POLICY worker ON monitoring.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def _create_tables() -> None:
    op.create_table(
        "measure",
        sa.Column("household_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column("measured_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column(
            "changes_on",
            sa.Date(),
            nullable=True,
            comment="first day before the next month on which time alone changes them",
        ),
        sa.Column("facts_version", sa.BigInteger(), nullable=False),
        sa.Column("shape", sa.LargeBinary(), nullable=False, comment="digest of the measures' definitions"),
        sa.Column("values", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_measure")),
        schema="monitoring",
    )
    op.create_index("ix_measure_county", "measure", ["county", "household_id"], schema="monitoring")
    op.create_index(
        "ix_measure_changes_on",
        "measure",
        ["changes_on"],
        schema="monitoring",
        postgresql_where=sa.text("changes_on IS NOT NULL"),
    )
    op.create_table(
        "rescreen_range",
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("rescreen_id", sa.Uuid(), nullable=False),
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column("first_household", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_household", sa.BigInteger(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=True, comment="assessments appended"),
        sa.Column("told", sa.Integer(), nullable=True, comment="households whose risk was told"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["rescreen_id"],
            ["monitoring.rescreen.rescreen_id"],
            name=op.f("fk_rescreen_range_rescreen_id"),
        ),
        sa.PrimaryKeyConstraint("rescreen_id", "county", "first_household", name=op.f("pk_rescreen_range")),
        schema="monitoring",
    )
    op.create_index(
        "ix_rescreen_range_due",
        "rescreen_range",
        ["priority", "due_at"],
        schema="monitoring",
        postgresql_where=DUE,
    )
    op.create_table(
        "calendar_run",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rescreen_id", sa.Uuid(), nullable=True, comment="null: nothing was to be done"),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('time', 'monthly', 'quarterly')", name=op.f("ck_calendar_run_kind")),
        sa.PrimaryKeyConstraint("kind", "county", "day", name=op.f("pk_calendar_run")),
        schema="monitoring",
    )
