"""An alert moves with its household: who is concerned moves with it, and what waited says why it was cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0018_moves"
down_revision = "0017_answer_terms"
branch_labels = None
depends_on = None

WORKER = "fangpin_alerts_worker"
MOVING = "UPDATE (living_division, registered_division) ON alerts.alert_barred"


def upgrade() -> None:
    comment = "why it was cancelled, where nobody's step did that"
    because = sa.Column("ended_because", sa.TEXT(), nullable=True, comment=comment)
    op.add_column("notification", because, schema="alerts")
    op.execute(f"GRANT {MOVING} TO {WORKER}")


def downgrade() -> None:
    op.execute(f"REVOKE {MOVING} FROM {WORKER}")
    op.drop_column("notification", "ended_because", schema="alerts")
