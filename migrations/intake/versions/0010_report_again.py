"""Report again after a withdrawal: a report that was taken back stands in no other's way."""

import sqlalchemy as sa
from alembic import op

revision = "0010_report_again"
down_revision = "0009_review"
branch_labels = None
depends_on = None

NAME, KEY = "uq_self_report_natural_key", ["division", "person_index", "reported_on", "hardships"]
FIRST = "root_id IS NULL"


def upgrade() -> None:
    _index(f"{FIRST} AND withdrawn_at IS NULL")


def downgrade() -> None:
    _index(FIRST)


def _index(where: str) -> None:
    op.drop_index(NAME, "self_report", schema="intake")
    op.create_index(NAME, "self_report", KEY, unique=True, schema="intake", postgresql_where=sa.text(where))
