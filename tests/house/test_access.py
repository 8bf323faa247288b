"""Who may call what; and that whatever is out of range cannot be told from what does not exist."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.monitoring.schemas_evaluations import REQUEST_EXAMPLE
from tests.house.county import (
    COUNTY,
    DECISION,
    NOWHERE,
    OWN,
    PLACES,
    VERIFICATION,
    WIDEST,
    County,
    household_no,
)
from tests.house.route_table import CALLERS, OPEN_DOORS, table
from tests.services.intake.build import number

DECIDED = {"outcome": "changed", "reason": "重新入户核实，医药费属实"}
SILENCE = {"match": "等级=黄色", "reason": "集中走访", "ends_at": "2026-03-16T10:00:00+08:00"}
RELEASE = {"decision": "release", "reason": "金额属实"}
SAME_PERSON = {"decision": "same", "reason": "派出所证明"}
LINK = {"household_no": NOWHERE["household"], "member_id": 1, "reason": "入户核实"}
SECOND = {"agrees": True}
CHECKED = {"outcome": "no_risk", "contact": {"method": "visit", "on": "2026-03-15", "met": "户主本人"}}
CALL = {"departments": ["民政"], "question": "是否纳入", "opinions_by": "2026-03-16", "meets_on": "2026-03-17"}
DECIDED_JOINTLY = {"held_on": "2026-03-15", "attendees": ["GB0001", "GB0002"], "outcome": "no_risk"}
SERVICES = ("intake", "monitoring", "alerts")
IN_PATH = {
    "{report_id}": NOWHERE["report"],
    "{feed_id}": NOWHERE["feed"],
    "{attachment_id}": NOWHERE["report"],
    "{appeal_id}": NOWHERE["report"],
    "{name}": "medical_settlement",
    "{household_no}": NOWHERE["household"],
    "{rescreen_id}": NOWHERE["rescreen"],
    "{run_id}": NOWHERE["rescreen"],
    "{finding_id}": NOWHERE["rescreen"],
    "{alert_id}": NOWHERE["alert"],
    "{verification_id}": NOWHERE["alert"],
    "{handover_id}": NOWHERE["alert"],
    "{ticket_id}": NOWHERE["alert"],
    "{recheck_id}": NOWHERE["alert"],
    "{task_id}": NOWHERE["alert"],
    "{consultation_id}": NOWHERE["alert"],
    "{item_no}": "1",
    "{sheet}": "absences",
    "{delivery_id}": NOWHERE["alert"],
    "{endpoint_id}": NOWHERE["alert"],
    "{version}": "in_force",
    "{comparison_id}": NOWHERE["rescreen"],
    "{pair_id}": "999",
    "{line}": "2",
    "{unmatched_id}": "999",
    "{silence_id}": NOWHERE["alert"],
}


# --- routes × callers ----------------------------------------------------------------------------------------


async def _published(county: County) -> set[str]:
    documents = [(await county.client.get(f"/{name}/openapi.json")).json() for name in SERVICES]
    paths = [item for one in documents for item in one["paths"].items()]
    return {f"{method.upper()} {path}" for path, found in paths for method in found}


async def test_the_table_names_every_route_and_the_documents_do_too(county: County) -> None:
    assert await _published(county) == set(table()) | set(OPEN_DOORS)
    served = {
        f"{method} {route.path}"
        for app in county.house.apps.values()
        for route in _routes(app.router)
        for method in route.methods
    }
    undocumented = {route for route in served if not route.startswith("HEAD ")} - await _published(county)
    assert {route.rsplit("/", 1)[1] for route in undocumented} <= {"openapi.json", "docs", "oauth2-redirect"}


def _routes(router: Any) -> list[Any]:
    """All routes, those of included routers too."""
    found: list[Any] = []
    for route in router.routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        found += [route] if hasattr(route, "methods") and hasattr(route, "path") else _routes(inner) if inner else []
    return found


async def test_every_route_lets_in_whom_the_table_says(county: County) -> None:
    runtime = await county.house.runtime("alerts")
    settings = runtime.settings
    runtime.settings = settings.model_copy(update={"stream_for": timedelta(0)})
    try:
        wrong = [
            f"{route} as {caller}: {found}, the table says {mark}"
            for route, marks in table().items()
            for caller, mark in marks.items()
            if (found := await _mark(county, route, caller)) != mark
        ]
    finally:
        runtime.settings = settings
    assert wrong == []


def _caller(county: County, caller: str) -> dict[str, str]:
    if caller == "anonymous":
        return {}
    if caller == "system":
        return county.bearer(None, COUNTY)
    more = {"department": "医疗保障"} if caller == "liaison" else {}
    return county.bearer(caller, COUNTY, officer_no="S-own", **more)


async def _mark(county: County, route: str, caller: str) -> str:
    """What the caller meets: a body of the right form, so that nothing but his rights can refuse him."""
    method, path = route.split()
    for name, value in IN_PATH.items():
        path = path.replace(name, value)
    body: dict[str, Any] = {"json": _BODIES.get(route, {})} if method in {"POST", "PUT"} else {}
    if route == "POST /intake/v1/feeds":
        body = {"content": b"", "headers": {"Content-Type": "text/csv"}, "params": {"layout": "medical_settlement"}}
    if route == "POST /intake/v1/attachments":
        body = {"content": b"", "params": {"division": OWN}}
    headers = {**_caller(county, caller), **body.pop("headers", {})}
    answer = await county.client.request(method, path, headers=headers, **body)
    assert answer.status_code < 500, f"{route} as {caller}: {answer.text}"
    return {401: "!", 403: "-"}.get(answer.status_code, "+")


_BODIES: Mapping[str, Any] = {
    "POST /intake/v1/self-reports/{report_id}/receipt": {"reason": "遗失补发"},
    "POST /intake/v1/attachments/{attachment_id}/download": {"purpose": "核实前查看"},
    "POST /intake/v1/appeals": {"reason": "不服答复", "report_id": NOWHERE["report"]},
    "POST /intake/v1/appeals/{appeal_id}/decision": DECIDED,
    "PUT /intake/v1/connectors/{name}": {
        "layout": "medical_settlement",
        "division": COUNTY,
        "url": "https://share.example.gov.cn/api",
        "dialect": "bearer",
        "schedule": "30 2 5 * *",
    },
    "POST /monitoring/v1/households/{household_no}/decisions": DECISION,
    "POST /monitoring/v1/evaluations": REQUEST_EXAMPLE,
    "POST /monitoring/v1/policies/changes": [],
    "POST /monitoring/v1/policies/{version}/publish": {"activates_on": "2026-08-01"},
    "POST /monitoring/v1/monitored-list/export": {"purpose": "录入"},
    "POST /monitoring/v1/unmatched/{unmatched_id}/link": LINK,
    "POST /intake/v1/feeds/{feed_id}/held-rows/{line}": RELEASE,
    "POST /monitoring/v1/identity-pairs/{pair_id}/decision": SAME_PERSON,
    "POST /monitoring/v1/identity-pairs/{pair_id}/undo": {"reason": "认定有误"},
    "POST /alerts/v1/alerts/{alert_id}/attempts": {"method": "call"},
    "POST /alerts/v1/alerts/{alert_id}/handover": {"to_officer_no": "S-far", "reason": "外出"},
    "POST /alerts/v1/alerts/{alert_id}/verification": VERIFICATION,
    "POST /alerts/v1/alerts/acknowledge": {"alert_ids": [NOWHERE["alert"]]},
    "POST /alerts/v1/alerts/{alert_id}/verification/{verification_id}/confirmation": SECOND,
    "POST /alerts/v1/handovers/{handover_id}/answer": {"answer": "accept"},
    "POST /alerts/v1/tickets/{ticket_id}/reply": {"reply": "mended", "note": "已冲销"},
    "POST /alerts/v1/rechecks/{recheck_id}/result": CHECKED,
    "POST /alerts/v1/tasks/{task_id}/feedback": {"result": "done", "note": "已办理"},
    "POST /alerts/v1/tasks/{task_id}/confirmation": {"solved": True},
    "POST /alerts/v1/alerts/{alert_id}/consultation": CALL,
    "POST /alerts/v1/consultations/{consultation_id}/opinions": {"opinion": "已办理"},
    "POST /alerts/v1/consultations/{consultation_id}/cancellation": {"reason": "已书面答复"},
    "POST /alerts/v1/consultations/{consultation_id}/decision": DECIDED_JOINTLY,
    "POST /alerts/v1/officers": [],
    "PUT /alerts/v1/routes": [],
    "POST /alerts/v1/routes/versions/{version}/activate": {"valid_from": "2026-03-15"},
    "POST /alerts/v1/routes/test": {"alert_id": NOWHERE["alert"]},
    "POST /alerts/v1/silences": SILENCE,
    "POST /alerts/v1/phone-pins/reset": {"officer_no": "S-nobody", "reason": "本人到场"},
}


# --- systems and scopes --------------------------------------------------------------------------------------


async def test_a_system_never_acknowledges_verifies_classifies_or_confirms(county: County) -> None:
    """Not with all scopes asked for, not with a role beside its kind, not with an officer's number."""
    from shared.security.access import SCOPES
    from shared.security.principal import Principal
    from shared.vocabulary.terms import Role

    issuer = county.house.apps["alerts"].state.issuer
    claims = [
        Principal("robot", "system", COUNTY, scopes=frozenset(SCOPES), role=role, officer_no="S-own", name="机")
        for role in (None, Role.COUNTY_ADMIN, Role.VILLAGE_SECRETARY)
    ]
    deeds = [
        *((f"/alerts/v1/alerts/{county.ids['alert']['own']}/{step}", body) for step, body in STEPS.items()),
        (f"/monitoring/v1/households/{household_no('own')}/decisions", {**DECISION, "listed_as": "marginal_at_risk"}),
        (f"/intake/v1/feeds/{county.ids['feed']['own']}/confirm", None),
        (f"/intake/v1/feeds/{county.ids['feed']['own']}/held-rows/2", RELEASE),
        ("/monitoring/v1/identity-pairs/1/decision", SAME_PERSON),
        ("/monitoring/v1/identity-pairs/1/undo", {"reason": "认定有误"}),
        ("/monitoring/v1/unmatched/1/link", LINK),
    ]
    for principal in claims:
        made = issuer.issue(principal, now=county.house.clock.now(), lifetime=timedelta(minutes=5))
        for path, body in deeds:
            answer = await county.call("POST", path, {"Authorization": f"Bearer {made}"}, body)
            assert answer.status_code == 403, (principal, path, answer.text)
    untouched = "SELECT count(*) FROM alerts.alert WHERE status = 'open'"
    assert await county.admin.fetchval(untouched) == len(PLACES)
    assert await county.admin.fetchval("SELECT count(*) FROM monitoring.decision") == 0


