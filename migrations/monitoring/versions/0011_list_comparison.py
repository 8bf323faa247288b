"""The monthly comparison of lists: when it was made, and whom it found."""

import sqlalchemy as sa
from alembic import op

revision = "0011_list_comparison"
down_revision = "0010_taken_back"
branch_labels = None
depends_on = None

APP = "fangpin_monitoring"
WORKER = "fangpin_monitoring_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
READS = {
    # Whoever sees any part of a county may know when its lists were compared.
    "list_comparison": f"county >= left({LO}, 6) AND county || '000000' < {HI}",
    "list_finding": f"division >= {LO} AND division < {HI}",
}


def upgrade() -> None:
    _create()
    op.execute(f"GRANT SELECT ON monitoring.list_comparison, monitoring.list_finding TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON monitoring.list_comparison TO {WORKER}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON monitoring.list_finding TO {WORKER}")
    for table, reads in READS.items():
        op.execute(f"ALTER TABLE monitoring.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE monitoring.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scope ON monitoring.{table} TO {APP} USING ({reads}) WITH CHECK (false)")
        op.execute(f"CREATE POLICY worker ON monitoring.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def _create() -> None:
    op.create_table(
        "list_comparison",
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("lease_token", sa.Uuid()),
        sa.Column("comparison_id", sa.Uuid(), nullable=False),
        sa.Column("county", sa.String(6, collation="C"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("compared_at", sa.DateTime(timezone=True)),
        sa.Column("compared_on", sa.Date()),
        sa.PrimaryKeyConstraint("comparison_id", name=op.f("pk_list_comparison")),
        schema="monitoring",
        comment="Monthly comparisons (每月20日数据比对)",
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ux_list_comparison_due", "list_comparison", ["county"], unique=True, schema="monitoring", postgresql_where=due
    )
    op.create_index("ix_list_comparison_month", "list_comparison", ["county", "month"], schema="monitoring")
    op.create_table(
        "list_finding",
        sa.Column("finding_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("comparison_id", sa.Uuid(), nullable=False),
        sa.Column("check_code", sa.Text(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("resident_id", sa.BigInteger()),
        sa.Column(
            "division", sa.String(12, collation="C"), nullable=False, comment="where the household lived then"
        ),
        sa.ForeignKeyConstraint(
            ["comparison_id"],
            ["monitoring.list_comparison.comparison_id"],
            name=op.f("fk_list_finding_comparison_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_list_finding")),
        schema="monitoring",
    )
    columns = ["comparison_id", "division", "check_code"]
    op.create_index("ix_list_finding_comparison", "list_finding", columns, schema="monitoring")
    op.create_index("ix_list_finding_household_id", "list_finding", ["household_id"], schema="monitoring")


def downgrade() -> None:
    op.drop_table("list_finding", schema="monitoring")
    op.drop_table("list_comparison", schema="monitoring")
