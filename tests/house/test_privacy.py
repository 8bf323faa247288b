"""No identity number is ever in clear, a phone only where somebody must call; and each post sees its own fields."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client import generate_latest

from shared.vocabulary.identifiers import new_id
from tests.conftest import House
from tests.house.canary import (
    CARELESS,
    CHILD,
    HEAD,
    HOUSEHOLD_PHONE,
    MISPLACED,
    SEARCHED,
    STRANGER,
    STRANGER_PHONE,
    WRITTEN,
    Heard,
    dump,
    listening,
    numbers_in,
    phones_in,
)
from tests.house.county import COUNTY, HEADS, MEDICAL_YUAN, OWN, PHONES, County
from tests.services.alerts.receiver import HttpReceiver, MailHandler, http_receiver, mail_receiver
from tests.services.intake.build import csv_text, disability_row, medical_row, register_row
from tests.services.intake.photos import jpeg

Bearer = Callable[..., dict[str, str]]

# Where a phone may stand in clear, because a person will call it, and the messages that carry it there.
PHONE_COLUMNS = {
    "monitoring.household.phone": "whom the village calls",
    "alerts.alert.contact_phone": "whom the visitor calls",
    "alerts.inbox_item.body": "the letter to an officer whose post may call; read after login",
    "intake.outbox.payload": "households and reports on their way to monitoring",
    "monitoring.outbox.payload": "a changed risk on its way to alerts",
}


COLUMNS = ("结算单号", "姓名", "结算日期", "就诊类别", "住院号", "医疗总费用", "证件号码")
IN_PARTS = f"{MISPLACED[:6]} {MISPLACED[6:14]} {MISPLACED[14:]}"
_WALKED: list["Journey"] = []


@dataclass
class Journey:
    """What was heard, kept and sent out while canaries passed through the whole house."""

    heard: Heard
    kept: dict[str, str]
    residents: list[asyncpg.Record]
    printed: str
    hooks: HttpReceiver
    mails: MailHandler
    metrics: str
    careless: dict[str, httpx.Response]


@pytest.fixture
async def journey(
    client: httpx.AsyncClient,
    house: House,
    bearer: Bearer,
    admin: asyncpg.Connection,
    capsys: pytest.CaptureFixture[str],
) -> Journey:
    """A household from its roster to the answer of its visitor, with mistakes on the way; walked once."""
    if _WALKED:
        return _WALKED[0]
    async with http_receiver() as hooks, mail_receiver() as (mails, port):
        runtime = await house.runtime("alerts")
        settings = runtime.settings
        runtime.settings = settings.model_copy(
            update={"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_starttls": False}
        )
        try:
            with listening(client) as heard:
                walk = Walk(client, house, bearer, admin)
                await walk.officers(hooks.url)
                await walk.files()
                await walk.reports()
                await walk.visit()
                await walk.mistakes()
                careless = await walk.careless()
        finally:
            runtime.settings = settings
    residents = await admin.fetch("SELECT * FROM monitoring.resident ORDER BY resident_id")
    printed, metrics = capsys.readouterr().out, generate_latest().decode()
    _WALKED.append(Journey(heard, await dump(admin), residents, printed, hooks, mails, metrics, careless))
    return _WALKED[0]


class Walk:
    """The steps of the journey."""

    def __init__(self, client: httpx.AsyncClient, house: House, bearer: Bearer, admin: asyncpg.Connection) -> None:
        self.client, self.house, self.admin, self.bearer = client, house, admin, bearer
        self.county = bearer("county_admin", COUNTY, officer_no="C-1")
        self.village = bearer("village_secretary", OWN, officer_no="S-1")

    async def post(self, path: str, body: Any, headers: dict[str, str] | None = None, **more: str) -> httpx.Response:
        return await self.client.post(path, json=body, headers={**(headers or self.county), **more})

    async def officers(self, hook: str) -> None:
        """Two officers with mail, a group with a webhook and a console, and subscribers outside."""
        made = await self.post(
            "/alerts/v1/officers",
            [
                {
                    "officer_no": "C-1",
                    "name": "县管",
                    "role": "county_admin",
                    "division": COUNTY,
                    "email": "c@example.invalid",
                },
                {
                    "officer_no": "S-1",
                    "name": "书记",
                    "role": "village_secretary",
                    "division": OWN,
                    "email": "s@example.invalid",
                },
            ],
        )
        assert made.status_code == 200, made.text
        for channel, address in (("webhook", hook), ("console", "大屏")):
            body = {"channel": channel, "address": address, "division": OWN}
            assert (await self.post("/alerts/v1/endpoints", body)).status_code == 200
        for service, type_ in (
            ("monitoring", "cn.fangpin.monitoring.risk_changed.v1"),
            ("alerts", "cn.fangpin.alerts.verified.v1"),
        ):
            body = {"name": "省平台", "url": hook, "types": [type_]}
            assert (await self.post(f"/{service}/v1/subscriptions", body)).status_code == 201

    async def files(self) -> None:
        """A roster, its householder's bills, a disability; then rows in which a number stands where none belongs."""
        child = {"工资性收入": "", "证件号码": CHILD, "与户主关系": "之子", "姓名": "金丝雀", "联系电话": ""}
        head = {"证件号码": HEAD, "联系电话": HOUSEHOLD_PHONE, "工资性收入": "1000.00", "生产经营性收入": "0"}
        await self.send("household_register", [register_row(7, **head), register_row(7, 1, **child)])
        await self.send(
            "medical_settlement",
            [
                medical_row(1, 证件号码=HEAD, 医疗总费用="90000", 合规自付="60000"),
                medical_row(2, 证件号码=STRANGER),
            ],
        )
        certificate = {"证件号码": HEAD, "残疾证号": f"{HEAD}43"}
        await self.send("disability_register", [disability_row(1, **certificate)])
        await self.send(
            "medical_settlement",
            [
                medical_row(100 + i, **{column: text})
                for i, (column, text) in enumerate(product(COLUMNS, (MISPLACED, IN_PARTS, f"{MISPLACED}43")))
            ],
        )
        astray = [register_row(8, 户编号=MISPLACED), register_row(9, 联系电话=MISPLACED)]
        await self.send("household_register", astray)
        await self.headerless()
        await self.house.settle()

    async def send(self, layout: str, rows: list[dict[str, str]]) -> None:
        await self.upload(layout, csv_text(rows).encode())

    async def upload(self, layout: str, content: bytes, kind: str = "text/csv") -> None:
        answer = await self.client.post(
            "/intake/v1/feeds",
            params={"layout": layout},
            content=content,
            headers={**self.county, "Content-Type": kind},
        )
        assert answer.status_code == 202, answer.text
        await self.house.run_worker("intake", "ingest")
        feed = answer.json()["id"]
        for path in ("", "/errors", "/errors?format=csv"):
            await self.client.get(f"/intake/v1/feeds/{feed}{path}", headers=self.county)

    async def headerless(self) -> None:
        """A file without its header, so that the first person stands there; and a number as the name of a field."""
        row = list(medical_row(1, 证件号码=MISPLACED).values())
        await self.upload("medical_settlement", (",".join(row) + "\r\n").encode())
        header = ",".join([*medical_row(1), MISPLACED])
        await self.upload("medical_settlement", (header + "\r\n" + ",".join([*row, "x"]) + "\r\n").encode())
        line = json.dumps({**medical_row(1, 证件号码=SEARCHED), MISPLACED: "x"}, ensure_ascii=False)
        await self.upload("medical_settlement", line.encode(), "application/x-ndjson")

    async def reports(self) -> None:
        """The householder asks for help, and so does somebody no roster lists."""
        for number, phone, name in ((HEAD, HOUSEHOLD_PHONE, "金丝"), (STRANGER, STRANGER_PHONE, "雀")):
            answer = await self.report(number, phone, name)
            assert answer.status_code == 202, answer.text
            await self.house.settle()
            await self.client.get(answer.headers["Location"], headers=self.village)
            await self.own_words(answer.json()["receipt_code"], number, phone)

    async def own_words(self, code: str, number: str, phone: str) -> None:
        """Everything a household does with its code; its own number is asked for, and typed in wrong places."""
        more = {
            "reason": "电话填错了",
            "phone": HOUSEHOLD_PHONE,
            "description": f"身份证{number}，电话{phone}，已更正",
        }
        steps: list[tuple[str, Any]] = [
            ("progress", {}),
            ("corrections", more),
            ("corrections", {**more, "reason": f"证件 {number}"}),
            ("own-record", {"number_ending": number[-6:]}),
            ("own-record", {"number_ending": number}),
            ("own-record", {"number_ending": number[-6:]}),
            ("appeals", {"reason": f"不服，电话{phone}"}),
            ("appeals", {"reason": f"不服，证件{number}"}),
            ("withdrawal", {"reason": f"证件{number}"}),
        ]
        for path, body in steps:
            for given in (code, number):
                await self.post(f"/intake/v1/receipts/{path}", {"receipt_code": given, **body}, {"X-Plain": "1"})
            await self.house.settle()
        for headers in ({"Receipt-Code": code}, {"Receipt-Code": number}):
            await self.client.post(
                "/intake/v1/receipts/attachments", content=jpeg(exif=number.encode()), headers=headers
            )

    async def report(self, number: str, phone: str, name: str, **more: Any) -> httpx.Response:
        body = {
            "division": OWN,
            "hardships": ["illness"],
            "consent": {"version": "2025-1"},
            "reported_on": "2026-03-15",
            "description": f"我的身份证号{number}，电话{phone}",
            "reporter": {"name": name, "identity_number": number, "phone": phone},
            **more,
        }
        return await self.post("/intake/v1/self-reports", body, self.village, **{"Idempotency-Key": str(new_id())})

    async def visit(self) -> None:
        """Read, acknowledge, try, visit: the alerts of both."""
        for alert in (await self.client.get("/alerts/v1/alerts", headers=self.village)).json()["items"]:
            path = f"/alerts/v1/alerts/{alert['alert_id']}"
            await self.client.get(path, headers=self.village)
            for step, body in (
                ("acknowledge", {}),
                ("attempts", {"method": "call", "note": "无人接听"}),
                (
                    "verification",
                    {
                        "outcome": "identify",
                        "causes": ["illness"],
                        "note": "属实",
                        "contact": {"method": "visit", "on": "2026-03-15", "met": "户主"},
                    },
                ),
            ):
                answer = await self.post(f"{path}/{step}", body, self.village)
                assert answer.status_code == 200, answer.text
        await self.client.get("/alerts/v1/inbox", headers=self.village)
        await self.house.settle()
        household = "/monitoring/v1/households/H000007"
        for path in ("", "/assessment", "/history", "/assessment?as_of=2026-03-01"):
            assert (await self.client.get(household + path, headers=self.county)).status_code == 200
        for number in (HEAD, SEARCHED):
            body = {"identity_number": number, "purpose": "核对"}
            assert (await self.post("/monitoring/v1/households/search", body, self.village)).status_code == 200

    async def mistakes(self) -> None:
        """Numbers where an error could repeat them: bad values, unknown fields, wrong types, addresses."""
        wrong = HEAD[:17] + ("1" if HEAD[17] != "1" else "2")
        for number in (wrong, HEAD + HEAD, int(HEAD[:17]), [HEAD], {"n": HEAD}, f"{HEAD}43"):
            body = {"identity_number": number, "purpose": "x"}
            await self.post("/monitoring/v1/households/search", body, self.village)
            await self.report(number, HOUSEHOLD_PHONE, "错")  # type: ignore[arg-type]
        await self.report(HEAD, HEAD, "错")
        await self.report(HEAD, HOUSEHOLD_PHONE, "错", **{HEAD: HOUSEHOLD_PHONE, HOUSEHOLD_PHONE: HEAD})
        for path in (
            f"/monitoring/v1/households/{HEAD}",
            f"/monitoring/v1/{HEAD}",
            f"/alerts/v1/alerts/{HEAD}",
            f"/monitoring/v1/households?{HEAD}=1",
            f"/monitoring/v1/households?cursor={HEAD}",
            f"/alerts/v1/alerts?household_no={HEAD}",
            f"/intake/v1/feeds/{HEAD}",
            f"/intake/v1/layouts/{HEAD}",
            f"/intake/v1/self-reports/{HEAD}",
        ):
            await self.client.get(path, headers=self.county)
        for text in (
            f'{{"identity_number": "{HEAD}", "identity_number": "{HEAD}"}}',
            f'{{"purpose": {HEAD}e999}}',
            f'"{HEAD}',
            f'{{"{HEAD}',
        ):
            await self.client.post(
                "/monitoring/v1/households/search",
                content=text,
                headers={**self.village, "Content-Type": "application/json"},
            )
        await self.client.get("/alerts/v1/alerts", headers={"Authorization": f"Bearer {HEAD}"})

    async def careless(self) -> dict[str, httpx.Response]:
        """A number in every text a person may write that is kept in clear; each way of writing it in one of them."""
        alert = await self.admin.fetchval("SELECT alert_id::text FROM alerts.alert LIMIT 1")
        step = f"/alerts/v1/alerts/{alert}"
        decision = {
            "listed_as": "marginal_at_risk",
            "decided_on": "2026-03-15",
            "document_no": "1号",
            "reason": "核对",
        }
        contact = {"method": "visit", "on": "2026-03-15"}
        officer = {"officer_no": "S-2", "name": "x", "role": "grid_worker", "division": OWN}
        duty = {"role": "grid_worker", "division": OWN, "valid_from": "2026-03-15"}
        silence = {"match": "等级=黄色", "reason": "集中走访", "ends_at": "2026-03-16T10:00:00+08:00"}
        bodies: list[tuple[str, Any]] = [
            ("/monitoring/v1/households/search", {"identity_number": SEARCHED, "purpose": 0}),
            ("/monitoring/v1/households/H000007/decisions", {**decision, "reason": 0}),
            ("/monitoring/v1/households/H000007/decisions", {**decision, "document_no": 0}),
            ("/monitoring/v1/households/H000007/decisions", {**decision, "listed_as": 0}),
            ("/monitoring/v1/rescreens", {"division": OWN, "reason": 0}),
            ("/monitoring/v1/subscriptions", {"name": 0, "url": "http://127.0.0.1/", "types": ["x"]}),
            (f"{step}/attempts", {"method": "call", "note": 0}),
            (f"{step}/handover", {"to_officer_no": "C-1", "reason": 0}),
            (f"{step}/handover", {"to_officer_no": 0, "reason": "x"}),
            (
                f"{step}/consultation",
                {"departments": ["民政"], "question": 0, "opinions_by": "2026-03-15", "meets_on": "2026-03-15"},
            ),
            (f"{step}/verification", {"outcome": "no_risk", "contact": contact, "note": 0}),
            (f"{step}/verification", {"outcome": "no_risk", "contact": {**contact, "met": 0}}),
            (f"{step}/verification", {"outcome": "no_risk", "contact": {**contact, "by": 0}}),
            (f"{step}/verification", {"outcome": "no_risk", "contact": contact, "helped_by": 0}),
            ("/alerts/v1/duties", {"officer_no": 0, **duty}),
            ("/alerts/v1/silences", {**silence, "reason": 0}),
            ("/alerts/v1/silences", {**silence, "match": 0}),
            ("/alerts/v1/endpoints", {"channel": "console", "address": 0, "division": OWN}),
            *(("/alerts/v1/officers", [{**officer, name: 0}]) for name in ("officer_no", "name", "phone")),
        ]
        answers = {}
        for i, (path, body) in enumerate(bodies):
            for form, text in WRITTEN.items():
                filled = json.loads(json.dumps(body).replace(": 0", f": {json.dumps(text)}"))
                if form == "plain" or i % len(WRITTEN) == list(WRITTEN).index(form):
                    answers[f"{path} {body} {form}"] = await self.post(path, filled)
        for name, body in (
            ("household_no", CARELESS),
            ("on_behalf_of", {"officer_no": CARELESS}),
            ("relative", {"name": CARELESS, "relation": "child"}),
            ("ticket_no", CARELESS),
            ("basis", f"依据{CARELESS}"),
        ):
            answers[f"report {name}"] = await self.report(CARELESS, STRANGER_PHONE, "疏忽", **{name: body})
        answers["report name"] = await self.report(CARELESS, STRANGER_PHONE, CARELESS)
        line = f"工号,姓名,角色,手机,邮箱,行政区划代码\n{CARELESS},李四,网格员,,,{OWN}\n"
        answers["officers csv"] = await self.client.post(
            "/alerts/v1/officers", content=line.encode(), headers={**self.county, "Content-Type": "text/csv"}
        )
        answers["key"] = await self.post(f"{step}/acknowledge", {}, self.village, **{"Idempotency-Key": CARELESS})
        named = await self.post(f"{step}/acknowledge", {}, self.village, **{"X-Request-Id": CARELESS})
        assert named.headers["x-request-id"] != CARELESS
        for who in ({"subject": CARELESS}, {"officer_no": CARELESS}):
            headers = self.bearer("village_secretary", OWN, **who)
            answers[f"token {who.keys()}"] = await self.client.get("/alerts/v1/alerts", headers=headers)
        return answers


