"""Policies as the county changes them: drafts, approvals, publications, and what-if comparisons."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_policies"
down_revision = "0002_measures"
branch_labels = None
depends_on = None

APP, WORKER = "fangpin_monitoring", "fangpin_monitoring_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
IN_RANGE = f"division >= {LO} AND division < {HI}"
# What is published is public: a household may be assessed by the values of a place outside the reader's range.
PUBLISHED = f"published_at IS NOT NULL AND {LO} IS NOT NULL"
OF_COMPARISON = (
    "EXISTS (SELECT 1 FROM monitoring.policy_comparison c WHERE c.comparison_id = {table}.comparison_id)"
)
OF_HOUSEHOLD = (
    "EXISTS (SELECT 1 FROM monitoring.household h"
    " WHERE h.household_id = policy_comparison_household.household_id)"
)
PART, HOUSEHOLD = "policy_comparison_part", "policy_comparison_household"
OF_BOTH = f"({OF_COMPARISON.format(table=HOUSEHOLD)}) AND ({OF_HOUSEHOLD})"

# table -> (what the app role may read, what it may write)
POLICIES = {
    "policy_draft": (f"({IN_RANGE}) OR ({PUBLISHED})", IN_RANGE),
    "policy_comparison": (IN_RANGE, IN_RANGE),
    PART: (OF_COMPARISON.format(table=PART), OF_COMPARISON.format(table=PART)),
    HOUSEHOLD: (OF_BOTH, OF_BOTH),
}
APPROVAL = "approved_by, approved_by_name, approved_at"
PUBLICATION = (
    "published_by, published_by_name, published_at, activates_on, comparison_id, capacity_reason, activated_at"
)
FINISH = "state, problem, households, result, finished_at"
GRANTS_TO_APP = {
    "policy_draft": f"SELECT, INSERT, UPDATE ({APPROVAL}, {PUBLICATION})",
    "policy_comparison": f"SELECT, INSERT, UPDATE ({FINISH})",
    PART: "SELECT, INSERT, UPDATE",
    HOUSEHOLD: "SELECT, INSERT",
}
GRANTS_TO_WORKER = {
    "policy_draft": "SELECT, UPDATE (activated_at)",
    "policy_comparison": f"SELECT, UPDATE ({FINISH}), DELETE",
    PART: "SELECT, INSERT, UPDATE, DELETE",
    HOUSEHOLD: "SELECT, INSERT, DELETE",
}


def upgrade() -> None:
    _create_tables()
    for role, grants in ((APP, GRANTS_TO_APP), (WORKER, GRANTS_TO_WORKER)):
        for table, privileges in grants.items():
            op.execute(f"GRANT {privileges} ON monitoring.{table} TO {role}")
    for table, (reads, writes) in POLICIES.items():
        op.execute(f"ALTER TABLE monitoring.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE monitoring.{table} FORCE ROW LEVEL SECURITY")
        for verb in ("SELECT", "INSERT", "UPDATE"):
            seen = "" if verb == "INSERT" else f" USING ({reads if verb == 'SELECT' else writes})"
            written = "" if verb == "SELECT" else f" WITH CHECK ({writes})"
            op.execute(f"CREATE POLICY scope_{verb.lower()} ON monitoring.{table} FOR {verb} TO {APP}{seen}{written}")
        op.execute(f"CREATE POLICY worker ON monitoring.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def downgrade() -> None:
    for table in (HOUSEHOLD, PART, "policy_comparison", "policy_draft"):
        op.drop_table(table, schema="monitoring")


def _moment(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False, **more: object) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable, **more)


def _division(name: str) -> sa.Column:
    return sa.Column(name, sa.String(length=12, collation="C"), nullable=False)


def _create_tables() -> None:
    op.create_table(
        "policy_draft",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        _text("version"),
        _division("division"),
        _text("place_name"),
        _text("base_version"),
        sa.Column(
            "changes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="name, value as written, from, document_no",
        ),
        _text("authored_by"),
        _text("authored_by_name"),
        _moment("authored_at", nullable=False),
        _text("approved_by", nullable=True),
        _text("approved_by_name", nullable=True),
        _moment("approved_at"),
        _text("published_by", nullable=True),
        _text("published_by_name", nullable=True),
        _moment("published_at"),
        sa.Column("activates_on", sa.Date(), nullable=True),
        sa.Column(
            "comparison_id", sa.Uuid(), nullable=True, comment="the workload that was shown before publication"
        ),
        _text("capacity_reason", nullable=True, comment="why it was published above the capacity"),
        _moment("activated_at"),
        sa.CheckConstraint("approved_by <> authored_by", name=op.f("ck_policy_draft_second_person")),
        sa.CheckConstraint(
            "published_at IS NULL OR approved_at IS NOT NULL", name=op.f("ck_policy_draft_approved_first")
        ),
        sa.CheckConstraint(
            "(published_at IS NULL) = (activates_on IS NULL)", name=op.f("ck_policy_draft_published_from")
        ),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_policy_draft")),
        sa.UniqueConstraint("version", name=op.f("uq_policy_draft_version")),
        schema="monitoring",
    )
    op.create_index("ix_policy_draft_division", "policy_draft", ["division", "draft_id"], schema="monitoring")
    op.create_index(
        "ix_policy_draft_waiting",
        "policy_draft",
        ["activates_on"],
        schema="monitoring",
        postgresql_where=sa.text("activated_at IS NULL"),
    )
    op.create_table(
        "policy_comparison",
        sa.Column("comparison_id", sa.Uuid(), nullable=False),
        _text("version"),
        _text("against"),
        _division("division"),
        sa.Column("on_date", sa.Date(), nullable=False),
        _moment("known_at", nullable=False),
        _text("state", server_default=sa.text("'running'")),
        _text("problem", nullable=True),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        _text("requested_by"),
        _moment("requested_at", nullable=False),
        _moment("finished_at"),
        sa.CheckConstraint(
            "state IN ('running', 'finished', 'failed', 'cancelled')", name=op.f("ck_policy_comparison_state")
        ),
        sa.PrimaryKeyConstraint("comparison_id", name=op.f("pk_policy_comparison")),
        schema="monitoring",
    )
    op.create_index(
        "ix_policy_comparison_version", "policy_comparison", ["version", "requested_at"], schema="monitoring"
    )
    op.create_table(
        PART,
        _moment("due_at"),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("lease_until"),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("comparison_id", sa.Uuid(), nullable=False),
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column("first_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comparison_id"],
            ["monitoring.policy_comparison.comparison_id"],
            name=op.f("fk_policy_comparison_part_comparison_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("comparison_id", "county", "first_id", name=op.f("pk_policy_comparison_part")),
        schema="monitoring",
    )
    op.create_index(
        "ix_policy_comparison_part_due",
        PART,
        ["priority", "due_at"],
        schema="monitoring",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        HOUSEHOLD,
        sa.Column("comparison_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _division("living_division"),
        _text("class_before", nullable=True),
        _text("class_after", nullable=True),
        sa.Column("severity_before", sa.SmallInteger(), nullable=True),
        sa.Column("severity_after", sa.SmallInteger(), nullable=True),
        sa.Column("causes_before", sa.BigInteger(), nullable=False),
        sa.Column("causes_after", sa.BigInteger(), nullable=False),
        sa.Column(
            "fired_before",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="which indicators fired, 62 to a word, in the order of the policy",
        ),
        sa.Column("fired_after", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("visit_before", sa.Boolean(), nullable=False),
        sa.Column("visit_after", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("comparison_id", "household_id", name=op.f("pk_policy_comparison_household")),
        schema="monitoring",
    )
