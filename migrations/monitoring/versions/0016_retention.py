"""Facts whose time is over may go (保存期限): the worker's role may delete them, requests never.

The wall behind the policy package, whose shortest time is twelve months: nothing recorded lately can be deleted.
"""

from alembic import op

revision = "0016_retention"
down_revision = "0015_identity_queue"
branch_labels = None
depends_on = None

WORKER = "fangpin_monitoring_worker"


def upgrade() -> None:
    op.execute(
        f"CREATE POLICY kept ON monitoring.fact AS RESTRICTIVE FOR DELETE TO {WORKER}"
        " USING (recorded_at < now() - interval '11 months')"
    )
    op.execute(f"GRANT DELETE ON monitoring.fact TO {WORKER}")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON monitoring.fact FROM {WORKER}")
    op.execute("DROP POLICY kept ON monitoring.fact")
