"""Leave a peer that is away alone, so that what waits for it keeps its place."""

import sqlalchemy as sa
from alembic import op

revision = "0020_quiet_peers"
down_revision = "0019_sealed_log"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "of a peer that is away, in a row"
    failures = sa.Column("failures", sa.Integer(), nullable=False, server_default="0", comment=comment)
    op.add_column("subscription", failures, schema="monitoring")
    comment = "until then a peer that is away is left alone"
    quiet = sa.Column("quiet_until", sa.DateTime(timezone=True), comment=comment)
    op.add_column("subscription", quiet, schema="monitoring")


def downgrade() -> None:
    op.drop_column("subscription", "quiet_until", schema="monitoring")
    op.drop_column("subscription", "failures", schema="monitoring")