async def test_the_journey_went_all_the_way(journey: Journey) -> None:
    """Or else nothing below would say anything."""
    kept = journey.kept
    assert "identify" in kept["monitoring.household.last_outcome"]
    assert kept["alerts.alert.status"].split() == ["closed", "closed"]
    assert kept["alerts.alert.household_no"].split() == ["H000007"]
    assert len(kept["intake.self_report.verified_at"].splitlines()) == 4, "two reports, each corrected once"
    assert len(kept["intake.feed_row_error.code"].split()) > 15
    assert {json.loads(one.body).get("type") for one in journey.hooks.received} == {
        "cn.fangpin.alerts.message.v1",
        "cn.fangpin.monitoring.risk_changed.v1",
        "cn.fangpin.alerts.verified.v1",
    }
    assert journey.mails.mails
    assert "[预警 alert]" in journey.printed
    assert 'status="422"' in journey.metrics
    assert '"event": "request"' in journey.heard.log.getvalue()
    assert len(journey.heard.refusals) > 40


async def test_no_identity_number_is_in_clear_anywhere_in_the_database(journey: Journey) -> None:
    """No column of no table of no schema, neither as text nor as bytes."""
    assert {column: found for column, text in journey.kept.items() if (found := numbers_in(text))} == {}


async def test_a_phone_is_kept_only_where_somebody_must_call(journey: Journey) -> None:
    found = {column for column, text in journey.kept.items() if phones_in(text)}
    assert found == set(PHONE_COLUMNS)


