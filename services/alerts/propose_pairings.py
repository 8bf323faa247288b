"""Propose a helper for each household that has an open warning and none."""

from datetime import date

import asyncpg

from services.alerts import repository, repository_pairing
from services.alerts.domain.pairing import Household, Proposal, propose


async def propose_pairings(
    connection: asyncpg.Connection, lo: str, hi: str, today: date, *, after: str | None, limit: int
) -> tuple[list[Household], dict[str, Proposal]]:
    """Households of [lo, hi) without a helper, and who is proposed for each; nobody where no post is filled."""
    households = await repository_pairing.households_alone(connection, lo, hi, today, after=after, limit=limit)
    posts = await repository.posts_held(connection, {one.division for one in households}, today)
    loads = await repository_pairing.loads_of(connection, (post.officer_no for post in posts), today)
    families = await repository_pairing.families_of(connection, [one.household_no for one in households])
    proposals = propose(households, posts, loads, families)
    return households, {one.household.household_no: one for one in proposals}
