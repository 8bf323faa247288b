"""Robots and SMS: rates, breakers and ranks of endpoints, gateways, receipts, and a queue read by endpoint.

A delivery is seen by whoever sees its notification, since it may be about several alerts, or none.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_channels"
down_revision = "0009_tickets"
branch_labels = None
depends_on = None

APP = "fangpin_alerts"
WORKER = "fangpin_alerts_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
IN_RANGE = f"division >= {LO} AND division < {HI}"
IN_RANGE_OR_ABOVE = f"({IN_RANGE}) OR ({LO} < {HI} AND division <= {LO} AND division_hi >= {HI})"
OF_NOTIFICATION = (
    "EXISTS (SELECT 1 FROM alerts.notification n WHERE n.notification_id = delivery.notification_id)"
)
OF_ALERT = "EXISTS (SELECT 1 FROM alerts.alert a WHERE a.alert_id = delivery.alert_id)"
OF_DELIVERY = (
    "EXISTS (SELECT 1 FROM alerts.delivery d WHERE d.delivery_id = delivery_receipt.delivery_id)"
)

_MOMENT = sa.DateTime(timezone=True)
_DIVISION = sa.String(length=12, collation="C")


# All mail goes through one relay.
SMTP_OUTLET = "00000000-0000-0000-0000-000000000001"


def upgrade() -> None:
    _outlets()
    _endpoints()
    _deliveries()
    _gateways()
    _receipts()


def downgrade() -> None:
    op.drop_table("delivery_receipt", schema="alerts")
    op.drop_table("sms_gateway", schema="alerts")
    op.drop_column("delivery_attempt", "supplier_code", schema="alerts")
    with _seeing_all("delivery", "delivery_attempt", "endpoint"):
        _forget_new_states()
    op.execute(f"ALTER POLICY scope ON alerts.delivery USING ({OF_ALERT}) WITH CHECK ({OF_ALERT})")
    op.alter_column("delivery", "alert_id", nullable=False, schema="alerts")
    for name in ("waiting", "dead", "supplier_id", "endpoint_id_delivery_id"):
        op.drop_index(op.f(f"ix_delivery_{name}"), "delivery", schema="alerts")
    op.drop_column("delivery", "supplier_id", schema="alerts")
    op.drop_column("delivery", "outlet_id", schema="alerts")
    _state_checks("'due','delivered','dead','cancelled'", "'due'")
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["priority", "due_at"],
        schema="alerts",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    _channel_check("'webhook','smtp','console'")
    for name in ("sealed_query", "rank", "outlet_id"):
        op.drop_column("endpoint", name, schema="alerts")
    op.drop_table("outlet", schema="alerts")


def _forget_new_states() -> None:
    op.execute(
        "DELETE FROM alerts.delivery_attempt t USING alerts.delivery d"
        " WHERE t.delivery_id = d.delivery_id AND d.alert_id IS NULL"
    )
    op.execute("DELETE FROM alerts.delivery WHERE alert_id IS NULL")
    op.execute("UPDATE alerts.delivery SET state = 'delivered' WHERE state = 'confirmed'")
    op.execute("UPDATE alerts.delivery SET state = 'due' WHERE state = 'uncertain'")
    op.execute(
        "UPDATE alerts.endpoint SET channel = 'console', state = 'disabled'"
        " WHERE channel IN ('wecom','dingtalk','sms')"
    )


@contextmanager
def _seeing_all(*tables: str) -> Iterator[None]:
    """The owner sees no rows behind the wall; for a moment he does."""
    for table in tables:
        op.execute(f"ALTER TABLE alerts.{table} NO FORCE ROW LEVEL SECURITY")
    yield
    for table in tables:
        op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")


def _outlets() -> None:
    op.create_table(
        "outlet",
        sa.Column("outlet_id", sa.Uuid(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("burst", sa.Integer(), nullable=True),
        sa.Column("tokens", sa.Float(53), nullable=True),
        sa.Column("tokens_at", _MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("blocked_until", _MOMENT, nullable=True),
        sa.CheckConstraint("num_nonnulls(per_minute, burst) IN (0, 2)", name=op.f("ck_outlet_rate_whole")),
        sa.CheckConstraint(
            "per_minute BETWEEN 1 AND 60000 AND burst BETWEEN 1 AND 60000", name=op.f("ck_outlet_rate")
        ),
        sa.PrimaryKeyConstraint("outlet_id", name=op.f("pk_outlet")),
        schema="alerts",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON alerts.outlet TO {APP}, {WORKER}")


def _endpoints() -> None:
    for column in (
        sa.Column("sealed_query", sa.LargeBinary(), nullable=True),
        sa.Column("rank", sa.SmallInteger(), server_default=sa.text("50"), nullable=False),
        sa.Column("outlet_id", sa.Uuid(), nullable=True),
    ):
        op.add_column("endpoint", column, schema="alerts")
    with _seeing_all("endpoint"):
        _give_outlets()
    op.alter_column("endpoint", "outlet_id", nullable=False, schema="alerts")
    op.create_foreign_key(
        op.f("fk_endpoint_outlet_id"),
        "endpoint",
        "outlet",
        ["outlet_id"],
        ["outlet_id"],
        source_schema="alerts",
        referent_schema="alerts",
    )
    _channel_check("'webhook','smtp','console','wecom','dingtalk','sms'")


def _give_outlets() -> None:
    op.execute(
        f"UPDATE alerts.endpoint SET outlet_id = CASE channel WHEN 'smtp' THEN '{SMTP_OUTLET}'::uuid"
        " ELSE endpoint_id END"
    )
    op.execute("INSERT INTO alerts.outlet (outlet_id) SELECT DISTINCT outlet_id FROM alerts.endpoint")


def _channel_check(channels: str) -> None:
    op.drop_constraint(op.f("ck_endpoint_channel"), "endpoint", schema="alerts")
    op.create_check_constraint(
        op.f("ck_endpoint_channel"), "endpoint", f"channel IN ({channels})", schema="alerts"
    )


def _deliveries() -> None:
    op.add_column("delivery_attempt", sa.Column("supplier_code", sa.TEXT(), nullable=True), schema="alerts")
    op.add_column("delivery", sa.Column("supplier_id", sa.TEXT(), nullable=True), schema="alerts")
    op.alter_column("delivery", "alert_id", nullable=True, schema="alerts")
    op.add_column("delivery", sa.Column("outlet_id", sa.Uuid(), nullable=True), schema="alerts")
    with _seeing_all("delivery", "endpoint"):
        op.execute(
            "UPDATE alerts.delivery d SET outlet_id = e.outlet_id FROM alerts.endpoint e"
            " WHERE e.endpoint_id = d.endpoint_id"
        )
    op.alter_column("delivery", "outlet_id", nullable=False, schema="alerts")
    op.execute(
        f"ALTER POLICY scope ON alerts.delivery USING ({OF_NOTIFICATION}) WITH CHECK ({OF_NOTIFICATION})"
    )
    _state_checks("'due','uncertain','delivered','confirmed','dead','cancelled'", "'due','uncertain'")
    op.drop_index("ix_delivery_due", "delivery", schema="alerts")
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["outlet_id", "priority", "due_at"],
        schema="alerts",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_dead", "delivery", ["endpoint_id"], schema="alerts", postgresql_where=sa.text("state = 'dead'")
    )
    op.create_index(
        "ix_delivery_supplier_id",
        "delivery",
        ["supplier_id"],
        schema="alerts",
        postgresql_where=sa.text("supplier_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_delivery_endpoint_id_delivery_id"), "delivery", ["endpoint_id", "delivery_id"], schema="alerts"
    )


def _state_checks(states: str, waiting: str) -> None:
    op.drop_constraint(op.f("ck_delivery_state"), "delivery", schema="alerts")
    op.drop_constraint(op.f("ck_delivery_due"), "delivery", schema="alerts")
    op.create_check_constraint(op.f("ck_delivery_state"), "delivery", f"state IN ({states})", schema="alerts")
    op.create_check_constraint(
        op.f("ck_delivery_due"), "delivery", f"(state IN ({waiting})) = (due_at IS NOT NULL)", schema="alerts"
    )


def _gateways() -> None:
    op.create_table(
        "sms_gateway",
        sa.Column("gateway_id", sa.Uuid(), nullable=False),
        sa.Column("division", _DIVISION, nullable=False),
        sa.Column("division_hi", _DIVISION, nullable=False),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_receipt_secret", sa.LargeBinary(), nullable=True),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["gateway_id"], ["alerts.outlet.outlet_id"], name=op.f("fk_sms_gateway_gateway_id")
        ),
        sa.PrimaryKeyConstraint("gateway_id", name=op.f("pk_sms_gateway")),
        sa.UniqueConstraint("division", name=op.f("uq_sms_gateway_division")),
        schema="alerts",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON alerts.sms_gateway TO {APP}")
    op.execute(f"GRANT SELECT ON alerts.sms_gateway TO {WORKER}")
    _secure("sms_gateway", IN_RANGE_OR_ABOVE, IN_RANGE)


def _receipts() -> None:
    op.create_table(
        "delivery_receipt",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.TEXT(), nullable=False),
        sa.Column("arrived", sa.Boolean(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["alerts.delivery.delivery_id"], name=op.f("fk_delivery_receipt_delivery_id")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "state", name=op.f("pk_delivery_receipt")),
        schema="alerts",
    )
    op.execute(f"GRANT SELECT ON alerts.delivery_receipt TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON alerts.delivery_receipt TO {WORKER}")
    _secure("delivery_receipt", OF_DELIVERY, OF_DELIVERY)


def _secure(table: str, reads: str, writes: str) -> None:
    op.execute(f"ALTER TABLE alerts.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE alerts.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON alerts.{table} TO {APP} USING ({reads}) WITH CHECK ({writes})")
    op.execute(f"CREATE POLICY worker ON alerts.{table} TO {WORKER} USING (true) WITH CHECK (true)")
