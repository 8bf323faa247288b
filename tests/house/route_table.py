"""Who may call what: every route of the three services × every kind of caller, to be read as it stands.

`+` may call it, `-` is refused with 403, `!` is refused with 401. What a caller then sees is for his range and his
field classes to decide. A route that is not in this table fails the test.
"""

from typing import Final

CALLERS: Final = (
    "grid_worker",
    "village_secretary",
    "first_secretary",
    "township_leader",
    "county_admin",
    "liaison",
    "auditor",
    "system",
    "anonymous",
)

TABLE: Final = """
route                                               grid village first town county liaison auditor system anonymous

POST /intake/v1/self-reports                         +      +      +    +     +      -       -      +       !
GET  /intake/v1/self-reports/{report_id}             +      +      +    +     +      -       +      +       !
POST /intake/v1/self-reports/{report_id}/corrections +      +      +    +     +      -       -      +       !
POST /intake/v1/self-reports/{report_id}/withdrawal  +      +      +    +     +      -       -      +       !
POST /intake/v1/self-reports/{report_id}/receipt     +      +      +    +     +      -       -      -       !
GET  /intake/v1/self-reports/{report_id}/attachments +      +      +    +     +      -       -      -       !
POST /intake/v1/attachments                          +      +      +    +     +      -       -      +       !
POST /intake/v1/attachments/{attachment_id}/download +      +      +    +     +      -       -      -       !
POST /intake/v1/attachments/{attachment_id}/erasure  +      +      +    +     +      -       -      +       !
POST /intake/v1/appeals                              +      +      +    +     +      -       -      -       !
GET  /intake/v1/appeals                              +      +      +    +     +      -       +      +       !
GET  /intake/v1/appeals/{appeal_id}                  +      +      +    +     +      -       +      +       !
POST /intake/v1/appeals/{appeal_id}/decision         -      -      -    +     +      -       -      -       !
POST /intake/v1/feeds                                -      -      -    -     +      +       -      +       !
GET  /intake/v1/feeds                                -      -      -    +     +      +       +      +       !
GET  /intake/v1/feeds/{feed_id}                      -      -      -    +     +      +       +      +       !
GET  /intake/v1/feeds/{feed_id}/errors               -      -      -    +     +      +       +      +       !
POST /intake/v1/feeds/{feed_id}/confirm              -      -      -    -     +      +       -      -       !
GET  /intake/v1/feeds/{feed_id}/held-rows            -      -      -    +     +      +       +      +       !
POST /intake/v1/feeds/{feed_id}/held-rows/{line}     -      -      -    -     +      +       -      -       !
GET  /intake/v1/layouts                              -      -      -    +     +      +       +      +       !
POST /intake/v1/feeds/{feed_id}/replay               -      -      -    -     +      +       -      +       !
POST /intake/v1/layouts                              -      -      -    -     +      -       -      +       !
DELETE /intake/v1/layouts/{name}                     -      -      -    -     +      -       -      +       !
GET  /intake/v1/layouts/{name}                       -      -      -    +     +      +       +      +       !
GET  /intake/v1/layouts/{name}/template.xlsx         -      -      -    +     +      +       +      +       !
GET  /intake/v1/freshness                            -      -      -    +     +      +       +      +       !
GET  /intake/v1/connectors                           -      -      -    +     +      +       +      +       !
PUT  /intake/v1/connectors/{name}                    -      -      -    -     +      -       -      +       !
POST /intake/v1/connectors/{name}/pull               -      -      -    -     +      -       -      +       !
GET  /intake/v1/notices                              -      -      -    +     +      +       +      +       !

GET  /monitoring/v1/households                       +      +      +    +     +      -       +      +       !
POST /monitoring/v1/households/search                +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/households/{household_no}        +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/households/{household_no}/assessment  + +      +    +     +      -       +      +       !
GET  /monitoring/v1/households/{household_no}/history     + +      +    +     +      -       +      +       !
GET  /monitoring/v1/households/{household_no}/counterfactual - -   -    +     +      -       -      -       !
GET  /monitoring/v1/changes                          +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/rule-effect                      -      +      +    +     +      -       +      +       !
GET  /monitoring/v1/return-sheets                    -      -      -    -     +      +       -      +       !
GET  /monitoring/v1/misses                           -      +      +    +     +      -       +      +       !
GET  /monitoring/v1/list-comparisons                 -      +      +    +     +      -       +      +       !
POST /monitoring/v1/list-comparisons                 -      -      -    -     +      -       -      +       !
GET  /monitoring/v1/list-comparisons/findings        -      +      +    +     +      -       +      +       !
GET  /monitoring/v1/near-misses                      -      -      -    +     +      -       +      -       !
POST /monitoring/v1/households/{household_no}/decisions   - -      -    -     +      -       -      -       !
POST /monitoring/v1/evaluations                      -      -      -    +     +      -       -      +       !
POST /monitoring/v1/rescreens                        -      -      -    -     +      -       -      +       !
GET  /monitoring/v1/rescreens/{rescreen_id}          -      -      -    -     +      -       -      +       !
POST /monitoring/v1/rescreens/{rescreen_id}/cancel   -      -      -    -     +      -       -      +       !
POST /monitoring/v1/rescreens/{rescreen_id}/resume   -      -      -    -     +      -       -      +       !
GET  /monitoring/v1/dashboard/summary                +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/dashboard/trend                  +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/dashboard/causes                 +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/dashboard/funnel                 +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/dashboard/workload               +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/dashboard/precision              +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/dashboard/coverage               +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/policies                         +      +      +    +     +      -       +      +       !
POST /monitoring/v1/policies/changes                 -      -      -    -     +      -       -      -       !
GET  /monitoring/v1/policies/{version}               +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/policies/{version}/diff          +      +      +    +     +      -       +      +       !
POST /monitoring/v1/policies/{version}/approve       -      -      -    -     +      -       -      -       !
POST /monitoring/v1/policies/{version}/withdraw      -      -      -    -     +      -       -      -       !
POST /monitoring/v1/policies/{version}/publish       -      -      -    -     +      -       -      -       !
POST /monitoring/v1/policies/{version}/compare       -      -      -    -     +      -       -      -       !
GET  /monitoring/v1/policies/{version}/comparisons/{comparison_id}            - - - - + - - - !
POST /monitoring/v1/policies/{version}/comparisons/{comparison_id}/cancel     - - - - + - - - !
GET  /monitoring/v1/policies/{version}/comparisons/{comparison_id}/households - - - - + - - - !
POST /monitoring/v1/households/{household_no}/changes     - -      -    -     +      -       -      +       !
POST /monitoring/v1/monitored-list                   -      -      -    -     +      -       -      +       !
GET  /monitoring/v1/monitored-list/comparison        -      +      +    +     +      -       +      +       !
GET  /monitoring/v1/monitored-list/export            -      -      -    -     +      -       -      +       !
POST /monitoring/v1/monitored-list/export            -      -      -    -     +      -       -      -       !
GET  /monitoring/v1/quality/checks                   +      +      +    +     +      +       +      +       !
GET  /monitoring/v1/quality/findings                 +      +      +    +     +      +       +      +       !
GET  /monitoring/v1/quality/counts                   +      +      +    +     +      +       +      +       !
POST /monitoring/v1/quality/findings/{finding_id}/accept +  +      +    +     +      +       -      -       !
POST /monitoring/v1/quality/runs                     -      -      -    -     +      -       -      +       !
GET  /monitoring/v1/quality/runs/{run_id}            -      -      -    -     +      -       -      +       !
POST /monitoring/v1/quality/villages                 -      -      -    -     +      -       -      +       !
GET  /monitoring/v1/unmatched                        +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/unmatched/counts                 +      +      +    +     +      -       +      +       !
POST /monitoring/v1/unmatched/{unmatched_id}/link    -      -      -    -     +      -       -      -       !
GET  /monitoring/v1/identity-pairs                   +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/identity-pairs/counts            +      +      +    +     +      -       +      +       !
GET  /monitoring/v1/identity-pairs/{pair_id}         +      +      +    +     +      -       +      +       !
POST /monitoring/v1/identity-pairs/{pair_id}/decision  -    -      -    -     +      -       -      -       !
POST /monitoring/v1/identity-pairs/{pair_id}/undo    -      -      -    -     +      -       -      -       !
GET  /monitoring/v1/subscriptions                    -      -      -    -     +      -       -      +       !
POST /monitoring/v1/subscriptions                    -      -      -    -     +      -       -      +       !

GET  /alerts/v1/alerts                               +      +      +    +     +      -       +      +       !
GET  /alerts/v1/tickets                              +      +      +    +     +      +       -      -       !
GET  /alerts/v1/tickets/{ticket_id}                  +      +      +    +     +      +       -      -       !
GET  /alerts/v1/alerts/{alert_id}                    +      +      +    +     +      -       +      +       !
GET  /alerts/v1/alerts/{alert_id}/timeline           -      -      -    -     +      -       -      +       !
GET  /alerts/v1/visit-list                           +      +      +    +     +      -       +      +       !
GET  /alerts/v1/monthly-sheets                       +      +      +    +     +      -       +      +       !
GET  /alerts/v1/summary                              +      +      +    +     +      -       +      +       !
POST /alerts/v1/alerts/{alert_id}/acknowledge        +      +      +    +     +      -       -      -       !
POST /alerts/v1/alerts/{alert_id}/attempts           +      +      +    +     +      -       -      -       !
POST /alerts/v1/alerts/{alert_id}/handover           +      +      +    +     +      -       -      -       !
POST /alerts/v1/alerts/{alert_id}/verification       +      +      +    +     +      -       -      -       !
POST /alerts/v1/alerts/acknowledge                   +      +      +    +     +      -       -      -       !
POST /alerts/v1/alerts/{alert_id}/verification/{verification_id}/confirmation + + + + + - - - !
GET  /alerts/v1/handovers                            +      +      +    +     +      -       +      +       !
POST /alerts/v1/handovers/{handover_id}/answer       +      +      +    +     +      -       -      -       !
GET  /alerts/v1/rechecks                             -      -      -    +     +      -       -      -       !
GET  /alerts/v1/rechecks/counts                      -      -      -    +     +      -       -      -       !
POST /alerts/v1/rechecks/{recheck_id}/result         -      -      -    +     +      -       -      -       !
GET  /alerts/v1/bursts                               -      -      -    +     +      -       -      -       !
GET  /alerts/v1/tasks                                +      +      +    +     +      +       -      -       !
GET  /alerts/v1/tasks/{task_id}                      +      +      +    +     +      +       -      -       !
POST /alerts/v1/tasks/{task_id}/feedback             +      +      +    +     +      +       -      -       !
POST /alerts/v1/tasks/{task_id}/confirmation         +      +      +    +     +      +       -      -       !
POST /alerts/v1/alerts/{alert_id}/consultation       -      -      -    +     +      -       -      -       !
GET  /alerts/v1/consultations                        +      +      +    +     +      +       -      -       !
GET  /alerts/v1/consultations/{consultation_id}      +      +      +    +     +      +       -      -       !
POST /alerts/v1/consultations/{consultation_id}/opinions   + +     +    +     +      +       -      -       !
POST /alerts/v1/consultations/{consultation_id}/cancellation - -   -    +     +      -       -      -       !
POST /alerts/v1/consultations/{consultation_id}/decision   - -     -    +     +      -       -      -       !
POST /alerts/v1/tickets/{ticket_id}/reply            +      +      +    +     +      +       -      -       !
GET  /alerts/v1/inbox                                +      +      +    +     +      +       +      -       !
POST /alerts/v1/inbox/{item_no}/read                 +      +      +    +     +      +       +      -       !
GET  /alerts/v1/inbox/stream                         +      +      +    +     +      +       +      -       !
GET  /alerts/v1/calendar                             +      +      +    +     +      -       +      +       !
PUT  /alerts/v1/calendar/{year}                      -      -      -    -     +      -       -      +       !
GET  /alerts/v1/duties                               +      +      +    +     +      -       +      +       !
POST /alerts/v1/duties                               -      -      -    -     +      -       -      +       !
GET  /alerts/v1/officers                             -      -      -    -     +      -       -      +       !
POST /alerts/v1/officers                             -      -      -    -     +      -       -      +       !
GET  /alerts/v1/duties/gaps                          +      +      +    +     +      -       +      +       !
GET  /alerts/v1/absences                             -      -      -    -     +      -       -      +       !
POST /alerts/v1/absences                             -      -      -    -     +      -       -      +       !
GET  /alerts/v1/pairings                             +      +      +    +     +      -       +      +       !
POST /alerts/v1/pairings                             -      -      -    -     +      -       -      +       !
GET  /alerts/v1/pairings/proposals                   -      -      -    -     +      -       -      +       !
POST /alerts/v1/rosters/{sheet}                      -      -      -    -     +      -       -      +       !
GET  /alerts/v1/rosters/{sheet}/template.xlsx        -      -      -    -     +      -       -      +       !
GET  /alerts/v1/endpoints                            -      -      -    -     +      -       -      +       !
POST /alerts/v1/endpoints                            -      -      -    -     +      -       -      +       !
GET  /alerts/v1/routes                               +      +      +    +     +      -       +      +       !
PUT  /alerts/v1/routes                               -      -      -    -     +      -       -      +       !
GET  /alerts/v1/routes/versions                      +      +      +    +     +      -       +      +       !
GET  /alerts/v1/routes/versions/{version}/difference +      +      +    +     +      -       +      +       !
POST /alerts/v1/routes/versions/{version}/activate   -      -      -    -     +      -       -      -       !
POST /alerts/v1/routes/test                          -      -      -    -     +      -       -      +       !
GET  /alerts/v1/silences                             +      +      +    +     +      -       +      +       !
POST /alerts/v1/silences                             -      -      -    +     +      -       -      -       !
DELETE /alerts/v1/silences/{silence_id}              -      -      -    +     +      -       -      -       !
GET  /alerts/v1/deliveries                           -      -      -    -     +      -       -      +       !
POST /alerts/v1/phone-pins/reset                     -      -      -    -     +      -       -      -       !
GET  /alerts/v1/deliveries/{delivery_id}/attempts    -      -      -    -     +      -       -      +       !
POST /alerts/v1/deliveries/{delivery_id}/resend      -      -      -    -     +      -       -      +       !
GET  /alerts/v1/dead-letters                         -      -      -    -     +      -       -      +       !
POST /alerts/v1/endpoints/{endpoint_id}/retry-dead   -      -      -    -     +      -       -      +       !
POST /alerts/v1/endpoints/{endpoint_id}/test         -      -      -    -     +      -       -      +       !
GET  /alerts/v1/sms-gateways                         -      -      -    -     +      -       -      +       !
PUT  /alerts/v1/sms-gateways                         -      -      -    -     +      -       -      +       !
GET  /alerts/v1/subscriptions                        -      -      -    -     +      -       -      +       !
POST /alerts/v1/subscriptions                        -      -      -    -     +      -       -      +       !
"""