async def test_no_log_line_names_anybody(journey: Journey) -> None:
    log = journey.heard.log.getvalue()
    assert (numbers_in(log), phones_in(log)) == ([], [])
    assert "金丝" not in log


async def test_no_measure_names_anybody(journey: Journey) -> None:
    assert (numbers_in(journey.metrics), phones_in(journey.metrics)) == ([], [])
    assert not [sign for sign in ("H000007", OWN, "金丝") if sign in journey.metrics]


async def test_no_address_we_hand_out_names_anybody(journey: Journey) -> None:
    """Locations, links and queries in answers; what a caller types himself is his."""
    said = [
        *(answer.headers.get("location", "") for answer in journey.heard.answers),
        *(
            item["link"] or ""
            for answer in journey.heard.answers
            if answer.request.url.path == "/alerts/v1/inbox"
            for item in answer.json()["items"]
        ),
    ]
    assert any(said)
    assert (numbers_in(" ".join(said)), phones_in(" ".join(said))) == ([], [])
    asked = [url for url in journey.heard.urls if numbers_in(url)]
    assert asked, "the journey types numbers into addresses, and nothing repeats them"


async def test_no_answer_holds_an_identity_number(journey: Journey) -> None:
    """Not even the answer about the person: what is shown of a number is masked."""
    telling = [
        (answer.request.url.path, found)
        for answer in journey.heard.answers
        if (found := numbers_in(answer.text + str(answer.headers))) and not answer.request.headers.get("x-request-id")
    ]
    assert telling == []


