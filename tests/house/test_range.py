"""Whatever is out of a caller's range cannot be told from what does not exist, by whichever way he asks."""

from datetime import timedelta
from typing import Any

import httpx

from tests.house.county import (
    COUNTY,
    DECISION,
    FOREIGN,
    HEADS,
    NOWHERE,
    OTHER_COUNTY,
    OWN,
    PHONES,
    PLACES,
    TOWNSHIP,
    VERIFICATION,
    WIDEST,
    County,
    household_no,
)
from tests.services.intake.build import csv_text, medical_row, number

CALL = {"departments": ["民政"], "question": "是否纳入", "opinions_by": "2026-03-16", "meets_on": "2026-03-17"}
TAG = {"change": "tag_set", "on": "2026-03-15", "tag": "dibao", "reason": "民政局审批"}
# (method, path, body): everything that names an object by its id.
BY_ID = [
    ("GET", "/monitoring/v1/households/{household}", None),
    ("GET", "/monitoring/v1/households/{household}/assessment", None),
    ("GET", "/monitoring/v1/households/{household}/assessment?as_of=2026-03-01", None),
    ("GET", "/monitoring/v1/households/{household}/assessment?known_at=2026-03-10T00:00:00Z", None),
    ("GET", "/monitoring/v1/households/{household}/history", None),
    ("GET", "/monitoring/v1/households/{household}/counterfactual", None),
    ("POST", "/monitoring/v1/households/{household}/decisions", {**DECISION, "listed_as": "marginal_at_risk"}),
    ("POST", "/monitoring/v1/households/{household}/changes", TAG),
    ("GET", "/monitoring/v1/rescreens/{rescreen}", None),
    ("GET", "/alerts/v1/alerts/{alert}", None),
    ("POST", "/alerts/v1/alerts/{alert}/acknowledge", {}),
    ("POST", "/alerts/v1/alerts/{alert}/acknowledge", {"version": 7}),
    ("POST", "/alerts/v1/alerts/{alert}/attempts", {"method": "call"}),
    ("POST", "/alerts/v1/alerts/{alert}/handover", {"to_officer_no": "S-far", "reason": "外出"}),
    ("POST", "/alerts/v1/alerts/{alert}/verification", VERIFICATION),
    ("POST", "/alerts/v1/alerts/{alert}/consultation", CALL),
    ("GET", "/alerts/v1/alerts?household_no={household}", None),
    ("GET", "/intake/v1/self-reports/{report}", None),
    ("POST", "/intake/v1/self-reports/{report}/corrections", {"reason": "填错了", "phone": "19900000009"}),
    ("POST", "/intake/v1/self-reports/{report}/withdrawal", {"reason": "不需要了"}),
    ("POST", "/intake/v1/self-reports/{report}/receipt", {"reason": "遗失补发"}),
    ("GET", "/intake/v1/self-reports/{report}/attachments", None),
    ("POST", "/intake/v1/attachments/{attachment}/download", {"purpose": "核实前查看"}),
    ("POST", "/intake/v1/attachments/{attachment}/erasure", {"reason": "农户要求"}),
    ("GET", "/intake/v1/appeals/{appeal}", None),
    ("POST", "/intake/v1/appeals/{appeal}/decision", {"outcome": "changed", "reason": "重新入户核实，情况属实"}),
    ("GET", "/intake/v1/feeds/{feed}", None),
    ("GET", "/intake/v1/feeds/{feed}/errors", None),
    ("GET", "/intake/v1/feeds/{feed}/errors?format=csv", None),
    ("POST", "/intake/v1/feeds/{feed}/confirm", None),
    ("GET", "/intake/v1/feeds/{feed}/held-rows", None),
    ("POST", "/intake/v1/feeds/{feed}/held-rows/2", {"decision": "release", "reason": "金额属实"}),
]


def _like(answer: httpx.Response) -> tuple[int, Any]:
    body = answer.json() if "json" in answer.headers["content-type"] else answer.text
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != "instance"}
    return answer.status_code, body


async def test_out_of_range_is_nonexistent_and_stays_as_it_was(county: County) -> None:
    before, told_apart = await _state(county), []
    for method, path, body in BY_ID:
        nowhere = await _answer(county, method, path.format(**NOWHERE), body)
        for place in FOREIGN:
            found = await _answer(county, method, county.at(path, place), body)
            if found != nowhere:
                told_apart.append(f"{method} {path} for {place}: {found}")
    assert told_apart == []
    assert await _state(county) == before


async def test_what_is_in_range_is_not_nonexistent(county: County) -> None:
    """Or else the test above would say nothing."""
    for method, path, body in BY_ID:
        nowhere = await _answer(county, method, path.format(**NOWHERE), body)
        assert await _answer(county, method, county.at(path, "own"), body) != nowhere, (method, path)


