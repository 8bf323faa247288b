"""What policy asks of the answer to an alert stands in the alert, as it was told with the risk.

And an alert climbs as many levels as its county's chain has.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017_answer_terms"
down_revision = "0016_quiet_peers"
branch_labels = None
depends_on = None

NUMBERS = {"recheck_percent": "5", "recheck_working_days": "10", "task_working_days": "10"}


def upgrade() -> None:
    severities = sa.Column(
        "second_officer_severities",
        postgresql.ARRAY(sa.TEXT()),
        nullable=False,
        server_default=sa.text("'{red}'"),
        comment="of policy, as it was told",
    )
    op.add_column("alert", severities, schema="alerts")
    for name, usual in NUMBERS.items():
        column = sa.Column(name, sa.SmallInteger(), nullable=False, server_default=sa.text(usual))
        op.add_column("alert", column, schema="alerts")
    _levels("step >= 1")


def _levels(bounds: str) -> None:
    op.drop_constraint(op.f("ck_alert_escalation_step"), "alert_escalation", schema="alerts")
    op.create_check_constraint(op.f("ck_alert_escalation_step"), "alert_escalation", bounds, schema="alerts")


def downgrade() -> None:
    _levels("step BETWEEN 1 AND 4")
    for name in (*NUMBERS, "second_officer_severities"):
        op.drop_column("alert", name, schema="alerts")
