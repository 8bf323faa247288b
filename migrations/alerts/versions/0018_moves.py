"""An alert moves with its household, and whom it is about with it."""

from alembic import op

revision = "0018_moves"
down_revision = "0017_answer_terms"
branch_labels = None
depends_on = None

WORKER = "fangpin_alerts_worker"
MOVING = "UPDATE (living_division, registered_division) ON alerts.alert_barred"


def upgrade() -> None:
    op.execute(f"GRANT {MOVING} TO {WORKER}")


def downgrade() -> None:
    op.execute(f"REVOKE {MOVING} FROM {WORKER}")
