"""Record rows of a large file by the shelf they are laid on."""

import sqlalchemy as sa
from alembic import op

revision = "0013_shelves"
down_revision = "0012_crosswalk"
branch_labels = None
depends_on = None

KEYS = {"feed_row_staged": "line", "feed_text_staged": "last_line"}


def upgrade() -> None:
    comment = "rows that are records are recorded up to this shelf"
    op.add_column("feed", sa.Column("merged_shelf", sa.SmallInteger(), comment=comment), schema="intake")
    op.execute("UPDATE intake.feed SET merged_shelf = 0 WHERE merged_line IS NOT NULL")
    op.execute("COMMENT ON COLUMN intake.feed.merged_line IS 'and up to this line of it'")
    for table in KEYS:
        # What is under way stands on no shelf.
        shelf = sa.Column("shelf", sa.SmallInteger(), nullable=False, server_default="0")
        op.add_column(table, shelf, schema="intake")
        op.alter_column(table, "shelf", server_default=None, schema="intake")
        _find_by(table, f"shelf, {KEYS[table]}")
    op.execute("COMMENT ON COLUMN intake.feed_row_staged.shelf IS 'what the row is recorded with'")


def downgrade() -> None:
    op.execute("UPDATE intake.feed SET merged_line = NULL WHERE merged_shelf > 0")
    for table, key in KEYS.items():
        _find_by(table, key)
        op.drop_column(table, "shelf", schema="intake")
    op.execute(
        "COMMENT ON COLUMN intake.feed.merged_line IS 'rows that are records are recorded up to this line'"
    )
    op.drop_column("feed", "merged_shelf", schema="intake")


def _find_by(table: str, key: str) -> None:
    op.execute(f"ALTER TABLE intake.{table} DROP CONSTRAINT pk_{table}")
    op.execute(f"ALTER TABLE intake.{table} ADD CONSTRAINT pk_{table} PRIMARY KEY (feed_id, {key})")
