"""The first tables of intake, their row-level security, and what each role may do.

Two walls: every query filters by division, and these policies show a transaction only the rows of its scope
(`app.lo`, `app.hi`, set inside the transaction; unset shows nothing). Workers have a role of their own. The staged
rows have no policy, since COPY refuses tables with one; only the worker may touch them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_intake"
down_revision = None
branch_labels = None
depends_on = None

APP = "fangpin_intake"
WORKER = "fangpin_intake_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
IN_RANGE = f"division >= {LO} AND division < {HI}"
OF_FEED = "EXISTS (SELECT 1 FROM intake.feed f WHERE f.feed_id = {table}.feed_id)"

# table -> (what the app role may read, what it may write)
POLICIES = {
    "feed": (IN_RANGE, IN_RANGE),
    "self_report": (IN_RANGE, IN_RANGE),
    "feed_row_error": (OF_FEED.format(table="feed_row_error"), "false"),
    "feed_chunk": (OF_FEED.format(table="feed_chunk"),) * 2,
}

GRANTS_TO_APP = {
    "feed": "SELECT, INSERT, UPDATE (status, problem, due_at, attempts, confirmed_at, confirmed_by, finished_at)",
    "feed_chunk": "INSERT",
    "feed_row_error": "SELECT",
    "self_report": "SELECT, INSERT",
    "outbox": "SELECT (id, created_at), INSERT",
    "outbox_delivery": "INSERT",
    "subscription": "SELECT (subscription_id, name, types, active)",
    "idempotency_key": "SELECT, INSERT",
    "audit_log": "INSERT",
}

GRANTS_TO_WORKER = {
    "feed": "SELECT, UPDATE",
    "feed_chunk": "SELECT, DELETE",
    "feed_row_staged": "SELECT, INSERT, DELETE",
    "feed_row_error": "SELECT, INSERT, DELETE",
    "feed_record": "SELECT, INSERT, UPDATE",
    "self_report": "SELECT, UPDATE (matched_at, unmatched_at, assessed_at, routed_at, delivered_at, acknowledged_at,"
    " verified_at, alert_id)",
    "outbox": "SELECT, INSERT, UPDATE, DELETE",
    "outbox_delivery": "SELECT, INSERT, UPDATE, DELETE",
    "subscription": "SELECT, INSERT, UPDATE, DELETE",
    "inbox": "SELECT, INSERT, DELETE",
    "idempotency_key": "SELECT, DELETE",
    "audit_log": "INSERT",
}


def upgrade() -> None:
    _create_tables()
    op.execute(f"GRANT USAGE ON SCHEMA intake TO {APP}, {WORKER}")
    op.execute(f"GRANT SELECT ON intake.alembic_version TO {APP}, {WORKER}")
    for role, grants in ((APP, GRANTS_TO_APP), (WORKER, GRANTS_TO_WORKER)):
        for table, privileges in grants.items():
            op.execute(f"GRANT {privileges} ON intake.{table} TO {role}")
    for table, (reads, writes) in POLICIES.items():
        _secure(table, reads, writes)


def _secure(table: str, reads: str, writes: str) -> None:
    op.execute(f"ALTER TABLE intake.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE intake.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON intake.{table} TO {APP} USING ({reads}) WITH CHECK ({writes})")
    op.execute(f"CREATE POLICY worker ON intake.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def _create_tables() -> None:
    op.create_table('audit_log',
        sa.Column('audit_id', sa.Uuid(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('actor', sa.String(), nullable=False),
        sa.Column('actor_kind', sa.String(), nullable=False),
        sa.Column('action', sa.String(), nullable=False),
        sa.Column('object', sa.String(), nullable=False),
        sa.Column('purpose', sa.String(), nullable=True),
        sa.Column('result', sa.String(), nullable=False),
        sa.Column('request_id', sa.String(), nullable=True),
        sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint('audit_id', name=op.f('pk_audit_log')),
        schema='intake'
    )
    op.create_table('feed',
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('priority', sa.SmallInteger(), server_default=sa.text('5'), nullable=False),
        sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('lease_token', sa.Uuid(), nullable=True),
        sa.Column('feed_id', sa.Uuid(), nullable=False),
        sa.Column('client', sa.Text(), nullable=False, comment='who sent it'),
        sa.Column('layout', sa.Text(), nullable=False),
        sa.Column('layout_version', sa.Integer(), nullable=False),
        sa.Column('department', sa.Text(), nullable=False),
        sa.Column('division', sa.String(length=12, collation='C'), nullable=False, comment='whose data it is; rows outside are refused'),
        sa.Column('period', sa.Text(), nullable=False, comment='as given; empty: not given'),
        sa.Column('snapshot_on', sa.Date(), nullable=False, comment='the day the list stood so: end of the period, or receipt'),
        sa.Column('valid_from', sa.Date(), nullable=False, comment='from when a roster holds: begin of the period, or receipt'),
        sa.Column('mode', sa.Text(), nullable=False),
        sa.Column('media_type', sa.Text(), nullable=False),
        sa.Column('digest', sa.LargeBinary(), nullable=False, comment='SHA-256 of the bytes received'),
        sa.Column('size_bytes', sa.BigInteger(), nullable=False),
        sa.Column('chunks', sa.Integer(), nullable=False),
        sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('traceparent', sa.Text(), nullable=True),
        sa.Column('status', sa.Text(), server_default=sa.text("'received'"), nullable=False),
        sa.Column('problem', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='why the file as a whole was refused'),
        sa.Column('report', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment='what was mapped, normalised, skipped, and why nothing ended'),
        sa.Column('bytes_done', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='bytes of the file read so far'),
        sa.Column('read', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='rows read so far, good and bad'),
        sa.Column('staged', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='rows of this feed in feed_row_staged; fewer there: the server crashed, read again'),
        sa.Column('accepted', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='rows taken in'),
        sa.Column('rejected', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='rows refused'),
        sa.Column('duplicates', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='accepted rows that repeat another row of the file'),
        sa.Column('records', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='records (rows, or households) that the accepted rows make'),
        sa.Column('records_done', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='records compared and recorded so far'),
        sa.Column('added', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='records not known before'),
        sa.Column('changed', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='records that differ from what was known'),
        sa.Column('unchanged', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='records known as they are'),
        sa.Column('ended', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='records that the snapshot no longer lists'),
        sa.Column('matched', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='observations that monitoring matched to a person or household'),
        sa.Column('unmatched', sa.BigInteger(), server_default=sa.text('0'), nullable=False, comment='observations that monitoring could not match yet'),
        sa.Column('merged_after', sa.Text(collation='C'), nullable=True, comment='records up to this natural key are recorded'),
        sa.Column('newest_on', sa.Date(), nullable=True, comment='latest day that a row speaks of'),
        sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('confirmed_by', sa.Text(), nullable=True),
        sa.CheckConstraint("media_type IN ('text/csv','application/x-ndjson')", name=op.f('ck_feed_media_type')),
        sa.CheckConstraint("mode IN ('dry_run','atomic','partial')", name=op.f('ck_feed_mode')),
        sa.CheckConstraint("status IN ('received','reading','recording','waiting_confirmation','recorded','checked','rejected','failed')", name=op.f('ck_feed_status')),
        sa.CheckConstraint('accepted + rejected <= read', name=op.f('ck_feed_counts')),
        sa.CheckConstraint('octet_length(digest) = 32', name=op.f('ck_feed_digest')),
        sa.PrimaryKeyConstraint('feed_id', name=op.f('pk_feed')),
        sa.UniqueConstraint('client', 'layout', 'division', 'period', 'mode', 'digest', name='uq_feed_same_file'),
        schema='intake',
        comment='Files from departments (报送批次)'
    )
    op.create_index('ix_feed_data_set', 'feed', ['layout', 'division', 'department', 'feed_id'], unique=False, schema='intake')
    op.create_index('ix_feed_due', 'feed', ['priority', 'due_at'], unique=False, schema='intake', postgresql_where=sa.text('due_at IS NOT NULL'))
    op.create_table('feed_record',
        sa.Column('layout', sa.Text(), nullable=False),
        sa.Column('division', sa.String(length=12, collation='C'), nullable=False, comment="the feed's, not the row's"),
        sa.Column('department', sa.Text(), nullable=False),
        sa.Column('record', sa.Text(collation='C'), nullable=False, comment='natural key; an identity number as blind index'),
        sa.Column('digest', sa.LargeBinary(), nullable=False),
        sa.Column('feed_id', sa.Uuid(), nullable=False, comment='the feed that listed it last'),
        sa.Column('ending', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='observations to end when a snapshot lists it no longer'),
        sa.Column('ended_on', sa.Date(), nullable=True),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint('octet_length(digest) = 16', name=op.f('ck_feed_record_digest')),
        sa.PrimaryKeyConstraint('layout', 'division', 'department', 'record', name=op.f('pk_feed_record')),
        schema='intake'
    )
    op.create_index('ix_feed_record_feed_id', 'feed_record', ['feed_id'], unique=False, schema='intake')
    op.create_table('feed_row_staged',
        sa.Column('feed_id', sa.Uuid(), nullable=False),
        sa.Column('record', sa.Text(collation='C'), nullable=False),
        sa.Column('line', sa.BigInteger(), nullable=False),
        sa.Column('digest', sa.LargeBinary(), nullable=False),
        sa.Column('is_head', sa.Boolean(), nullable=False),
        sa.Column('content', sa.Text(), nullable=False, comment='JSON; text, since COPY is binary'),
        sa.Column('sealed_number', sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint('feed_id', 'record', 'line', name=op.f('pk_feed_row_staged')),
        schema='intake',
        prefixes=['UNLOGGED']
    )
    op.create_table('idempotency_key',
        sa.Column('client', sa.String(), nullable=False),
        sa.Column('key', sa.String(), nullable=False),
        sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
        sa.Column('status', sa.SmallInteger(), nullable=False),
        sa.Column('answer', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('client', 'key', name=op.f('pk_idempotency_key')),
        schema='intake'
    )
    op.create_table('inbox',
        sa.Column('source', sa.String(), nullable=False),
        sa.Column('event_id', sa.Uuid(), nullable=False),
        sa.Column('type', sa.String(), nullable=False),
        sa.Column('digest', sa.LargeBinary(), nullable=False),
        sa.Column('event_time', sa.DateTime(timezone=True), nullable=False),
        sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('source', 'event_id', name=op.f('pk_inbox')),
        schema='intake'
    )
    op.create_table('outbox',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('aggregatetype', sa.String(), nullable=False),
        sa.Column('aggregateid', sa.String(), nullable=False),
        sa.Column('type', sa.String(), nullable=False),
        sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column('traceparent', sa.String(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
        schema='intake'
    )
    op.create_table('outbox_delivery',
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('priority', sa.SmallInteger(), server_default=sa.text('5'), nullable=False),
        sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
        sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('lease_token', sa.Uuid(), nullable=True),
        sa.Column('outbox_id', sa.Uuid(), nullable=False),
        sa.Column('subscription_id', sa.Uuid(), nullable=False),
        sa.Column('state', sa.String(), server_default=sa.text("'due'"), nullable=False),
        sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('last_status', sa.Integer(), nullable=True),
        sa.Column('last_error', sa.String(), nullable=True),
        sa.CheckConstraint("state IN ('due','delivered','dead')", name=op.f('ck_outbox_delivery_state')),
        sa.PrimaryKeyConstraint('outbox_id', 'subscription_id', name=op.f('pk_outbox_delivery')),
        schema='intake'
    )
    op.create_index('ix_outbox_delivery_due', 'outbox_delivery', ['priority', 'due_at'], unique=False, schema='intake', postgresql_where=sa.text('due_at IS NOT NULL'))
    op.create_table('self_report',
        sa.Column('report_id', sa.Uuid(), nullable=False),
        sa.Column('client', sa.Text(), nullable=False),
        sa.Column('division', sa.String(length=12, collation='C'), nullable=False),
        sa.Column('household_no', sa.Text(), nullable=True),
        sa.Column('person_index', sa.LargeBinary(), nullable=False, comment='blind index of the identity number'),
        sa.Column('sealed_number', sa.LargeBinary(), nullable=False),
        sa.Column('reporter_name', sa.Text(), nullable=False),
        sa.Column('sealed_phone', sa.LargeBinary(), nullable=True),
        sa.Column('sealed_description', sa.LargeBinary(), nullable=True),
        sa.Column('hardships', postgresql.ARRAY(sa.TEXT()), nullable=False, comment='sorted, each once'),
        sa.Column('amount_fen', sa.BigInteger(), nullable=True),
        sa.Column('on_behalf_of', sa.Text(), nullable=True, comment='number of the cadre who wrote it for the household'),
        sa.Column('reported_on', sa.Date(), nullable=False),
        sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('matched_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('unmatched_at', sa.DateTime(timezone=True), nullable=True, comment='monitoring knew nobody of that number then'),
        sa.Column('assessed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('routed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('alert_id', sa.Uuid(), nullable=True, comment='the newest alert that answers it, in the service alerts'),
        sa.CheckConstraint('amount_fen >= 0', name=op.f('ck_self_report_amount_fen')),
        sa.CheckConstraint('cardinality(hardships) BETWEEN 1 AND 9', name=op.f('ck_self_report_hardships')),
        sa.CheckConstraint('octet_length(person_index) = 32', name=op.f('ck_self_report_person_index')),
        sa.PrimaryKeyConstraint('report_id', name=op.f('pk_self_report')),
        sa.UniqueConstraint('division', 'person_index', 'reported_on', 'hardships', name='uq_self_report_natural_key'),
        schema='intake',
        comment='Reports by households (农户自主申报)'
    )
    op.create_table('subscription',
        sa.Column('subscription_id', sa.Uuid(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('url', sa.String(), nullable=False),
        sa.Column('types', postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column('secret', sa.LargeBinary(), nullable=False),
        sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('division', sa.String(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('subscription_id', name=op.f('pk_subscription')),
        sa.UniqueConstraint('name', name=op.f('uq_subscription_name')),
        schema='intake'
    )
    op.create_table('feed_chunk',
        sa.Column('feed_id', sa.Uuid(), nullable=False),
        sa.Column('seq', sa.Integer(), nullable=False),
        sa.Column('sealed', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(['feed_id'], ['intake.feed.feed_id'], name=op.f('fk_feed_chunk_feed_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('feed_id', 'seq', name=op.f('pk_feed_chunk')),
        schema='intake'
    )
    op.create_table('feed_row_error',
        sa.Column('error_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column('feed_id', sa.Uuid(), nullable=False),
        sa.Column('line', sa.BigInteger(), nullable=False, comment='physical line where the row starts; 1 is the first'),
        sa.Column('header', sa.Text(), nullable=True, comment='the column; null: the row'),
        sa.Column('code', sa.Text(), nullable=False),
        sa.Column('level', sa.Text(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('expected', sa.Text(), nullable=True),
        sa.Column('example', sa.Text(), nullable=True),
        sa.Column('echo', sa.Text(), nullable=True, comment='the value, masked'),
        sa.Column('record', sa.Text(collation='C'), nullable=True, comment='natural key, if readable'),
        sa.CheckConstraint("level IN ('error','warning')", name=op.f('ck_feed_row_error_level')),
        sa.ForeignKeyConstraint(['feed_id'], ['intake.feed.feed_id'], name=op.f('fk_feed_row_error_feed_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('error_id', name=op.f('pk_feed_row_error')),
        schema='intake'
    )
    op.create_index('ix_feed_row_error_feed_id', 'feed_row_error', ['feed_id', 'line', 'error_id'], unique=False, schema='intake')
    op.create_index('ix_feed_row_error_record', 'feed_row_error', ['feed_id', 'record'], unique=False, schema='intake')
