"""What a screening reads and writes lies closer: memberships carry days, measures columns, what stands is narrow.

A membership that knows when its person was born and died spares a look-up of the person for each member of each
household assessed. What stands of a household's assessments has a table of its own, so that a rescreen, which writes
it for all, leaves alone the households whose class, severity and score are the same. A page with room in it takes the
new version of a row beside the old one, so that no index has to learn of it. Measures stand in columns of their own,
by position, which are read ten times as fast as the elements of an array; those stored so far are measured again. An
assessment is found by its household only, so that one index serves.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_screening"
down_revision = "0006_withdrawn_drafts"
branch_labels = None
depends_on = None

BORN = "to_char({0}.birth_date, 'YYYYMMDD')::integer"

COPY_PERSON = f"""
CREATE FUNCTION monitoring.copy_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT {BORN.format("r")}, r.died_on INTO NEW.born, NEW.died_on
    FROM monitoring.resident r WHERE r.resident_id = NEW.resident_id;
    RETURN NEW;
END
$$
"""
CORRECT_PERSON = f"""
CREATE FUNCTION monitoring.correct_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE monitoring.household_member SET born = {BORN.format("NEW")}, died_on = NEW.died_on
    WHERE resident_id = NEW.resident_id;
    RETURN NULL;
END
$$
"""
STAND = """
CREATE FUNCTION monitoring.stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO monitoring.standing (household_id) VALUES (NEW.household_id);
    RETURN NULL;