async def test_no_refusal_repeats_a_phone(journey: Journey) -> None:
    assert [answer.text for answer in journey.heard.refusals if phones_in(answer.text)] == []


async def test_no_text_of_a_person_takes_an_identity_number(journey: Journey) -> None:
    taken = {name: answer.status_code for name, answer in journey.careless.items() if answer.status_code < 400}
    assert taken == {}


async def test_nothing_that_leaves_the_house_names_anybody(journey: Journey) -> None:
    """Webhooks, mail and console say how many and where; subscribers outside get no contact."""
    out = [one.body.decode() for one in journey.hooks.received] + [journey.printed]
    out += [str(one.content) for one in journey.mails.mails]
    said = "\n".join(out)
    assert (numbers_in(said), phones_in(said)) == ([], [])
    assert not [name for name in ("金丝", "王小明", "60000") if name in said]
    messages = [one.body.decode() for one in journey.hooks.received if b"alerts.message" in one.body]
    assert messages
    told = "\n".join([*messages, journey.printed])
    assert not [word for word in ("H000007", "病", "illness", "marginal") if word in told]


async def test_what_is_sealed_opens_for_nobody_elsewhere(journey: Journey, monitoring_runtime: Any) -> None:
    """A sealed number moved to another row does not open: the place is part of the seal."""
    from cryptography.exceptions import InvalidTag

    rows = journey.residents
    keys = monitoring_runtime.keys
    place = ("resident", "sealed_number")
    assert {keys.open(row["sealed_number"], *place, row["number_index"].hex()) for row in rows} >= {HEAD, CHILD}
    with pytest.raises(InvalidTag):
        keys.open(rows[0]["sealed_number"], *place, rows[1]["number_index"].hex())


