"""The SQL of household pairing (帮扶责任人)."""

from collections.abc import Collection
from datetime import date

from services.alerts.repository import Connection


async def paired_with(connection: Connection, households: Collection[str], on: date) -> dict[str, list[str]]:
    """The helpers of each household on a day, without those who are away."""
    if not households:
        return {}
    rows = await connection.fetch(
        """
        SELECT p.household_no, array_agg(DISTINCT p.officer_no ORDER BY p.officer_no) AS officers FROM pairing p
        JOIN officer o ON o.officer_no = p.officer_no AND o.active
        WHERE p.household_no = ANY ($1) AND p.since <= $2 AND (p.until IS NULL OR p.until > $2)
          AND NOT EXISTS (SELECT FROM absence x WHERE x.officer_no = p.officer_no
                          AND x.first_day <= $2 AND x.last_day >= $2)
        GROUP BY p.household_no
        """,
        list(set(households)),
        on,
    )
    return {row["household_no"]: row["officers"] for row in rows}