STEPS: Mapping[str, Any] = {
    "acknowledge": {},
    "attempts": {"method": "call"},
    "handover": {"to_officer_no": "C-130624", "reason": "外出"},
    "verification": VERIFICATION,
    f"verification/{NOWHERE['alert']}/confirmation": SECOND,
    "consultation": CALL,
}


async def test_a_client_gets_no_scope_by_asking_for_it(county: County) -> None:
    from shared.web.oauth import hash_secret

    await county.admin.execute(
        "INSERT INTO directory.oauth_client (client_id, secret_hashes, name, division, scopes, active, created_at)"
        " VALUES ('reader', $1, '只读', $2, '{monitoring:read,alerts:act,monitoring:decide}', true, now())",
        [hash_secret("reader", "s")],
        COUNTY,
    )
    form = {"grant_type": "client_credentials", "client_id": "reader", "client_secret": "s"}
    for asked in ("monitoring:read alerts:act monitoring:decide subscriptions:admin", "", None):
        more = {"scope": asked} if asked is not None else {}
        answer = await county.client.post("/oauth2/token", data=form | more)
        assert answer.json()["scope"] == "monitoring:read", asked
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        path = f"/alerts/v1/alerts/{county.ids['alert']['own']}/acknowledge"
        assert (await county.call("POST", path, headers, {})).status_code == 403
    widened = county.bearer("grid_worker", OWN, scopes=["monitoring:decide", "alerts:admin", "monitoring:read"])
    assert (await county.call("GET", "/alerts/v1/officers", widened)).status_code == 403
    assert (await county.call("GET", "/monitoring/v1/households", widened)).status_code == 200


