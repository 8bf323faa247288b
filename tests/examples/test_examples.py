"""The example clients as other systems would run them: own processes, own credentials, a real house."""

import csv
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from shared.clock import SystemClock
from shared.vocabulary.identity_number import IdentityNumberError, parse_identity_number
from tests.examples.conftest import ROOT, DemoCounty, example
from tests.journeys.running import free_port, until
from tests.journeys.village import COUNTY

pytestmark = [pytest.mark.processes, pytest.mark.timeout(420)]

SAMPLE = ROOT / "examples" / "medical_settlement_sample.csv"
FEED = re.compile(r"^批次 feed=(\S{36})", re.MULTILINE)


@pytest.fixture(scope="module")
def bureau(county: DemoCounty) -> dict[str, str]:
    """The medical insurance bureau's credentials."""
    return county.add_client("yibao", "intake:feeds:write", "intake:feeds:read", department="医疗保障")


def push(bureau: dict[str, str], folder: Path, *options: str, file: Path = SAMPLE, expected: int = 1) -> str:
    errors = ["--errors", str(folder / "errors.csv")]
    return example(
        "push_medical_file.py", str(file), "--period", "2025-12", *errors, *options, expected=expected, **bureau
    )


def test_a_pushed_file_tells_its_two_bad_rows_and_is_one_feed_when_pushed_again(
    bureau: dict[str, str], tmp_path: Path
) -> None:
    first = push(bureau, tmp_path)
    assert "read=12，接收 accepted=10，退回 rejected=2，重复 duplicates=0，入库 recorded=10" in first
    assert re.search(r"第 7 行「证件号码」：.*校验位不符.*\[wrong_check_digit\]", first)
    assert re.search(r"第 10 行「就诊类别」：.*应为住院.*现为 急诊 \[unknown_code\]", first)
    with (tmp_path / "errors.csv").open(encoding="utf-8-sig") as saved:
        assert [row["错误代码"] for row in csv.DictReader(saved)] == ["wrong_check_digit", "unknown_code"]
    again = push(bureau, tmp_path)
    assert FEED.findall(again) == FEED.findall(first)
    assert "此前已报送过" in again


def test_a_whole_file_with_a_bad_row_is_sent_back_and_a_dry_run_records_nothing(
    bureau: dict[str, str], tmp_path: Path
) -> None:
    for mode, status in (("atomic", "rejected"), ("dry_run", "checked")):
        printed = push(bureau, tmp_path, "--mode", mode)
        assert f"status={status}" in printed
        assert "入库 recorded=0" in printed


def test_a_mended_file_ends_well_and_removes_the_old_list_of_errors(bureau: dict[str, str], tmp_path: Path) -> None:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    mended = tmp_path / "mended.csv"
    mended.write_text("".join(line for number, line in enumerate(lines, 1) if number not in {7, 10}))
    (tmp_path / "errors.csv").write_text("of the last run")
    assert "rejected=0" in push(bureau, tmp_path, file=mended, expected=0)
    assert not (tmp_path / "errors.csv").exists()


def test_a_wrong_secret_is_told_from_a_bad_file(bureau: dict[str, str], tmp_path: Path) -> None:
    assert push({**bureau, "FANGPIN_CLIENT_SECRET": "wrong"}, tmp_path, expected=2) == ""


def test_the_sample_names_nobody() -> None:
    """Reserved area codes; the check digits are right but for the row that shall be wrong."""
    with SAMPLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert all(row["证件号码"].startswith("99") for row in rows)
    wrong = []
    for row in rows:
        try:
            parse_identity_number(row["证件号码"], SystemClock().today())
        except IdentityNumberError as error:
            wrong.append(error.code)
    assert wrong == ["wrong_check_digit"]


@pytest.fixture(scope="module")
def dashboard(county: DemoCounty) -> dict[str, str]:
    return county.add_client("daping", "monitoring:read", "alerts:read")


def figures_in(printed: str) -> dict[tuple[str, str], int]:
    """(group, key) to number, from the printed table."""
    lines = re.findall(r"^ *(\d+)  (\w+) +(\S+)", printed, re.MULTILINE)
    return {(group, key): int(number) for number, group, key in lines}


def test_pulled_figures_are_those_of_the_api(county: DemoCounty, dashboard: dict[str, str]) -> None:
    admin = county.bearer("county_admin", COUNTY)
    url = f"{county.url('monitoring')}/monitoring/v1/dashboard/summary"
    summary: dict[str, Any] = httpx.get(url, headers=admin).json()
    shown = figures_in(example("pull_figures.py", **dashboard))
    assert shown["total", "all"] == summary["total"]["households"] == 300
    for group in ("severity", "recommendation", "last_outcome", "division"):
        for figure in summary[f"by_{group}"]:
            assert shown[group, figure["key"] or "none"] == figure["households"], figure
    assert sum(number for (group, _), number in shown.items() if group == "severity") == 300


