"""The tables of schema `alerts`: the only definition of its storage.

Row-level security (see the migration): `alert` by living or registered division, everything about an alert through
`alert`, `inbox_item` by officer; `alert_subject` is for the worker alone.
"""

from datetime import date, datetime
from datetime import date as date_
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.messaging.tables import (
    AuditColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxDeliveryColumns,
    SubscriptionColumns,
)
from shared.queue.tables import ClaimColumns

_MOMENT: Any = DateTime(timezone=True)
_DIVISION: Any = String(12, collation="C")
_TEXTS: Any = ARRAY(TEXT)
_UUIDS: Any = ARRAY(Uuid)
_JSON: Any = JSONB
_BYTES: Any = LargeBinary
_BIG: Any = BigInteger
_SMALL: Any = SmallInteger
_NUMBER: Any = Float(53)


def _row_number(name: str) -> Any:
    return Column(name, BigInteger, Identity(always=True), primary_key=True)


def _empty_texts() -> Any:
    return {"server_default": text("'{}'")}


class Officer(AlertsTable, table=True):
    """A person who may be on duty (干部); `division`..`division_hi` is the half-open range of his home post.

    `household_no` is his own household: warnings about it are not his (回避). `department` is a liaison's.
    """

    __tablename__ = "officer"
    __table_args__ = (
        Index("ix_officer_household_no", "household_no", postgresql_where=text("household_no IS NOT NULL")),
    )

    officer_no: str = Field(primary_key=True, sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    phone: str | None = Field(default=None, sa_type=TEXT)
    email: str | None = Field(default=None, sa_type=TEXT)
    division: str = Field(sa_type=_DIVISION)
    division_hi: str = Field(sa_type=_DIVISION)
    active: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    household_no: str | None = Field(default=None, sa_type=TEXT)
    department: str | None = Field(default=None, sa_type=TEXT)
    updated_at: datetime = Field(sa_type=_MOMENT)


class Duty(AlertsTable, table=True):
    """A post held by an officer over a division, from `valid_from` until before `valid_to`.

    `deputy_no` (代理) hears while he is away; `households` is how many the grid has, as the county's list says.
    """

    __tablename__ = "duty"
    __table_args__ = (
        UniqueConstraint("officer_no", "role", "division", "valid_from"),
        Index(None, "division", "role"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="valid"),
        CheckConstraint(
            "role IN ('grid_worker','village_secretary','first_secretary','village_cadre','township_deputy',"
            "'township_leader','county_admin','liaison')",
            name="role",
        ),
        CheckConstraint("deputy_no <> officer_no", name="another_deputy"),
        CheckConstraint("households >= 0", name="households"),
    )

    duty_id: int | None = Field(default=None, sa_column=_row_number("duty_id"))
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    role: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=_DIVISION)
    division_hi: str = Field(sa_type=_DIVISION)
    valid_from: date
    valid_to: date | None = None
    deputy_no: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    households: int | None = None


class Absence(AlertsTable, table=True):
    """Days on which an officer does not answer (请假), the first and the last included."""

    __tablename__ = "absence"
    __table_args__ = (
        UniqueConstraint("officer_no", "first_day"),
        CheckConstraint("last_day >= first_day", name="days"),
    )

    absence_id: int | None = Field(default=None, sa_column=_row_number("absence_id"))
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    first_day: date
    last_day: date
    reason: str | None = Field(default=None, sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=_MOMENT)


class Pairing(AlertsTable, table=True):
    """Who helps a household (帮扶责任人), from `since` until before `until`; `division` is where it lives."""

    __tablename__ = "pairing"
    __table_args__ = (
        UniqueConstraint("household_no", "officer_no", "since"),
        Index(None, "officer_no"),
        Index(None, "division"),
        CheckConstraint("until IS NULL OR until > since", name="valid"),
        CheckConstraint("base_group IN ('lifted_out','general')", name="base_group"),
    )

    pairing_id: int | None = Field(default=None, sa_column=_row_number("pairing_id"))
    household_no: str = Field(sa_type=TEXT)
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    division: str = Field(sa_type=_DIVISION)
    base_group: str | None = Field(default=None, sa_type=TEXT)
    since: date
    until: date | None = None
    reason: str | None = Field(default=None, sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=_MOMENT)


class AlertBarred(AlertsTable, table=True):
    """Whom an alert is about (回避): his own household, or a complaint naming him. He neither hears nor sees it."""

    __tablename__ = "alert_barred"
    __table_args__ = (
        Index(None, "officer_no"),
        CheckConstraint("why IN ('family','complaint')", name="why"),
    )

    alert_id: UUID = Field(primary_key=True, foreign_key="alerts.alert.alert_id")
    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    why: str = Field(sa_type=TEXT)
    living_division: str = Field(sa_type=_DIVISION)
    registered_division: str = Field(sa_type=_DIVISION)
    since: datetime = Field(sa_type=_MOMENT)


class AlertSubject(AlertsTable, table=True):
    """What news was last seen of a subject; its row is the lock under which news of it is handled."""

    __tablename__ = "alert_subject"

    subject: str = Field(primary_key=True, sa_type=TEXT)
    facts_version: int = Field(sa_type=_BIG)
    report_ids: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())


