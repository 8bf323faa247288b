"""Correct a report (更正): a new version linked to the old, which replaces what monitoring knows of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg

from services.intake import repository_reports as repository
from services.intake.domain.report_limit import LimitKind, window_of
from services.intake.domain.self_report import SelfReport, taken_back
from services.intake.keep_limits import local_now, use_index_once
from services.intake.repository_reports import NewReport
from services.intake.say_again import (
    ReportUnknown,
    ReportWithdrawn,
    Speaker,
    message_about,
    observed,
    said_at,
    said_before,
)
from shared.errors import Unprocessable
from shared.runtime import Runtime
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Hardship

SENTENCE = "申报人更正了申报内容，请以更正后的为准。"


class NothingCorrected(Unprocessable):
    code, title = "nothing_corrected", "没有需要更正的内容"


@dataclass(frozen=True, slots=True)
class Correction:
    """What is said anew; what is None stands as it was. Neither the person nor the place can be corrected."""

    reason: str
    hardships: tuple[Hardship, ...] | None = None
    description: str | None = None
    amount_fen: int | None = None
    phone: str | None = None
    about_officer: str | None = None

    def applied(self, before: SelfReport) -> SelfReport:
        said = {
            name: value
            for name in ("hardships", "description", "amount_fen", "phone", "about_officer")
            if (value := getattr(self, name)) is not None
        }
        return replace(before, **said)


async def correct_report(
    connection: asyncpg.Connection, runtime: Runtime, report_id: UUID, correction: Correction, speaker: Speaker
) -> UUID:
    """Write the new version and tell monitoring, in the caller's transaction; the version's id."""
    root = await repository.lock_root(connection, report_id)
    if root is None:
        raise ReportUnknown
    if root["withdrawn_at"] is not None:
        raise ReportWithdrawn("已撤回的申报不能更正；可以重新申报")
    versions = await repository.versions_of(connection, root["report_id"])
    newest = versions[-1]
    before = said_before(runtime, newest)
    corrected = correction.applied(before)
    if corrected == before:
        raise NothingCorrected("更正后的内容与现在的相同")
    await use_index_once(connection, runtime, LimitKind.PERSON, root["person_index"])
    new = _version(runtime, root, versions, corrected, correction, speaker)
    await repository.submit_all(connection, [new])
    return new.report_id


def _version(
    runtime: Runtime,
    root: asyncpg.Record,
    versions: list[asyncpg.Record],
    corrected: SelfReport,
    correction: Correction,
    speaker: Speaker,
) -> NewReport:
    keys, now, newest = runtime.keys, runtime.clock.now(), versions[-1]
    version, root_id = new_id(now), root["report_id"]

    def seal(column: str, text: str | None) -> bytes | None:
        return keys.seal(text, "self_report", column, str(version)) if text else None

    number = keys.open(root["sealed_number"], "self_report", "sealed_number", str(root_id))
    sealed_number = seal("sealed_number", number)
    assert sealed_number is not None
    return NewReport(
        scope=code_range(speaker.division),
        client=speaker.name,
        client_kind=speaker.principal.kind if speaker.principal else "person",
        key=f"correction-{version}",
        fingerprint=hashlib.sha256(version.bytes).digest(),
        report_id=version,
        now=now,
        division=root["division"],
        household_no=root["household_no"],
        person_index=root["person_index"],
        sealed_number=sealed_number,
        reporter_name=root["reporter_name"],
        sealed_phone=seal("sealed_phone", corrected.phone),
        sealed_description=seal("sealed_description", corrected.description),
        hardships=corrected.hardships,
        amount_fen=corrected.amount_fen,
        on_behalf_of=root["on_behalf_of"],
        reported_on=root["reported_on"],
        event_id=new_id(now),
        payload=_payload(runtime, root, versions, corrected, version),
        traceparent=speaker.traceparent,
        audit_id=new_id(now),
        request_id=speaker.request_id,
        channel=root["channel"],
        ticket_no=root["ticket_no"],
        filed_by=root["filed_by"],
        sealed_filer=None,
        consent_version=root["consent_version"],
        basis=root["basis"],
        code_index=None,
        day=window_of(LimitKind.PERSON, local_now(runtime)).start,
        root_id=root_id,
        sealed_correction=seal("sealed_correction", correction.reason),
        counted=True,
        action="self_report.correct",
        version=newest["version"] + 1,
        about_officer=corrected.about_officer,
    )


def _payload(
    runtime: Runtime,
    root: asyncpg.Record,
    versions: list[asyncpg.Record],
    corrected: SelfReport,
    version: UUID,
) -> dict[str, object]:
    """What monitoring is told: all that is said now, and what was said before and is no more."""
    root_id, person, newest = root["report_id"], root["person_index"], versions[-1]
    gone = set(newest["hardships"]) - set(corrected.hardships)
    left_out = [one for one in observed(said_before(runtime, newest), root_id, person) if one["value"] in gone]
    said = [*observed(corrected, root_id, person), *taken_back(left_out)]
    about = {"nature": "correction", "sentence": SENTENCE, "first_report_id": str(root_id)}
    about |= _complained_of(corrected, versions)
    payload = message_about(runtime, newest, said, report_id=version, note=about, at=said_at(runtime, versions))
    if corrected.phone:
        payload["reporter"] = {"name": corrected.reporter_name, "phone": corrected.phone}
    return payload


def _complained_of(corrected: SelfReport, versions: Sequence[asyncpg.Record]) -> dict[str, Any]:
    """Said with the correction itself: whomever any version names must not be asked to answer it (回避)."""
    before = {row["about_officer"] for row in versions} - {corrected.about_officer, None}
    said = {"about_officer": corrected.about_officer, "also_about": sorted(before)}
    return {name: value for name, value in said.items() if value}
