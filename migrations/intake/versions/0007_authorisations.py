"""Which households allowed their assets to be compared, and who lives in them."""

import sqlalchemy as sa
from alembic import op

revision = "0007_authorisations"
down_revision = "0006_reports"
branch_labels = None
depends_on = None

WORKER = "fangpin_intake_worker"


def upgrade() -> None:
    op.create_table(
        "household_person",
        sa.Column("county", sa.String(6, collation="C"), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False, comment="blind index"),
        sa.Column("household_no", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("county", "person", "household_no", name=op.f("pk_household_person")),
        schema="intake",
        comment="Who lives in which household, by the newest roster",
    )
    op.create_index("ix_household_person_household_no", "household_person", ["county", "household_no"], schema="intake")
    op.create_table(
        "authorisation",
        sa.Column("county", sa.String(6, collation="C"), nullable=False),
        sa.Column("record", sa.Text(collation="C"), nullable=False, comment="form and scope"),
        sa.Column("scope", sa.Text(), comment="the data set it allows"),
        sa.Column("household_no", sa.Text(collation="C")),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), comment="the first day on which it holds no more"),
        sa.Column("taken_back", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("county", "record", name=op.f("pk_authorisation")),
        schema="intake",
        comment="Authorisations (承诺授权)",
    )
    op.create_index("ix_authorisation_household_no", "authorisation", ["county", "household_no"], schema="intake")
    op.execute(f"GRANT UPDATE (record, echo) ON intake.feed_row_error TO {WORKER}")
    for table in ("household_person", "authorisation"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON intake.{table} TO {WORKER}")
        op.execute(f"ALTER TABLE intake.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE intake.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY worker ON intake.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (record, echo) ON intake.feed_row_error FROM {WORKER}")
    op.drop_table("authorisation", schema="intake")
    op.drop_table("household_person", schema="intake")
