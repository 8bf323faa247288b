"""Check a pairing before it is written: who helps which household, by the county's rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import asyncpg

from services.alerts import repository, repository_pairing
from services.alerts.domain.duty import Post
from services.alerts.domain.pairing import Household, allows, rule_zh
from services.alerts.repository_people import homes_of
from shared.vocabulary.terms import BaseGroup


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pairing as asked for; with a reason it may stand against the rule, and is reported."""

    household_no: str
    division: str
    officer_no: str
    base_group: BaseGroup | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a pairing is not written, and which field is at fault."""

    field: str
    code: str
    message: str
    expected: str | None = None


async def objections_to(
    connection: asyncpg.Connection, wanted: Iterable[Wanted], today: date
) -> list[Objection | None]:
    """What stands against each pairing, in the same order."""
    asked = list(wanted)
    households = {one.household_no for one in asked}
    known = await repository_pairing.households_known(connection, households)
    families = await repository_pairing.families_of(connection, households)
    officers = await homes_of(connection, {one.officer_no for one in asked})
    posts = await repository.posts_held(connection, {one.division for one in asked}, today)
    return [
        _objection(one, known.get(one.household_no), families.get(one.household_no, ()), officers, posts)
        for one in asked
    ]


def household_of(known: Household | None, household_no: str, division: str, group: BaseGroup | None) -> Household:
    """What is known of a household, with its place and the group a county tells."""
    found = known or Household(household_no, division)
    return replace(found, division=division, base_group=group or found.base_group)


def _objection(
    one: Wanted,
    known: Household | None,
    family: Iterable[str],
    officers: Mapping[str, str],
    posts: Iterable[Post],
) -> Objection | None:
    if one.officer_no not in officers:
        return Objection("officer_no", "officer_unknown", "没有找到该干部", "名册中已有的工号")
    if one.officer_no in family:
        return Objection("officer_no", "own_household", "干部不能帮扶自己的家庭", "另一位干部的工号")
    household = household_of(known, one.household_no, one.division, one.base_group)
    roles = {post.role for post in posts if post.place == one.division and post.officer_no == one.officer_no}
    if allows(household, roles) or one.reason:
        return None
    return Objection("officer_no", "pairing_against_rule", rule_zh(household), "符合条件的工号，或填写原因")
