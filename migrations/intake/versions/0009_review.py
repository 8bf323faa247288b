"""Rows held for review, and which file a file follows."""

import sqlalchemy as sa
from alembic import op

revision = "0009_review"
down_revision = "0008_formats"
branch_labels = None
depends_on = None

APP, WORKER = "fangpin_intake", "fangpin_intake_worker"
COUNTS = sa.text("unauthorised = 0 AND (sealed_key IS NOT NULL OR status <> 'failed')")
SAME = ["client", "layout", "layout_version", "division", "period", "mode", "digest", "unknown", "sheet"]
LEVEL = "ck_feed_row_error_level"
# What a request may see and say of a held row; its content is for the worker alone.
SEEN = "feed_id, line, record, held_at, decision, reason, decided_by, decided_at, recorded_at, overtaken_by"
SAID = "decision, reason, decided_by, decided_at"
OF_FEED = "EXISTS (SELECT 1 FROM intake.feed f WHERE f.feed_id = feed_row_held.feed_id)"


def upgrade() -> None:
    op.add_column("feed", sa.Column("follows", sa.Uuid(), comment="the newest other file of its data set when it came"), schema="intake")
    op.add_column(
        "feed",
        sa.Column("held", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="rows held for review"),
        schema="intake",
    )
    op.execute(
        """
        UPDATE intake.feed f SET follows = (
            SELECT o.feed_id FROM intake.feed o
            WHERE (o.layout, o.division, o.department) = (f.layout, f.division, f.department) AND o.feed_id < f.feed_id
              AND (o.digest, o.period) <> (f.digest, f.period) AND o.mode <> 'dry_run'
              AND o.status NOT IN ('rejected', 'failed')
            ORDER BY o.feed_id DESC LIMIT 1)
        """
    )
    _same_file([*SAME, "follows"], nulls_not_distinct=True)
    _levels("'error','warning','review'")
    op.create_table(
        "feed_row_held",
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False, comment="physical line where the row starts"),
        sa.Column("record", sa.Text(collation="C"), nullable=False, comment="natural key"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), comment="what the row says, sealed; null: settled or expired"),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.Text(), comment="null: nobody has decided yet"),
        sa.Column("reason", sa.Text()),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("recorded_at", sa.DateTime(timezone=True), comment="when a released row was recorded"),
        sa.Column("overtaken_by", sa.Uuid(), comment="the file that sent the record again"),
        sa.CheckConstraint("decision IN ('release','refuse')", name=op.f("ck_feed_row_held_decision")),
        sa.CheckConstraint("octet_length(digest) = 16", name=op.f("ck_feed_row_held_digest")),
        sa.ForeignKeyConstraint(["feed_id"], ["intake.feed.feed_id"], name=op.f("fk_feed_row_held_feed_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("feed_id", "line", name=op.f("pk_feed_row_held")),
        schema="intake",
        comment="Rows with an implausible amount, held until a person decides",
    )
    op.create_index(
        "ix_feed_row_held_released",
        "feed_row_held",
        ["decided_at"],
        schema="intake",
        postgresql_where=sa.text("decision = 'release' AND recorded_at IS NULL AND overtaken_by IS NULL"),
    )
    op.create_index("ix_feed_row_held_record", "feed_row_held", ["record"], schema="intake")
    op.execute(f"GRANT SELECT ({SEEN}), UPDATE ({SAID}) ON intake.feed_row_held TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON intake.feed_row_held TO {WORKER}")
    op.execute("ALTER TABLE intake.feed_row_held ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE intake.feed_row_held FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON intake.feed_row_held TO {APP} USING ({OF_FEED}) WITH CHECK ({OF_FEED})")
    op.execute(f"CREATE POLICY worker ON intake.feed_row_held TO {WORKER} USING (true) WITH CHECK (true)")


def downgrade() -> None:
    op.drop_table("feed_row_held", schema="intake")
    op.execute("DELETE FROM intake.feed_row_error WHERE level = 'review'")
    _levels("'error','warning'")
    # A file that was sent again counts once more as the one it was.
    op.execute("UPDATE intake.feed SET digest = sha256(digest || feed_id::text::bytea) WHERE follows IS NOT NULL")
    _same_file(SAME)
    op.drop_column("feed", "held", schema="intake")
    op.drop_column("feed", "follows", schema="intake")


def _same_file(columns: list[str], **options: bool) -> None:
    op.drop_index("uq_feed_same_file", "feed", schema="intake")
    more = {f"postgresql_{name}": value for name, value in options.items()}
    op.create_index("uq_feed_same_file", "feed", columns, unique=True, schema="intake", postgresql_where=COUNTS, **more)


def _levels(levels: str) -> None:
    op.drop_constraint(op.f(LEVEL), "feed_row_error", schema="intake")
    op.create_check_constraint(op.f(LEVEL), "feed_row_error", f"level IN ({levels})", schema="intake")
