"""A draft that its author or the county takes back before it is published."""

import sqlalchemy as sa
from alembic import op

revision = "0006_withdrawn_drafts"
down_revision = "0005_dashboard"
branch_labels = None
depends_on = None

COLUMNS = ("withdrawn_by", "withdrawn_by_name", "withdrawn_reason")
WITHDRAWAL = f"withdrawn_at, {', '.join(COLUMNS)}"


def upgrade() -> None:
    op.add_column("policy_draft", sa.Column("withdrawn_at", sa.DateTime(timezone=True)), schema="monitoring")
    for name in COLUMNS:
        op.add_column("policy_draft", sa.Column(name, sa.Text()), schema="monitoring")
    op.create_check_constraint(
        "ck_policy_draft_withdrawn_unpublished",
        "policy_draft",
        "withdrawn_at IS NULL OR published_at IS NULL",
        schema="monitoring",
    )
    op.execute(f"GRANT UPDATE ({WITHDRAWAL}) ON monitoring.policy_draft TO fangpin_monitoring")


def downgrade() -> None:
    op.drop_constraint("ck_policy_draft_withdrawn_unpublished", "policy_draft", schema="monitoring")
    for name in ("withdrawn_at", *COLUMNS):
        op.drop_column("policy_draft", name, schema="monitoring")