async def _answer(county: County, method: str, path: str, body: Any) -> tuple[int, Any]:
    return _like(await county.call(method, path, county.as_(*WIDEST), body))


async def _state(county: County) -> list[str]:
    tables = ("alerts.alert", "alerts.alert_log", "alerts.inbox_item", "monitoring.household", "intake.feed")
    return [
        row["said"] for name in tables for row in await county.admin.fetch(f"SELECT t::text AS said FROM {name} t")
    ]


async def test_an_officer_out_of_range_is_nobody(county: County) -> None:
    """Handing over to him, giving him a post or an endpoint: as to an officer who does not exist."""
    alert = county.ids["alert"]["own"]
    asked: list[tuple[str, dict[str, Any]]] = [
        (f"/alerts/v1/alerts/{alert}/handover", {"reason": "外出"}),
        ("/alerts/v1/duties", {"role": "village_secretary", "division": OWN, "valid_from": "2026-03-15"}),
        ("/alerts/v1/endpoints", {"channel": "console", "address": "x"}),
        ("/alerts/v1/absences", {"first_day": "2026-03-15", "last_day": "2026-03-16"}),
        ("/alerts/v1/pairings", {"household_no": "F-own", "division": OWN, "since": "2026-03-15"}),
    ]
    for path, body in asked:
        name = "to_officer_no" if "handover" in path else "officer_no"
        nobody = await _answer(county, "POST", path, {**body, name: "S-neverwas"})
        assert nobody[0] == 422, path
        for other in ("S-far", "S-abroad", "C-130625"):
            assert await _answer(county, "POST", path, {**body, name: other}) == nobody, (path, other)


async def test_a_place_out_of_range_takes_nothing(county: County) -> None:
    """Whether anybody lives there or not, and whether there is such a place or not."""
    for place in FOREIGN:
        await _takes_nothing(county, PLACES[place])
    await _takes_nothing(county, "650102001001")


async def _takes_nothing(county: County, division: str) -> None:
    headers = county.as_(*WIDEST)
    report = {
        "division": division,
        "hardships": ["other"],
        "consent": {"version": "2025-1"},
        "reported_on": "2026-03-15",
        "reporter": {"name": "测试", "identity_number": number(1)},
    }
    post = {"officer_no": "S-own", "role": "village_secretary", "division": division, "valid_from": "2026-03-15"}
    endpoint = {"channel": "console", "address": "x", "division": division}
    rescreen = {"division": division, "reason": "x"}
    found = {
        "report": await county.call("POST", "/intake/v1/self-reports", headers, report),
        "rescreen": await county.call("POST", "/monitoring/v1/rescreens", headers, rescreen),
        "duty": await county.call("POST", "/alerts/v1/duties", headers, post),
        "endpoint": await county.call("POST", "/alerts/v1/endpoints", headers, endpoint),
        "feed": await county.client.post(
            "/intake/v1/feeds",
            params={"layout": "medical_settlement", "division": division},
            content=csv_text([medical_row(99)]).encode(),
            headers={**headers, "Content-Type": "text/csv"},
        ),
    }
    codes = {name: (answer.status_code, answer.json()["code"]) for name, answer in found.items()}
    assert codes == {
        "report": (403, "division_out_of_range"),
        "rescreen": (403, "out_of_range"),
        "duty": (422, "duty_refused"),
        "endpoint": (403, "out_of_range"),
        "feed": (403, "division_out_of_range"),
    }


async def test_an_answer_under_an_id_used_out_of_range_tells_nothing(county: County) -> None:
    """The id of a verification is the client's to choose, so it may be one that another village used."""
    used = "019cef38-c100-7000-8000-00000000000a"
    body = {**VERIFICATION, "id": used}
    other = county.bearer("village_secretary", PLACES["sibling"], officer_no="S-sibling")
    path = "/alerts/v1/alerts/{}/verification"
    first = await county.call("POST", path.format(county.ids["alert"]["sibling"]), other, body)
    assert first.status_code == 200, first.text
    again = await county.call("POST", path.format(county.ids["alert"]["own"]), county.as_(*WIDEST), body)
    assert (again.status_code, again.json()["code"]) == (409, "verification_id_taken")
    assert "sibling" not in again.text


