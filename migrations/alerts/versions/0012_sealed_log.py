"""The sealed log: the chain over the audit and the steps, its signed end, and the signed root of each day."""

import sqlalchemy as sa
from alembic import op

revision = "0012_sealed_log"
down_revision = "0011_flood"
branch_labels = None
depends_on = None

WORKER = "fangpin_alerts_worker"
# What the sealer may do: an entry and a day, once written, stay.
GRANTS = {"seal_entry": "SELECT, INSERT", "seal_day": "SELECT, INSERT", "seal_head": "SELECT, INSERT, UPDATE"}
BY_TIME = ("alert_log", "sector_task_log")
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
        schema="alerts",
    )
    op.create_index(op.f("ix_seal_entry_day_seq"), "seal_entry", ["day", "seq"], schema="alerts")
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
        schema="alerts",
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
        schema="alerts",
    )
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON alerts.{table} TO {WORKER}")
    op.execute(f"GRANT SELECT ON alerts.audit_log TO {WORKER}")
    for table in BY_TIME:
        op.create_index(f"ix_{table}_at", table, ["at"], schema="alerts", postgresql_using="brin")


def downgrade() -> None:
    for table in BY_TIME:
        op.drop_index(f"ix_{table}_at", table, schema="alerts")
    op.execute(f"REVOKE SELECT ON alerts.audit_log FROM {WORKER}")
    for table in GRANTS:
        op.drop_table(table, schema="alerts")
