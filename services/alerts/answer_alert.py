"""Answer an alert from the phone: the same `verify` as everywhere, unless news came that the cadre has not seen."""

import asyncpg

from services.alerts.domain.alert import Status
from services.alerts.domain.errand import mark_of
from services.alerts.schemas import VerificationIn
from services.alerts.take_step import AlertChanged, Doing, lock_any_version
from services.alerts.verify import verify
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id


async def answer_alert(
    connection: asyncpg.Connection, doing: Doing, answer: VerificationIn, *, seen: str, runtime: Runtime
) -> asyncpg.Record:
    """Close the alert. An answer written without a network may be hours old: a colleague's step does not matter.

    A worse level or a further plea does: the household is then to be looked at with that in mind.
    """
    alert = await lock_any_version(connection, doing)
    # Answered already, by this answer sent again or by another: `verify` knows which.
    answered = alert["status"] in (Status.CONFIRMING, Status.CLOSED)
    if not answered and seen != mark_of(alert["severity"], alert["report_ids"]):
        raise AlertChanged("填写期间预警升级或农户又有新的求助，请看过上面的情况再提交一次；填写的内容都还在")
    return await verify(
        connection,
        doing,
        answer.verification(doing.officer_no),
        verification_id=answer.id or new_id(doing.now),
        runtime=runtime,
    )
