"""JSON arrays are files as well."""

from alembic import op

revision = "0005_values"
down_revision = "0004_catalogue"
branch_labels = None
depends_on = None


CONSTRAINT = "ck_feed_media_type"


def upgrade() -> None:
    _allow("'text/csv','application/x-ndjson','application/json'")


def downgrade() -> None:
    _allow("'text/csv','application/x-ndjson'")


def _allow(media_types: str) -> None:
    op.drop_constraint(op.f(CONSTRAINT), "feed", schema="intake")
    op.create_check_constraint(op.f(CONSTRAINT), "feed", f"media_type IN ({media_types})", schema="intake")
