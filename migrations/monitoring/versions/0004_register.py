"""What the household register adds: names of changes, tags, the national monitored list."""

revision = "0004_register"
down_revision = "0003_policies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
