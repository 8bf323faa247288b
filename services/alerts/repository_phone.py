"""The SQL of the phone page: links, phones, PINs, and the alerts of one cadre.

Whoever presents a secret says so with `present_key`, whoever proved to be an officer with `act_as`; the policies of
the tables show what belongs to that secret and that officer.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.domain.duty import LADDER, Post
from services.alerts.domain.pin import Tries
from services.alerts.repository import Connection
from shared.db.scope import SET_SCOPE
from shared.vocabulary.division import code_range, covers, level_of
from shared.vocabulary.terms import Role


async def present_key(connection: Connection, key_hash: bytes) -> None:
    """Show the row that this secret opens, until the end of the transaction."""
    await connection.execute("SELECT set_config('app.key', $1, true)", key_hash.hex())


async def act_as(connection: Connection, officer_no: str) -> None:
    """Show an officer his own record, posts, phones and PIN, until the end of the transaction."""
    await connection.execute("SELECT set_config('app.officer', $1, true)", officer_no)


async def look_over(connection: Connection, division: str, officer_no: str) -> None:
    """Show the rows of one division, until another is looked over."""
    lo, hi = code_range(division)
    await connection.execute(SET_SCOPE, lo, hi, officer_no)


# --- links ---------------------------------------------------------------------------------------------------


async def add_tokens(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep new links, by their hashes."""
    await connection.executemany(
        "INSERT INTO phone_token (token_hash, officer_no, alert_id, made_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        [(row["token_hash"], row["officer_no"], row["alert_id"], row["made_at"], row["expires_at"]) for row in rows],
    )


async def token_of(connection: Connection, token_hash: bytes) -> asyncpg.Record | None:
    """The link with this hash, whether it still opens or not; it is seen after `present_key`."""
    return await connection.fetchrow("SELECT * FROM phone_token WHERE token_hash = $1", token_hash)


async def use_token(connection: Connection, token_hash: bytes, now: datetime) -> bool:
    """Use a link up; False if somebody was faster."""
    status = await connection.execute(
        "UPDATE phone_token SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
        token_hash,
        now,
    )
    return bool(status == "UPDATE 1")


# --- phones and PINs -----------------------------------------------------------------------------------------


async def add_session(connection: Connection, row: dict[str, Any]) -> None:
    """Keep a phone that has just logged in."""
    await connection.execute(
        "INSERT INTO phone_session (session_hash, officer_no, made_at, unlocked_until, expires_at) "
        "VALUES ($1, $2, $3, $4, $5)",
        row["session_hash"],
        row["officer_no"],
        row["made_at"],
        row["unlocked_until"],
        row["expires_at"],
    )


async def live_session(connection: Connection, session_hash: bytes, now: datetime) -> asyncpg.Record | None:
    """The phone with this hash, if it is still known."""
    return await connection.fetchrow(
        "SELECT officer_no, unlocked_until FROM phone_session WHERE session_hash = $1 AND expires_at > $2",
        session_hash,
        now,
    )


async def unlock_session(connection: Connection, session_hash: bytes, until: datetime) -> None:
    """The PIN was right: the phone need not ask again until then."""
    await connection.execute(
        "UPDATE phone_session SET unlocked_until = $2 WHERE session_hash = $1", session_hash, until
    )


async def end_session(connection: Connection, session_hash: bytes) -> None:
    """Forget one phone."""
    await connection.execute("DELETE FROM phone_session WHERE session_hash = $1", session_hash)


async def end_sessions_of(connection: Connection, officer_no: str) -> None:
    """Forget all phones of an officer."""
    await connection.execute("DELETE FROM phone_session WHERE officer_no = $1", officer_no)


async def lock_pin(connection: Connection, officer_no: str) -> asyncpg.Record | None:
    """An officer's PIN, locked, so that tries at once are counted one after the other; None: not set yet."""
    return await connection.fetchrow("SELECT * FROM phone_pin WHERE officer_no = $1 FOR UPDATE", officer_no)


async def has_pin(connection: Connection, officer_no: str) -> bool:
    """Whether an officer has set his PIN."""
    return bool(await connection.fetchval("SELECT true FROM phone_pin WHERE officer_no = $1", officer_no))


