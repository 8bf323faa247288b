"""The household register: names in normal form, ended households, dated places, changes, the national list.

Changes are written by the service's worker role, after the caller's household was looked up under his scope; requests
themselves may only read these tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_register"
down_revision = "0003_policies"
branch_labels = None
depends_on = None

APP = "fangpin_monitoring"
WORKER = "fangpin_monitoring_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
IN_RANGE = f"division >= {LO} AND division < {HI}"
OF_HOUSEHOLD = "EXISTS (SELECT 1 FROM monitoring.household h WHERE h.household_id = {table}.household_id)"

# table -> what the app role may read; it writes none of them.
READS = {
    "household_place": OF_HOUSEHOLD.format(table="household_place"),
    "household_change": OF_HOUSEHOLD.format(table="household_change"),
    "monitored_import": IN_RANGE,
    "monitored_entry": f"({IN_RANGE}) OR {OF_HOUSEHOLD.format(table='monitored_entry')}",
}
GRANTS_TO_WORKER = {
    "household_place": "SELECT, INSERT, UPDATE (superseded_at)",
    "household_change": "SELECT, INSERT",
    "monitored_import": "SELECT, INSERT",
    "monitored_entry": "SELECT, INSERT, UPDATE (superseded_at)",
}
NAME_KEY = "lower(translate(normalize(name, NFKC), ' .·•‧∙・●⋅᛫'::text, ''::text))"
TAGGED = (
    "superseded_at IS NULL AND kind IN ('state.assistance', 'state.disability', 'state.monitored',"
    " 'state.national_list', 'state.relocated')"
)
CURRENT = sa.text("superseded_at IS NULL")


def upgrade() -> None:
    _widen()
    _create_tables()
    for table, privileges in GRANTS_TO_WORKER.items():
        op.execute(f"GRANT {privileges} ON monitoring.{table} TO {WORKER}")
    for table, reads in READS.items():
        op.execute(f"GRANT SELECT ON monitoring.{table} TO {APP}")
        op.execute(f"ALTER TABLE monitoring.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE monitoring.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scope ON monitoring.{table} TO {APP} USING ({reads}) WITH CHECK (false)")
        op.execute(f"CREATE POLICY worker ON monitoring.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def downgrade() -> None:
    for table in READS:
        op.drop_table(table, schema="monitoring")
    op.drop_index("ix_fact_tag", "fact", schema="monitoring")
    op.drop_index("ix_resident_name_key", "resident", schema="monitoring")
    op.drop_column("decision", "removal_blockers", schema="monitoring")
    op.drop_column("resident", "name_key", schema="monitoring")
    op.drop_column("household", "merged_into", schema="monitoring")
    op.drop_column("household", "ended_on", schema="monitoring")


def _widen() -> None:
    op.add_column(
        "household",
        sa.Column("ended_on", sa.Date(), nullable=True, comment="the day it ceased to be a household of its own"),
        schema="monitoring",
    )
    op.add_column(
        "household",
        sa.Column(
            "merged_into",
            sa.BigInteger(),
            nullable=True,
            comment="the household that took over its people and facts",
        ),
        schema="monitoring",
    )
    op.add_column(
        "resident",
        sa.Column(
            "name_key",
            sa.Text(),
            sa.Computed(NAME_KEY, persisted=True),
            nullable=True,
            comment="the name in normal form: width, blanks and middle dots aside",
        ),
        schema="monitoring",
    )
    op.add_column(
        "decision",
        sa.Column(
            "removal_blockers",
            postgresql.ARRAY(sa.TEXT()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="what spoke against removing it when it was removed; told, not enforced",
        ),
        schema="monitoring",
    )
    op.create_index(
        "ix_resident_name_key",
        "resident",
        ["name_key"],
        schema="monitoring",
        postgresql_ops={"name_key": "text_pattern_ops"},
    )
    op.create_index(
        "ix_fact_tag",
        "fact",
        ["kind", "value", "household_id"],
        schema="monitoring",
        postgresql_where=sa.text(TAGGED),
    )


def _create_tables() -> None:
    op.create_table(
        "household_place",
        sa.Column("place_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False, comment="the change, or the feed, that said so"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('living', 'registered')", name=op.f("ck_household_place_role")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_household_place_validity")),
        _of_household("household_place"),
        sa.PrimaryKeyConstraint("place_id", name=op.f("pk_household_place")),
        schema="monitoring",
    )
    op.create_index(
        "ix_household_place_household_id", "household_place", ["household_id", "role"], schema="monitoring"
    )
    op.create_table(
        "household_change",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("other_household_id", sa.BigInteger(), nullable=True),
        sa.Column("document_no", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("notes", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_by_kind", sa.Text(), nullable=False),
        sa.Column("changed_by_name", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        _of_household("household_change"),
        sa.PrimaryKeyConstraint("change_id", "household_id", name=op.f("pk_household_change")),
        schema="monitoring",
    )
    op.create_index(
        "ix_household_change_household_id", "household_change", ["household_id", "recorded_at"], schema="monitoring"
    )
    _create_list()


def _create_list() -> None:
    op.create_table(
        "monitored_import",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("imported_by_name", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_monitored_import")),
        schema="monitoring",
    )
    op.create_index(
        "ix_monitored_import_division", "monitored_import", ["division", "imported_at"], schema="monitoring"
    )
    op.create_table(
        "monitored_entry",
        sa.Column("entry_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("county", sa.String(length=6, collation="C"), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("household_no", sa.Text(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("head_name", sa.Text(), nullable=False),
        sa.Column("listed_as", sa.Text(), nullable=False),
        sa.Column("identified_on", sa.Date(), nullable=True),
        sa.Column("removed_on", sa.Date(), nullable=True),
        sa.Column("removal_mode", sa.Text(), nullable=True),
        sa.Column("causes", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column(
            "vanished",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="a complete export no longer has it",
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        _of_household("monitored_entry"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_monitored_entry")),
        schema="monitoring",
    )
    op.create_index(
        "uq_monitored_entry_current",
        "monitored_entry",
        ["county", "household_no"],
        unique=True,
        schema="monitoring",
        postgresql_where=CURRENT,
    )
    op.create_index(
        "ix_monitored_entry_household_id",
        "monitored_entry",
        ["household_id"],
        schema="monitoring",
        postgresql_where=CURRENT,
    )
    op.create_index("ix_monitored_entry_division", "monitored_entry", ["division"], schema="monitoring")


def _of_household(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["household_id"], ["monitoring.household.household_id"], name=op.f(f"fk_{table}_household_id")
    )
