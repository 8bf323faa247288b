"""Record what an SMS supplier reports of messages (短信回执): arrived, or not, and then the next channel starts."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import asyncpg

from services.alerts import repository_deliveries as repository
from services.alerts.channels.fill_template import fill_json
from services.alerts.domain.delivery import DeliveryState, OutcomeClass, after_receipt
from services.alerts.domain.supplier_answer import text_at, value_at
from services.alerts.schemas_sms import MappingIn, ReceiptIn
from services.alerts.start_next_channels import start_next_channels
from shared.errors import Unprocessable
from shared.logs import log
from shared.messaging.signing import SignatureRefused, verify
from shared.runtime import Runtime
from shared.web.strict_json import parse_strict

MOST_ITEMS = 1000


class ReceiptRefused(Unprocessable):
    code, title = "receipt_refused", "回执内容不符合登记的格式"


@dataclass(frozen=True, slots=True)
class Report:
    """What a supplier says of one message, by our id or its own; `arrived` is None while it does not know."""

    our_id: UUID | None
    supplier_id: str | None
    state: str
    arrived: bool | None


@dataclass(frozen=True, slots=True)
class Posted:
    """A request as it came."""

    headers: Mapping[str, str]
    body: bytes


async def record_receipts(connection: asyncpg.Connection, gateway_id: UUID, posted: Posted, runtime: Runtime) -> Any:
    """Take the reports in and give the answer that the supplier expects. Whoever cannot prove himself is refused."""
    gateway = await repository.gateway_by_id(connection, gateway_id)
    form = MappingIn.model_validate(gateway["mapping"]).receipt if gateway is not None else None
    if gateway is None or form is None or gateway["sealed_receipt_secret"] is None:
        raise SignatureRefused
    sealed = gateway["sealed_receipt_secret"]
    check_sender(form, runtime.keys.open(sealed, "sms_gateway", "receipt_secret", str(gateway_id)), posted, runtime)
    await _record(connection, gateway_id, _reports(form, posted), runtime)
    return fill_json(form.answer, {})


def check_sender(form: ReceiptIn, secret: str, posted: Posted, runtime: Runtime) -> None:
    """Raise SignatureRefused unless the request proves that it knows the secret."""
    if form.proof == "standard_webhooks":
        verify([_webhook_key(secret)], posted.headers, posted.body, now=runtime.clock.now())
        return
    given = posted.headers.get(form.header.lower(), "").encode()
    hashed = hmac.digest(secret.encode(), posted.body, "sha256").hex()
    expected = secret if form.proof == "header" else hashed
    if form.proof == "hmac_sha256":
        given = given.lower().removeprefix(b"sha256=")
    if not hmac.compare_digest(given, expected.encode()):
        raise SignatureRefused


def _webhook_key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True) or secret.encode()
    except binascii.Error:
        return secret.encode()


def _reports(form: ReceiptIn, posted: Posted) -> list[Report]:
    items = value_at(_parsed(posted), form.items_at)
    items = items if isinstance(items, list) else [items]
    if len(items) > MOST_ITEMS:
        raise ReceiptRefused(f"一次最多 {MOST_ITEMS} 条")
    return [_report(form, item) for item in items]


def _parsed(posted: Posted) -> Any:
    if posted.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        try:
            return dict(parse_qsl(posted.body.decode(), max_num_fields=100))
        except (UnicodeDecodeError, ValueError):
            raise ReceiptRefused("表单无法读取") from None
    return parse_strict(posted.body)


def _report(form: ReceiptIn, item: Any) -> Report:
    state = text_at(item, form.state_at)
    if state is None:
        raise ReceiptRefused(f"缺少 {form.state_at}")
    arrived = None if state in form.pending else state in form.arrived
    our_id = text_at(item, form.our_id_at) if form.our_id_at else None
    return Report(_uuid(our_id), text_at(item, form.supplier_id_at) if form.supplier_id_at else None, state, arrived)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


async def _record(
    connection: asyncpg.Connection, gateway_id: UUID, reports: Sequence[Report], runtime: Runtime
) -> None:
    ours = {report.our_id for report in reports if report.our_id is not None}
    theirs = {report.supplier_id for report in reports if report.supplier_id is not None}
    rows = await repository.lock_reported(connection, gateway_id, ours, theirs)
    by_id: dict[object, asyncpg.Record] = {row["delivery_id"]: row for row in rows}
    by_id |= {row["supplier_id"]: row for row in rows if row["supplier_id"] is not None}
    states = {row["delivery_id"]: DeliveryState(row["state"]) for row in rows}
    known = [(report, by_id.get(report.our_id) or by_id.get(report.supplier_id)) for report in reports]
    about = [(report, row) for report, row in known if row is not None and report.arrived is not None]
    if len(about) < len(reports):
        log.warning("receipt.unknown", gateway_id=str(gateway_id), reports=len(reports), taken=len(about))
    await _write(connection, about, states, runtime)


async def _write(
    connection: asyncpg.Connection,
    about: Sequence[tuple[Report, asyncpg.Record]],
    states: dict[UUID, DeliveryState],
    runtime: Runtime,
) -> None:
    now, failed = runtime.clock.now(), []
    receipts = {
        (row["delivery_id"], report.state): {
            "delivery_id": row["delivery_id"],
            "state": report.state,
            "arrived": bool(report.arrived),
            "at": now,
        }
        for report, row in about
    }
    await repository.insert_receipts(connection, list(receipts.values()))
    for report, row in about:
        id_ = row["delivery_id"]
        after = after_receipt(states[id_], arrived=bool(report.arrived))
        if after is states[id_]:
            continue
        states[id_] = after
        outcome = OutcomeClass.OK if report.arrived else OutcomeClass.UNREACHED
        await repository.set_reported(connection, id_, after, outcome, now)
        failed += [] if report.arrived else [id_]
    await start_next_channels(connection, runtime, failed)