async def test_a_liaison_sees_his_own_department_and_without_one_nothing(county: County) -> None:
    feed = county.ids["feed"]["own"]
    paths = ("", f"/{feed}", f"/{feed}/errors", f"/{feed}/errors?format=csv")
    for path in paths:
        nobody = await county.call("GET", f"/intake/v1/feeds{path}", county.bearer("liaison", COUNTY))
        assert (nobody.status_code, nobody.json()["code"]) == (403, "department_missing")
    other = county.bearer("liaison", COUNTY, department="残联")
    assert (await county.call("GET", "/intake/v1/feeds", other)).json()["items"] == []
    for path in paths[1:]:
        assert (await county.call("GET", f"/intake/v1/feeds{path}", other)).status_code == 404


# --- more than was asked for ---------------------------------------------------------------------------------

SERVER_OWNED = {
    "alert_id": str(UUID(int=1)),
    "status": "closed",
    "severity": "red",
    "recommendation": None,
    "score": 0,
    "is_admin": True,
    "role": "county_admin",
    "kind": "person",
    "officer_role": "county_admin",
    "verified_at": "2026-03-15T00:00:00Z",
    "decided_by": "x",
    "decided_by_name": "x",
    "received_at": "2026-03-15T00:00:00Z",
    "client": "x",
    "county": "130624",
    "risk_level": "none",
    "facts_version": 1,
    "division_hi": "z",
    "secret": "x",
    "state": "active",
    "active": True,
    "audit_id": "x",
    "report_id": str(UUID(int=1)),
    "requested_by": "x",
}
BODIES: list[tuple[str, Any]] = [
    (
        "/intake/v1/self-reports",
        {
            "division": OWN,
            "hardships": ["other"],
            "consent": {"version": "2025-1"},
            "reported_on": "2026-03-15",
            "reporter": {"name": "测试", "identity_number": number(1)},
            "on_behalf_of": {"officer_no": "S-own"},
        },
    ),
    ("/intake/v1/self-reports/{report}/corrections", {"reason": "填错了", "hardships": ["illness"]}),
    ("/intake/v1/self-reports/{report}/withdrawal", {"reason": "不需要了"}),
    ("/intake/v1/self-reports/{report}/receipt", {"reason": "遗失补发"}),
    ("/intake/v1/attachments/{attachment}/download", {"purpose": "核实前查看"}),
    ("/intake/v1/attachments/{attachment}/erasure", {"reason": "农户要求"}),
    ("/intake/v1/appeals", {"reason": "不服答复", "report_id": NOWHERE["report"]}),
    ("/intake/v1/appeals/{appeal}/decision", DECIDED),
    ("/monitoring/v1/households/search", {"identity_number": number(1), "purpose": "核对"}),
    ("/monitoring/v1/households/{household}/decisions", {**DECISION, "listed_as": "marginal_at_risk"}),
    (
        "/monitoring/v1/households/{household}/changes",
        {
            "change": "split",
            "on": "2026-03-15",
            "new_household_no": "F-new",
            "members": [{"member": {"member_id": 1}, "relation": "户主"}],
            "reason": "分户",
        },
    ),
    ("/monitoring/v1/monitored-list/export", {"purpose": "录入"}),
    ("/intake/v1/feeds/{feed}/held-rows/2", RELEASE),
    ("/monitoring/v1/identity-pairs/999/decision", SAME_PERSON),
    ("/monitoring/v1/identity-pairs/999/undo", {"reason": "认定有误"}),
    ("/monitoring/v1/unmatched/999/link", LINK),
    # Its parameters are named by the package; a name it does not know is refused with a code of its own.
    ("/monitoring/v1/evaluations", {name: value for name, value in REQUEST_EXAMPLE.items() if name != "parameters"}),
    ("/monitoring/v1/policies/in_force/publish", {"activates_on": "2026-08-01"}),
    ("/monitoring/v1/policies/in_force/withdraw", {"reason": "文号有误"}),
    ("/monitoring/v1/policies/in_force/compare", {"division": OWN}),
    ("/monitoring/v1/rescreens", {"division": OWN, "reason": "抽查"}),
    ("/monitoring/v1/quality/findings/{rescreen}/accept", {"reason": "属实"}),
    ("/monitoring/v1/quality/runs", {"division": OWN, "reason": "抽查"}),
    ("/monitoring/v1/quality/villages", {"village": OWN, "as_of": "2026-03-15"}),
    ("/monitoring/v1/subscriptions", {"name": "x", "url": "https://127.0.0.1/", "types": ["x"]}),
    ("/alerts/v1/subscriptions", {"name": "x", "url": "https://127.0.0.1/", "types": ["x"]}),
    ("/alerts/v1/alerts/{alert}/acknowledge", {}),
    ("/alerts/v1/alerts/{alert}/attempts", {"method": "call"}),
    ("/alerts/v1/alerts/{alert}/handover", {"to_officer_no": "C-130624", "reason": "外出"}),
    ("/alerts/v1/alerts/{alert}/verification", VERIFICATION),
    ("/alerts/v1/alerts/acknowledge", {"alert_ids": [NOWHERE["alert"]]}),
    ("/alerts/v1/alerts/{alert}/verification/{feed}/confirmation", SECOND),
    ("/alerts/v1/handovers/{feed}/answer", {"answer": "accept"}),
    ("/alerts/v1/tickets/{feed}/reply", {"reply": "mended", "note": "已冲销"}),
    ("/alerts/v1/rechecks/{feed}/result", CHECKED),
    ("/alerts/v1/tasks/{feed}/feedback", {"result": "done", "note": "已办理"}),
    ("/alerts/v1/tasks/{feed}/confirmation", {"solved": True}),
    ("/alerts/v1/alerts/{alert}/consultation", CALL),
    ("/alerts/v1/consultations/{feed}/opinions", {"opinion": "已办理"}),
    ("/alerts/v1/consultations/{feed}/cancellation", {"reason": "已书面答复"}),
    ("/alerts/v1/consultations/{feed}/decision", DECIDED_JOINTLY),
    ("/alerts/v1/officers", [{"officer_no": "S-9", "name": "干部", "role": "village_secretary", "division": OWN}]),
    (
        "/alerts/v1/duties",
        {
            "officer_no": "S-own",
            "role": "grid_worker",
            "division": OWN,
            "valid_from": "2026-03-15",
        },
    ),
    ("/alerts/v1/absences", {"officer_no": "S-own", "first_day": "2026-03-15", "last_day": "2026-03-16"}),
    (
        "/alerts/v1/pairings",
        {"officer_no": "S-own", "household_no": "F-own", "division": OWN, "since": "2026-03-15"},
    ),
    ("/alerts/v1/endpoints", {"channel": "console", "address": "x", "division": OWN}),
    ("/alerts/v1/routes/test", {"alert_id": NOWHERE["alert"]}),
    ("/alerts/v1/routes/versions/in_force/activate", {"valid_from": "2026-03-15"}),
    ("/alerts/v1/silences", SILENCE),
    ("/alerts/v1/phone-pins/reset", {"officer_no": "S-own", "reason": "本人到场"}),
]