async def add_pin(connection: Connection, officer_no: str, salt: bytes, pin_hash: bytes, now: datetime) -> bool:
    """Set a PIN where none is; False if one is."""
    status = await connection.execute(
        "INSERT INTO phone_pin (officer_no, salt, pin_hash, set_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        officer_no,
        salt,
        pin_hash,
        now,
    )
    return bool(status == "INSERT 0 1")


async def note_tries(connection: Connection, officer_no: str, tries: Tries) -> None:
    """Keep the wrong tries at a PIN."""
    await connection.execute(
        "UPDATE phone_pin SET wrong = $2, locked_until = $3 WHERE officer_no = $1",
        officer_no,
        tries.wrong,
        tries.locked_until,
    )


async def drop_pin(connection: Connection, officer_no: str) -> bool:
    """Forget an officer's PIN, so that he sets a new one; False if he had none."""
    return bool(await connection.execute("DELETE FROM phone_pin WHERE officer_no = $1", officer_no) == "DELETE 1")


async def drop_expired(connection: Connection, now: datetime) -> int:
    """Remove links and phones that open nothing any more; how many."""
    dropped = 0
    for table in ("phone_token", "phone_session"):
        dropped += int((await connection.execute(f"DELETE FROM {table} WHERE expires_at <= $1", now)).split()[-1])
    return dropped


# --- the cadre and his alerts --------------------------------------------------------------------------------


async def active_officer(connection: Connection, officer_no: str) -> asyncpg.Record | None:
    """The officer, if he is in office; he sees himself after `act_as`."""
    return await connection.fetchrow(
        "SELECT officer_no, name, division FROM officer WHERE officer_no = $1 AND active", officer_no
    )


async def own_posts(connection: Connection, officer_no: str, today: date) -> list[Post]:
    """The posts an officer holds or stands in for today, the nearest to the village first; seen after `act_as`.

    Where he helps a household (帮扶责任人) and none of his posts reaches, he is as its grid worker.
    """
    rows = await connection.fetch(
        "SELECT role, division FROM duty WHERE (officer_no = $1 OR deputy_no = $1) AND valid_from <= $2 "
        "AND (valid_to IS NULL OR valid_to > $2)",
        officer_no,
        today,
    )
    posts = [Post(row["division"], officer_no, Role(row["role"]), row["division"]) for row in rows]
    reached = [post.division for post in posts if post.role in LADDER]
    posts += [
        Post(village, officer_no, Role.GRID_WORKER, village)
        for village in await _villages_helped(connection, officer_no, today)
        if not any(covers(division, village) for division in reached)
    ]
    return sorted(posts, key=lambda post: (-level_of(post.division), _rung(post.role), post.division))


async def _villages_helped(connection: Connection, officer_no: str, today: date) -> list[str]:
    rows = await connection.fetch(
        "SELECT DISTINCT division FROM pairing WHERE officer_no = $1 AND since <= $2 "
        "AND (until IS NULL OR until > $2)",
        officer_no,
        today,
    )
    return [row["division"] for row in rows]


def _rung(role: Role) -> int:
    return LADDER.index(role) if role in LADDER else len(LADDER)


# An officer's own: what he answers for, and what a colleague offers him until he has said yes or no.
_HIS = """
(EXISTS (SELECT FROM assignment s WHERE s.alert_id = a.alert_id AND s.officer_no = $1 AND s.until IS NULL)
 OR EXISTS (SELECT FROM handover h WHERE h.alert_id = a.alert_id AND h.to_officer_no = $1 AND h.state = 'pending'))
"""


async def alerts_of(connection: Connection, officer_no: str) -> list[asyncpg.Record]:
    """The alerts in the scope that are an officer's and nobody has closed."""
    return await connection.fetch(f"SELECT a.* FROM alert a WHERE a.status <> 'closed' AND {_HIS}", officer_no)


async def alert_of(connection: Connection, alert_id: UUID, officer_no: str) -> asyncpg.Record | None:
    """One alert in the scope that is an officer's, closed or not."""
    return await connection.fetchrow(
        f"SELECT a.* FROM alert a WHERE a.alert_id = $2 AND {_HIS}", officer_no, alert_id
    )


async def names_of_officers(connection: Connection, officers: Iterable[str]) -> dict[str, str]:
    """The names of the officers the scope shows."""
    rows = await connection.fetch(
        "SELECT officer_no, name FROM officer WHERE officer_no = ANY ($1)", list(set(officers))
    )
    return {row["officer_no"]: row["name"] for row in rows}