# Open to whoever reaches the port; each is guarded by something else than a caller's token, or says nothing.
OPEN_DOORS: Final = {
    "GET /livez": "says that the process lives",
    "GET /readyz": "says whether the database answers",
    "GET /metrics": "counts only; nginx keeps it inside",
    "GET /intake/v1/catalogue": "what is collected and why; nobody's data",
    "GET /intake/v1/catalogue/{name}": "what is collected and why; nobody's data",
    "GET /intake/v1/catalogue/{name}/template.xlsx": "an empty form",
    "GET /intake/v1/catalogue/{name}/example.csv": "invented rows",
    "POST /oauth2/token": "asks for the client's secret",
    "GET /intake/v1/consent": "the text everybody may read before agreeing to it",
    "GET /intake/v1/reporting-rules": "the published limits",
    "POST /intake/v1/receipts/progress": "asks for a receipt code",
    "POST /intake/v1/receipts/corrections": "asks for a receipt code",
    "POST /intake/v1/receipts/withdrawal": "asks for a receipt code",
    "POST /intake/v1/receipts/appeals": "asks for a receipt code",
    "POST /intake/v1/receipts/attachments": "asks for a receipt code",
    "POST /intake/v1/receipts/own-record": "asks for a receipt code and the end of one's own number",
    "POST /intake/v1/events": "asks for a peer's signature",
    "POST /monitoring/v1/events": "asks for a peer's signature",
    "POST /alerts/v1/events": "asks for a peer's signature",
    "GET /alerts/m/open": "asks for a message's link; shows where the PIN goes, and nobody",
    "POST /alerts/m/open": "asks for a message's link and the officer's PIN",
    "GET /alerts/m/pin": "asks for the cookie of a known phone",
    "POST /alerts/m/pin": "asks for the cookie of a known phone and the officer's PIN",
    "POST /alerts/m/leave": "asks for the cookie of an open phone",
    "GET /alerts/m/login": "leads to the identity platform",
    "GET /alerts/m/login/return": "asks the identity platform who it is",
    "GET /alerts/m/": "asks for the cookie of an open phone",
    "GET /alerts/m/a/{alert_id}": "asks for the cookie of an open phone",
    "GET /alerts/m/a/{alert_id}/done": "asks for the cookie of an open phone",
    "POST /alerts/m/a/{alert_id}/acknowledge": "asks for the cookie of an open phone and a form made for it",
    "POST /alerts/m/a/{alert_id}/attempt": "asks for the cookie of an open phone and a form made for it",
    "POST /alerts/m/a/{alert_id}/handover": "asks for the cookie of an open phone and a form made for it",
    "POST /alerts/m/a/{alert_id}/offer": "asks for the cookie of an open phone and a form made for it",
    "POST /alerts/m/a/{alert_id}/answer": "asks for the cookie of an open phone and a form made for it",
    "POST /alerts/v1/sms-gateways/{gateway_id}/receipts": "asks for the SMS supplier's secret or signature",
}


def table() -> dict[str, dict[str, str]]:
    """The table as route -> caller -> mark."""
    rows = [line.split() for line in TABLE.splitlines() if line.strip() and not line.startswith("route")]
    return {f"{method} {path}": dict(zip(CALLERS, marks, strict=True)) for method, path, *marks in rows}
