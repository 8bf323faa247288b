"""The second wall: the database itself shows a request the rows of its scope, whatever the program asks for."""

import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from shared.db.pool import open_pool
from shared.db.scope import scoped, transaction
from tests.house.county import COUNTY, OTHER_COUNTY, OWN, PLACES, County, household_no
from tests.house.wall import APP_ROLES, CLOSED_TO_REQUESTS, NO_PERSONAL_ROWS, reason_for

Single = dict[str, asyncpg.Pool]


@pytest.fixture
async def single(county: County, database: str) -> AsyncIterator[Single]:
    """For each service a pool of one connection under the role that serves requests."""
    pools = {name: await open_pool(database, role=role, schema=name, size=1) for name, role in APP_ROLES.items()}
    yield pools
    for pool in pools.values():
        await pool.close()


async def _tables(admin: asyncpg.Connection) -> list[tuple[str, str, bool, bool]]:
    """Schema, name, whether row-level security is forced, whether a policy exists; partitions are left out."""
    rows = await admin.fetch(
        """
        SELECT n.nspname, c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,
               EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS has_policy
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1, 2
        """,
        list(APP_ROLES),
    )
    return [tuple(row) for row in rows]


async def _walled(admin: asyncpg.Connection, schema: str) -> list[str]:
    return [table for place, table, forced, _ in await _tables(admin) if place == schema and forced]


# --- how the wall is built -----------------------------------------------------------------------------------


async def test_every_table_is_walled_or_says_why_not(admin: asyncpg.Connection) -> None:
    for schema, table, forced, has_policy in await _tables(admin):
        open_because = reason_for(schema, table, NO_PERSONAL_ROWS) or reason_for(schema, table, CLOSED_TO_REQUESTS)
        assert (forced and has_policy) != bool(open_because), f"{schema}.{table}"


async def test_what_is_open_names_no_place_and_nobody(admin: asyncpg.Connection) -> None:
    """A table listed as without people has no column that could name one."""
    telling = (
        "household_id",
        "household_no",
        "resident_id",
        "alert_id",
        "feed_id",
        "living_division",
        "county",
        "phone",
    )
    rows = await admin.fetch(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = ANY ($1) AND column_name = ANY ($2)",
        list(APP_ROLES),
        list(telling),
    )
    assert [tuple(row) for row in rows if reason_for(row[0], row[1], NO_PERSONAL_ROWS)] == []


async def test_what_is_closed_to_requests_cannot_be_read_by_them(admin: asyncpg.Connection) -> None:
    """Not a column but those that `INSERT ... RETURNING` needs."""
    for schema, table, _, _ in await _tables(admin):
        if reason_for(schema, table, CLOSED_TO_REQUESTS):
            readable = await admin.fetch(
                "SELECT attname AS column_name FROM pg_attribute"
                " WHERE attrelid = format('%I.%I', $1::text, $2::text)::regclass AND attnum > 0 AND NOT attisdropped"
                " AND has_column_privilege($3, attrelid, attnum, 'SELECT')",
                schema,
                table,
                APP_ROLES[schema],
            )
            assert {row["column_name"] for row in readable} <= {"id", "created_at"}, f"{schema}.{table}"


async def test_a_partition_opens_no_way_round(admin: asyncpg.Connection, county: County) -> None:
    rows = await admin.fetch(
        """
        SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced, r.role,
               has_table_privilege(r.role, c.oid, 'SELECT, INSERT, UPDATE, DELETE') AS open
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN unnest($2::text[]) AS r (role)
        WHERE n.nspname = ANY ($1) AND c.relispartition AND c.relkind = 'r'
        """,
        list(APP_ROLES),
        [*APP_ROLES.values(), *(f"{role}_worker" for role in APP_ROLES.values())],
    )
    assert rows
    assert all(row["forced"] and not row["open"] for row in rows)


async def test_nobody_is_above_the_wall(admin: asyncpg.Connection) -> None:
    roles = await admin.fetch("SELECT * FROM pg_roles WHERE rolname LIKE 'fangpin%'")
    assert {row["rolname"] for row in roles} >= {*APP_ROLES.values(), "fangpin_owner", "fangpin_directory"}
    powers = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication", "rolcanlogin")
    assert [(row["rolname"], power) for row in roles for power in powers if row[power]] == []
    members = await admin.fetch(
        "SELECT m.rolname AS member, r.rolname AS role FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
        " JOIN pg_roles r ON r.oid = a.roleid WHERE m.rolname LIKE 'fangpin%' OR r.rolname LIKE 'pg_%all%data'"
        " AND m.rolname LIKE 'fangpin%'"
    )
    assert [tuple(row) for row in members] == []


