"""What a person may see of his own record: his reports, what is held about him, and who looked (本人查询).

Asked with the receipt code and the end of the own identity number: who finds a slip of paper knows only the first.
What monitoring holds is asked for by a message and shown at the next look, some seconds later.
"""

import hmac
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.intake import repository_appeals as appeals
from services.intake import repository_own_record as repository
from services.intake import repository_reports as reports
from services.intake.domain.report_limit import LimitKind
from services.intake.keep_limits import use_index_once
from services.intake.open_receipt import Opened, ReceiptUnknown
from services.intake.publish_observations import SOURCE
from services.intake.schemas_reports import HeldCategory, Look, OwnRecordView, OwnReport
from services.intake.show_appeal import appeal_progress
from services.intake.show_progress import answer_of, stages_of
from shared.contracts.envelope import Event
from shared.contracts.intake import OWN_RECORD_ASKED, OwnRecordAsked
from shared.db.pool import to_json
from shared.db.scope import scoped, transaction
from shared.messaging.outbox import enqueue
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.vocabulary.division import county_of
from shared.vocabulary.identifiers import new_id

ENDING = 6
GOOD_FOR = timedelta(hours=1)
GATHERING = "正在汇总各部门数据类别和查看记录，请几秒后再查一次。"
COMPLETE = "以下是本县系统中关于您的记录、数据来源和查看记录；有疑问请联系村委会或拨打12317。"


async def own_record(runtime: Runtime, opened: Opened, ending: str, request_id: str) -> OwnRecordView:
    """Count the look, check the second factor, and show; ReceiptUnknown if it does not fit the code."""
    async with transaction(runtime.pool) as connection:
        # Committed before the check, so that a wrong guess counts.
        await use_index_once(connection, runtime, LimitKind.OWN_RECORD, opened.index)
    county = f"{county_of(opened.division)}000000"
    async with scoped(runtime.pool, county) as connection:
        row = await reports.report_by_id(connection, opened.report_id)
        if row is None or not _fits(runtime, row, ending):
            raise ReceiptUnknown("受理码与身份证号后六位不一致")
        view = await _show(connection, runtime, row)
        now, subject = runtime.clock.now(), f"report:{opened.report_id}"
        await audit(
            connection, "receipt", "own_record.read", subject, now=now, request_id=request_id, purpose="本人查询"
        )
    runtime.waker.wake("relay")
    return view


def _fits(runtime: Runtime, row: asyncpg.Record, ending: str) -> bool:
    number = runtime.keys.open(row["sealed_number"], "self_report", "sealed_number", str(row["report_id"]))
    return hmac.compare_digest(number[-ENDING:].encode(), ending.upper().encode())


async def _show(connection: asyncpg.Connection, runtime: Runtime, row: asyncpg.Record) -> OwnRecordView:
    person, now = row["person_index"], runtime.clock.now()
    asked = await repository.newest(connection, person, now - GOOD_FOR)
    if asked is None:
        await _ask(connection, runtime, row, now)
    answer = _answer(runtime, asked)
    return OwnRecordView(
        complete=answer is not None,
        gathered_at=asked["answered_at"] if asked else None,
        says=COMPLETE if answer is not None else GATHERING,
        reports=await _reports(connection, runtime, person),
        holdings=[HeldCategory(**one) for one in (answer or {}).get("holdings", ())],
        looks=[Look(**one) for one in (answer or {}).get("looks", ())],
    )


async def _ask(connection: asyncpg.Connection, runtime: Runtime, row: asyncpg.Record, now: datetime) -> None:
    """Ask monitoring by a message; its answer is kept for an hour's looks."""
    request_id = new_id(now)
    await repository.ask(connection, request_id, row["division"], row["person_index"], now)
    asked = OwnRecordAsked(request_id=str(request_id), person=row["person_index"].hex(), division=row["division"])
    event = Event.make(SOURCE, OWN_RECORD_ASKED, None, asked, now)
    await enqueue(connection, event, aggregate="own_record", priority=0)


def _answer(runtime: Runtime, asked: asyncpg.Record | None) -> dict[str, Any] | None:
    if asked is None or asked["sealed_answer"] is None:
        return None
    place = ("own_record", "sealed_answer", str(asked["request_id"]))
    answer: dict[str, Any] = json.loads(runtime.keys.open(asked["sealed_answer"], *place))
    return answer


async def _reports(connection: asyncpg.Connection, runtime: Runtime, person: bytes) -> list[OwnReport]:
    roots = await reports.reports_of_person(connection, person)
    filed = await appeals.of_reports(connection, [row["report_id"] for row in roots])
    found = []
    for root in roots:
        newest = (await reports.versions_of(connection, root["report_id"]))[-1]
        found.append(
            OwnReport(
                reported_on=root["reported_on"],
                hardships=newest["hardships"],
                filed_by=root["filed_by"],
                channel=root["channel"],
                stages=stages_of(newest),
                outcome=answer_of(newest),
                withdrawn_at=root["withdrawn_at"],
                appeals=[
                    appeal_progress(one, runtime.keys, runtime.clock.today())
                    for one in filed
                    if one["report_id"] == root["report_id"]
                ],
            )
        )
    return found


def sealed_answer(runtime: Runtime, request_id: UUID, answer: dict[str, Any]) -> bytes:
    """The answer as it is kept."""
    return runtime.keys.seal(to_json(answer), "own_record", "sealed_answer", str(request_id))
