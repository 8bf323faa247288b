"""A person may be told who looked at his household: the worker reads the trail by household."""

import sqlalchemy as sa
from alembic import op

revision = "0014_own_record"
down_revision = "0013_bulk_facts"
branch_labels = None
depends_on = None

WORKER = "fangpin_monitoring_worker"


def upgrade() -> None:
    where = sa.text("object LIKE 'household:%'")
    op.create_index("ix_audit_log_object", "audit_log", ["object", "at"], schema="monitoring", postgresql_where=where)
    op.execute(f"GRANT SELECT ON monitoring.audit_log TO {WORKER}")


def downgrade() -> None:
    op.execute(f"REVOKE SELECT ON monitoring.audit_log FROM {WORKER}")
    op.drop_index("ix_audit_log_object", "audit_log", schema="monitoring")
