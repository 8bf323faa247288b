"""Interfaces that are asked regularly, and notices of data that did not come."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_pull"
down_revision = "0002_retention"
branch_labels = None
depends_on = None

APP = "fangpin_intake"
WORKER = "fangpin_intake_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
IN_RANGE = f"division >= {LO} AND division < {HI}"
DIVISION = sa.String(12, collation="C")


def upgrade() -> None:
    _connector()
    _data_notice()
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON intake.connector TO {APP}")
    op.execute(f"GRANT SELECT, UPDATE ON intake.connector TO {WORKER}")
    op.execute(f"GRANT SELECT ON intake.data_notice TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON intake.data_notice TO {WORKER}")
    for table, writes in (("connector", IN_RANGE), ("data_notice", "false")):
        op.execute(f"ALTER TABLE intake.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE intake.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY in_range ON intake.{table} TO {APP} USING ({IN_RANGE}) WITH CHECK ({writes})")
        op.execute(f"CREATE POLICY worker ON intake.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def _connector() -> None:
    op.create_table(
        "connector",
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("lease_token", sa.Uuid()),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("division", DIVISION, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("paging", sa.Text(), nullable=False),
        sa.Column("rows_at", sa.Text(), nullable=False, comment="dotted path to the rows; empty: the answer itself"),
        sa.Column("page_param", sa.Text(), nullable=False),
        sa.Column("size_param", sa.Text(), nullable=False),
        sa.Column("page_size", sa.Integer(), nullable=False),
        sa.Column("cursor_at", sa.Text(), nullable=False),
        sa.Column("period_param", sa.Text()),
        sa.Column("period_unit", sa.Text(), nullable=False),
        sa.Column("query", postgresql.JSONB(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False, comment="crontab line, China time"),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("last_feed_id", sa.Uuid()),
        sa.Column("succeeded_at", sa.DateTime(timezone=True)),
        sa.Column("failed_at", sa.DateTime(timezone=True), comment="since when it fails; null: it does not"),
        sa.Column("failure", postgresql.JSONB()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("dialect IN ('bearer','gateway_hmac','exchange_hmac')", name=op.f("ck_connector_dialect")),
        sa.CheckConstraint("paging IN ('none','number','cursor')", name=op.f("ck_connector_paging")),
        sa.CheckConstraint("period_unit IN ('month','day')", name=op.f("ck_connector_period_unit")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_connector")),
        schema="intake",
        comment="Departments' interfaces (对接接口)",
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_connector_due", "connector", ["priority", "due_at"], schema="intake", postgresql_where=due)


def _data_notice() -> None:
    op.create_table(
        "data_notice",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("division", DIVISION, nullable=False),
        sa.Column("connector", sa.Text(), nullable=False, comment="empty: no connector's"),
        sa.Column("due_by", sa.Date()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("kind IN ('late','missing','failing')", name=op.f("ck_data_notice_kind")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_data_notice")),
        schema="intake",
        comment="Data notices (数据催报)",
    )
    op.create_index(
        "ux_data_notice_open",
        "data_notice",
        ["kind", "layout", "division", "connector"],
        unique=True,
        schema="intake",
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("data_notice", schema="intake")
    op.drop_table("connector", schema="intake")
