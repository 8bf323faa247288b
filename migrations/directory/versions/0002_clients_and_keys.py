"""Clients of the token endpoint, fingerprints of keys, and who may read the directory."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_clients_and_keys"
down_revision = "0001_regions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oauth_client",
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("secret_hashes", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("department", sa.String()),
        sa.Column("scopes", postgresql.ARRAY(postgresql.TEXT()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_oauth_client"),
        schema="directory",
    )
    op.create_table(
        "key_fingerprint",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_key_fingerprint"),
        schema="directory",
    )
    op.execute("GRANT USAGE ON SCHEMA directory TO fangpin_directory, fangpin_directory_admin")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA directory TO fangpin_directory, fangpin_directory_admin")
    op.execute(
        "GRANT INSERT, UPDATE, DELETE ON directory.region, directory.oauth_client TO fangpin_directory_admin"
    )
