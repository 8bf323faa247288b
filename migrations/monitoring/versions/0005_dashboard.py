"""Figures kept ready for the dashboard."""

revision = "0005_dashboard"
down_revision = "0004_register"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