# --- what each post sees of a household ----------------------------------------------------------------------

AMOUNTS = (MEDICAL_YUAN, "5000", "9500", "-1172.84")
CLASSES = ("marginal_at_risk", "边缘易致贫户")
CONTACTS = (HEADS["own"], PHONES["own"])
# post -> what it sees: contact, class, amount.
SEES = {
    "grid_worker": (True, False, False),
    "village_secretary": (True, True, False),
    "first_secretary": (True, True, False),
    "township_leader": (True, True, True),
    "county_admin": (True, True, True),
    "auditor": (False, True, True),
    "system": (False, True, False),
}
READS = (
    "/monitoring/v1/households",
    "/monitoring/v1/households/{household}",
    "/monitoring/v1/households/{household}/history",
    "/monitoring/v1/households/{household}/assessment",
    "/monitoring/v1/households/{household}/assessment?as_of=2026-03-15",
    "/alerts/v1/alerts",
    "/alerts/v1/alerts/{alert}",
    "/alerts/v1/visit-list",
    "/intake/v1/self-reports/{report}",
)


@pytest.mark.parametrize("post", SEES)
async def test_a_post_sees_its_fields_and_no_others(county: County, post: str) -> None:
    contact, class_, amount = SEES[post]
    headers = county.as_(None if post == "system" else post)
    await _closed_alert(county)
    said = {}
    for path in READS:
        full = path.format(**{kind: found["own"] for kind, found in county.ids.items()})
        answer = await county.call("GET", full, headers)
        assert answer.status_code == 200, answer.text
        said[path] = answer.text
    everything = "\n".join(said.values())
    shown = {
        "contact": [path for path in READS if any(sign in said[path] for sign in CONTACTS)],
        "class": [path for path in READS if any(sign in said[path] for sign in CLASSES)],
        "amount": [path for path in READS if any(f"{sign}" in said[path] for sign in (MEDICAL_YUAN, "-1172.84"))],
    }
    assert {name for name, paths in shown.items() if paths} == {
        name for name, sees in (("contact", contact), ("class", class_), ("amount", amount)) if sees
    }, shown
    if not contact:
        assert "户主的女儿" not in everything, "whom the visitor met is a contact too"


