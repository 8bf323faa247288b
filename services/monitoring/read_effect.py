"""Read how well rules work: what visitors answered to each, and who was found without any.

Nothing is concluded from it here: no rule is lowered or retired but by a person who publishes a policy.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import asyncpg

from services.monitoring import repository_effect as repository
from services.monitoring.domain.interval import Share
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.read_list_comparison import check_reader
from services.monitoring.schemas_effect import Miss, MissesView, Route, RuleEffect, RuleEffectView, ShareView
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.division import code_range

MISSED_DAYS = 90


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of a place, both ends included."""

    division: str
    first: date
    last: date

    @property
    def binds(self) -> tuple[str, str, date, date]:
        return (*code_range(self.division), self.first, self.last + timedelta(days=1))


async def read_rule_effect(
    scoped: asyncpg.Connection, caller: Principal, runtime: Runtime, span: Span, department: str | None
) -> RuleEffectView:
    """Every rule that was answered in the span; of one department, its monthly sheet (月度反馈单)."""
    check_reader(caller)
    rules = await rules_in(scoped, runtime, span, department)
    return RuleEffectView(division=span.division, first=span.first, last=span.last, rules=rules)


async def rules_in(
    scoped: asyncpg.Connection, runtime: Runtime, span: Span, department: str | None
) -> list[RuleEffect]:
    """The rules by name, version and township; a rule that is no department's any more only where all are asked."""
    today = runtime.clock.today()
    rows = await repository.answers(scoped, *span.binds)
    package = (await policy_in_force(scoped, span.division, today)).package
    places = await name_places(runtime.directory_pool, {row["township"] for row in rows}, today)
    rules = []
    for row in rows:
        known = package.indicators.get(row["indicator"])
        if department is None or (known is not None and known.department == department):
            label, source = (known.label_zh, known.department) if known else (row["indicator"], None)
            rules.append(_effect(row, label, source, places.get(row["township"], row["township"])))
    return rules


async def read_misses(scoped: asyncpg.Connection, caller: Principal, span: Span) -> MissesView:
    """Who came onto the list in the span without a warning in the ninety days before, and by which way."""
    check_reader(caller)
    return await missed_in(scoped, span)


async def missed_in(scoped: asyncpg.Connection, span: Span) -> MissesView:
    """The same, whoever asks: to be shown only as counts to who may not read households."""
    rows = await repository.listed(scoped, *span.binds, MISSED_DAYS)
    missed = [_miss(row) for row in rows if not row["warned"]]
    return MissesView(
        division=span.division,
        first=span.first,
        last=span.last,
        listed=len(rows),
        missed=_share(len(missed), len(rows)),
        by_route=dict(Counter(one.route for one in missed)),
        households=missed,
    )


def _effect(row: asyncpg.Record, label: str, department: str | None, place: str) -> RuleEffect:
    verified, identified = row["verified"], row["identified"]
    return RuleEffect(
        indicator=row["indicator"],
        label=label,
        policy_version=row["policy_version"],
        department=department,
        township=row["township"],
        place=place,
        verified=verified,
        identified=_share(identified, verified),
        useful=_share(identified + row["need_met"], verified),
        data_wrong=row["data_wrong"],
    )


def _share(hits: int, of: int) -> ShareView:
    share = Share(hits, of)
    low, high = share.interval or (None, None)
    return ShareView(count=hits, percent=share.percent, low=low, high=high)


def _miss(row: asyncpg.Record) -> Miss:
    return Miss(
        household_no=row["household_no"],
        division=row["living_division"],
        listed_on=row["on_day"],
        listed_as=row["listed_as"],
        route=_route(row),
    )


def _route(row: asyncpg.Record) -> Route:
    """How it came to light: by somebody's word, else by a decision alone, else by a department's list."""
    spoken: dict[str, Route] = {"self_report": "self_report", "hotline": "hotline", "visit": "visit"}
    return spoken.get(row["reported_by"] or "") or ("decision" if row["decided"] else "department_list")
