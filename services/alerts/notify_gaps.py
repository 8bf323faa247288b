"""Notify the county of posts nobody holds, once a month each; write down a warning that found nobody at all."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from services.alerts.channels.inbox import Letter
from services.alerts.dispatch import Desk, Dispatch, Told
from services.alerts.domain.duty import Gap, Post
from services.alerts.domain.message import Kind, gap_text
from services.alerts.draft import Draft
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role

NOBODY = "辖区内没有任何在岗责任人"


def notify_gaps(told: Sequence[Told], desk: Desk, draft: Draft) -> None:
    """Draft the notices and their letters."""
    gaps = sorted({gap for one in told for gap in one.listening.gaps}, key=lambda gap: (gap.place, gap.role))
    addressed = [(gap, admin) for gap in gaps for admin in _admins(desk.posts_at(gap.place))]
    rows = [_notice(gap, admin, desk) for gap, admin in addressed]
    draft.notify([*rows, *(_unrouted(one.dispatch, desk) for one in told if not one.listening.listeners)])
    draft.letters += [
        _letter(gap, admin, row["notification_id"], desk) for (gap, admin), row in zip(addressed, rows, strict=True)
    ]


def _admins(posts: Iterable[Post]) -> list[str]:
    return sorted({post.officer_no for post in posts if post.role is Role.COUNTY_ADMIN})


def _key(gap: Gap, admin: str, desk: Desk) -> str:
    return f"gap:{gap.place}:{gap.role}:{desk.today:%Y-%m}:{admin}"


def _notice(gap: Gap, admin: str, desk: Desk) -> dict[str, Any]:
    return {
        "notification_id": new_id(desk.now),
        "dedupe_key": _key(gap, admin, desk),
        "alert_id": None,
        "subject": None,
        "division": gap.place,
        "recipient": admin,
        "kind": Kind.DATA_NOTICE,
        "decision": "send",
        "reason": None,
        "created_at": desk.now,
    }


def _unrouted(dispatch: Dispatch, desk: Desk) -> dict[str, Any]:
    return {
        "notification_id": new_id(desk.now),
        "dedupe_key": f"{dispatch.key}:nobody",
        "alert_id": dispatch.alert_id,
        "subject": dispatch.alert["subject"],
        "division": dispatch.living,
        "recipient": None,
        "kind": Kind.DATA_NOTICE,
        "decision": "suppress",
        "reason": NOBODY,
        "created_at": desk.now,
    }


def _letter(gap: Gap, admin: str, notification_id: UUID, desk: Desk) -> Letter:
    text = gap_text(desk.place(gap.place), gap.role.zh)
    return Letter(admin, notification_id, None, Kind.DATA_NOTICE, None, text, None)
