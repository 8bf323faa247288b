"""The stored measures of every household, and rescreens that go on where they stopped."""

revision = "0002_measures"
down_revision = "0001_monitoring"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