class Alert(AlertsTable, table=True):
    """A warning about one household or one unmatched report; at most one per subject is not closed."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("ux_alert_open_subject", "subject", unique=True, postgresql_where=text("status <> 'closed'")),
        Index(None, "living_division", "alert_id"),
        Index(None, "registered_division", "alert_id"),
        Index(None, "subject"),
        Index(None, "household_no"),
        Index("ix_alert_ack_due", "ack_due_at", postgresql_where=text("status = 'open'")),
        Index("ix_alert_unrouted", "opened_at", postgresql_where=text("routed_at IS NULL AND status <> 'closed'")),
        CheckConstraint("status IN ('open','acknowledged','verifying','confirming','closed')", name="status"),
        CheckConstraint("severity IN ('red','orange','yellow','blue')", name="severity"),
        CheckConstraint(
            "outcome IN ('identify','need_met','already_monitored','no_risk','data_wrong','moved','deceased')",
            name="outcome",
        ),
        CheckConstraint(
            "acknowledge_unit IN ('hours','working_hours','days','working_days')", name="acknowledge_unit"
        ),
        CheckConstraint("verify_unit IN ('hours','working_hours','days','working_days')", name="verify_unit"),
        CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL) AND (status = 'closed') = (outcome IS NOT NULL)",
            name="closed_with_outcome",
        ),
    )

    alert_id: UUID = Field(primary_key=True)
    subject: str = Field(sa_type=TEXT)
    household_no: str | None = Field(default=None, sa_type=TEXT)
    living_division: str = Field(sa_type=_DIVISION)
    registered_division: str = Field(sa_type=_DIVISION)
    contact_name: str = Field(sa_type=TEXT)
    contact_phone: str | None = Field(default=None, sa_type=TEXT)
    severity: str | None = Field(default=None, sa_type=TEXT)
    recommendation: str | None = Field(default=None, sa_type=TEXT)
    listed_as: str | None = Field(default=None, sa_type=TEXT)
    causes: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())
    reason: str = Field(sa_type=TEXT)
    report_ids: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())
    facts_version: int = Field(sa_type=_BIG)
    policy_version: str = Field(sa_type=TEXT)
    acknowledge_hours: int = Field(sa_type=_SMALL)
    acknowledge_unit: str = Field(default="hours", sa_type=TEXT, sa_column_kwargs={"server_default": text("'hours'")})
    verify_days: int = Field(sa_type=_SMALL)
    verify_unit: str = Field(default="days", sa_type=TEXT, sa_column_kwargs={"server_default": text("'days'")})
    ack_from: datetime | None = Field(default=None, sa_type=_MOMENT)
    verify_from: datetime | None = Field(default=None, sa_type=_MOMENT)
    status: str = Field(default="open", sa_type=TEXT, sa_column_kwargs={"server_default": text("'open'")})
    outcome: str | None = Field(default=None, sa_type=TEXT)
    follows: UUID | None = None
    opened_at: datetime = Field(sa_type=_MOMENT)
    opened_on: date
    ack_due_at: datetime = Field(sa_type=_MOMENT)
    verify_due_at: datetime = Field(sa_type=_MOMENT)
    routed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    acknowledged_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    route_version: str | None = Field(default=None, sa_type=TEXT)
    route_nodes: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())


class AlertEvidence(AlertsTable, table=True):
    """Why a warning stands: a finding or a fact, each once (`digest`), with the message that brought it."""

    __tablename__ = "alert_evidence"
    __table_args__ = (
        UniqueConstraint("alert_id", "digest"),
        CheckConstraint("kind IN ('finding','fact')", name="kind"),
    )

    evidence_id: int | None = Field(default=None, sa_column=_row_number("evidence_id"))
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    event_id: UUID
    kind: str = Field(sa_type=TEXT)
    item: dict[str, Any] = Field(sa_type=_JSON)
    digest: str = Field(sa_type=TEXT)
    facts_version: int = Field(sa_type=_BIG)
    policy_version: str = Field(sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=_MOMENT)


class AlertLog(AlertsTable, table=True):
    """The timeline of an alert, append-only: who did what when."""

    __tablename__ = "alert_log"
    __table_args__ = (Index(None, "alert_id", "log_id"),)

    log_id: int | None = Field(default=None, sa_column=_row_number("log_id"))
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    at: datetime = Field(sa_type=_MOMENT)
    actor: str = Field(sa_type=TEXT)
    action: str = Field(sa_type=TEXT)
    status_before: str | None = Field(default=None, sa_type=TEXT)
    status_after: str = Field(sa_type=TEXT)
    detail: dict[str, Any] = Field(sa_type=_JSON)


class Assignment(AlertsTable, table=True):
    """A person who answers for an alert, and why; ended when it is handed over."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("ux_assignment_current", "alert_id", "officer_no", unique=True, postgresql_where=text("until IS NULL")),
        Index(None, "officer_no"),
        CheckConstraint(
            "reach IN ('duty','deputy','paired','fallthrough','copy','handed_over','escalated')", name="reach"
        ),
    )

    assignment_id: int | None = Field(default=None, sa_column=_row_number("assignment_id"))
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    role: str = Field(sa_type=TEXT)
    level: int = Field(sa_type=_SMALL)
    reach: str = Field(sa_type=TEXT)
    since: datetime = Field(sa_type=_MOMENT)
    until: datetime | None = Field(default=None, sa_type=_MOMENT)


