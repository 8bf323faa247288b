"""What a cadre's phone shows: his errands by village, and one household as his post may see it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_answers, repository_concern, repository_lists, repository_phone
from services.alerts.domain.alert import Status
from services.alerts.domain.duty import LADDER
from services.alerts.domain.errand import Due, mark_of, next_due, why
from services.alerts.domain.look_at import look_at
from services.alerts.domain.message import causes_zh, class_zh
from services.alerts.phone_session import Phone
from services.alerts.repository import Row
from services.alerts.take_step import AlertUnknown
from shared.clock import SHANGHAI
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import audit
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, level_of, lineage_of
from shared.vocabulary.terms import Outcome, Role, Severity

A_PAGE = 40


@dataclass(frozen=True, slots=True)
class Errand:
    """One alert in the list of its cadre."""

    alert_id: UUID
    name: str
    place: str
    severity: str
    severity_zh: str
    stands: str
    causes: str
    due: Due
    left: str
    is_over: bool


@dataclass(frozen=True, slots=True)
class Errands:
    """A page of errands by village, the village with the nearest deadline first; how many there are in all."""

    villages: Mapping[str, Sequence[Errand]]
    total: int
    overdue: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Household:
    """One alert as the phone shows it."""

    errand: Errand
    status: Status
    version: int
    mark: str
    living: str
    registered: str | None
    phone: str | None
    dial: str | None
    why: str
    class_zh: str | None
    look_at: Sequence[str]
    told: Sequence[str]
    colleagues: Sequence[tuple[str, str]]
    opened_on: date
    today: date
    asks_met: bool
    outcome: str | None
    closed_on: str | None
    offered_by: str | None


@dataclass(frozen=True, slots=True)
class Mine:
    """An alert of the cadre's, and he in the post that reaches it; the transaction sees that post's rows."""

    alert: asyncpg.Record
    caller: Principal


async def find_mine(connection: asyncpg.Connection, phone: Phone, alert_id: UUID) -> Mine:
    """An alert the cadre answers for; another officer's, or one out of his range, is AlertUnknown."""
    for post in phone.posts:
        await repository_phone.look_over(connection, post.division, phone.officer_no)
        alert = await repository_phone.alert_of(connection, alert_id, phone.officer_no)
        if alert is not None:
            return Mine(alert, phone.principal(post))
    raise AlertUnknown


