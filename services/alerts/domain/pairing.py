"""Who may help which household (帮扶责任人): the graver its case, the higher the post."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.alerts.domain.duty import Post
from shared.vocabulary.terms import BaseGroup, Role, Severity

# In the order in which they are proposed where several have equally many households.
SENIOR = (Role.FIRST_SECRETARY, Role.VILLAGE_SECRETARY, Role.TOWNSHIP_DEPUTY, Role.TOWNSHIP_LEADER)
# The village committee (村两委), whose members keep the grids, or the cadre in charge of the village.
USUAL = (Role.VILLAGE_CADRE, Role.GRID_WORKER, Role.VILLAGE_SECRETARY)


@dataclass(frozen=True, slots=True)
class Household:
    """What alerts knows of a household: from its last warning, and its base group where a pairing told it."""

    household_no: str
    division: str
    is_listed: bool = False
    base_group: BaseGroup | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A helper proposed for a household, and by which rule."""

    household: Household
    officer_no: str
    role: Role


def needs_senior(household: Household) -> bool:
    """Whether the rule asks for a township leader, the first secretary or the village secretary.

    三类户, and 脱贫户 last assessed orange or red; who is not known to be 一般农户 counts as 脱贫户.
    """
    if household.is_listed:
        return True
    return household.severity in (Severity.RED, Severity.ORANGE) and household.base_group is not BaseGroup.GENERAL


def allows(household: Household, roles: Collection[Role]) -> bool:
    """Whether somebody who holds these posts over the household's place may help it; a higher post always may."""
    return not set(roles).isdisjoint(SENIOR if needs_senior(household) else (*USUAL, *SENIOR))


def rule_zh(household: Household) -> str:
    """The rule in words."""
    if household.is_listed:
        return "三类户应由乡镇领导、驻村第一书记或村党支部书记帮扶"
    if needs_senior(household):
        return "最近评估为红色或橙色的脱贫户应由乡镇领导、驻村第一书记或村党支部书记帮扶"
    return "其他农户应由村委会（网格员、村党支部书记）或包村干部帮扶"


def propose(
    households: Iterable[Household],
    posts: Collection[Post],
    loads: Mapping[str, int],
    families: Mapping[str, Collection[str]],
) -> list[Proposal]:
    """A helper for each household, from those who have fewest; nobody for his own (`families`), none where none may.

    `posts` are looked up for the households' places, `loads` are how many households each person helps already.
    """
    counts, proposals = dict(loads), []
    for household in sorted(households, key=lambda h: h.household_no):
        found = _candidates(household, posts, families.get(household.household_no, ()), counts)
        if found:
            _, _, officer_no, role = found[0]
            counts[officer_no] = counts.get(officer_no, 0) + 1
            proposals.append(Proposal(household, officer_no, role))
    return proposals


def _candidates(
    household: Household, posts: Iterable[Post], family: Collection[str], counts: Mapping[str, int]
) -> list[tuple[int, int, str, Role]]:
    order = SENIOR if needs_senior(household) else USUAL
    return sorted(
        (counts.get(post.officer_no, 0), order.index(post.role), post.officer_no, post.role)
        for post in posts
        if post.place == household.division and post.role in order and post.officer_no not in family
    )