async def test_each_service_reaches_its_own_schema_only(admin: asyncpg.Connection) -> None:
    for name, role in APP_ROLES.items():
        for who in (role, f"{role}_worker"):
            for schema in APP_ROLES:
                allowed = await admin.fetchval("SELECT has_schema_privilege($1, $2, 'USAGE')", who, schema)
                assert allowed == (schema == name), (who, schema)
                assert not await admin.fetchval("SELECT has_schema_privilege($1, $2, 'CREATE')", who, schema)


async def test_a_view_sees_as_its_reader_does(admin: asyncpg.Connection) -> None:
    """A plain view reads with its owner's eyes; a materialised one, or a rule, has no row-level security at all."""
    rows = await admin.fetch(
        """
        SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY ($1) AND (c.relkind IN ('m', 'f')
              OR c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false))
        """,
        [*APP_ROLES, "directory"],
    )
    assert rows == []


async def test_a_function_with_its_owners_rights_is_pinned_and_not_everybodys(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        """
        SELECT n.nspname || '.' || p.proname AS name, p.proconfig, has_function_privilege('public', p.oid, 'EXECUTE')
               AS public, p.prosecdef FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = ANY ($1)
        """,
        [*APP_ROLES, "directory", "public"],
    )
    definers = [row for row in rows if row["prosecdef"]]
    assert {row["name"] for row in definers} == {"monitoring.ensure_county"}
    assert not [row["name"] for row in definers if row["public"]]
    assert all(row["proconfig"] == ["search_path=pg_catalog, pg_temp"] for row in definers)


# --- what it holds back --------------------------------------------------------------------------------------

SCOPES: dict[str, str] = {
    "unset": "SELECT 1",
    "empty": "SELECT set_config('app.lo', '', true), set_config('app.hi', '', true),"
    " set_config('app.officer', '', true)",
    "half": "SELECT set_config('app.lo', '0', true)",
    "other half": "SELECT set_config('app.hi', '9', true)",
    "turned round": "SELECT set_config('app.lo', '9', true), set_config('app.hi', '0', true)",
    "a pattern": "SELECT set_config('app.lo', '%', true), set_config('app.hi', '%', true)",
    "nobody": "SELECT set_config('app.officer', '%', true)",
}


async def _seen(connection: asyncpg.Connection, table: str) -> int | None:
    """How many rows of a table; None if it may not be read."""
    try:
        async with connection.transaction():
            # A column may be closed although others are open.
            return len(await connection.fetch(f"SELECT * FROM {table}"))
    except asyncpg.InsufficientPrivilegeError:
        return None


async def test_no_table_shows_a_row_without_a_scope(county: County, single: Single) -> None:
    """On a connection that served a scope a moment ago, which is when an unset setting reads as an empty text."""
    seen, filled = [], set()
    for schema, pool in single.items():
        for table in await _walled(county.admin, schema):
            async with scoped(pool, COUNTY, officer_no="S-own") as connection:
                if await _seen(connection, table):
                    filled.add(f"{schema}.{table}")
            for name, settings in SCOPES.items():
                async with transaction(pool) as connection:
                    await connection.execute(settings)
                    if await _seen(connection, table):
                        seen.append((schema, table, name))
    assert seen == []
    # Or else it would be easy to show nothing.
    assert filled >= {
        "intake.feed",
        "intake.feed_row_error",
        "intake.self_report",
        "intake.attachment",
        "intake.appeal",
        "monitoring.household",
        "monitoring.fact",
        "monitoring.household_member",
        "monitoring.resident",
        "monitoring.assessment",
        "monitoring.rescreen",
        "alerts.alert",
        "alerts.alert_evidence",
        "alerts.alert_log",
        "alerts.assignment",
        "alerts.inbox_item",
        "alerts.notification",
        "alerts.officer",
        "alerts.duty",
    }