END
$$
"""
TRIGGERS = (
    ("household", "stand", "AFTER INSERT ON {} FOR EACH ROW", "stand()"),
    ("household_member", "copy_person", "BEFORE INSERT ON {} FOR EACH ROW", "copy_person()"),
    (
        "resident",
        "correct_person",
        "AFTER UPDATE OF birth_date, died_on ON {} FOR EACH ROW"
        " WHEN ((OLD.birth_date, OLD.died_on) IS DISTINCT FROM (NEW.birth_date, NEW.died_on))",
        "correct_person()",
    ),
)
MEASURES = 192
APP = "fangpin_monitoring"
WORKER = "fangpin_monitoring_worker"
OF_HOUSEHOLD = "EXISTS (SELECT 1 FROM monitoring.household h WHERE h.household_id = standing.household_id)"
STOOD = ("assessment_id", "digest", "gist")
# Of a household, what the dashboard counts; see 0005_dashboard.
COUNTED = (
    "living_division",
    "registered_division",
    "recommendation",
    "listed_as",
    "severity",
    "last_outcome",
    "warned_at",
)


def upgrade() -> None:
    comment = "yyyymmdd; of the resident, kept in step by a trigger"
    op.add_column("household_member", sa.Column("born", sa.Integer(), comment=comment), schema="monitoring")
    comment = "of the resident, kept in step by a trigger"
    op.add_column("household_member", sa.Column("died_on", sa.Date(), comment=comment), schema="monitoring")
    _fill()
    op.alter_column("household_member", "born", nullable=False, schema="monitoring")
    _let_stand()
    for function in (COPY_PERSON, CORRECT_PERSON, STAND):
        op.execute(function)
    for table, name, when, call in TRIGGERS:
        event = when.format(f"monitoring.{table}")
        op.execute(f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION monitoring.{call}")
    op.execute("ALTER TABLE monitoring.household SET (fillfactor = 50)")
    op.execute(f"GRANT USAGE ON SEQUENCE monitoring.assessment_assessment_id_seq TO {WORKER}")
    op.drop_index("ix_assessment_household_id", "assessment", schema="monitoring")
    op.execute("ALTER TABLE monitoring.assessment DROP CONSTRAINT pk_assessment")
    op.create_primary_key("pk_assessment", "assessment", ["household_id", "assessment_id"], schema="monitoring")
    _spread_measures()


def downgrade() -> None:
    op.execute("ALTER TABLE monitoring.assessment DROP CONSTRAINT pk_assessment")
    op.create_primary_key("pk_assessment", "assessment", ["assessment_id"], schema="monitoring")
    columns = ["household_id", "assessment_id"]
    op.create_index("ix_assessment_household_id", "assessment", columns, schema="monitoring")
    op.execute("TRUNCATE monitoring.measure")
    for number in range(1, MEASURES + 1):
        op.drop_column("measure", f"v{number}", schema="monitoring")
    values = sa.Column("values", postgresql.ARRAY(sa.BigInteger()), nullable=False)
    op.add_column("measure", values, schema="monitoring")
    op.execute(f"REVOKE USAGE ON SEQUENCE monitoring.assessment_assessment_id_seq FROM {WORKER}")
    op.execute("ALTER TABLE monitoring.household SET (fillfactor = 75)")
    for table, name, _, call in reversed(TRIGGERS):
        op.execute(f"DROP TRIGGER {name} ON monitoring.{table}")
        op.execute(f"DROP FUNCTION monitoring.{call}")
    _stand_no_longer()
    for column in ("died_on", "born"):
        op.drop_column("household_member", column, schema="monitoring")


def _let_stand() -> None:
    _create_standing()
    with _without_wall("household"):
        columns = ", ".join(STOOD)
        op.execute(
            f"INSERT INTO monitoring.standing (household_id, {columns})"
            f" SELECT household_id, {columns} FROM monitoring.household"
        )
    op.execute(f"GRANT SELECT ON monitoring.standing TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON monitoring.standing TO {WORKER}")
    op.execute("ALTER TABLE monitoring.standing ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE monitoring.standing FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON monitoring.standing TO {APP} USING ({OF_HOUSEHOLD}) WITH CHECK (false)")
    op.execute(f"CREATE POLICY worker ON monitoring.standing TO {WORKER} USING (true) WITH CHECK (true)")
    _note_changes_of(COUNTED)
    for column in STOOD:
        op.drop_column("household", column, schema="monitoring")


def _create_standing() -> None:
    op.create_table(
        "standing",
        sa.Column("household_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assessment_id", sa.BigInteger(), nullable=True),
        sa.Column("facts_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "reading",
            sa.BigInteger(),
            nullable=True,
            comment="fingerprint of the policy and values it was judged by",
        ),
        *_digests(),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_standing")),
        schema="monitoring",
    )
    op.execute("ALTER TABLE monitoring.standing SET (fillfactor = 50)")


def _digests() -> tuple[sa.Column[bytes], sa.Column[bytes]]:
    gist = "digest of class, severity and what fired; empty: no risk"
    return (
        sa.Column("digest", sa.LargeBinary(), nullable=True, comment="of the assessment that stands"),
        sa.Column("gist", sa.LargeBinary(), nullable=True, comment=gist),
    )


def _stand_no_longer() -> None:
    for column in (sa.Column("assessment_id", sa.BigInteger(), nullable=True), *_digests()):
        op.add_column("household", column, schema="monitoring")
    with _without_wall("household", "standing"):
        columns = ", ".join(f"{column} = s.{column}" for column in STOOD)
        op.execute(
            f"UPDATE monitoring.household h SET {columns} FROM monitoring.standing s"
            " WHERE s.household_id = h.household_id AND s.assessment_id IS NOT NULL"
        )
    op.drop_table("standing", schema="monitoring")
    _note_changes_of((*COUNTED, "assessment_id"))


def _note_changes_of(columns: tuple[str, ...]) -> None:
    """For the dashboard, of a household; a bulk writer notes places itself."""
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    op.execute("DROP TRIGGER dashboard_changed ON monitoring.household")
    op.execute(
        "CREATE TRIGGER dashboard_changed AFTER UPDATE ON monitoring.household FOR EACH ROW"
        " WHEN (coalesce(current_setting('fangpin.figures', true), '') <> 'later'"
        f" AND ({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION monitoring.note_household('household')"
    )


def _spread_measures() -> None:
    op.execute("TRUNCATE monitoring.measure")
    op.drop_column("measure", "values", schema="monitoring")
    added = ", ".join(f"ADD COLUMN v{number} bigint" for number in range(1, MEASURES + 1))
    op.execute(f"ALTER TABLE monitoring.measure {added}")


def _fill() -> None:
    with _without_wall("household_member", "resident"):
        op.execute(
            f"UPDATE monitoring.household_member m SET born = {BORN.format('r')}, died_on = r.died_on"
            " FROM monitoring.resident r WHERE r.resident_id = m.resident_id"
        )


@contextmanager
def _without_wall(*tables: str) -> Iterator[None]:
    """The owner of the tables is held by the wall as well, and stands aside while it migrates."""
    for table in tables:
        op.execute(f"ALTER TABLE monitoring.{table} NO FORCE ROW LEVEL SECURITY")
    yield
    for table in tables:
        op.execute(f"ALTER TABLE monitoring.{table} FORCE ROW LEVEL SECURITY")