async def test_a_report_that_names_a_foreign_household_is_answered_like_any_other(county: County) -> None:
    async def sent(household: str, i: int) -> tuple[int, set[str]]:
        body = {
            "division": OWN,
            "household_no": household,
            "hardships": ["other"],
            "consent": {"version": "2025-1"},
            "reported_on": "2026-03-15",
            "reporter": {"name": "测试", "identity_number": number(500 + i)},
        }
        headers = {**county.as_("village_secretary"), "Idempotency-Key": f"foreign-{i}"}
        answer = await county.client.post("/intake/v1/self-reports", json=body, headers=headers)
        return answer.status_code, set(answer.json())

    answers = [await sent(household_no(place), i) for i, place in enumerate(FOREIGN)]
    assert answers == [await sent("F-nowhere", 99)] * len(FOREIGN)


# --- many objects: lists, counts, search, streams, exports ---------------------------------------------------


def _foreign(text: str) -> list[str]:
    """Whatever in an answer belongs to a household, person or officer elsewhere."""
    signs = [sign for place in FOREIGN for sign in (household_no(place), HEADS[place], PHONES[place], PLACES[place])]
    return [sign for sign in signs if sign in text]


LISTS = [
    "/monitoring/v1/rule-effect",
    "/monitoring/v1/misses",
    "/monitoring/v1/households",
    "/monitoring/v1/households?severity=orange",
    "/monitoring/v1/dashboard/summary",
    "/monitoring/v1/households?recommendation=marginal_at_risk",
    "/monitoring/v1/dashboard/trend",
    "/monitoring/v1/dashboard/causes",
    "/monitoring/v1/dashboard/funnel",
    "/monitoring/v1/dashboard/workload",
    "/monitoring/v1/dashboard/precision",
    "/monitoring/v1/dashboard/coverage",
    "/monitoring/v1/households?format=csv&purpose=x",
    "/monitoring/v1/near-misses?percent=50&crossing_within_days=366",
    "/monitoring/v1/unmatched",
    "/monitoring/v1/unmatched/counts",
    "/monitoring/v1/identity-pairs",
    "/monitoring/v1/identity-pairs/counts",
    "/monitoring/v1/quality/findings",
    "/monitoring/v1/quality/findings?format=csv&purpose=x",
    "/monitoring/v1/quality/counts",
    "/monitoring/v1/monitored-list/comparison",
    "/monitoring/v1/monitored-list/export",
    "/monitoring/v1/monitored-list/export?households=should_enter",
    "/alerts/v1/alerts",
    "/alerts/v1/alerts?status=open",
    "/alerts/v1/visit-list",
    "/alerts/v1/visit-list?format=csv&purpose=x",
    "/alerts/v1/monthly-sheets",
    "/alerts/v1/summary",
    "/alerts/v1/handovers",
    "/alerts/v1/rechecks",
    "/alerts/v1/rechecks/counts",
    "/alerts/v1/bursts",
    "/alerts/v1/tasks",
    "/alerts/v1/consultations",
    "/alerts/v1/inbox",
    "/alerts/v1/officers",
    "/alerts/v1/duties",
    "/alerts/v1/duties/gaps?limit=200",
    "/alerts/v1/absences",
    "/alerts/v1/tickets",
    "/alerts/v1/pairings",
    "/alerts/v1/pairings/proposals",
    "/alerts/v1/endpoints",
    "/alerts/v1/deliveries",
    "/alerts/v1/routes",
    "/alerts/v1/routes/versions",
    "/alerts/v1/silences",
    "/alerts/v1/deliveries?officer_no=S-far",
    "/alerts/v1/dead-letters",
    "/alerts/v1/sms-gateways",
    "/intake/v1/appeals",
    "/intake/v1/appeals?overdue=true",
    "/intake/v1/feeds",
    "/intake/v1/freshness",
]


async def test_a_list_shows_the_range_and_nothing_beside_it(county: County) -> None:
    for path in LISTS:
        answer = await county.call("GET", path, county.as_(*WIDEST))
        assert (answer.status_code, _foreign(answer.text)) == (200, []), path


FILTERED = [
    "/monitoring/v1/households?division={}",
    *(
        f"/monitoring/v1/dashboard/{board}?division={{}}"
        for board in ("summary", "trend", "causes", "funnel", "workload")
    ),
    "/monitoring/v1/monitored-list/comparison?division={}",
    "/monitoring/v1/quality/findings?division={}",
    "/monitoring/v1/quality/counts?division={}",
    "/alerts/v1/alerts?division={}",
    "/alerts/v1/summary?division={}",
    "/alerts/v1/pairings/proposals?division={}",
    "/alerts/v1/visit-list?division={}",
]


