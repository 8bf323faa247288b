#!/bin/sh
# The tour of the READMEs, as one script: a household's report and a medical file, up to the answer at the door.
#
#   ./manage up --households 300         in one terminal, until it prints the URLs
#   sh examples/tour.sh                  in another, in the same folder
#
# Needs curl and python3. BASE_URL, DATA (the folder given to `up --data`) and FANGPIN (the command) may be set.
# A test runs it, and checks that what the Chinese README shows is this text.
set -eu

BASE_URL=${BASE_URL:-http://127.0.0.1:8000}
DATA=${DATA:-.fangpin}
FANGPIN=${FANGPIN:-./manage}
TOUR=$(mktemp -d)
DAY=$(TZ=CST-8 date +%Y-%m-%d)

api() { token=$1; shift; curl -sS -H "Authorization: Bearer $token" "$@"; }
field() { python3 -c '
import json, sys
found = json.load(sys.stdin)
for name in sys.argv[1:]:
    if name not in found: sys.exit(json.dumps(found, ensure_ascii=False))
    found = found[name]
print(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False))' "$@"; }
rows() { python3 -c '
import json, sys
found = json.load(sys.stdin)
if sys.argv[1] not in found: sys.exit(json.dumps(found, ensure_ascii=False))
for row in found[sys.argv[1]]: print(*(row[name] or "-" for name in sys.argv[2:]), sep=" | ")' "$@"; }
soon() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        if [ $tries -ge 60 ]; then echo "一分钟内没有结果 not within a minute: $*" >&2; return 1; fi
        sleep 1
    done
}

echo '== 1 取令牌 get tokens'
SYSTEM=$("$FANGPIN" token --role system --division 130624000000 --data "$DATA")
ADMIN=$("$FANGPIN" token --role county_admin --division 130624000000 --data "$DATA")

# The first household nothing is known against: the next run takes another one.
HOUSEHOLDS="$BASE_URL/monitoring/v1/households?severity=none&limit=1"
HOUSEHOLD=$(api "$ADMIN" "$HOUSEHOLDS" | rows items household_no)
VILLAGE=$(api "$ADMIN" "$HOUSEHOLDS" | rows items living_division)
HEAD=$(grep "^$HOUSEHOLD,.*,户主," "$DATA/demo/household_register.csv" | head -n 1)
NAME=$(echo "$HEAD" | cut -d, -f2)
NUMBER=$(echo "$HEAD" | cut -d, -f3)
OFFICER=$(grep ",village_secretary,.*,$VILLAGE" "$DATA/demo/officers.csv" | head -n 1 | cut -d, -f1)
SECRETARY=$("$FANGPIN" token --role village_secretary --division "$VILLAGE" --officer "$OFFICER" --data "$DATA")
echo "户 household=$HOUSEHOLD 村 village=$VILLAGE 村支书 officer=$OFFICER"

echo '== 2 农户申报 a household reports'
cat > "$TOUR/report.json" <<EOF
{"household_no": "$HOUSEHOLD", "division": "$VILLAGE", "hardships": ["illness"], "reported_on": "$DAY",
 "consent": {"version": "$(curl -sf "$BASE_URL/intake/v1/consent" | field version)"},
 "description": "住院花费大，家中借了钱",
 "reporter": {"name": "$NAME", "identity_number": "$NUMBER", "phone": "19900000001"}}
EOF
REPORT=$(api "$SYSTEM" -H 'Content-Type: application/json' -H "Idempotency-Key: tour-$HOUSEHOLD-$DAY" \
    --data-binary @"$TOUR/report.json" "$BASE_URL/intake/v1/self-reports" | field id)
routed() { api "$SYSTEM" "$BASE_URL/intake/v1/self-reports/$REPORT" | field status | grep -Eq 'routed|acknowledged|verified'; }
soon routed
api "$SYSTEM" "$BASE_URL/intake/v1/self-reports/$REPORT" | rows stages stage title at

echo '== 3 上传医保文件（其中两行有错） a medical file with two bad rows'
cat > "$TOUR/medical.csv" <<EOF
结算单号,证件号码,姓名,结算日期,就诊类别,住院号,医疗总费用,基本医保支付,大病保险支付,医疗救助支付,其他支付,合规自付,目录外自付
T-$HOUSEHOLD-1,$NUMBER,$NAME,$DAY,住院,ZY-$HOUSEHOLD,128000.00,52000.00,8000.00,0.00,0.00,60000.00,8000.00
T-$HOUSEHOLD-2,990101199003070018,甲某某,$DAY,门诊,,300.00,100.00,0.00,0.00,0.00,200.00,0.00
T-$HOUSEHOLD-3,$NUMBER,$NAME,2026-02-30,门诊,,300.00,100.00,0.00,0.00,0.00,200.00,0.00
EOF
FEED=$(api "$SYSTEM" -H 'Content-Type: text/csv' --data-binary @"$TOUR/medical.csv" \
    "$BASE_URL/intake/v1/feeds?layout=medical_settlement&period=${DAY%-*}&mode=partial" | field id)
recorded() { api "$SYSTEM" "$BASE_URL/intake/v1/feeds/$FEED" | field status | grep -q recorded; }
soon recorded
api "$SYSTEM" "$BASE_URL/intake/v1/feeds/$FEED" | field counts

echo '== 4 看错误 read the errors'
api "$SYSTEM" "$BASE_URL/intake/v1/feeds/$FEED/errors" | rows items line column code reason expected example

echo '== 5 看评估与理由 the assessment and its reasons'
assessment() { api "$ADMIN" "$BASE_URL/monitoring/v1/households/$HOUSEHOLD/assessment"; }
ill() { assessment | rows indicators id state | grep -q 'medical_self_paid | fired'; }
soon ill
assessment | field explanation
assessment | rows indicators state severity sentence

echo '== 6 看收件箱 the inbox of the village secretary'
api "$SECRETARY" "$BASE_URL/alerts/v1/inbox" | rows items severity title body
ALERT=$(api "$SECRETARY" "$BASE_URL/alerts/v1/alerts?mine=true" | rows items alert_id household_no |
    grep "$HOUSEHOLD" | head -n 1 | cut -d' ' -f1)

echo '== 7 签收 acknowledge'
api "$SECRETARY" -H 'Content-Type: application/json' -H "Idempotency-Key: tour-$ALERT-1" -d '{}' \
    "$BASE_URL/alerts/v1/alerts/$ALERT/acknowledge" | field status

echo '== 8 核实 verify'
cat > "$TOUR/verification.json" <<EOF
{"outcome": "identify", "causes": ["illness"], "contact": {"method": "visit", "on": "$DAY", "met": "户主本人"}}
EOF
api "$SECRETARY" -H 'Content-Type: application/json' -H "Idempotency-Key: tour-$ALERT-2" \
    --data-binary @"$TOUR/verification.json" "$BASE_URL/alerts/v1/alerts/$ALERT/verification" | field status
verified() { api "$SYSTEM" "$BASE_URL/intake/v1/self-reports/$REPORT" | field status | grep -q verified; }
soon verified
api "$SYSTEM" "$BASE_URL/intake/v1/self-reports/$REPORT" | rows stages stage title at
