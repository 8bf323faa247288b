"""View offers, re-checks and bursts as the caller's role may: names masked where he may not call."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from services.alerts.domain.burst import Burst
from services.alerts.repository import Row
from services.alerts.schemas import Place
from services.alerts.schemas_answers import MOST_AT_ONCE, BurstView, HandoverView, RecheckView
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.masking import mask_name
from shared.security.principal import Principal


async def view_handovers(rows: Sequence[Row], caller: Principal, runtime: Runtime) -> list[HandoverView]:
    """Offers with the households they are about."""
    names = await names_for(rows, runtime)
    classes = field_classes(caller)
    return [
        HandoverView.model_validate({**dict(row), "manner": row["kind"], **about_alert(row, classes, names)})
        for row in rows
    ]


async def view_rechecks(rows: Sequence[Row], caller: Principal, runtime: Runtime) -> list[RecheckView]:
    """Re-checks with the households they are about. Who answered is not among it: the household is looked at."""
    names = await names_for(rows, runtime)
    classes = field_classes(caller)
    return [
        RecheckView.model_validate(
            {**dict(row), "recheck_id": row["verification_id"], **about_alert(row, classes, names)}
        )
        for row in rows
    ]


def view_burst(burst: Burst) -> BurstView:
    """A burst with the alerts it is about."""
    return BurstView(
        kind=burst.kind,
        officer_no=burst.officer_no,
        began_at=burst.began_at,
        ended_at=burst.ended_at,
        answers=len(burst.closings),
        alert_ids=[one.alert_id for one in burst.closings[:MOST_AT_ONCE]],
    )


async def names_for(rows: Sequence[Row], runtime: Runtime) -> Mapping[str, str]:
    """The names of the places where the households of rows live."""
    places = {row["living_division"] for row in rows}
    return await name_places(runtime.directory_pool, places, runtime.clock.today())


def about_alert(row: Row, classes: Collection[str], names: Mapping[str, str]) -> dict[str, Any]:
    """The household of a row that was joined with its alert."""
    name, place = row["contact_name"], row["living_division"]
    return {
        "name": name if "contact" in classes else mask_name(name),
        "living": Place(code=place, name=names[place]),
    }