# How a row of each table is known to be of a place, as the superuser tells it.
IN_PLACE = {
    "intake": {
        "feed": "{division}",
        "self_report": "{division}",
        "attachment": "{division}",
        "appeal": "{division}",
        "feed_row_error": "feed_id IN (SELECT feed_id FROM intake.feed WHERE {division})",
        "feed_row_held": "feed_id IN (SELECT feed_id FROM intake.feed WHERE {division})",
    },
    "monitoring": {
        "household": "{living}",
        "rescreen": "{division}",
        "unmatched_observation": "{division}",
        **dict.fromkeys(
            ("fact", "household_member", "assessment", "verification", "decision"),
            "household_id IN (SELECT household_id FROM monitoring.household WHERE {living})",
        ),
        "resident": "resident_id IN (SELECT resident_id FROM monitoring.household_member JOIN monitoring.household"
        " USING (household_id) WHERE {living})",
    },
    "alerts": {
        "alert": "{living}",
        **dict.fromkeys(
            ("alert_evidence", "alert_log", "assignment", "delivery", "verification"),
            "alert_id IN (SELECT alert_id FROM alerts.alert WHERE {living})",
        ),
        "notification": "CASE WHEN alert_id IS NULL THEN {division} ELSE alert_id IN"
        " (SELECT alert_id FROM alerts.alert WHERE {living}) END",
    },
}


async def test_scopes_that_take_turns_on_one_connection_see_each_its_own(county: County, single: Single) -> None:
    from shared.vocabulary.division import code_range

    places = [*PLACES.values(), COUNTY, OTHER_COUNTY]
    expected: dict[tuple[str, str, str], int] = {}
    for schema, tables in IN_PLACE.items():
        for table, condition in tables.items():
            for place in places:
                lo, hi = code_range(place)
                here = condition.format(
                    division=f"division >= '{lo}' AND division < '{hi}'",
                    living=f"living_division >= '{lo}' AND living_division < '{hi}'",
                )
                sql = f"SELECT count(*) FROM {schema}.{table} WHERE {here}"
                expected[schema, table, place] = await county.admin.fetchval(sql)
    chance = random.Random(11)
    turns = list(expected) * 2
    chance.shuffle(turns)
    for schema, table, place in turns:
        async with scoped(single[schema], place) as connection:
            seen = await connection.fetchval(f"SELECT count(*) FROM {table}")
        assert seen == expected[schema, table, place], (schema, table, place)


async def test_letters_are_seen_by_their_officer_only(county: County, single: Single) -> None:
    total = await county.admin.fetchval("SELECT count(*) FROM alerts.inbox_item")
    officers = await county.admin.fetch("SELECT officer_no, count(*) AS n FROM alerts.inbox_item GROUP BY 1")
    for row in officers:
        async with scoped(single["alerts"], COUNTY, officer_no=row["officer_no"]) as connection:
            assert await connection.fetchval("SELECT count(*) FROM inbox_item") == row["n"] < total
    async with scoped(single["alerts"], COUNTY) as connection:
        assert await connection.fetchval("SELECT count(*) FROM inbox_item") == 0


