"""Keep messages as they were written: taken apart and put together again, each cost more than its journey."""

from alembic import op

revision = "0003_messages_as_written"
down_revision = "0002_contact_minutes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _keep_as("json")


def downgrade() -> None:
    _keep_as("jsonb")


def _keep_as(type_: str) -> None:
    op.execute(f"ALTER TABLE alerts.outbox ALTER COLUMN payload TYPE {type_} USING payload::text::{type_}")
