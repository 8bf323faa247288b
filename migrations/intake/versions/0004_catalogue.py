"""Data sets that counties add; a file is another feed under another version of its layout."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_catalogue"
down_revision = "0003_pull"
branch_labels = None
depends_on = None

WORKER = "fangpin_intake_worker"
SAME = ["client", "layout", "division", "period", "mode", "digest"]
SAME_VERSION = ["client", "layout", "layout_version", "division", "period", "mode", "digest"]
COUNTS = sa.text("unauthorised = 0 AND (sealed_key IS NOT NULL OR status <> 'failed')")


def upgrade() -> None:
    op.create_table(
        "own_layout",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "division", sa.String(12, collation="C"), nullable=False, comment="whose it is, and who alone may send it"
        ),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, comment="made, retired or used again"),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_own_layout")),
        schema="intake",
        comment="Counties' own data sets (自定义数据集)",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON intake.own_layout TO {WORKER}")
    # Whoever asks is answered from what the process keeps of it; no request reads it.
    op.execute("ALTER TABLE intake.own_layout ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE intake.own_layout FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY worker ON intake.own_layout TO {WORKER} USING (true) WITH CHECK (true)")
    op.drop_index("uq_feed_same_file", "feed", schema="intake")
    op.create_index("uq_feed_same_file", "feed", SAME_VERSION, unique=True, schema="intake", postgresql_where=COUNTS)


def downgrade() -> None:
    op.drop_index("uq_feed_same_file", "feed", schema="intake")
    op.create_index("uq_feed_same_file", "feed", SAME, unique=True, schema="intake", postgresql_where=COUNTS)
    op.drop_table("own_layout", schema="intake")
