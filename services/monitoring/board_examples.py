"""An answer of each board as its documentation shows it: a county, a child, and the figures that show the shape."""

from collections.abc import Mapping
from typing import Any

COUNTY, TOWNSHIP = "130624000000", "130624100000"
LISTS, BOARDS = "/monitoring/v1/households", "/monitoring/v1/dashboard"

_HEAD = {
    "division": COUNTY,
    "label": "阜平县",
    "policy_version": "national-2026.2",
    "counted_at": "2026-11-22T02:30:00Z",
}


def _figure(key: str | None, label: str, households: int | str, filters: str = "", place: str = COUNTY) -> Any:
    query = f"{LISTS}?division={place}{filters}"
    return {"key": key, "label": label, "households": households, "query": query}


def _child(board: str, **more: Any) -> Any:
    drill_down = f"{BOARDS}/{board}?division={TOWNSHIP}"
    return {"division": TOWNSHIP, "label": "阜平镇", "drill_down": drill_down, **more}


def _month(place: str, warned: int, visited: int) -> Any:
    counted = (("warned", "新增预警", warned), ("visited", "完成核实", visited))
    events = [_figure(key, label, n, f"&month=2026-11&event={key}", place) for key, label, n in counted]
    return {"month": "2026-11", "events": events}


def _stages(place: str, *numbers: int) -> Any:
    names = (("warned", "预警"), ("visited", "已入户核实"), ("identified", "确认纳入"), ("helped", "已落实帮扶"))
    pairs = zip(names, numbers, strict=True)
    return [_figure(key, label, number, f"&year=2026&stage={key}", place) for (key, label), number in pairs]


def _visits(place: str, open_: int, expected: int) -> Any:
    counted = (("open", "待核实预警", open_), ("expected", "走访清单", expected))
    return [_figure(key, label, number, f"&visit={key}", place) for key, label, number in counted]


def _precision(place: str, verified: int, identified: int, share: str) -> Any:
    of = "&indicator=medical_self_paid&answer="
    return {
        "verified": _figure(None, "已核实", verified, f"{of}verified", place),
        "identified": _figure(None, "核实建议纳入", identified, f"{of}identified", place),
        "share": share,
    }


_ASSESSED = {
    "total": _figure(None, "合计", 74654),
    "assessed": _figure(None, "已评估", 74600, "&assessed=true"),
    "unknown": _figure(None, "有指标不能判断", 7460, "&unknown=true"),
    "unknown_share": "10.0",
}

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "summary": {
        **_HEAD,
        **_ASSESSED,
        "by_recommendation": [
            _figure("sudden_hardship", "突发严重困难户", 45, "&recommendation=sudden_hardship"),
            _figure(None, "无", 74609, "&recommendation=none"),
        ],
        "by_listed_as": [
            _figure("marginal_at_risk", "边缘易致贫户", 812, "&listed_as=marginal_at_risk"),
            _figure(None, "无", 73842, "&listed_as=none"),
        ],
        "by_severity": [
            _figure("orange", "橙色", 120, "&severity=orange"),
            _figure(None, "无", 74534, "&severity=none"),
        ],
        "by_last_outcome": [
            _figure("no_risk", "核实无风险", 310, "&last_outcome=no_risk"),
            _figure(None, "无", 74344, "&last_outcome=none"),
        ],
        "by_division": [
            {
                **_figure(TOWNSHIP, "阜平镇", 8120, place=TOWNSHIP),
                "drill_down": f"{BOARDS}/summary?division={TOWNSHIP}",
            }
        ],
    },
    "trend": {
        **_HEAD,
        "months": [_month(COUNTY, 96, 88)],
        "by_division": [_child("trend", months=[_month(TOWNSHIP, 12, 10)])],
    },
    "causes": {
        **_HEAD,
        "total": _figure(None, "合计", 74654),
        "causes": [_figure("illness", "因病", 64, "&cause=illness")],
        "by_division": [_child("causes", figures=[_figure("illness", "因病", 9, "&cause=illness", TOWNSHIP)])],
    },
    "funnel": {
        **_HEAD,
        "year": 2026,
        "stages": _stages(COUNTY, 1130, 1060, 240, 205),
        "by_division": [_child("funnel", figures=_stages(TOWNSHIP, 140, 133, 31, 27))],
    },
    "workload": {
        **_HEAD,
        "visits": _visits(COUNTY, 96, 310),
        "by_division": [_child("workload", figures=_visits(TOWNSHIP, 12, 41))],
    },
    "precision": {
        **_HEAD,
        "indicators": [
            {
                "indicator": "medical_self_paid",
                "label": "医疗自付费用高",
                **_precision(COUNTY, 420, 126, "30.0"),
                "by_division": [_child("precision", **_precision(TOWNSHIP, 50, 20, "40.0"))],
            }
        ],
    },
    "coverage": {
        **_HEAD,
        **_ASSESSED,
        "data_sets": [
            {
                "data_set": "medical_settlement",
                "label": "医保结算",
                "covered": _figure("medical_settlement", "医保结算", 37327, "&data_set=medical_settlement"),
                "share": "50.0",
                "freshness": [
                    {
                        "county": "130624",
                        "newest_on": "2026-10-31",
                        "received_at": "2026-11-05T01:00:00Z",
                        "stale": False,
                    }
                ],
            }
        ],
        "by_division": [
            _child("coverage", figures=[_figure("assessed", "已评估", 8110, "&assessed=true", TOWNSHIP)]),
        ],
    },
}
