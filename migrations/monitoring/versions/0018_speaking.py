"""Remember which feed's messages may be taken in side by side."""

import sqlalchemy as sa
from alembic import op

revision = "0018_speaking"
down_revision = "0017_messages_as_written"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "the feed whose messages may be taken in side by side"
    op.add_column("feed_freshness", sa.Column("speaking", sa.Text(), comment=comment), schema="monitoring")


def downgrade() -> None:
    op.drop_column("feed_freshness", "speaking", schema="monitoring")
