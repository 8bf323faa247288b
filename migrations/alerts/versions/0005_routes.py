"""Routes by dated version, silences, and what an alert and a withheld message remember of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_routes"
down_revision = "0004_duty"
branch_labels = None
depends_on = None

APP = "fangpin_alerts"
WORKER = "fangpin_alerts_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
IN_RANGE = f"division >= {LO} AND division < {HI}"
# What is decided above holds for whoever is below, so he sees it.
IN_RANGE_OR_ABOVE = f"({IN_RANGE}) OR ({LO} < {HI} AND division <= {LO} AND division_hi >= {HI})"


def upgrade() -> None:
    _routes()
    _silences()
    op.add_column("alert", sa.Column("route_version", sa.TEXT()), schema="alerts")
    nodes = sa.Column("route_nodes", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("alert", nodes, schema="alerts")
    op.add_column("notification", sa.Column("silence_id", sa.Uuid()), schema="alerts")
    op.create_foreign_key(
        op.f("fk_notification_silence_id"),
        "notification",
        "silence",
        ["silence_id"],
        ["silence_id"],
        source_schema="alerts",
        referent_schema="alerts",
    )
    op.create_index(
        "ix_notification_silenced",
        "notification",
        ["silence_id"],
        schema="alerts",
        postgresql_where=sa.text("silence_id IS NOT NULL"),
    )
    # A version is never changed: only its activation may be written, and only once it exists.
    op.execute(f"GRANT SELECT, INSERT, UPDATE (state, valid_from, activated_by, activated_at) ON alerts.route_version TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (expired_at, expired_by) ON alerts.silence TO {APP}")
    op.execute(f"GRANT SELECT ON alerts.route_version TO {WORKER}")
    op.execute(f"GRANT SELECT, UPDATE (released_at) ON alerts.silence TO {WORKER}")
    for table in ("route_version", "silence"):
        op.execute(f"ALTER TABLE alerts.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY scope ON alerts.{table} TO {APP} USING ({IN_RANGE_OR_ABOVE}) WITH CHECK ({IN_RANGE})"
        )
        op.execute(f"CREATE POLICY worker ON alerts.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def downgrade() -> None:
    op.drop_column("notification", "silence_id", schema="alerts")
    op.drop_column("alert", "route_nodes", schema="alerts")
    op.drop_column("alert", "route_version", schema="alerts")
    op.drop_table("silence", schema="alerts")
    op.drop_table("route_version", schema="alerts")


def _routes() -> None:
    op.create_table(
        "route_version",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("division_hi", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.TEXT(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.TEXT(), nullable=False),
        sa.Column("created_by", sa.TEXT(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_by", sa.TEXT(), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('draft','active')", name=op.f("ck_route_version_state")),
        sa.CheckConstraint(
            "(state = 'active') = (valid_from IS NOT NULL)", name=op.f("ck_route_version_active_from")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_route_version")),
        sa.UniqueConstraint("name", name=op.f("uq_route_version_name")),
        sa.UniqueConstraint("division", "number", name=op.f("uq_route_version_division_number")),
        schema="alerts",
    )
    op.create_index(
        "ix_route_version_in_force",
        "route_version",
        ["division", "valid_from"],
        schema="alerts",
        postgresql_where=sa.text("state = 'active'"),
    )


def _silences() -> None:
    op.create_table(
        "silence",
        sa.Column("silence_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("division_hi", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("matchers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("author", sa.TEXT(), nullable=False),
        sa.Column("author_role", sa.TEXT(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expired_by", sa.TEXT(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "ends_at > starts_at AND ends_at <= starts_at + interval '90 days'",
            name=op.f("ck_silence_at_most_90_days"),
        ),
        sa.CheckConstraint("(expired_at IS NULL) = (expired_by IS NULL)", name=op.f("ck_silence_expired_by")),
        sa.PrimaryKeyConstraint("silence_id", name=op.f("pk_silence")),
        schema="alerts",
    )
    op.create_index(op.f("ix_silence_division"), "silence", ["division"], schema="alerts")
    op.create_index(
        "ix_silence_unreleased",
        "silence",
        ["ends_at"],
        schema="alerts",
        postgresql_where=sa.text("released_at IS NULL"),
    )