class AlertEscalation(AlertsTable, table=True):
    """How far an alert has climbed (逐级督办): the levels as they were at its opening, and when it climbs next.

    `step` is the level it stands at, 1 the grid, 4 the county; `since` is when it came there or was acknowledged.
    The timer is this row: what is due is found by `next_step_at`, and `token` is another after every change.
    """

    __tablename__ = "alert_escalation"
    __table_args__ = (
        Index("ix_alert_escalation_due", "next_step_at", postgresql_where=text("next_step_at IS NOT NULL")),
        CheckConstraint("step BETWEEN 1 AND 4", name="step"),
        CheckConstraint("(next_step_at IS NULL) = (finished_at IS NOT NULL)", name="finished"),
    )

    alert_id: UUID = Field(primary_key=True, foreign_key="alerts.alert.alert_id")
    chain_snapshot: list[dict[str, Any]] = Field(sa_type=_JSON)
    step: int = Field(sa_type=_SMALL)
    since: datetime = Field(sa_type=_MOMENT)
    next_step_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    token: UUID
    finished_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class WorkCalendarDay(AlertsTable, table=True):
    """A day that is otherwise than the days of the week say (放假、调休), in a region.

    A year is known where it has rows of `chinesecalendar` or `state_council`; the latter stand for the former, and
    what the `county` says of a day stands above both.
    """

    __tablename__ = "work_calendar_day"
    __table_args__ = (
        CheckConstraint("kind IN ('holiday','workday')", name="kind"),
        CheckConstraint("source IN ('chinesecalendar','state_council','county')", name="source"),
    )

    region: str = Field(primary_key=True, sa_type=_DIVISION)
    date: date_ = Field(primary_key=True)
    source: str = Field(primary_key=True, sa_type=TEXT)
    region_hi: str = Field(sa_type=_DIVISION)
    kind: str = Field(sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    written_at: datetime = Field(sa_type=_MOMENT)


class WorkCalendarChange(AlertsTable, table=True):
    """A year whose days changed in a region: the deadlines over it are computed again, in the order of alerts."""

    __tablename__ = "work_calendar_change"

    change_id: int | None = Field(default=None, sa_column=_row_number("change_id"))
    region: str = Field(sa_type=_DIVISION)
    region_hi: str = Field(sa_type=_DIVISION)
    year: int = Field(sa_type=_SMALL)
    made_at: datetime = Field(sa_type=_MOMENT)
    after_alert: UUID | None = None
    done_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class WatchBeat(AlertsTable, table=True):
    """When a task that must come regularly was last seen to end well."""

    __tablename__ = "watch_beat"

    name: str = Field(primary_key=True, sa_type=TEXT)
    every_seconds: int
    last_at: datetime = Field(sa_type=_MOMENT)


class WatchIncident(AlertsTable, table=True):
    """Something that stands still; one at a time of each trouble, told when it begins and when it is over."""

    __tablename__ = "watch_incident"
    __table_args__ = (
        Index("ux_watch_incident_open", "trouble", unique=True, postgresql_where=text("closed_at IS NULL")),
    )

    incident_id: UUID = Field(primary_key=True)
    trouble: str = Field(sa_type=TEXT)
    detail: str = Field(sa_type=TEXT)
    opened_at: datetime = Field(sa_type=_MOMENT)
    told_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    end_told_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Notification(AlertsTable, table=True):
    """A message that was sent, or withheld for a reason; once per `dedupe_key`.

    Without `recipient` it goes to an endpoint of a division, or to nobody. Without `alert_id` it is about the
    `division` or a `subject` whose warning did not open.

    Its push may be one with others' of the `group_key` (`carried_by` names the one that holds it), wait until
    `not_before`, or be a line of a digest (`carried_by`); `outcome` says what it came to, null as long as it waits.
    A message without a push of its own, the letter being all, has neither group nor outcome.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index(None, "alert_id"),
        Index(None, "division"),
        Index("ix_notification_silenced", "silence_id", postgresql_where=text("silence_id IS NOT NULL")),
        Index(
            "ix_notification_grouped", "group_key", postgresql_where=text("group_key IS NOT NULL AND outcome IS NULL")
        ),
        Index(
            "ix_notification_to_digest",
            "recipient",
            postgresql_where=text("decision IN ('digest','defer') AND outcome IS NULL"),
        ),
        Index("ix_notification_carried_by", "carried_by", postgresql_where=text("carried_by IS NOT NULL")),
        Index(
            "ix_notification_pushed",
            "recipient",
            "ended_at",
            postgresql_where=text("carried_by = notification_id"),
        ),
        CheckConstraint("decision IN ('send','suppress','defer','digest')", name="decision"),
        CheckConstraint("decision = 'send' OR reason IS NOT NULL", name="withheld_with_reason"),
        CheckConstraint("outcome IN ('sent','digested','cancelled')", name="outcome"),
        CheckConstraint(
            "(outcome IS NULL) = (ended_at IS NULL) AND (decision <> 'suppress' OR outcome IS NULL)", name="ended"
        ),
    )

    notification_id: UUID = Field(primary_key=True)
    dedupe_key: str = Field(sa_type=TEXT)
    alert_id: UUID | None = Field(default=None, foreign_key="alerts.alert.alert_id")
    subject: str | None = Field(default=None, sa_type=TEXT)
    division: str = Field(sa_type=_DIVISION)
    recipient: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    kind: str = Field(sa_type=TEXT)
    decision: str = Field(sa_type=TEXT)
    reason: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=_MOMENT)
    silence_id: UUID | None = Field(default=None, foreign_key="alerts.silence.silence_id")
    not_before: datetime | None = Field(default=None, sa_type=_MOMENT)
    group_key: str | None = Field(default=None, sa_type=TEXT)
    urgent: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    carried_by: UUID | None = None
    outcome: str | None = Field(default=None, sa_type=TEXT)
    ended_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class RouteVersion(AlertsTable, table=True):
    """A table of routes (路由表) of one county, never changed: a draft, or in force from `valid_from` on."""

    __tablename__ = "route_version"
    __table_args__ = (
        UniqueConstraint("name"),
        UniqueConstraint("division", "number"),
        Index("ix_route_version_in_force", "division", "valid_from", postgresql_where=text("state = 'active'")),
        CheckConstraint("state IN ('draft','active')", name="state"),
        CheckConstraint("(state = 'active') = (valid_from IS NOT NULL)", name="active_from"),
    )

    version_id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=_DIVISION)
    division_hi: str = Field(sa_type=_DIVISION)
    number: int = Field(sa_type=Integer)
    state: str = Field(sa_type=TEXT)
    valid_from: date | None = None
    lines: list[dict[str, Any]] = Field(sa_type=_JSON)
    digest: str = Field(sa_type=TEXT)
    created_by: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=_MOMENT)
    activated_by: str | None = Field(default=None, sa_type=TEXT)
    activated_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Silence(AlertsTable, table=True):
    """What matches it is not sent for a while (静默); `released_at`: what it held back and still stands was told."""

    __tablename__ = "silence"
    __table_args__ = (
        Index(None, "division"),
        Index("ix_silence_unreleased", "ends_at", postgresql_where=text("released_at IS NULL")),
        CheckConstraint("ends_at > starts_at AND ends_at <= starts_at + interval '90 days'", name="at_most_90_days"),
        CheckConstraint("(expired_at IS NULL) = (expired_by IS NULL)", name="expired_by"),
    )

    silence_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=_DIVISION)
    division_hi: str = Field(sa_type=_DIVISION)
    matchers: list[dict[str, Any]] = Field(sa_type=_JSON)
    reason: str = Field(sa_type=TEXT)
    author: str = Field(sa_type=TEXT)
    author_role: str = Field(sa_type=TEXT)
    starts_at: datetime = Field(sa_type=_MOMENT)
    ends_at: datetime = Field(sa_type=_MOMENT)
    created_at: datetime = Field(sa_type=_MOMENT)
    expired_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    expired_by: str | None = Field(default=None, sa_type=TEXT)
    released_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Outlet(AlertsTable, table=True):
    """What may fail or be flooded as one (出口): a robot, a webhook, the SMS gateway of many phones, the mail relay.

    Breaker and tokens stand here so that all workers share them: `failures` in a row, nothing sent before
    `blocked_until`.
    """

    __tablename__ = "outlet"
    __table_args__ = (
        CheckConstraint("num_nonnulls(per_minute, burst) IN (0, 2)", name="rate_whole"),
        CheckConstraint("per_minute BETWEEN 1 AND 60000 AND burst BETWEEN 1 AND 60000", name="rate"),
    )

    outlet_id: UUID = Field(primary_key=True)
    per_minute: int | None = None
    burst: int | None = None
    tokens: float | None = Field(default=None, sa_type=_NUMBER)
    tokens_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    failures: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    blocked_until: datetime | None = Field(default=None, sa_type=_MOMENT)


class NotifyGroup(ClaimColumns, AlertsTable, table=True):
    """The pushes of one kind about one village to one person, or (without `recipient`) to the groups above it.

    `sent_set` is the digest of the alerts it was last told of, `sent_alerts` these.
    """

    __tablename__ = "notify_group"
    __table_args__ = (
        Index("ix_notify_group_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    group_key: str = Field(primary_key=True, sa_type=TEXT)
    recipient: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    division: str = Field(sa_type=_DIVISION)
    kind: str = Field(sa_type=TEXT)
    sent_set: str | None = Field(default=None, sa_type=TEXT)
    sent_alerts: list[UUID] = Field(sa_type=_UUIDS, sa_column_kwargs=_empty_texts())
    sent_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class DigestRun(AlertsTable, table=True):
    """One person's digest of one day (日汇总), once; without `notification_id` there was nothing to tell."""

    __tablename__ = "digest_run"

    recipient: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    day: date = Field(primary_key=True)
    made_at: datetime = Field(sa_type=_MOMENT)
    lines: dict[str, Any] = Field(sa_type=_JSON)
    notification_id: UUID | None = Field(default=None, foreign_key="alerts.notification.notification_id")


class MonthlySheet(AlertsTable, table=True):
    """One township's figures after one month's comparison (月度清单), once; `month` is its first day."""

    __tablename__ = "monthly_sheet"

    division: str = Field(primary_key=True, sa_type=_DIVISION)
    month: date = Field(primary_key=True)
    made_at: datetime = Field(sa_type=_MOMENT)
    figures: dict[str, Any] = Field(sa_type=_JSON)


class Endpoint(AlertsTable, table=True):
    """Where messages go besides the inbox: of one officer, or (without `officer_no`) of a division's group.

    What follows `?` in an address may be a key: it is sealed, and a digest stands in its place. Of an officer's
    endpoints the one with the lowest `rank` is tried first.
    """

    __tablename__ = "endpoint"
    __table_args__ = (
        UniqueConstraint(
            "channel",
            "address",
            "division",
            "officer_no",
            name="uq_endpoint_owner",
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "officer_no"),
        Index(None, "division"),
        CheckConstraint("channel IN ('webhook','smtp','console','wecom','dingtalk','sms')", name="channel"),
        CheckConstraint("state IN ('active','broken','disabled')", name="state"),
    )

    endpoint_id: UUID = Field(primary_key=True)
    channel: str = Field(sa_type=TEXT)
    address: str = Field(sa_type=TEXT)
    sealed_secret: bytes | None = Field(default=None, sa_type=_BYTES)
    officer_no: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    division: str = Field(sa_type=_DIVISION)
    division_hi: str = Field(sa_type=_DIVISION)
    state: str = Field(default="active", sa_type=TEXT, sa_column_kwargs={"server_default": text("'active'")})
    state_reason: str | None = Field(default=None, sa_type=TEXT)
    updated_at: datetime = Field(sa_type=_MOMENT)
    sealed_query: bytes | None = Field(default=None, sa_type=_BYTES)
    rank: int = Field(default=50, sa_type=_SMALL, sa_column_kwargs={"server_default": text("50")})
    outlet_id: UUID = Field(foreign_key="alerts.outlet.outlet_id")


class SmsGateway(AlertsTable, table=True):
    """The SMS supplier of a division and all below it that have none of their own; `mapping` says how it is asked.

    Its id is the id of its outlet too.
    """

    __tablename__ = "sms_gateway"
    __table_args__ = (UniqueConstraint("division"),)

    gateway_id: UUID = Field(primary_key=True, foreign_key="alerts.outlet.outlet_id")
    division: str = Field(sa_type=_DIVISION)
    division_hi: str = Field(sa_type=_DIVISION)
    name: str = Field(sa_type=TEXT)
    mapping: dict[str, Any] = Field(sa_type=_JSON)
    sealed_secret: bytes | None = Field(default=None, sa_type=_BYTES)
    sealed_receipt_secret: bytes | None = Field(default=None, sa_type=_BYTES)
    updated_at: datetime = Field(sa_type=_MOMENT)


class Delivery(ClaimColumns, AlertsTable, table=True):
    """One message on its way to one endpoint; its id is the message's id outside, the same over all tries.

    Without `alert_id` it is about several alerts, or none. `outlet_id` is its endpoint's; `supplier_id` is the
    supplier's name for it.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("notification_id", "channel", "endpoint_id", name="uq_delivery_once"),
        # Claimed outlet by outlet, so that a backlog that waits for one is never read for the others.
        Index("ix_delivery_waiting", "outlet_id", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_delivery_dead", "endpoint_id", postgresql_where=text("state = 'dead'")),
        Index("ix_delivery_supplier_id", "supplier_id", postgresql_where=text("supplier_id IS NOT NULL")),
        Index(None, "endpoint_id", "delivery_id"),
        Index(None, "alert_id"),
        CheckConstraint(
            "state IN ('due','uncertain','delivered','confirmed','dead','cancelled')",
            name="state",
        ),
        CheckConstraint("(state IN ('due','uncertain')) = (due_at IS NOT NULL)", name="due"),
    )

    delivery_id: UUID = Field(primary_key=True)
    notification_id: UUID = Field(foreign_key="alerts.notification.notification_id")
    alert_id: UUID | None = Field(default=None, foreign_key="alerts.alert.alert_id")
    channel: str = Field(sa_type=TEXT)
    endpoint_id: UUID = Field(foreign_key="alerts.endpoint.endpoint_id")
    outlet_id: UUID
    message: dict[str, Any] = Field(sa_type=_JSON)
    state: str = Field(default="due", sa_type=TEXT, sa_column_kwargs={"server_default": text("'due'")})
    outcome: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=_MOMENT)
    give_up_at: datetime = Field(sa_type=_MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    supplier_id: str | None = Field(default=None, sa_type=TEXT)


class DeliveryAttempt(AlertsTable, table=True):
    """One try to send, whatever it came to."""

    __tablename__ = "delivery_attempt"

    delivery_id: UUID = Field(primary_key=True, foreign_key="alerts.delivery.delivery_id")
    attempt: int = Field(primary_key=True, sa_type=Integer)
    at: datetime = Field(sa_type=_MOMENT)
    outcome: str = Field(sa_type=TEXT)
    code: int | None = None
    reason: str = Field(sa_type=TEXT)
    milliseconds: int
    supplier_code: str | None = Field(default=None, sa_type=TEXT)


class DeliveryReceipt(AlertsTable, table=True):
    """What a supplier reported of a message afterwards (回执); the same report again is the same row."""

    __tablename__ = "delivery_receipt"

    delivery_id: UUID = Field(primary_key=True, foreign_key="alerts.delivery.delivery_id")
    state: str = Field(primary_key=True, sa_type=TEXT)
    arrived: bool
    at: datetime = Field(sa_type=_MOMENT)


class InboxCounter(AlertsTable, table=True):
    """The last item number of an officer's inbox; its row lock makes numbers appear in their order."""

    __tablename__ = "inbox_counter"

    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    last_item_no: int = Field(sa_type=_BIG)


class InboxItem(AlertsTable, table=True):
    """One message in an officer's inbox; `item_no` has no gaps and is the id of the live stream's event."""

    __tablename__ = "inbox_item"
    __table_args__ = (
        UniqueConstraint("notification_id"),
        Index("ix_inbox_item_unread", "officer_no", "item_no", postgresql_where=text("read_at IS NULL")),
    )

    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    item_no: int = Field(primary_key=True, sa_type=_BIG)
    notification_id: UUID = Field(foreign_key="alerts.notification.notification_id")
    alert_id: UUID | None = None
    kind: str = Field(sa_type=TEXT)
    severity: str | None = Field(default=None, sa_type=TEXT)
    title: str = Field(sa_type=TEXT)
    body: str = Field(sa_type=TEXT)
    link: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=_MOMENT)
    read_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class ClientStep(AlertsTable, table=True):
    """A step under an id its client made, so that it can be sent again after working offline; `digest`: of what."""

    __tablename__ = "client_step"
    __table_args__ = (Index(None, "alert_id"),)

    step_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    digest: str = Field(sa_type=TEXT)
    taken_at: datetime = Field(sa_type=_MOMENT)


