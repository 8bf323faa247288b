"""Move a household (迁移): it lives, or is registered, elsewhere from a day on; where it was before stays known."""

from services.monitoring import repository_households as households
from services.monitoring import repository_register as register
from services.monitoring import repository_rosters as rosters
from services.monitoring.domain.timeline import Span, holding, moved_to
from services.monitoring.register_desk import ChangeDoesNotFit, Desk, Done, Home
from services.monitoring.schemas_register import Move
from shared.vocabulary.division import county_of

ROLES = ("living", "registered")


async def move_household(desk: Desk, home: Home, change: Move) -> Done:
    """Write the place from the day on, until the next move that is known already; the living place is alerted."""
    await desk.require_place(change.division, "division")
    roles = ROLES if change.place == "both" else (change.place,)
    now = {role: home.row[f"{role}_division"] for role in ROLES}
    moved = False
    for role in roles:
        spans = await register.places(desk.connection, home.id, role) or [Span(now[role], None)]
        held = holding(spans, desk.on)
        assert held is not None, "a household is always somewhere"
        if held.value == change.division:
            continue
        spans = moved_to(change.division, spans, desk.on)
        await register.rewrite_places(desk.connection, home.id, role, spans, str(desk.change_id), desk.at)
        now[role] = next(span.value for span in spans if span.valid_to is None)
        moved = True
    if not moved:
        raise ChangeDoesNotFit("该户当日已在此处，没有需要变更的内容")
    desk.require_range(*now.values())
    await _set_down(desk, home, **now)
    detail = {"place": change.place, "division": change.division, "living_division": now["living"]}
    return Done(detail, _notes(home, now), {home.id})


async def _set_down(desk: Desk, home: Home, living: str, registered: str) -> None:
    await register.set_places(desk.connection, home.id, living=living, registered=registered)
    county = county_of(registered)
    if county != home.county:
        await households.ensure_counties(desk.connection, [county])
        await rosters.move_to_county(desk.connection, [home.id], [county])


def _notes(home: Home, now: dict[str, str]) -> list[str]:
    notes = []
    if now["living"] != now["registered"]:
        notes.append("人户分离：预警送居住地干部，户籍地可见")
    if now["living"] != home.row["living_division"]:
        notes.append("未办结的预警随户转到新居住地，原居住地干部不再负责")
    return notes