async def _closed_alert(county: County) -> None:
    body = {
        "outcome": "no_risk",
        "note": "已核实",
        "contact": {"method": "visit", "on": "2026-03-15", "met": "户主的女儿"},
    }
    path = f"/alerts/v1/alerts/{county.ids['alert']['own']}/verification"
    assert (await county.call("POST", path, county.as_("village_secretary"), body)).status_code == 200


async def test_a_letter_says_what_its_readers_post_may_know(county: County) -> None:
    """The amounts go to the township's inbox, not to the village's."""
    letters = await county.admin.fetch(
        "SELECT officer_no, body FROM alerts.inbox_item WHERE kind = 'opened' AND officer_no = ANY ($1)",
        ["S-own", "S-parent"],
    )
    said = {row["officer_no"]: row["body"] for row in letters}
    assert CLASSES[1] in said["S-own"]
    assert not [sign for sign in AMOUNTS if sign in said["S-own"]]
    assert MEDICAL_YUAN in said["S-parent"]


@pytest.mark.parametrize("query", ["recommendation=marginal_at_risk", "listed_as=none"])
async def test_a_filter_shows_no_class_to_whom_the_answer_hides_it(county: County, query: str) -> None:
    path = f"/monitoring/v1/households?{query}"
    assert (await county.call("GET", path, county.as_("grid_worker"))).status_code == 403
    assert (await county.call("GET", path, county.as_("village_secretary"))).status_code == 200