class Attempt(AlertsTable, table=True):
    """A try to reach the household that failed: who tried, when (and on which day in China), how."""

    __tablename__ = "attempt"
    __table_args__ = (Index(None, "alert_id"), CheckConstraint("method IN ('visit','call')", name="method"))

    attempt_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    officer_no: str = Field(sa_type=TEXT)
    method: str = Field(sa_type=TEXT)
    tried_at: datetime = Field(sa_type=_MOMENT)
    tried_on: date
    note: str | None = Field(default=None, sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=_MOMENT)


class Handover(AlertsTable, table=True):
    """An offer to a colleague to answer for an alert, and what became of it; one at a time."""

    __tablename__ = "handover"
    __table_args__ = (
        Index("ux_handover_pending", "alert_id", unique=True, postgresql_where=text("state = 'pending'")),
        Index(None, "alert_id"),
        CheckConstraint("kind IN ('assign','refer','transfer')", name="kind"),
        CheckConstraint("state IN ('pending','accepted','declined','withdrawn','lapsed')", name="state"),
        CheckConstraint("(state = 'pending') = (settled_at IS NULL)", name="settled"),
        CheckConstraint("state <> 'declined' OR answer IS NOT NULL", name="declined_with_reason"),
    )

    handover_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    kind: str = Field(sa_type=TEXT)
    from_officer_no: str = Field(sa_type=TEXT)
    to_officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    to_role: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    state: str = Field(default="pending", sa_type=TEXT, sa_column_kwargs={"server_default": text("'pending'")})
    answer: str | None = Field(default=None, sa_type=TEXT)
    offered_at: datetime = Field(sa_type=_MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Consultation(AlertsTable, table=True):
    """A joint consultation (联合会商): who is asked by when, and what was decided; one at a time for an alert."""

    __tablename__ = "consultation"
    __table_args__ = (
        Index("ux_consultation_open", "alert_id", unique=True, postgresql_where=text("state = 'open'")),
        Index(None, "alert_id"),
        CheckConstraint("state IN ('open','decided')", name="state"),
        CheckConstraint("(state = 'decided') = (num_nonnulls(decided_at, decided_by, held_on) = 3)", name="decided"),
    )

    consultation_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    called_by: str = Field(sa_type=TEXT)
    called_at: datetime = Field(sa_type=_MOMENT)
    departments: list[str] = Field(sa_type=_TEXTS)
    question: str = Field(sa_type=TEXT)
    opinions_by: date
    meets_on: date
    state: str = Field(default="open", sa_type=TEXT, sa_column_kwargs={"server_default": text("'open'")})
    held_on: date | None = None
    attendees: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())
    measures: str | None = Field(default=None, sa_type=TEXT)
    decided_by: str | None = Field(default=None, sa_type=TEXT)
    decided_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class ConsultationOpinion(AlertsTable, table=True):
    """A department's written opinion in a consultation; once given it stands."""

    __tablename__ = "consultation_opinion"

    consultation_id: UUID = Field(primary_key=True, foreign_key="alerts.consultation.consultation_id")
    department: str = Field(primary_key=True, sa_type=TEXT)
    officer_no: str = Field(sa_type=TEXT)
    opinion: str = Field(sa_type=TEXT)
    written_at: datetime = Field(sa_type=_MOMENT)


