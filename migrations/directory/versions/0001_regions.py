"""Regions: divisions with their names and the days they are in force."""

import sqlalchemy as sa
from alembic import op

revision = "0001_regions"
down_revision = None
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")


def upgrade() -> None:
    op.create_table(
        "region",
        sa.Column("code", CODE, nullable=False, comment="12 digits"),
        sa.Column("valid_from", sa.Date, nullable=False, comment="first day the source vouches for"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False,
                  comment="1 province, 2 prefecture, 3 county, 4 township, 5 village"),
        sa.Column("parent", CODE, comment="code of the division above"),
        sa.Column("valid_to", sa.Date, comment="first day no longer in force"),
        sa.Column("successor", CODE, comment="the one division that took over"),
        sa.Column("source", sa.Text, nullable=False, comment="list or imported file"),
        sa.PrimaryKeyConstraint("code", "valid_from", name=op.f("pk_region")),
        sa.CheckConstraint("code ~ '^[0-9]{12}$'", name=op.f("ck_region_code")),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_region_name")),
        sa.CheckConstraint("level between 1 and 5", name=op.f("ck_region_level")),
        sa.CheckConstraint("(parent is null) = (level = 1) and parent < code", name=op.f("ck_region_parent")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_region_valid_to")),
        sa.CheckConstraint(
            "successor ~ '^[0-9]{12}$' and successor <> code", name=op.f("ck_region_successor")
        ),
        schema="directory",
        comment="Divisions with their names (行政区划), dated",
    )
    op.create_index("ix_region_parent_code", "region", ["parent", "code"], schema="directory")


def downgrade() -> None:
    op.drop_table("region", schema="directory")
