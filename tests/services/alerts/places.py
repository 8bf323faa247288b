"""Places of the tests, and news of a household there."""

from typing import Any

COUNTY = "130624000000"
TOWNSHIP = "130624100000"
VILLAGE = "130624100202"
OTHER_VILLAGE = "130624100203"
FAR_VILLAGE = "130624203200"


def risk(number: int = 1, **changes: Any) -> dict[str, Any]:
    """News of household H<number>: an orange finding of illness, opening."""
    item: dict[str, Any] = {
        "subject": f"household:H{number}",
        "household_no": f"H{number}",
        "facts_version": 10,
        "living_division": VILLAGE,
        "registered_division": VILLAGE,
        "contact": {"name": "张建国", "phone": "19900000001"},
        "recommendation": "sudden_hardship",
        "severity": "orange",
        "score": 60,
        "causes": ["illness"],
        "findings": [finding()],
        "evidence": [
            {
                "kind": "medical.settlement",
                "occurred_on": "2026-03-01",
                "source": "department",
                "department": "医保局",
                "summary": "住院结算",
            }
        ],
        "reason": "finding",
        "report_ids": [],
        "opens": True,
        "on": "2026-03-15",
        "clocks": {"acknowledge_hours": 24, "verify_days": 7},
    }
    return {**item, **changes}


def finding(measured: str = "12345.60", **changes: Any) -> dict[str, Any]:
    return {
        "indicator": "medical_self_pay",
        "state": "fired",
        "severity": "orange",
        "cause": "illness",
        "measured": measured,
        "threshold": "10000.00",
        "margin": "2345.60",
        "unit": "元",
        "sentence": f"近一年医疗自付 {measured} 元，超过 10000.00 元",
        **changes,
    }