class CorrectionTicket(AlertsTable, table=True):
    """Data that a visitor found wrong, for the department that sent it (数据更正单)."""

    __tablename__ = "correction_ticket"
    __table_args__ = (
        Index("ix_correction_ticket_division", "division", "ticket_id"),
        Index("ix_correction_ticket_waiting", "subject", postgresql_where=text("state IN ('open','answered')")),
        UniqueConstraint("alert_id", "department", name="uq_correction_ticket_department"),
        CheckConstraint("state IN ('open','answered','corrected','kept')", name="state"),
    )

    ticket_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    subject: str = Field(sa_type=TEXT)
    household_no: str | None = Field(default=None, sa_type=TEXT)
    division: str = Field(sa_type=_DIVISION)
    department: str = Field(sa_type=TEXT)
    measured: dict[str, Any] = Field(
        sa_type=_JSON, sa_column_kwargs={"comment": "by indicator, when it was found wrong"}
    )
    facts_version: int = Field(sa_type=_BIG)
    opened_at: datetime = Field(sa_type=_MOMENT)
    due_at: datetime = Field(sa_type=_MOMENT)
    state: str = Field(sa_type=TEXT)
    reply: str | None = Field(default=None, sa_type=TEXT)
    replied_by: str | None = Field(default=None, sa_type=TEXT)
    replied_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Verification(AlertsTable, table=True):
    """The answer to an alert; its id may be made by the client, so that it can be sent again.

    An answer that `stands` closed the alert; one that is `awaiting` or `refused` met the second officer (双人复核).
    """

    __tablename__ = "verification"
    __table_args__ = (
        Index("ux_verification_standing", "alert_id", unique=True, postgresql_where=text("state <> 'refused'")),
        Index(None, "alert_id"),
        Index(None, "verified_at"),
        CheckConstraint("state IN ('awaiting','stands','refused')", name="state"),
        CheckConstraint("num_nonnulls(second_officer_no, second_at) IN (0, 2)", name="second_whole"),
        CheckConstraint("second_officer_no IS DISTINCT FROM officer_no OR second_officer_no IS NULL", name="two"),
        CheckConstraint("method IN ('visit','call')", name="method"),
        CheckConstraint("num_nonnulls(method, contacted_by, contacted_on) IN (0, 3)", name="contact_whole"),
        CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes"),
    )

    verification_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    outcome: str = Field(sa_type=TEXT)
    causes: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())
    method: str | None = Field(default=None, sa_type=TEXT)
    contacted_by: str | None = Field(default=None, sa_type=TEXT)
    contacted_on: date | None = None
    met: str | None = Field(default=None, sa_type=TEXT)
    minutes: int | None = Field(
        default=None, sa_type=SmallInteger, sa_column_kwargs={"comment": "of the visit or call, way included"}
    )
    helped_by: str | None = Field(default=None, sa_type=TEXT)
    note: str | None = Field(default=None, sa_type=TEXT)
    household_check: dict[str, Any] | None = Field(
        default=None,
        sa_type=_JSON,
        sa_column_kwargs={"comment": "两不愁三保障 and drinking water: by need, what was seen and a line of text"},
    )
    officer_no: str = Field(sa_type=TEXT)
    officer_role: str = Field(sa_type=TEXT)
    verified_at: datetime = Field(sa_type=_MOMENT)
    needs: list[str] = Field(
        sa_type=_TEXTS, sa_column_kwargs={**_empty_texts(), "comment": "三保障 and water found lacking, by sector"}
    )
    state: str = Field(default="stands", sa_type=TEXT, sa_column_kwargs={"server_default": text("'stands'")})
    second_officer_no: str | None = Field(default=None, sa_type=TEXT)
    second_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    second_reason: str | None = Field(default=None, sa_type=TEXT)
    consultation_id: UUID | None = Field(default=None, foreign_key="alerts.consultation.consultation_id")