def test_every_body_is_tried() -> None:
    bodiless = {
        "POST /intake/v1/feeds",
        "POST /intake/v1/feeds/{feed_id}/confirm",
        "POST /intake/v1/attachments",
        "POST /intake/v1/feeds/{feed_id}/replay",
        "POST /intake/v1/layouts",
        "POST /intake/v1/connectors/{name}/pull",
        "POST /alerts/v1/inbox/{item_no}/read",
        "POST /alerts/v1/rosters/{sheet}",
        "POST /alerts/v1/deliveries/{delivery_id}/resend",
        "POST /alerts/v1/endpoints/{endpoint_id}/retry-dead",
        "POST /alerts/v1/endpoints/{endpoint_id}/test",
        "POST /monitoring/v1/list-comparisons",
        "POST /monitoring/v1/monitored-list",
        "POST /monitoring/v1/policies/changes",  # Rows of a sheet: each unknown column is an error of its row.
        "POST /monitoring/v1/policies/{version}/approve",
        "POST /monitoring/v1/policies/{version}/comparisons/{comparison_id}/cancel",
        "POST /monitoring/v1/rescreens/{rescreen_id}/cancel",
        "POST /monitoring/v1/rescreens/{rescreen_id}/resume",
    }
    tried = {
        path.replace("{household}", "{household_no}")
        .replace("{alert}", "{alert_id}")
        .replace("/verification/{feed}/", "/verification/{verification_id}/")
        .replace("/handovers/{feed}/", "/handovers/{handover_id}/")
        .replace("/tickets/{feed}/", "/tickets/{ticket_id}/")
        .replace("/rechecks/{feed}/", "/rechecks/{recheck_id}/")
        .replace("/tasks/{feed}/", "/tasks/{task_id}/")
        .replace("/consultations/{feed}/", "/consultations/{consultation_id}/")
        .replace("{report}", "{report_id}")
        .replace("{attachment}", "{attachment_id}")
        .replace("{appeal}", "{appeal_id}")
        .replace("/in_force/", "/{version}/")
        .replace("/feeds/{feed}/held-rows/2", "/feeds/{feed_id}/held-rows/{line}")
        .replace("identity-pairs/999", "identity-pairs/{pair_id}")
        .replace("unmatched/999", "unmatched/{unmatched_id}")
        .replace("/findings/{rescreen}/", "/findings/{finding_id}/")
        for path, _ in BODIES
    }
    posts = {route for route in table() if route.startswith("POST ")}
    assert {f"POST {path}" for path in tried} == posts - bodiless


