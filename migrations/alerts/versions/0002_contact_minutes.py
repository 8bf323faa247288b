"""How long a visit or call took, if whoever went wrote it down."""

import sqlalchemy as sa
from alembic import op

revision = "0002_contact_minutes"
down_revision = "0001_alerts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    minutes = sa.Column("minutes", sa.SmallInteger(), comment="of the visit or call, way included")
    op.add_column("verification", minutes, schema="alerts")
    op.create_check_constraint(
        op.f("ck_verification_minutes"), "verification", "minutes BETWEEN 1 AND 1440", schema="alerts"
    )


def downgrade() -> None:
    op.drop_column("verification", "minutes", schema="alerts")