class Recheck(AlertsTable, table=True):
    """An answer drawn to be looked at again by the township, and what that came to."""

    __tablename__ = "recheck"
    __table_args__ = (
        Index(None, "alert_id"),
        Index("ix_recheck_due", "due_at", postgresql_where=text("state = 'due'")),
        Index("ix_recheck_to_open", "settled_at", postgresql_where=text("state = 'differs' AND opened IS NULL")),
        CheckConstraint("state IN ('due','agrees','differs')", name="state"),
        CheckConstraint(
            "(state = 'due') = (num_nonnulls(found, checked_by, method, checked_on, met, settled_at) = 0)", name="due"
        ),
        CheckConstraint("method IN ('visit','call')", name="method"),
    )

    verification_id: UUID = Field(primary_key=True, foreign_key="alerts.verification.verification_id")
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    drawn_at: datetime = Field(sa_type=_MOMENT)
    due_at: datetime = Field(sa_type=_MOMENT)
    state: str = Field(default="due", sa_type=TEXT, sa_column_kwargs={"server_default": text("'due'")})
    found: str | None = Field(default=None, sa_type=TEXT)
    checked_by: str | None = Field(default=None, sa_type=TEXT)
    method: str | None = Field(default=None, sa_type=TEXT)
    checked_on: date | None = None
    met: str | None = Field(default=None, sa_type=TEXT)
    note: str | None = Field(default=None, sa_type=TEXT)
    settled_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    opened: UUID | None = Field(
        default=None, foreign_key="alerts.alert.alert_id", sa_column_kwargs={"comment": "the alert it led to"}
    )


