"""Workbooks are files as well; a sender may name the sheet and say what becomes of unknown columns."""

import sqlalchemy as sa
from alembic import op

revision = "0008_formats"
down_revision = "0007_authorisations"
branch_labels = None
depends_on = None

TEXTS = "'text/csv','application/x-ndjson','application/json'"
XLSX = "'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'"
COUNTS = sa.text("unauthorised = 0 AND (sealed_key IS NOT NULL OR status <> 'failed')")
SAME = ["client", "layout", "layout_version", "division", "period", "mode", "digest"]
DONE = "bytes read so far, of the text or rows that the file holds"


def upgrade() -> None:
    _allow(f"{TEXTS},{XLSX}")
    said = {"unknown": "'ignore'", "sheet": "''"}
    comments = {"unknown": "what becomes of unknown columns", "sheet": "of a workbook; empty: not named"}
    for name, default in said.items():
        column = sa.Column(name, sa.Text(), server_default=sa.text(default), nullable=False, comment=comments[name])
        op.add_column("feed", column, schema="intake")
    op.create_check_constraint(op.f("ck_feed_unknown"), "feed", "unknown IN ('ignore','reject')", schema="intake")
    _same([*SAME, "unknown", "sheet"])
    op.alter_column("feed", "bytes_done", schema="intake", comment=DONE)


def downgrade() -> None:
    op.alter_column("feed", "bytes_done", schema="intake", comment="bytes of the file read so far")
    op.execute(f"DELETE FROM intake.feed WHERE media_type = {XLSX} OR unknown <> 'ignore' OR sheet <> ''")
    _same(SAME)
    op.drop_constraint(op.f("ck_feed_unknown"), "feed", schema="intake")
    op.drop_column("feed", "sheet", schema="intake")
    op.drop_column("feed", "unknown", schema="intake")
    _allow(TEXTS)


def _allow(media_types: str) -> None:
    op.drop_constraint(op.f("ck_feed_media_type"), "feed", schema="intake")
    of = f"media_type IN ({media_types})"
    op.create_check_constraint(op.f("ck_feed_media_type"), "feed", of, schema="intake")


def _same(columns: list[str]) -> None:
    op.drop_index("uq_feed_same_file", "feed", schema="intake")
    op.create_index("uq_feed_same_file", "feed", columns, unique=True, schema="intake", postgresql_where=COUNTS)
