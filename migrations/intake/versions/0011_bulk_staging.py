"""Stage what rows say many at once, find staged rows by line, and keep messages as they were written."""

import sqlalchemy as sa
from alembic import op

revision = "0011_bulk_staging"
down_revision = "0010_report_again"
branch_labels = None
depends_on = None

WORKER = "fangpin_intake_worker"
STAGED = "intake.feed_row_staged"


def upgrade() -> None:
    op.add_column(
        "feed",
        sa.Column("merged_line", sa.BigInteger(), comment="rows that are records are recorded up to this line"),
        schema="intake",
    )
    op.add_column(
        "feed",
        sa.Column("known", sa.BigInteger(), comment="how many of its records were known when it was settled"),
        schema="intake",
    )
    op.execute(
        "COMMENT ON COLUMN intake.feed.merged_after IS 'households up to this natural key are recorded'"
    )
    _stage_by("line", nullable=True)
    op.create_index(
        "ix_feed_row_staged_household",
        "feed_row_staged",
        ["feed_id", "record"],
        schema="intake",
        postgresql_where=sa.text("is_head IS NOT NULL"),
    )
    op.create_table(
        "feed_text_staged",
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("last_line", sa.BigInteger(), nullable=False),
        sa.Column("first_line", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False, comment="of the rows, eight bytes each"),
        sa.Column("contents", sa.Text(), nullable=False, comment="JSON of the rows, a line each"),
        sa.PrimaryKeyConstraint("feed_id", "last_line", name=op.f("pk_feed_text_staged")),
        schema="intake",
        prefixes=["UNLOGGED"],
    )
    _compress("feed_text_staged", "contents")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON intake.feed_text_staged TO {WORKER}")
    _keep_messages_as("json")


def downgrade() -> None:
    _keep_messages_as("jsonb")
    op.drop_table("feed_text_staged", schema="intake")
    op.drop_index("ix_feed_row_staged_household", "feed_row_staged", schema="intake")
    op.execute(f"DELETE FROM {STAGED} WHERE content IS NULL")
    op.execute(f"UPDATE {STAGED} SET is_head = false WHERE is_head IS NULL")
    _stage_by("record, line", nullable=False)
    op.execute("COMMENT ON COLUMN intake.feed.merged_after IS 'records up to this natural key are recorded'")
    op.drop_column("feed", "known", schema="intake")
    op.drop_column("feed", "merged_line", schema="intake")


def _stage_by(key: str, *, nullable: bool) -> None:
    """Let staged rows be found by `key`; may a row be of no household, and what it says stand elsewhere?"""
    op.execute(f"ALTER TABLE {STAGED} DROP CONSTRAINT pk_feed_row_staged")
    op.execute(f"ALTER TABLE {STAGED} ADD CONSTRAINT pk_feed_row_staged PRIMARY KEY (feed_id, {key})")
    said = {
        "is_head": ("null: the row is a record by itself", None),
        "content": ("JSON, as text for COPY; null: in feed_text_staged", "JSON; text, since COPY is binary"),
    }
    for column, (comment, before) in said.items():
        op.execute(f"ALTER TABLE {STAGED} ALTER COLUMN {column} {'DROP' if nullable else 'SET'} NOT NULL")
        written = comment if nullable else before
        op.execute(f"COMMENT ON COLUMN {STAGED}.{column} IS {'NULL' if written is None else repr(written)}")


def _keep_messages_as(type_: str) -> None:
    """Change how the outbox keeps messages: as written they are neither taken apart nor put together again."""
    op.execute(f"ALTER TABLE intake.outbox ALTER COLUMN payload TYPE {type_} USING payload::text::{type_}")
    _compress("outbox", "payload")


def _compress(table: str, column: str) -> None:
    """Compress a long column fast where the server can; if not, not at all: slowly would cost more than the rest."""
    op.execute(
        f"""
        DO $$ BEGIN
            IF 'lz4' = ANY (SELECT unnest(enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
                ALTER TABLE intake.{table} ALTER COLUMN {column} SET COMPRESSION lz4;
            ELSE
                ALTER TABLE intake.{table} ALTER COLUMN {column} SET STORAGE EXTERNAL;
            END IF;
        END $$
        """
    )
