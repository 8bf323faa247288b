"""Who is it: pairs of persons for somebody to decide, numbers that name another, residents without a number.

Pairs are written by the service's worker role; requests may only read them, without what an undo needs.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015_identity_queue"
down_revision = "0014_own_record"
branch_labels = None
depends_on = None

APP = "fangpin_monitoring"
WORKER = "fangpin_monitoring_worker"
OF_HOUSEHOLDS = (
    "EXISTS (SELECT 1 FROM monitoring.household h WHERE h.household_id = identity_pair.household_id)"
    " OR EXISTS (SELECT 1 FROM monitoring.household h WHERE h.household_id = identity_pair.other_household_id)"
)
# table -> what the app role may read of it; it writes none of them.
READS = {
    "number_alias": "EXISTS (SELECT 1 FROM monitoring.resident r WHERE r.resident_id = number_alias.resident_id)",
    "identity_pair": OF_HOUSEHOLDS,
    "identity_decision": (
        "EXISTS (SELECT 1 FROM monitoring.identity_pair p WHERE p.pair_id = identity_decision.pair_id)"
    ),
}
GRANTS_TO_APP = {
    "number_alias": "SELECT",
    "identity_pair": "SELECT",
    "identity_decision": (
        "SELECT (decision_id, decision_no, pair_id, decision, undoes, survivor_id, absorbed_id, reason, document_no, notes,"
        " decided_by_name, decided_at)"
    ),
}
GRANTS_TO_WORKER = {
    "number_alias": "SELECT, INSERT, UPDATE, DELETE",
    "record_subject": "SELECT, INSERT, UPDATE, DELETE",
    "identity_pair": "SELECT, INSERT, UPDATE",
    "identity_decision": "SELECT, INSERT",
    "identity_sweep": "SELECT, INSERT, UPDATE",
}
NUMBERLESS = "why there is no number; number_index then stands in for one, nothing is sealed"
SIDES = "the other side: resident:, name:, households:, household:, waiting:"


def upgrade() -> None:
    op.add_column("resident", sa.Column("no_id_reason", sa.Text(), comment=NUMBERLESS), schema="monitoring")
    op.alter_column("resident", "sealed_number", nullable=True, schema="monitoring")
    op.create_check_constraint(
        op.f("ck_resident_number"),
        "resident",
        "sealed_number IS NOT NULL OR no_id_reason IS NOT NULL",
        schema="monitoring",
    )
    op.create_index("ix_resident_birth", "resident", ["birth_date", "name_key"], schema="monitoring")
    _create_tables()
    for table, privileges in GRANTS_TO_WORKER.items():
        op.execute(f"GRANT {privileges} ON monitoring.{table} TO {WORKER}")
    for table in ("record_subject", *READS):
        op.execute(f"ALTER TABLE monitoring.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE monitoring.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY worker ON monitoring.{table} TO {WORKER} USING (true) WITH CHECK (true)")
    for table, reads in READS.items():
        op.execute(f"GRANT {GRANTS_TO_APP[table]} ON monitoring.{table} TO {APP}")
        op.execute(f"CREATE POLICY scope ON monitoring.{table} TO {APP} USING ({reads}) WITH CHECK (false)")


def downgrade() -> None:
    for table in ("identity_sweep", "identity_decision", "identity_pair", "record_subject", "number_alias"):
        op.drop_table(table, schema="monitoring")
    op.drop_index("ix_resident_birth", "resident", schema="monitoring")
    op.drop_constraint(op.f("ck_resident_number"), "resident", schema="monitoring")
    # Whoever has no number cannot be held any more, but nobody is thrown out: an empty seal opens for nobody.
    op.execute("UPDATE monitoring.resident SET sealed_number = '' WHERE sealed_number IS NULL")
    op.alter_column("resident", "sealed_number", nullable=False, schema="monitoring")
    op.drop_column("resident", "no_id_reason", schema="monitoring")


def _create_tables() -> None:
    op.create_table(
        "number_alias",
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("resident_id", sa.BigInteger(), nullable=False),
        _of("number_alias", "resident"),
        sa.PrimaryKeyConstraint("number_index", name=op.f("pk_number_alias")),
        schema="monitoring",
    )
    op.create_index("ix_number_alias_resident_id", "number_alias", ["resident_id"], schema="monitoring")
    op.create_table(
        "record_subject",
        sa.Column("data_set", sa.Text(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column(
            "household_id",
            sa.BigInteger(),
            nullable=True,
            comment="where the fact lay before the persons were joined",
        ),
        sa.PrimaryKeyConstraint("data_set", "record_key", "kind", name=op.f("pk_record_subject")),
        schema="monitoring",
    )
    op.create_index("ix_record_subject_person", "record_subject", ["person"], schema="monitoring")
    _create_pairs()
    op.create_table(
        "identity_sweep",
        sa.Column("sweep_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("swept_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("sweep_id", name=op.f("pk_identity_sweep")),
        schema="monitoring",
    )


def _create_pairs() -> None:
    op.create_table(
        "identity_pair",
        sa.Column("pair_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("resident_id", sa.BigInteger(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False, comment=SIDES),
        sa.Column("other_resident_id", sa.BigInteger(), nullable=True),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("other_household_id", sa.BigInteger(), nullable=True),
        sa.Column("told_name", sa.Text(), nullable=True),
        sa.Column("told_by", sa.Text(), nullable=True),
        sa.Column("person", sa.LargeBinary(), nullable=True, comment="blind index of a waiting person"),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'same', 'different', 'moved', 'gone')", name=op.f("ck_identity_pair_state")
        ),
        sa.CheckConstraint("resident_id < other_resident_id", name=op.f("ck_identity_pair_unordered")),
        _of("identity_pair", "resident"),
        sa.PrimaryKeyConstraint("pair_id", name=op.f("pk_identity_pair")),
        schema="monitoring",
    )
    op.create_index(
        "uq_identity_pair_subject", "identity_pair", ["reason", "resident_id", "other"], unique=True, schema="monitoring"
    )
    op.create_index(
        "ix_identity_pair_open",
        "identity_pair",
        ["reason", "pair_id"],
        schema="monitoring",
        postgresql_where=sa.text("state = 'open'"),
    )
    for column in ("resident_id", "other_resident_id"):
        op.create_index(f"ix_identity_pair_{column}", "identity_pair", [column], schema="monitoring")
    op.create_table(
        "identity_decision",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("decision_no", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Uuid(), nullable=True),
        sa.Column("survivor_id", sa.BigInteger(), nullable=True),
        sa.Column("absorbed_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document_no", sa.Text(), nullable=True),
        sa.Column("notes", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("kept", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_by_name", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "decision IN ('same', 'different', 'moved', 'undo')", name=op.f("ck_identity_decision_decision")
        ),
        _of("identity_decision", "identity_pair", "pair_id"),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_identity_decision")),
        sa.UniqueConstraint("undoes", name=op.f("uq_identity_decision_undoes")),
        schema="monitoring",
    )
    op.create_index(
        "ix_identity_decision_pair_id", "identity_decision", ["pair_id", "decision_no"], schema="monitoring"
    )
    for column in ("survivor_id", "absorbed_id"):
        op.create_index(f"ix_identity_decision_{column}", "identity_decision", [column], schema="monitoring")


def _of(table: str, other: str, column: str = "resident_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"monitoring.{other}.{column}"], name=op.f(f"fk_{table}_{column}"))