async def view_errands(connection: asyncpg.Connection, phone: Phone, runtime: Runtime, *, page: int) -> Errands:
    """What the cadre has open, nearest deadline first, by village; reading it leaves an audit row."""
    now, today = runtime.clock.now(), runtime.clock.today()
    found = await _open_alerts(connection, phone)
    ordered = sorted(found.values(), key=lambda mine: (_due(mine.alert).at, mine.alert["alert_id"]))
    shown = _by_village(ordered)[(page - 1) * A_PAGE : page * A_PAGE]
    names = await name_places(runtime.directory_pool, _places(mine.alert for mine in shown), today)
    villages: dict[str, list[Errand]] = {}
    for mine in shown:
        place = _long_name(mine.alert["living_division"], names)
        villages.setdefault(place, []).append(errand_of(mine, names, now))
    if phone.posts:
        caller = phone.principal(phone.posts[-1])
        await audit(
            connection, caller, "alert.list", f"division:{caller.division}", now=now, detail={"rows": len(shown)}
        )
    overdue = sum(_due(mine.alert).is_over(now) for mine in ordered)
    return Errands(villages, len(ordered), overdue, page, max(1, -(-len(ordered) // A_PAGE)))


async def next_errand(connection: asyncpg.Connection, phone: Phone, runtime: Runtime) -> tuple[Errand | None, int]:
    """What comes next, if anything, and how much is open in all."""
    found = await _open_alerts(connection, phone)
    if not found:
        return None, 0
    mine = min(found.values(), key=lambda mine: (_due(mine.alert).at, mine.alert["alert_id"]))
    names = await name_places(runtime.directory_pool, _places([mine.alert]), runtime.clock.today())
    return errand_of(mine, names, runtime.clock.now()), len(found)


async def _open_alerts(connection: asyncpg.Connection, phone: Phone) -> dict[UUID, Mine]:
    found: dict[UUID, Mine] = {}
    for post in phone.posts:
        await repository_phone.look_over(connection, post.division, phone.officer_no)
        for alert in await repository_phone.alerts_of(connection, phone.officer_no):
            found.setdefault(alert["alert_id"], Mine(alert, phone.principal(post)))
    return found


def _by_village(ordered: Sequence[Mine]) -> list[Mine]:
    """The same, a village's alerts together; villages in the order of their nearest deadline."""
    first = {mine.alert["living_division"]: i for i, mine in reversed(list(enumerate(ordered)))}
    return sorted(ordered, key=lambda mine: first[mine.alert["living_division"]])


async def view_household(connection: asyncpg.Connection, mine: Mine, runtime: Runtime) -> Household:
    """One household in the fields that the cadre's post opens."""
    alert, classes = mine.alert, field_classes(mine.caller)
    now, today = runtime.clock.now(), runtime.clock.today()
    names = await name_places(runtime.directory_pool, _places([alert]), today)
    evidence = await repository_lists.evidence_of_alert(connection, alert["alert_id"])
    sentences = [row["item"]["sentence"] for row in evidence if row["item"].get("sentence")]
    reported = bool(alert["report_ids"])
    moved = alert["registered_division"] != alert["living_division"]
    severity = Severity(alert["severity"]) if alert["severity"] else None
    phone = alert["contact_phone"] if "contact" in classes else None
    return Household(
        errand=errand_of(mine, names, now),
        status=Status(alert["status"]),
        version=alert["version"],
        mark=mark_of(alert["severity"], alert["report_ids"]),
        living=_long_name(alert["living_division"], names),
        registered=_long_name(alert["registered_division"], names) if moved else None,
        phone=phone,
        dial="".join(sign for sign in phone if sign.isascii() and (sign.isdigit() or sign == "+")) if phone else None,
        why=why(alert["causes"] if "cause" in classes else (), sentences, classes, has_reported=reported),
        class_zh=class_zh(alert["recommendation"]) if "class" in classes and alert["recommendation"] else None,
        look_at=look_at(alert["causes"] if "cause" in classes else (), has_reported=reported),
        told=await _told(connection, mine),
        colleagues=await _colleagues(connection, mine, today),
        opened_on=alert["opened_on"],
        today=today,
        asks_met=severity in (None, Severity.RED, Severity.ORANGE),
        outcome=Outcome(alert["outcome"]).zh if alert["outcome"] else None,
        closed_on=_moment(alert["closed_at"]) if alert["closed_at"] else None,
        offered_by=await _offered_by(connection, mine),
    )


async def _offered_by(connection: asyncpg.Connection, mine: Mine) -> str | None:
    """The colleague who waits for the cadre to take the alert over, if one does."""
    offer = await repository_answers.pending_handover(connection, mine.alert["alert_id"])
    if offer is None or offer["to_officer_no"] != mine.caller.officer_no:
        return None
    giver: str = offer["from_officer_no"]
    return (await repository_phone.names_of_officers(connection, [giver])).get(giver, "同事")


async def _told(connection: asyncpg.Connection, mine: Mine) -> list[str]:
    """Who else answers for the alert, the nearest to the village first."""
    rows = await repository.assignments_of(connection, [mine.alert["alert_id"]])
    others = [row for row in rows if row["officer_no"] != mine.caller.officer_no]
    names = await repository_phone.names_of_officers(connection, (row["officer_no"] for row in others))
    return [f"{Role(row['role']).zh} {names.get(row['officer_no'], '')}".strip() for row in others]


async def _colleagues(connection: asyncpg.Connection, mine: Mine, today: date) -> list[tuple[str, str]]:
    """Whom the alert may be handed over to: number, and post with name."""
    places = (mine.alert["living_division"], mine.alert["registered_division"])
    held = await repository.posts_at(connection, places, today)
    kept_out = await repository_concern.kept_out_of(connection, mine.alert["alert_id"]) | {mine.caller.officer_no}
    posts = [post for post in held if post.role in LADDER and post.officer_no not in kept_out]
    nearest = {post.officer_no: post for post in sorted(posts, key=lambda post: post.division)}
    names = await repository_phone.names_of_officers(connection, nearest)
    ordered = sorted(nearest.values(), key=lambda post: (-level_of(post.division), post.officer_no))
    return [(post.officer_no, f"{post.role.zh} {names.get(post.officer_no, '')}".strip()) for post in ordered]


def errand_of(mine: Mine, names: Mapping[str, str], now: datetime) -> Errand:
    """One alert in few words, as the cadre's post may see it."""
    alert, classes = mine.alert, field_classes(mine.caller)
    due = _due(alert)
    return Errand(
        alert_id=alert["alert_id"],
        name=alert["contact_name"] if "contact" in classes else mask_name(alert["contact_name"]),
        place=names[alert["living_division"]],
        severity=alert["severity"] or "none",
        severity_zh=Severity(alert["severity"]).zh if alert["severity"] else "待评估",
        stands=Status(alert["status"]).zh,
        causes=_causes(alert, classes),
        due=due,
        left=due.left(now),
        is_over=due.is_over(now),
    )


def _causes(alert: Row, classes: Collection[str]) -> str:
    causes = alert["causes"] if "cause" in classes else ()
    return causes_zh(causes, has_reported=bool(alert["report_ids"]))


def _due(alert: Row) -> Due:
    return next_due(Status(alert["status"]), alert["ack_due_at"], alert["verify_due_at"])


def _places(alerts: Iterable[Row]) -> set[str]:
    """The divisions of the alerts and all above them, whose names make up where a household lives."""
    codes = {alert[name] for alert in alerts for name in ("living_division", "registered_division")}
    return {str(above) for code in codes for above in lineage_of(code)}


def _long_name(code: str, names: Mapping[str, str]) -> str:
    """The township and the village."""
    near = [str(above) for above in lineage_of(code) if level_of(above) >= DivisionLevel.TOWNSHIP]
    return " ".join(names[above] for above in near or [code])


def _moment(at: datetime) -> str:
    local = at.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日 {local:%H:%M}"