async def test_a_filter_for_a_place_out_of_range_finds_what_nowhere_has(county: County) -> None:
    async def found(path: str, place: str) -> Any:
        return _numbers((await county.call("GET", path.format(place), county.as_(*WIDEST))).json())

    for path in FILTERED:
        nowhere = await found(path, "130624100299")
        for place in ("sibling", "far", "abroad"):
            assert await found(path, PLACES[place]) == nowhere, (path, place)
        # Of the township above he sees his own village, and no more.
        assert await found(path, TOWNSHIP) == await found(path, OWN) != nowhere, path


OF_A_PLACE = {"query", "drill_down", "division", "key", "label"}


def _numbers(found: Any) -> Any:
    """An answer without the place it was asked for."""
    if isinstance(found, dict):
        return {name: _numbers(value) for name, value in found.items() if name not in OF_A_PLACE}
    return [_numbers(one) for one in found] if isinstance(found, list) else found


async def test_a_cursor_from_somebody_else_opens_nothing(county: County) -> None:
    wide = county.bearer("county_admin", COUNTY, officer_no="C-130624")
    for path in (
        "/monitoring/v1/households",
        "/alerts/v1/alerts",
        "/alerts/v1/inbox",
        "/intake/v1/feeds",
        "/alerts/v1/duties",
        "/alerts/v1/officers",
        "/alerts/v1/silences",
    ):
        cursor: str | None = None
        for _ in range(6):
            params = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
            page = (await county.call("GET", path, wide, params=params)).json()
            cursor = page["next_cursor"]
            if cursor is None:
                break
            params = {"limit": "200", "cursor": cursor}
            answer = await county.call("GET", path, county.as_(*WIDEST), params=params)
            assert (answer.status_code, _foreign(answer.text)) == (200, []), path


async def test_a_search_finds_nobody_out_of_range(county: County) -> None:
    from tests.house.county import person
    from tests.services.monitoring.build import number as number_of

    async def found(serial: int) -> Any:
        body = {"identity_number": number_of(serial), "purpose": "核对"}
        return (await county.call("POST", "/monitoring/v1/households/search", county.as_(*WIDEST), body)).json()

    assert [await found(person(place)) for place in FOREIGN] == [{"items": []}] * len(FOREIGN)
    assert [one["household_no"] for one in (await found(person("own")))["items"]] == ["F-own"]


async def test_an_inbox_is_its_officers_and_shows_a_household_in_his_range_only(county: County) -> None:
    """The county's own letter about a household that has since moved to the neighbour shows no more who it was."""
    wide = county.bearer("county_admin", COUNTY, officer_no="C-130624")
    answer = await county.call("GET", "/alerts/v1/inbox", wide)
    assert not [sign for sign in (HEADS["abroad"], PHONES["abroad"]) if sign in answer.text]
    # A secretary who took up a post in another village keeps his letters, not what they say of the former one.
    moved = county.bearer("village_secretary", PLACES["far"], officer_no="S-own")
    for method, path in (("GET", "/alerts/v1/inbox"), ("POST", "/alerts/v1/inbox/1/read")):
        answer = await county.call(method, path, moved)
        assert answer.status_code == 200
        assert not [sign for sign in (HEADS["own"], PHONES["own"]) if sign in answer.text], path
    nobodys = [await county.call("POST", f"/alerts/v1/inbox/{n}/read", county.as_(*WIDEST)) for n in (2, 999)]
    assert _like(nobodys[0]) == _like(nobodys[1])


async def test_a_stream_says_no_more_than_the_inbox(county: County) -> None:
    from services.alerts.stream_inbox import Bell, stream_inbox
    from shared.security.principal import Principal

    runtime = await county.house.runtime("alerts")

    async def heard(division: str, officer_no: str) -> str:
        caller = Principal("x", "person", division, frozenset({"alerts:read"}), officer_no=officer_no)
        events = stream_inbox(runtime, caller, officer_no, 0, Bell(), timedelta(milliseconds=50))
        return "".join([str(event.data) async for event in events])

    assert HEADS["own"] in await heard(OWN, "S-own")
    for division, officer_no in ((OWN, "S-nowhere"), (PLACES["far"], "S-own")):
        said = await heard(division, officer_no)
        assert HEADS["own"] not in said
        assert PHONES["own"] not in said
    assert HEADS["abroad"] not in await heard(COUNTY, "C-130624")


async def test_sums_above_are_what_lies_below(county: County) -> None:
    """And the neighbour counts the household that is his, and no other."""
    total = {}
    for name, division in {**PLACES, "county": COUNTY, "neighbour": OTHER_COUNTY, "town": TOWNSHIP}.items():
        headers = county.bearer("county_admin", division)
        summary = (await county.call("GET", "/monitoring/v1/dashboard/summary", headers)).json()
        total[name] = summary["total"]["households"]
    assert total["neighbour"] == total["abroad"] == 1
    assert total["county"] == total["town"] + total["far"] == 4
