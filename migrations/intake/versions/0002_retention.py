"""A raw file has a key of its own, and both are destroyed when its time is over."""

import sqlalchemy as sa
from alembic import op

revision = "0002_retention"
down_revision = "0001_intake"
branch_labels = None
depends_on = None

WORKER = "fangpin_intake_worker"
SAME = ["client", "layout", "division", "period", "mode", "digest"]
COUNTS = sa.text("unauthorised = 0 AND (sealed_key IS NOT NULL OR status <> 'failed')")


def upgrade() -> None:
    _refuse_feeds_under_way()
    comment = "the raw file's own key, sealed; null: destroyed"
    op.add_column("feed", sa.Column("sealed_key", sa.LargeBinary(), comment=comment), schema="intake")
    op.add_column("feed", sa.Column("raw_destroyed_at", sa.DateTime(timezone=True)), schema="intake")
    comment = "rows about people without a live authorisation: discarded, nothing of them is kept"
    count = sa.Column("unauthorised", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment=comment)
    op.add_column("feed", count, schema="intake")
    op.drop_constraint("uq_feed_same_file", "feed", schema="intake")
    op.create_index("uq_feed_same_file", "feed", SAME, unique=True, schema="intake", postgresql_where=COUNTS)
    # They are sealed under one key for all, which is not how raw files are kept from now on.
    op.execute("DELETE FROM intake.feed_chunk")
    op.execute("UPDATE intake.feed SET raw_destroyed_at = clock_timestamp()")
    op.execute(f"GRANT DELETE ON intake.feed_record TO {WORKER}")


def _refuse_feeds_under_way() -> None:
    under_way = "status IN ('received', 'reading', 'recording', 'waiting_confirmation')"
    if op.get_bind().execute(sa.text(f"SELECT count(*) FROM intake.feed WHERE {under_way}")).scalar():
        raise RuntimeError("还有报送批次未处理完：请先用原版本处理完 (或确认、作废) 再升级")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON intake.feed_record FROM {WORKER}")
    op.drop_index("uq_feed_same_file", "feed", schema="intake")
    op.create_unique_constraint("uq_feed_same_file", "feed", SAME, schema="intake")
    op.drop_column("feed", "unauthorised", schema="intake")
    op.drop_column("feed", "raw_destroyed_at", schema="intake")
    op.drop_column("feed", "sealed_key", schema="intake")