def test_a_figure_leads_to_the_households_it_counts_over_several_pages(
    county: DemoCounty, dashboard: dict[str, str]
) -> None:
    printed = example("pull_figures.py", "--figure", "severity=none", "--page", "50", "--most", "300", **dashboard)
    counted, listed = re.search(r"^severity=none 无：(\d+) 户", printed, re.M), re.search(r"listed=(\d+)", printed)
    assert counted is not None
    assert listed is not None
    assert int(counted[1]) == int(listed[1]) > 100
    rows = re.findall(r"^   (\d{16}) ", printed, re.MULTILINE)
    assert len(set(rows)) == len(rows) == int(listed[1])


@contextmanager
def receiver(folder: Path, port: int, secret: str) -> Iterator[Path]:
    """The example receiver, running; the file it prints to."""
    printed = folder / "printed.txt"
    command = [
        sys.executable,
        "-u",
        str(ROOT / "examples" / "receive_messages.py"),
        "--port",
        str(port),
        "--seen",
        str(folder / "seen.sqlite3"),
    ]
    with printed.open("ab") as out:
        process = subprocess.Popen(command, env={**os.environ, "FANGPIN_WEBHOOK_SECRET": secret}, stdout=out)
    until(lambda: "listening" in printed.read_text(), "the receiver listens")
    try:
        yield printed
    finally:
        process.terminate()
        assert process.wait(20) == 0
        printed.unlink()


def subscribe(county: DemoCounty, port: int) -> str:
    """Subscribe to changes of risk; the secret that signs them."""
    body = {
        "name": f"example-{port}",
        "url": f"http://127.0.0.1:{port}/fangpin",
        "types": ["cn.fangpin.monitoring.risk_changed.v1"],
    }
    url = f"{county.url('monitoring')}/monitoring/v1/subscriptions"
    made = httpx.post(url, json=body, headers=county.bearer("county_admin", COUNTY))
    assert made.status_code == 201, made.text
    secret: str = made.json()["secret"]
    return secret


def report(county: DemoCounty, head: dict[str, str]) -> None:
    body = {
        "household_no": head["户编号"],
        "division": head["行政区划代码"],
        "hardships": ["accident"],
        "consent": {"version": "2025-1"},
        "reported_on": SystemClock().today().isoformat(),
        "reporter": {"name": head["姓名"], "identity_number": head["证件号码"]},
    }
    headers = {**county.bearer("system", COUNTY), "Idempotency-Key": str(uuid4())}
    sent = httpx.post(f"{county.url('intake')}/intake/v1/self-reports", json=body, headers=headers)
    assert sent.status_code == 202, sent.text


def test_a_change_of_risk_is_received_signed_and_without_names(county: DemoCounty, tmp_path: Path) -> None:
    port, head = free_port(), county.households()[7]
    with receiver(tmp_path, port, subscribe(county, port)) as printed:
        report(county, head)
        line = f"risk_changed household:{head['户编号']} "
        until(lambda: line in printed.read_text(), "the change is received")
        assert head["姓名"] not in printed.read_text()
        assert head["证件号码"] not in printed.read_text()


MESSAGE = (
    '{"specversion":"1.0","type":"cn.fangpin.monitoring.risk_changed.v1","data":{"items":[{"subject":"household:1",'
    '"on":"2026-03-15","facts_version":3,"opens":true,"severity":"red"}]}}'
)
SECRET = "whsec_" + "c2VjcmV0" * 4


def signed(message_id: str, secret: str = SECRET) -> dict[str, str]:
    signature = Webhook(secret).sign(message_id, datetime.now(UTC), MESSAGE)
    return {"webhook-id": message_id, "webhook-timestamp": str(int(time.time())), "webhook-signature": signature}


def test_a_message_is_acted_on_once_also_after_a_restart(tmp_path: Path) -> None:
    port = free_port()
    with receiver(tmp_path, port, SECRET) as printed:
        for _ in range(2):
            answer = httpx.post(f"http://127.0.0.1:{port}/", content=MESSAGE, headers=signed("message-1"))
            assert answer.status_code == 204
        assert printed.read_text().count("risk_changed household:1") == 1
    with receiver(tmp_path, port, SECRET) as printed:
        assert httpx.post(f"http://127.0.0.1:{port}/", content=MESSAGE, headers=signed("message-1")).is_success
        assert "risk_changed" not in printed.read_text()
        assert "duplicate: message-1" in printed.read_text()


@pytest.mark.parametrize(
    "forged",
    [
        {"webhook-signature": signed("message-2", "whsec_" + "Zm9yZ2Vk" * 4)["webhook-signature"]},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,\u00e9"},
        {"webhook-timestamp": "1"},
        {"webhook-id": "message-3"},
    ],
    ids=["another secret", "unsigned", "no signature in it", "not base64", "of 1970", "another id"],
)
def test_a_forged_message_is_refused(tmp_path: Path, forged: dict[str, str]) -> None:
    port = free_port()
    with receiver(tmp_path, port, SECRET) as printed:
        headers = {name: value.encode() for name, value in (signed("message-2") | forged).items()}
        answer = httpx.post(f"http://127.0.0.1:{port}/", content=MESSAGE, headers=headers)
        assert answer.status_code == 401
        assert "risk_changed" not in printed.read_text()
        assert "refused" in printed.read_text()
