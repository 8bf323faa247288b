"""Figures kept ready for the dashboard, and the note of what has to be counted again.

Triggers append the place of every household that changed to `dashboard_touch`: an insert that conflicts with nothing
and waits for nobody, and at most one for each place in a run of a transaction. A worker counts these places again.
A bulk writer may set `fangpin.figures` to `later` for its transaction and append the places of its range itself.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_dashboard"
down_revision = "0004_register"
branch_labels = None
depends_on = None

APP = "fangpin_monitoring"
WORKER = "fangpin_monitoring_worker"
# As scalar subqueries they are computed once for a query, not for each of its rows.
LO = "(SELECT nullif(current_setting('app.lo', true), ''))"
HI = "(SELECT nullif(current_setting('app.hi', true), ''))"
OF_PLACE = (
    f"(living_division >= {LO} AND living_division < {HI})"
    f" OR (registered_division >= {LO} AND registered_division < {HI})"
)
OF_HOUSEHOLD = "EXISTS (SELECT 1 FROM monitoring.household h WHERE h.household_id = warning_opened.household_id)"

NOTE = """
CREATE FUNCTION monitoring.note_for_dashboard(place text, kind text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('fangpin.noted_' || kind, true) IS DISTINCT FROM place THEN
        INSERT INTO monitoring.dashboard_touch (village, what) VALUES (place, kind);
        PERFORM set_config('fangpin.noted_' || kind, place, true);
    END IF;
END
$$
"""

NOTE_HOUSEHOLD = """
CREATE FUNCTION monitoring.note_household() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.living_division IS DISTINCT FROM NEW.living_division THEN
        PERFORM monitoring.note_for_dashboard(OLD.living_division, TG_ARGV[0]);
    END IF;
    PERFORM monitoring.note_for_dashboard(NEW.living_division, TG_ARGV[0]);
    RETURN NULL;
END
$$
"""

NOTE_OF_HOUSEHOLD = """
CREATE FUNCTION monitoring.note_of_household() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM monitoring.note_for_dashboard(h.living_division, 'household') FROM monitoring.household h
    WHERE h.household_id = NEW.household_id;
    RETURN NULL;
END
$$
"""

NOTE_COUNTY = """
CREATE FUNCTION monitoring.note_county() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM monitoring.note_for_dashboard(NEW.county || '000000', 'household');
    RETURN NULL;
END
$$
"""

NOTE_WARNING = """
CREATE FUNCTION monitoring.note_warning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO monitoring.warning_opened (household_id, opened_at) VALUES (NEW.household_id, NEW.warned_at);
    RETURN NULL;
END
$$
"""

FUNCTIONS = (
    ("note_for_dashboard(text, text)", NOTE),
    ("note_household()", NOTE_HOUSEHOLD),
    ("note_of_household()", NOTE_OF_HOUSEHOLD),
    ("note_county()", NOTE_COUNTY),
    ("note_warning()", NOTE_WARNING),
)

NOT_LATER = "coalesce(current_setting('fangpin.figures', true), '') <> 'later'"
COUNTED = (
    "living_division",
    "registered_division",
    "recommendation",
    "listed_as",
    "severity",
    "last_outcome",
    "assessment_id",
    "warned_at",
)
PLACES = ("living_division", "registered_division", "facts_version")


def _differ(columns: tuple[str, ...]) -> str:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return f"({old}) IS DISTINCT FROM ({new})"


TRIGGERS = (
    ("household", "dashboard_new", f"AFTER INSERT ON {{}} FOR EACH ROW WHEN ({NOT_LATER})", "note_household('household')"),
    ("household", "dashboard_new_facts", f"AFTER INSERT ON {{}} FOR EACH ROW WHEN ({NOT_LATER})", "note_household('facts')"),
    (
        "household",
        "dashboard_changed",
        f"AFTER UPDATE ON {{}} FOR EACH ROW WHEN ({NOT_LATER} AND {_differ(COUNTED)})",
        "note_household('household')",
    ),
    (
        "household",
        "dashboard_facts",
        f"AFTER UPDATE ON {{}} FOR EACH ROW WHEN ({NOT_LATER} AND {_differ(PLACES)})",
        "note_household('facts')",
    ),
    (
        "household",
        "dashboard_warned",
        "AFTER UPDATE OF warned_at ON {} FOR EACH ROW WHEN (OLD.warned_at IS NULL AND NEW.warned_at IS NOT NULL)",
        "note_warning()",
    ),
    ("verification", "dashboard_new", "AFTER INSERT ON {} FOR EACH ROW", "note_of_household()"),
    ("decision", "dashboard_new", "AFTER INSERT ON {} FOR EACH ROW", "note_of_household()"),
    ("feed_freshness", "dashboard_new", "AFTER INSERT OR UPDATE ON {} FOR EACH ROW", "note_county()"),
)


def upgrade() -> None:
    _create_tables()
    _secure("warning_opened", OF_HOUSEHOLD, "SELECT", "SELECT, INSERT")
    _secure("dashboard_figure", OF_PLACE, "SELECT", "SELECT, INSERT, DELETE")
    _secure("dashboard_touch", None, "INSERT", "SELECT, INSERT, DELETE")
    op.execute(f"GRANT SELECT ON monitoring.dashboard_version TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON monitoring.dashboard_version TO {WORKER}")
    for _, text in FUNCTIONS:
        op.execute(text)
    for table, name, when, call in TRIGGERS:
        event = when.format(f"monitoring.{table}")
        op.execute(f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION monitoring.{call}")
    _catch_up()


def downgrade() -> None:
    for table, name, _, _ in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON monitoring.{table}")
    for signature, _ in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION monitoring.{signature}")
    for table in ("dashboard_version", "dashboard_touch", "dashboard_figure", "warning_opened"):
        op.drop_table(table, schema="monitoring")


def _catch_up() -> None:
    """Warnings of before: one that was answered is taken to have opened when it was answered; every place is counted.

    The owner of the tables is held by the wall as well, and stands aside while it migrates.
    """
    walled = ("household", "verification", "warning_opened", "dashboard_touch")
    for table in walled:
        op.execute(f"ALTER TABLE monitoring.{table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "INSERT INTO monitoring.warning_opened (household_id, opened_at)"
        " SELECT household_id, verified_at FROM monitoring.verification WHERE household_id IS NOT NULL"
        " UNION ALL SELECT household_id, warned_at FROM monitoring.household WHERE warned_at IS NOT NULL"
    )
    op.execute(
        "INSERT INTO monitoring.dashboard_touch (village, what)"
        " SELECT DISTINCT living_division, 'facts' FROM monitoring.household"
    )
    for table in walled:
        op.execute(f"ALTER TABLE monitoring.{table} FORCE ROW LEVEL SECURITY")


def _secure(table: str, reads: str | None, app: str, worker: str) -> None:
    op.execute(f"ALTER TABLE monitoring.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE monitoring.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY worker ON monitoring.{table} TO {WORKER} USING (true) WITH CHECK (true)")
    if reads is None:
        op.execute(f"CREATE POLICY note ON monitoring.{table} FOR INSERT TO {APP} WITH CHECK (true)")
    else:
        op.execute(f"CREATE POLICY scope ON monitoring.{table} TO {APP} USING ({reads}) WITH CHECK (false)")
    op.execute(f"GRANT {app} ON monitoring.{table} TO {APP}")
    op.execute(f"GRANT {worker} ON monitoring.{table} TO {WORKER}")


def _create_tables() -> None:
    op.create_table(
        "warning_opened",
        sa.Column("warning_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("warning_id", name=op.f("pk_warning_opened")),
        schema="monitoring",
    )
    op.create_index(
        "ix_warning_opened_household_id",
        "warning_opened",
        ["household_id", "opened_at"],
        unique=False,
        schema="monitoring",
    )
    op.create_table(
        "dashboard_figure",
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("living_division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("registered_division", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "figure", "living_division", "registered_division", "key", name=op.f("pk_dashboard_figure")
        ),
        schema="monitoring",
    )
    op.create_index(
        "ix_dashboard_figure_living_division", "dashboard_figure", ["living_division"], unique=False, schema="monitoring"
    )
    op.create_table(
        "dashboard_touch",
        sa.Column("touch_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("village", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.CheckConstraint("what IN ('household', 'facts')", name=op.f("ck_dashboard_touch_what")),
        sa.PrimaryKeyConstraint("touch_id", name=op.f("pk_dashboard_touch")),
        schema="monitoring",
    )
    op.create_table(
        "dashboard_version",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("places", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_dashboard_version")),
        schema="monitoring",
    )
