"""A record may be taken back, which waits like an end: what it takes back may still come."""

from alembic import op

revision = "0010_taken_back"
down_revision = "0009_timed_visits"
branch_labels = None
depends_on = None

TABLE, NAME = "unmatched_observation", "ck_unmatched_observation_op"


def upgrade() -> None:
    op.drop_constraint(op.f(NAME), TABLE, schema="monitoring", type_="check")
    op.create_check_constraint(op.f(NAME), TABLE, "op IN ('put', 'end', 'withdraw', 'reverse')", schema="monitoring")


def downgrade() -> None:
    op.execute("DELETE FROM monitoring.unmatched_observation WHERE op IN ('withdraw', 'reverse')")
    op.drop_constraint(op.f(NAME), TABLE, schema="monitoring", type_="check")
    op.create_check_constraint(op.f(NAME), TABLE, "op IN ('put', 'end')", schema="monitoring")
