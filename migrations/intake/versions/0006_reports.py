"""Self-reports whole: who wrote and by which channel, receipts, limits, attachments, appeals, one's own record.

Reports made before have no consent on record: they stay as they were, without a receipt code.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_reports"
down_revision = "0005_values"
branch_labels = None
depends_on = None

APP = "fangpin_intake"
WORKER = "fangpin_intake_worker"
LO = "nullif(current_setting('app.lo', true), '')"
HI = "nullif(current_setting('app.hi', true), '')"
IN_RANGE = f"division >= {LO} AND division < {HI}"
MOMENT = sa.DateTime(timezone=True)

GRANTS_TO_APP = {
    "self_report": "UPDATE (receipt_no, withdrawn_at, sealed_withdrawal)",
    "receipt": "SELECT, INSERT, DELETE",
    "limit_count": "SELECT, INSERT, UPDATE",
    "attachment": "SELECT, INSERT, UPDATE (report_id, sealed_key, destroyed_at)",
    "appeal": "SELECT, INSERT, UPDATE (state, decided_at, decided_by, sealed_decision)",
    "own_record": "SELECT, INSERT",
}
GRANTS_TO_WORKER = {
    "self_report": "UPDATE (outcome, answered_by)",
    "limit_count": "SELECT, DELETE",
    "attachment": "SELECT, UPDATE (sealed_key, destroyed_at)",
    "appeal": "SELECT, UPDATE (state, alert_id, looked_at, looked_by, look_outcome)",
    "own_record": "SELECT, UPDATE (answered_at, sealed_answer), DELETE",
    "audit_log": "SELECT",
}
COLUMNS = (
    sa.Column("channel", sa.Text(), server_default=sa.text("'app'"), nullable=False),
    sa.Column("ticket_no", sa.Text(), comment="the hotline's own number"),
    sa.Column("filed_by", sa.Text(), server_default=sa.text("'self'"), nullable=False),
    sa.Column("sealed_filer", sa.LargeBinary(), comment="the relative who wrote it: relation, name, phone"),
    sa.Column("consent_version", sa.Text(), comment="null: made before consents were kept, or by a hotline"),
    sa.Column("basis", sa.Text(), comment="legal basis of a hotline's import"),
    sa.Column(
        "receipt_no",
        sa.SmallInteger(),
        server_default=sa.text("1"),
        nullable=False,
        comment="how many receipt codes it has had; the last counts",
    ),
    sa.Column("root_id", sa.Uuid(), comment="the first version; null: this is the first"),
    sa.Column("version", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
    sa.Column("sealed_correction", sa.LargeBinary(), comment="why it was corrected"),
    sa.Column("withdrawn_at", MOMENT),
    sa.Column("sealed_withdrawal", sa.LargeBinary(), comment="why"),
    sa.Column("outcome", sa.Text(), comment="the answer of the visit"),
    sa.Column("answered_by", sa.Text(), comment="number of the officer who gave the answer"),
)
NATURAL_KEY = ["division", "person_index", "reported_on", "hardships"]
CHANNELS = "channel IN ('app','phone','window','visit','hotline_12345','hotline_12317')"
FILERS = "filed_by IN ('self','relative','cadre','hotline')"
OPEN = sa.text("state IN ('filed','looked_at')")


def upgrade() -> None:
    _extend_reports()
    _create_tables()
    where = sa.text("object LIKE 'report:%'")
    op.create_index("ix_audit_log_object", "audit_log", ["object", "at"], schema="intake", postgresql_where=where)
    for role, grants in ((APP, GRANTS_TO_APP), (WORKER, GRANTS_TO_WORKER)):
        for table, privileges in grants.items():
            op.execute(f"GRANT {privileges} ON intake.{table} TO {role}")
    for table in ("attachment", "appeal", "own_record"):
        op.execute(f"ALTER TABLE intake.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE intake.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scope ON intake.{table} TO {APP} USING ({IN_RANGE}) WITH CHECK ({IN_RANGE})")
        op.execute(f"CREATE POLICY worker ON intake.{table} TO {WORKER} USING (true) WITH CHECK (true)")


def _extend_reports() -> None:
    for column in COLUMNS:
        op.add_column("self_report", column, schema="intake")
    op.execute("UPDATE intake.self_report SET filed_by = 'cadre', channel = 'visit' WHERE on_behalf_of IS NOT NULL")
    op.create_check_constraint(op.f("ck_self_report_channel"), "self_report", CHANNELS, schema="intake")
    op.create_check_constraint(op.f("ck_self_report_filed_by"), "self_report", FILERS, schema="intake")
    op.drop_constraint("uq_self_report_natural_key", "self_report", schema="intake")
    first = sa.text("root_id IS NULL")
    _index("uq_self_report_natural_key", NATURAL_KEY, first, unique=True)
    ticketed = sa.text("ticket_no IS NOT NULL AND root_id IS NULL")
    _index("uq_self_report_ticket", ["channel", "ticket_no", "division"], ticketed, unique=True)
    op.create_index("ix_self_report_person", "self_report", ["person_index", "received_at"], schema="intake")
    _index("ix_self_report_root", ["root_id"], sa.text("root_id IS NOT NULL"))


def _index(name: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, "self_report", columns, unique=unique, schema="intake", postgresql_where=where)


def _create_tables() -> None:
    op.create_table(
        "receipt",
        sa.Column("code_index", sa.LargeBinary(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("code_index", name=op.f("pk_receipt")),
        schema="intake",
        comment="Receipt codes (受理码)",
    )
    op.create_index("ix_receipt_report_id", "receipt", ["report_id"], schema="intake")
    op.create_table(
        "limit_count",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("window_start", MOMENT, nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "window_start", name=op.f("pk_limit_count")),
        schema="intake",
    )
    op.create_table(
        "attachment",
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), comment="null: uploaded before its report"),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column(
            "metadata", sa.Text(), nullable=False, comment="of the photo (EXIF, GPS): none, stripped or kept"
        ),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the bytes as kept"),
        sa.Column("sealed_key", sa.LargeBinary(), comment="null: destroyed"),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("destroyed_at", MOMENT),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_attachment_digest")),
        sa.CheckConstraint("metadata IN ('none','stripped','kept')", name=op.f("ck_attachment_metadata")),
        sa.CheckConstraint(
            "(sealed_key IS NULL) = (destroyed_at IS NOT NULL)", name=op.f("ck_attachment_destroyed")
        ),
        sa.PrimaryKeyConstraint("attachment_id", name=op.f("pk_attachment")),
        schema="intake",
        comment="Attachments of reports (申报附件)",
    )
    op.create_index("ix_attachment_report_id", "attachment", ["report_id"], schema="intake")
    loose = sa.text("report_id IS NULL AND destroyed_at IS NULL")
    op.create_index("ix_attachment_loose", "attachment", ["received_at"], schema="intake", postgresql_where=loose)
    _create_appeals()
    op.create_table(
        "own_record",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("person_index", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT),
        sa.Column("sealed_answer", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_own_record")),
        schema="intake",
        comment="Looks into one's own record (本人查询)",
    )
    op.create_index("ix_own_record_person", "own_record", ["person_index", "asked_at"], schema="intake")


def _create_appeals() -> None:
    op.create_table(
        "appeal",
        sa.Column("appeal_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="what is appealed: report:<id> or household:<no>"),
        sa.Column("report_id", sa.Uuid(), comment="the first version of the report"),
        sa.Column("division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("household_no", sa.Text()),
        sa.Column("against", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), comment="who gave the answer"),
        sa.Column("client", sa.Text(), nullable=False, comment="who filed it: a receipt code, or a person's login"),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'filed'"), nullable=False),
        sa.Column("filed_at", MOMENT, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False, comment="the last day for a decision"),
        sa.Column("alert_id", sa.Uuid()),
        sa.Column("looked_at", MOMENT),
        sa.Column("looked_by", sa.Text()),
        sa.Column("look_outcome", sa.Text()),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", sa.Text(), comment="officer number"),
        sa.Column("sealed_decision", sa.LargeBinary(), comment="the reasons, in plain words"),
        sa.CheckConstraint(
            "state IN ('filed','looked_at','upheld','changed','withdrawn')", name=op.f("ck_appeal_state")
        ),
        sa.CheckConstraint(
            "against IN ('no_risk','removed','not_listed','other_answer')", name=op.f("ck_appeal_against")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR answered_by IS NULL OR decided_by <> answered_by",
            name=op.f("ck_appeal_another_person"),
        ),
        sa.CheckConstraint(
            "(state IN ('upheld','changed')) = (decided_at IS NOT NULL)", name=op.f("ck_appeal_decided")
        ),
        sa.PrimaryKeyConstraint("appeal_id", name=op.f("pk_appeal")),
        schema="intake",
        comment="Appeals against an answer (申诉)",
    )
    op.create_index("uq_appeal_open", "appeal", ["subject"], unique=True, schema="intake", postgresql_where=OPEN)
    op.create_index("ix_appeal_due", "appeal", ["due_on"], schema="intake", postgresql_where=OPEN)
    op.create_index("ix_appeal_report_id", "appeal", ["report_id"], schema="intake")


def downgrade() -> None:
    op.execute(f"REVOKE SELECT ON intake.audit_log FROM {WORKER}")
    op.drop_index("ix_audit_log_object", "audit_log", schema="intake")
    for table in ("own_record", "appeal", "attachment", "limit_count", "receipt"):
        op.drop_table(table, schema="intake")
    for name in ("ix_self_report_root", "ix_self_report_person", "uq_self_report_ticket", "uq_self_report_natural_key"):
        op.drop_index(name, "self_report", schema="intake")
    op.execute("DELETE FROM intake.self_report WHERE root_id IS NOT NULL")
    op.create_unique_constraint("uq_self_report_natural_key", "self_report", NATURAL_KEY, schema="intake")
    for column in COLUMNS:
        op.drop_column("self_report", column.name, schema="intake")