class SectorTask(AlertsTable, table=True):
    """A guarantee of a household that is lacking, as its department's task; one open for a subject and sector."""

    __tablename__ = "sector_task"
    __table_args__ = (
        Index("ux_sector_task_open", "subject", "sector", unique=True, postgresql_where=text("state <> 'closed'")),
        Index(None, "alert_id"),
        Index(None, "sector", "task_id"),
        CheckConstraint("sector IN ('education','medical','housing','water')", name="sector"),
        CheckConstraint("state IN ('open','answered','closed')", name="state"),
        CheckConstraint("feedback IN ('done','not_possible')", name="feedback"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
    )

    task_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    verification_id: UUID = Field(foreign_key="alerts.verification.verification_id")
    subject: str = Field(sa_type=TEXT)
    sector: str = Field(sa_type=TEXT)
    about: str | None = Field(default=None, sa_type=TEXT)
    state: str = Field(default="open", sa_type=TEXT, sa_column_kwargs={"server_default": text("'open'")})
    round: int = Field(default=1, sa_type=_SMALL, sa_column_kwargs={"server_default": text("1")})
    opened_at: datetime = Field(sa_type=_MOMENT)
    due_at: datetime = Field(sa_type=_MOMENT)
    feedback: str | None = Field(default=None, sa_type=TEXT)
    feedback_note: str | None = Field(default=None, sa_type=TEXT)
    feedback_by: str | None = Field(default=None, sa_type=TEXT)
    feedback_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class SectorTaskLog(AlertsTable, table=True):
    """What was done to a task, append-only; of the alert itself a department sees nothing."""

    __tablename__ = "sector_task_log"
    __table_args__ = (Index(None, "task_id", "log_id"),)

    log_id: int | None = Field(default=None, sa_column=_row_number("log_id"))
    task_id: UUID = Field(foreign_key="alerts.sector_task.task_id")
    at: datetime = Field(sa_type=_MOMENT)
    actor: str = Field(sa_type=TEXT)
    action: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    note: str | None = Field(default=None, sa_type=TEXT)


class PhoneToken(AlertsTable, table=True):
    """The link of a message, by the hash of its secret: opens one alert to one officer, once, for a day."""

    __tablename__ = "phone_token"
    __table_args__ = (
        Index(None, "expires_at"),
        CheckConstraint("expires_at <= made_at + interval '24 hours'", name="a_day_at_most"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=_BYTES)
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    made_at: datetime = Field(sa_type=_MOMENT)
    expires_at: datetime = Field(sa_type=_MOMENT)
    used_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class PhoneSession(AlertsTable, table=True):
    """An officer's phone, by the hash of its cookie; after `unlocked_until` it asks for the PIN again."""

    __tablename__ = "phone_session"
    __table_args__ = (Index(None, "officer_no"), Index(None, "expires_at"))

    session_hash: bytes = Field(primary_key=True, sa_type=_BYTES)
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    made_at: datetime = Field(sa_type=_MOMENT)
    unlocked_until: datetime = Field(sa_type=_MOMENT)
    expires_at: datetime = Field(sa_type=_MOMENT)


class PhonePin(AlertsTable, table=True):
    """An officer's PIN as scrypt keeps it, and the wrong tries at it."""

    __tablename__ = "phone_pin"
    __table_args__ = (CheckConstraint("wrong BETWEEN 0 AND 4", name="wrong"),)

    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    salt: bytes = Field(sa_type=_BYTES)
    pin_hash: bytes = Field(sa_type=_BYTES)
    set_at: datetime = Field(sa_type=_MOMENT)
    wrong: int = Field(default=0, sa_type=_SMALL, sa_column_kwargs={"server_default": text("0")})
    locked_until: datetime | None = Field(default=None, sa_type=_MOMENT)


class Outbox(OutboxColumns, AlertsTable, table=True):
    __tablename__ = "outbox"


class OutboxDelivery(OutboxDeliveryColumns, AlertsTable, table=True):
    __tablename__ = "outbox_delivery"
    __table_args__ = (
        Index("ix_outbox_delivery_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )


class Subscription(SubscriptionColumns, AlertsTable, table=True):
    __tablename__ = "subscription"


class Inbox(InboxColumns, AlertsTable, table=True):
    __tablename__ = "inbox"


class IdempotencyKey(IdempotencyColumns, AlertsTable, table=True):
    __tablename__ = "idempotency_key"


class AuditLog(AuditColumns, AlertsTable, table=True):
    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "at"),)
