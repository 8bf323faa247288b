"""The phone page: links that open once, phones that are logged in, PINs, and what a visitor saw of a household.

A link's row and a phone's row are seen by who holds the secret: `app.key` is its hash in hex, set inside the
transaction. Whoever has proved who he is (`app.officer`) sees his own PIN, phones, record and posts.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_phone"
down_revision = "0006_clock"
branch_labels = None
depends_on = None

APP = "fangpin_alerts"
WORKER = "fangpin_alerts_worker"
OFFICER = "nullif(current_setting('app.officer', true), '')"
KEY = "decode(nullif(current_setting('app.key', true), ''), 'hex')"

# table -> (whose rows a request sees and writes, what it may do, what the worker may do)
TABLES = {
    "phone_token": (f"token_hash = {KEY}", "SELECT, UPDATE (used_at)", "SELECT, INSERT, DELETE"),
    "phone_session": (
        f"session_hash = {KEY} OR officer_no = {OFFICER}",
        "SELECT, INSERT, UPDATE, DELETE",
        "SELECT, DELETE",
    ),
    "phone_pin": (f"officer_no = {OFFICER}", "SELECT, INSERT, UPDATE, DELETE", "SELECT"),
}


def upgrade() -> None:
    _create_tables()
    for table, (rows, of_app, of_worker) in TABLES.items():
        op.execute(f"ALTER TABLE alerts.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scope ON alerts.{table} TO {APP} USING ({rows}) WITH CHECK ({rows})")
        op.execute(f"CREATE POLICY worker ON alerts.{table} TO {WORKER} USING (true) WITH CHECK (true)")
        op.execute(f"GRANT {of_app} ON alerts.{table} TO {APP}")
        op.execute(f"GRANT {of_worker} ON alerts.{table} TO {WORKER}")
    # An officer sees his own posts, and those he stands in for.
    for table, owners in (("officer", "officer_no"), ("duty", "officer_no, deputy_no")):
        op.execute(f"CREATE POLICY own ON alerts.{table} FOR SELECT TO {APP} USING ({OFFICER} IN ({owners}))")
    op.add_column(
        "verification",
        sa.Column(
            "household_check",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="两不愁三保障 and drinking water: by need, what was seen and a line of text",
        ),
        schema="alerts",
    )


def downgrade() -> None:
    op.drop_column("verification", "household_check", schema="alerts")
    for table in ("officer", "duty"):
        op.execute(f"DROP POLICY own ON alerts.{table}")
    for table in TABLES:
        op.drop_table(table, schema="alerts")


def _create_tables() -> None:
    op.create_table(
        "phone_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at <= made_at + interval '24 hours'", name=op.f("ck_phone_token_a_day_at_most")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert.alert_id"], name=op.f("fk_phone_token_alert_id")),
        sa.ForeignKeyConstraint(["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_phone_token_officer_no")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_phone_token")),
        schema="alerts",
    )
    op.create_index(op.f("ix_phone_token_expires_at"), "phone_token", ["expires_at"], schema="alerts")
    op.create_table(
        "phone_session",
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unlocked_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_phone_session_officer_no")
        ),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_phone_session")),
        schema="alerts",
    )
    op.create_index(op.f("ix_phone_session_officer_no"), "phone_session", ["officer_no"], schema="alerts")
    op.create_index(op.f("ix_phone_session_expires_at"), "phone_session", ["expires_at"], schema="alerts")
    op.create_table(
        "phone_pin",
        sa.Column("officer_no", sa.TEXT(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("pin_hash", sa.LargeBinary(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrong", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("wrong BETWEEN 0 AND 4", name=op.f("ck_phone_pin_wrong")),
        sa.ForeignKeyConstraint(["officer_no"], ["alerts.officer.officer_no"], name=op.f("fk_phone_pin_officer_no")),
        sa.PrimaryKeyConstraint("officer_no", name=op.f("pk_phone_pin")),
        schema="alerts",
    )
