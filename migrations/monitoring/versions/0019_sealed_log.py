"""The sealed log: the chain over the audit, its signed end, and the signed root of each day."""

import sqlalchemy as sa
from alembic import op

revision = "0019_sealed_log"
down_revision = "0018_speaking"
branch_labels = None
depends_on = None

WORKER = "fangpin_monitoring_worker"
# What the sealer may do: an entry and a day, once written, stay.
GRANTS = {"seal_entry": "SELECT, INSERT", "seal_day": "SELECT, INSERT", "seal_head": "SELECT, INSERT, UPDATE"}
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "seal_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("row_key", sa.TEXT(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_seal_entry")),
        sa.UniqueConstraint("source", "row_key", name=op.f("uq_seal_entry_source_row_key")),
        schema="monitoring",
    )
    op.create_index(op.f("ix_seal_entry_day_seq"), "seal_entry", ["day", "seq"], schema="monitoring")
    op.create_table(
        "seal_head",
        sa.Column("head_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", _MOMENT, nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("marked_day", sa.Date(), nullable=True),
        sa.Column("marked_xact", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("head_id = 1", name=op.f("ck_seal_head_one")),
        sa.PrimaryKeyConstraint("head_id", name=op.f("pk_seal_head")),
        schema="monitoring",
    )
    op.create_table(
        "seal_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_seal_day")),
        sa.UniqueConstraint("number", name=op.f("uq_seal_day_number")),
        schema="monitoring",
    )
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON monitoring.{table} TO {WORKER}")


def downgrade() -> None:
    for table in GRANTS:
        op.drop_table(table, schema="monitoring")
