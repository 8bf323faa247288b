"""Builds requests of POST /evaluations: a household in which nothing is wrong, and changes to it one by one."""

import copy
from collections.abc import Callable
from typing import Any

Request = dict[str, Any]
Change = Callable[[Request], None]

ON = "2024-03-15"
LINE = "7300.00"
ADULT: dict[str, Any] = {
    "key": "m1",
    "relation": "户主",
    "sex": "male",
    "birth_date": "1980-04-12",
    "status": "living",
    "shares_budget": True,
    "health": ["healthy"],
    "disability": None,
    "labour": "ordinary",
    "school": None,
    "insured": {"resident": True, "employee": False},
    "public_employee": False,
}
QUIET: Request = {
    "on": ON,
    "division": "130624100201",
    "policy": None,
    "parameters": {"monitoring_line": LINE},
    "household": {
        "base_group": "general",
        "monitored_as": None,
        "identified_on": None,
        "dwelling": {"grade": "A", "occupied_grade": "A", "only_dwelling": True},
        "water": {"litres_per_person_day": 60, "round_trip_minutes": 5, "guarantee_percent": 98, "quality_ok": True},
        "members": [ADULT],
    },
    "facts": [{"kind": "income.wage", "member": "m1", "occurred_on": "2023-06-01", "amount_yuan": "30000.00"}],
}


CONTRACT: Request = {
    "on": "2024-03-15",
    "division": "130624100201",
    "policy": None,
    "parameters": {"monitoring_line": "7300.00", "count_unsold": False},
    "household": {
        "base_group": "general",
        "monitored_as": None,
        "identified_on": None,
        "dwelling": {"grade": "B", "occupied_grade": "B", "only_dwelling": True},
        "water": {
            "litres_per_person_day": 45,
            "round_trip_minutes": 8,
            "guarantee_percent": 97,
            "quality_ok": True,
        },
        "members": [
            {
                "key": "m1",
                "relation": "户主",
                "sex": "male",
                "birth_date": "1968-04-12",
                "status": "living",
                "health": ["chronic"],
                "disability": None,
                "labour": "ordinary",
                "school": None,
                "insured": {"resident": True, "employee": False},
                "public_employee": False,
            }
        ],
    },
    "facts": [
        {
            "kind": "income.wage",
            "member": "m1",
            "occurred_on": "2023-11-05",
            "amount_yuan": "7100.00",
            "source": "department",
        },
        {
            "kind": "expense.medical",
            "member": "m1",
            "occurred_on": "2023-12-01",
            "visit": "inpatient",
            "gross_yuan": "30000.00",
            "self_paid_compliant_yuan": "3200.00",
            "self_paid_other_yuan": "0.00",
        },
    ],
}
"""The example of the contract, word for word."""


def trial(*changes: Change) -> Request:
    """The quiet household after the changes."""
    request = copy.deepcopy(QUIET)
    for change in changes:
        change(request)
    return request


def fact(kind: str, day: str = "2023-12-01", **fields: Any) -> Change:
    """One more fact; what belongs to a member belongs to m1 unless said otherwise."""
    fields = {name.rstrip("_"): value for name, value in fields.items()}

    def change(request: Request) -> None:
        owner = {} if kind in OF_THE_HOUSEHOLD else {"member": "m1"}
        request["facts"].append({"kind": kind, "occurred_on": day, **owner, **fields})

    return change


OF_THE_HOUSEHOLD = frozenset(
    {
        "income.land_compensation",
        "income.insurance_claim",
        "expense.disaster",
        "loss.asset",
        "event.business_failure",
        "event.hardship_report",
        "event.disaster",
        "event.water_failure",
        "event.housing_damage",
        "loan.overdue",
        "asset.vehicle",
        "asset.dwelling_bought",
        "asset.company",
        "asset.deposit",
        "event.measure",
    }
)


def bill(paid: str, day: str = "2024-02-01", other: str = "0.00", **fields: Any) -> Change:
    """A stay in hospital: what m1 paid inside the catalogue, and outside it."""
    amounts = {"self_paid_compliant_yuan": paid, "self_paid_other_yuan": other, "gross_yuan": "900000.00"}
    return fact("expense.medical", day, **{"visit": "inpatient", **amounts, **fields})


def wage(amount: str) -> Change:
    """The only wage becomes this."""

    def change(request: Request) -> None:
        request["facts"][0]["amount_yuan"] = amount

    return change


def without_income(request: Request) -> None:
    del request["facts"][0]


def person(key: str = "m1", **fields: Any) -> Change:
    """A member with other fields; a new one if nobody has the key. `ABSENT` takes a field away."""

    def change(request: Request) -> None:
        members = request["household"]["members"]
        found = next((each for each in members if each["key"] == key), None)
        if found is None:
            found = {**copy.deepcopy(ADULT), "key": key, "relation": "配偶"}
            members.append(found)
        _put(found, fields)

    return change


def home(**fields: Any) -> Change:
    """The household with other fields."""
    return lambda request: _put(request["household"], fields)


def dwelling(grade: str, occupied: str = "A", *, only: bool = True) -> Change:
    return home(dwelling={"grade": grade, "occupied_grade": occupied, "only_dwelling": only})


def water(**fields: Any) -> Change:
    return lambda request: _put(request["household"]["water"], fields)


def given(**parameters: Any) -> Change:
    """Parameters of the request."""
    return lambda request: request["parameters"].update(parameters)


def asked(**fields: Any) -> Change:
    """Fields of the request itself."""
    return lambda request: _put(request, fields)


class _Absent:
    pass


ABSENT = _Absent()


def _put(target: dict[str, Any], fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if value is ABSENT:
            target.pop(name, None)
        else:
            target[name] = value