async def test_no_body_sets_what_the_server_owns(county: County) -> None:
    """Every field of the server's in every object of every body is refused by name."""
    headers = {**county.as_(*WIDEST), "Idempotency-Key": "extra"}
    for path, body in BODIES:
        for target in _objects(body):
            more = {name: value for name, value in SERVER_OWNED.items() if name not in target}
            json = _with(body, target, more)
            answer = await county.client.post(county.at(path, "own"), json=json, headers=headers)
            assert answer.status_code == 422, (path, answer.text)
            refused = {
                one["where"].rsplit("/", 1)[1] for one in answer.json()["errors"] if one["code"] == "extra_forbidden"
            }
            assert refused == set(more), path


def _objects(body: Any) -> list[dict[str, Any]]:
    """The body's objects, the inner ones too."""
    inner = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return [*([body] if isinstance(body, dict) else []), *(found for one in inner for found in _objects(one))]


def _with(body: Any, target: Any, more: dict[str, Any]) -> Any:
    """The body with `more` fields in `target`."""
    if isinstance(body, dict):
        return {key: _with(one, target, more) for key, one in body.items()} | (more if body is target else {})
    return [_with(one, target, more) for one in body] if isinstance(body, list) else body


@pytest.mark.parametrize("caller", CALLERS)
def test_the_table_marks_every_caller(caller: str) -> None:
    assert all(marks[caller] in "+-!" for marks in table().values())
