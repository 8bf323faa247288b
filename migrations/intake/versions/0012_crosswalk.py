"""Remember whom a department's own codes stand for, and let rows wait that carry nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0012_crosswalk"
down_revision = "0011_bulk_staging"
branch_labels = None
depends_on = None

WORKER = "fangpin_intake_worker"


def upgrade() -> None:
    op.create_table(
        "crosswalk",
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("county", sa.String(6, collation="C"), nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False, comment="of what it is a code"),
        sa.Column("code", sa.LargeBinary(), nullable=False, comment="keyed digest: it may hold an identity number"),
        sa.Column("owner", sa.Text(collation="C"), nullable=False, comment="blind index (hex), household number or division"),
        sa.Column("learnt_on", sa.Date(), nullable=False, comment="the day the row, or the list it is of, speaks of"),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(collation="C"), nullable=False, comment="natural key of the row it was learnt from"),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("owner_kind IN ('person','household','division')", name=op.f("ck_crosswalk_owner_kind")),
        sa.CheckConstraint("octet_length(code) = 32", name=op.f("ck_crosswalk_code")),
        sa.PrimaryKeyConstraint("department", "county", "owner_kind", "code", name=op.f("pk_crosswalk")),
        schema="intake",
        comment="Departments' own codes (本部门编码)",
    )
    op.create_table(
        "feed_code_staged",
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.Text(collation="C"), nullable=False),
        sa.Column("learnt_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("feed_id", "line", "owner_kind", name=op.f("pk_feed_code_staged")),
        schema="intake",
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "feed_row_coded",
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("sealed_cells", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["intake.feed.feed_id"], name=op.f("fk_feed_row_coded_feed_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("feed_id", "line", name=op.f("pk_feed_row_coded")),
        schema="intake",
        comment="Rows that carry only their department's own code, until their file is read to its end",
    )
    for table in ("crosswalk", "feed_row_coded"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON intake.{table} TO {WORKER}")
        op.execute(f"ALTER TABLE intake.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE intake.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY worker ON intake.{table} TO {WORKER} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON intake.feed_code_staged TO {WORKER}")


def downgrade() -> None:
    for table in ("feed_row_coded", "feed_code_staged", "crosswalk"):
        op.drop_table(table, schema="intake")
