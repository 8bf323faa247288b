"""Keep whom a report complains of, so that its corrections say it again."""

import sqlalchemy as sa
from alembic import op

revision = "0016_about_officer"
down_revision = "0015_quiet_peers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "number of the officer whom it complains of"
    op.add_column("self_report", sa.Column("about_officer", sa.TEXT(), comment=comment), schema="intake")


def downgrade() -> None:
    op.drop_column("self_report", "about_officer", schema="intake")
