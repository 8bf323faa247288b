"""The SQL of what holds over some places today, read in one round trip."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.alerts.repository import Connection
from services.alerts.repository_calendar import DAYS_DIGEST
from services.alerts.repository_silences import SILENCES_OVER

_ON_DUTY = "d.division = ANY ($1) AND d.valid_from <= $2 AND (d.valid_to IS NULL OR d.valid_to > $2)"
_AWAY = "EXISTS (SELECT FROM absence x WHERE x.officer_no = {who} AND x.first_day <= $2 AND x.last_day >= $2)"
_POSTS = f"""
SELECT d.division, d.officer_no, d.role, s.officer_no AS deputy, {_AWAY.format(who="d.officer_no")} AS is_away,
       s.officer_no IS NOT NULL AND {_AWAY.format(who="s.officer_no")} AS is_deputy_away
FROM duty d JOIN officer o ON o.officer_no = d.officer_no AND o.active
LEFT JOIN officer s ON s.officer_no = d.deputy_no AND s.active
     AND s.division <= d.division AND d.division < s.division_hi
WHERE {_ON_DUTY}
"""
_PAIRED = f"""
SELECT p.household_no, p.officer_no FROM pairing p JOIN officer o ON o.officer_no = p.officer_no AND o.active
WHERE p.household_no = ANY ($1) AND p.since <= $2 AND (p.until IS NULL OR p.until > $2)
  AND NOT {_AWAY.format(who="p.officer_no")}
"""
_FAMILIES = "SELECT household_no, officer_no FROM officer WHERE household_no = ANY ($1)"
_NAMED = "SELECT officer_no FROM officer WHERE officer_no = ANY ($1)"
_OUT = "endpoint_id, channel, officer_no, division, outlet_id, rank"
# Who may hear is known only later, so the ways out of all who hold a post, stand in for one or are paired are read.
_ENDPOINTS = f"""
SELECT {_OUT} FROM endpoint
WHERE state = 'active' AND channel = ANY ($4) AND officer_no IS NULL AND division = ANY ($1)
UNION ALL
SELECT {_OUT} FROM endpoint WHERE state = 'active' AND channel = ANY ($4) AND officer_no IN (
    SELECT unnest(ARRAY[d.officer_no, d.deputy_no]) FROM duty d WHERE {_ON_DUTY}
    UNION SELECT p.officer_no FROM pairing p WHERE p.household_no = ANY ($3))
"""
_ROUTES = """
SELECT DISTINCT ON (division) division, version_id, name FROM route_version
WHERE state = 'active' AND division = ANY ($1) AND valid_from <= $2
ORDER BY division, valid_from DESC, activated_at DESC, number DESC
"""
_SILENCED = f"SELECT EXISTS ({SILENCES_OVER}) AS holds"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about: divisions with all above them, places, counties, households, officers named."""

    divisions: Collection[str]
    places: Collection[str]
    counties: Collection[str]
    households: Collection[str]
    named: Collection[str]
    channels: Collection[str]
    regions: Collection[str]


async def read_scene(
    connection: Connection, asked: Asked, *, today: date, now: datetime, first_day: date
) -> dict[str, list[dict[str, Any]]]:
    """Rows by name, values as JSON has them: posts, paired, families, named, endpoints, routes, silenced, days."""
    above, households = list(asked.divisions), list(asked.households)
    return await _together(
        connection,
        {
            "posts": (_POSTS, (above, today)),
            "paired": (_PAIRED, (households, today)),
            "families": (_FAMILIES, (households,)),
            "named": (_NAMED, (list(asked.named),)),
            "endpoints": (_ENDPOINTS, (above, today, households, list(asked.channels))),
            "routes": (_ROUTES, (list(asked.counties), today)),
            "silenced": (_SILENCED, (list(asked.places), now)),
            "days": (DAYS_DIGEST, (list(asked.regions), first_day)),
        },
    )


async def _together(
    connection: Connection, reads: Mapping[str, tuple[str, Sequence[Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """Several reads in one statement: each round trip costs more than most of what is read.

    What several of them are given is sent once.
    """
    parts, args = [], list[Any]()
    for name, (sql, given) in reads.items():
        places = [_place_of(arg, args) for arg in given]
        moved = re.sub(r"\$(\d+)", lambda found, at=places: f"${at[int(found[1]) - 1]}", sql)  # type: ignore[misc]
        parts.append(f"(SELECT coalesce(json_agg(t), '[]') FROM ({moved}) t) AS {name}")
    row = await connection.fetchrow(f"SELECT {', '.join(parts)}", *args)
    assert row is not None
    return dict(row)


def _place_of(arg: Any, args: list[Any]) -> int:
    """The number under which a statement knows an argument; the very same one has one number."""
    for number, known in enumerate(args, start=1):
        if known is arg:
            return number
    args.append(arg)
    return len(args)