def _writes(county: County) -> list[tuple[str, str]]:
    """Writes from the own village to what lies elsewhere; each changes no row, or is refused."""
    far, alert = PLACES["far"], county.ids["alert"]["far"]
    feed = county.ids["feed"]["far"]
    home = f"(SELECT household_id FROM household WHERE household_no = '{household_no('far')}')"
    return [
        ("intake", "UPDATE feed SET status = 'recording'"),
        ("intake", f"INSERT INTO feed_chunk VALUES ('{feed}', 9, 'x')"),
        (
            "intake",
            "INSERT INTO self_report (report_id, client, division, person_index, sealed_number, reporter_name,"
            " hardships, reported_on, received_at) VALUES (gen_random_uuid(), 'x',"
            f" '{far}', sha256('x'), 'x', 'x', '{{other}}', '2026-01-01', now())",
        ),
        ("monitoring", "UPDATE household SET listed_as = 'x'"),
        ("monitoring", "UPDATE household SET due_at = now()"),
        ("monitoring", "UPDATE fact SET superseded_at = clock_timestamp()"),
        (
            "monitoring",
            "INSERT INTO decision (decision_id, household_id, action, decided_on, document_no, reason,"
            f" decided_by, decided_by_name) SELECT gen_random_uuid(), h, 'enter', '2026-03-15', 'x', 'x',"
            f" 'x', 'x' FROM (SELECT 4 AS h) x WHERE {home} IS NULL",
        ),
        ("monitoring", f"INSERT INTO rescreen VALUES (gen_random_uuid(), '{far}', 1, 'x', 'x', now())"),
        ("alerts", f"UPDATE alert SET status = 'acknowledged' WHERE alert_id = '{alert}'"),
        ("alerts", f"UPDATE alert SET living_division = '{far}', registered_division = '{far}'"),
        ("alerts", f"UPDATE assignment SET until = now() WHERE alert_id = '{alert}'"),
        (
            "alerts",
            "INSERT INTO alert_log (alert_id, at, actor, action, status_after, detail)"
            f" VALUES ('{alert}', now(), 'x', 'x', 'open', '{{}}')",
        ),
        ("alerts", f"UPDATE duty SET valid_to = '2026-03-16' WHERE division = '{far}'"),
        ("alerts", f"UPDATE officer SET division = '{far}' WHERE officer_no = 'S-own'"),
        ("alerts", "UPDATE inbox_item SET read_at = now()"),
        ("alerts", "UPDATE route_version SET state = 'draft', valid_from = NULL"),
        ("alerts", "UPDATE silence SET expired_at = now(), expired_by = 'x'"),
        ("alerts", f"UPDATE endpoint SET address = 'x' WHERE division = '{far}'"),
    ]


async def test_a_write_out_of_scope_is_refused_or_finds_nothing(county: County, single: Single) -> None:
    """Each is tried in a village without a single row, so that what is touched at all lies outside."""
    empty = "130624100299"
    for schema, sql in _writes(county):
        async with single[schema].acquire() as connection:
            undone = connection.transaction()
            await undone.start()
            await connection.execute(
                "SELECT set_config('app.lo', $1, true), set_config('app.hi', $1 || '0', true)", empty
            )
            try:
                status = await connection.execute(sql)
            except asyncpg.InsufficientPrivilegeError as refused:
                status = str(refused)
            finally:
                await undone.rollback()
            refused_or_nothing = status.endswith(" 0") or "row-level security" in status or "permission" in status
            assert refused_or_nothing, (sql, status)


async def test_nobody_moves_his_own_row_out_of_his_scope(county: County, single: Single) -> None:
    moves: list[tuple[str, str]] = [
        ("alerts", f"UPDATE alert SET living_division = '{PLACES['far']}', registered_division = '{PLACES['far']}'"),
        ("alerts", f"UPDATE officer SET division = '{PLACES['far']}', division_hi = 'x'"),
        ("alerts", f"UPDATE duty SET division = '{PLACES['far']}'"),
    ]
    for schema, sql in moves:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with scoped(single[schema], OWN) as connection:
                await connection.execute(sql)


async def test_no_request_can_take_another_role(county: County, database: str, admin: asyncpg.Connection) -> None:
    """A deployment's login acts as its own service's roles and as nobody else; by itself it sees nothing."""
    await admin.execute("DROP ROLE IF EXISTS wall_test_login")
    await admin.execute("CREATE ROLE wall_test_login NOINHERIT LOGIN")
    await admin.execute("GRANT fangpin_alerts, fangpin_alerts_worker TO wall_test_login")
    try:
        await _act_as_login(admin)
    finally:
        await admin.execute("RESET SESSION AUTHORIZATION")
        await admin.execute("DROP ROLE wall_test_login")


async def _act_as_login(admin: asyncpg.Connection) -> None:
    await admin.execute("SET SESSION AUTHORIZATION wall_test_login")
    for role in ("fangpin_owner", "fangpin_intake", "fangpin_monitoring_worker", "postgres"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await admin.execute(f"SET ROLE {role}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.fetch("SELECT * FROM alerts.alert")
    await admin.execute("SET ROLE fangpin_alerts")
    assert await admin.fetch("SELECT * FROM alerts.alert") == []
    for sql in ("SET row_security = off", "ALTER TABLE alerts.alert DISABLE ROW LEVEL SECURITY"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _rows_after(admin, sql)
    await admin.execute("RESET row_security")


async def _rows_after(connection: asyncpg.Connection, sql: str) -> Any:
    await connection.execute(sql)
    return await connection.fetch("SELECT * FROM alerts.alert")
