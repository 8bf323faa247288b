"""Policies as the county changes them: drafts, approvals, activations."""

revision = "0003_policies"
down_revision = "0002_measures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
