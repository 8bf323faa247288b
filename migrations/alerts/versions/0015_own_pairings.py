"""Whoever helps a household sees that he does, whatever his range: his phone opens what a message told him of."""

from alembic import op

revision = "0015_own_pairings"
down_revision = "0014_cancelled_consultations"
branch_labels = None
depends_on = None

APP = "fangpin_alerts"
OFFICER = "nullif(current_setting('app.officer', true), '')"


def upgrade() -> None:
    op.execute(f"CREATE POLICY own ON alerts.pairing FOR SELECT TO {APP} USING (officer_no = {OFFICER})")


def downgrade() -> None:
    op.execute("DROP POLICY own ON alerts.pairing")
