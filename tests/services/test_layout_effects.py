"""Every data set's example file, through intake and monitoring: what it changes for a named household, its errors.

A layout that changes nothing is a stub. Each row of the table sends the example alone (after what is `given`) to a
county of four households, whose roster is the example of the household register.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from services.intake.catalogue import example_of, layouts
from tests.services.intake.build import COUNTY, Department

ROSTER = "household_register"

# A family of four, general; a family of three once poor, the wife not insured; an old man alone, below the line; a
# couple, general, the wife not insured.
WANG, ZHANG, CHEN, LIU = (f"H1306241002010000{i}" for i in (1, 2, 3, 4))


@dataclass(frozen=True)
class Effect:
    """What the example changes of a household: `seen` names a part of its assessment, or of its page."""

    household: str
    seen: str
    before: str
    after: str


@dataclass(frozen=True)
class Case:
    """An example file: what it changes, its refused rows by line, and which other examples came before."""

    layout: str
    effects: tuple[Effect, ...]
    errors: Mapping[int, set[str]]
    given: tuple[str, ...] = ()
    listed: str | None = field(default=None)

    def __str__(self) -> str:
        return self.layout


CASES = [
    Case(
        "household_register",
        (Effect(CHEN, "indicator income_below_line", "missing", "fired"),),
        {
            12: {"wrong_check_digit"},
            13: {"household_without_head"},
            15: {"number_or_reason"},
            16: {"required"},
        },
    ),
    Case(
        "medical_settlement",
        (Effect(ZHANG, "indicator medical_self_paid", "unknown", "fired orange"),),
        {4: {"wrong_check_digit"}, 5: {"unknown_code"}, 6: {"self_paid_over_gross"}},
        (ROSTER,),
    ),
    Case(
        "disability_register",
        (
            Effect(WANG, "indicator disability", "unknown", "fired yellow"),
            Effect(ZHANG, "indicator disability", "unknown", "clear"),
        ),
        {4: {"certificate_disagrees"}, 5: {"wrong_form"}},
        (ROSTER,),
    ),
    Case(
        "medical_enrolment",
        (
            Effect(ZHANG, "indicator not_insured", "fired red", "clear"),
            Effect(WANG, "indicator not_insured", "clear", "fired blue"),
        ),
        {4: {"scheme_missing"}, 5: {"unknown_code"}, 6: {"wrong_length"}},
        (ROSTER,),
    ),
    Case(
        "disease_register",
        (
            Effect(WANG, "indicator serious_illness", "unknown", "fired orange"),
            Effect(ZHANG, "indicator serious_illness", "unknown", "clear"),
        ),
        {4: {"unknown_code"}, 5: {"closed_before_confirmed"}, 6: {"no_such_date"}},
        (ROSTER,),
    ),
    Case(
        "school_status",
        (Effect(WANG, "indicator dropout", "unknown", "fired red"),),
        {4: {"unknown_code"}, 5: {"reason_missing"}},
        (ROSTER,),
    ),
    Case(
        "education_cost",
        (
            Effect(ZHANG, "indicator education_cost", "unknown", "fired yellow"),
            # 15000 - 2000; the 1200 were taken back.
            Effect(ZHANG, "measured education_cost", "0.00", "13000.00"),
        ),
        {5: {"reversal_of_nothing"}, 6: {"unknown_code"}, 7: {"chinese_numerals", "required"}},
        (ROSTER,),
    ),
    Case(
        "civil_affairs_list",
        (Effect(LIU, "indicator not_insured", "fired blue", "fired red"), Effect(LIU, "tag dibao", "no", "yes")),
        {4: {"unknown_code"}, 5: {"open_ended_date"}},
        (ROSTER,),
    ),
    Case(
        "temporary_relief",
        (
            Effect(LIU, "flag one_off_ignored", "no", "yes"),
            Effect(CHEN, "flag one_off_ignored", "no", "no"),
        ),
        {5: {"nobody_named"}, 6: {"negative_amount"}},
        # The old man's couple is named by the office's own code alone, which its list has told.
        (ROSTER, "civil_affairs_list"),
    ),
    Case(
        "employment",
        (
            Effect(ZHANG, "indicator job_loss", "unknown", "fired yellow"),
            Effect(CHEN, "indicator no_labour", "unknown", "fired yellow"),
            Effect(WANG, "indicator wage_drop", "unknown", "fired yellow"),
            # 30000 of twelve months in place of the roster's 42000: (30000 + 12000 - 4000 + 10000) / 4.
            Effect(WANG, "net_income_per_capita_yuan", "15000.00", "12000.00"),
        ),
        {5: {"wage_of_whole_year"}, 6: {"drop_missing"}, 7: {"ambiguous_percentage"}},
        (ROSTER,),
    ),
    Case(
        "public_posts",
        (
            Effect(ZHANG, "indicator job_loss", "unknown", "fired yellow"),
            Effect(ZHANG, "blocker no_measure_recorded", "yes", "no"),
        ),
        {4: {"implausible_number"}, 5: {"end_date_missing"}, 6: {"unknown_code"}},
        (ROSTER,),
        listed=ZHANG,
    ),
    Case(
        "deaths",
        (Effect(WANG, "indicator earner_lost", "unknown", "fired orange"),),
        {4: {"number_or_reason"}, 5: {"nobody_named"}, 6: {"date_in_future"}},
        (ROSTER, "employment"),
    ),
    Case(
        "hukou_changes",
        (
            Effect(ZHANG, "flag hukou_changed", "no", "yes"),
            Effect(LIU, "flag hukou_changed", "no", "yes"),
            Effect(WANG, "indicator earner_lost", "unknown", "fired orange"),
        ),
        {5: {"number_or_reason"}, 6: {"unknown_code"}},
        (ROSTER, "employment"),
    ),
    Case(
        "accidents",
        (
            Effect(WANG, "indicator accident", "unknown", "fired yellow"),
            Effect(WANG, "rigid_outlay_yuan", "0.00", "26000.00"),
            Effect(ZHANG, "indicator accident", "unknown", "clear"),
        ),
        {4: {"relief_unknown"}, 5: {"unknown_code"}, 6: {"nobody_named"}},
        (ROSTER,),
    ),
    Case(
        "vehicles",
        (
            Effect(LIU, "exclusion vehicle", "unknown", "fired"),
            Effect(ZHANG, "exclusion vehicle", "unknown", "fired exempt"),
            Effect(WANG, "exclusion vehicle", "unknown", "clear"),
            Effect(CHEN, "exclusion vehicle", "unknown", "unknown"),  # Who allowed nobody to look.
        ),
        {4: {"unknown_code"}, 5: {"implausible_amount"}},
        (ROSTER, "authorisations"),
    ),
    Case(
        "disasters",
        (
            Effect(ZHANG, "indicator disaster", "unknown", "fired red"),
            Effect(ZHANG, "rigid_outlay_yuan", "0.00", "9000.00"),
            Effect(CHEN, "indicator disaster", "unknown", "fired yellow"),
        ),
        {4: {"unknown_code"}, 5: {"relief_unknown"}, 6: {"division_unknown"}},
        (ROSTER,),
    ),
    Case(
        "production_losses",
        (
            Effect(LIU, "indicator business_failure", "unknown", "fired yellow"),
            Effect(WANG, "indicator business_failure", "unknown", "clear"),
        ),
        {4: {"unknown_code"}, 5: {"scientific_notation"}},
        (ROSTER,),
    ),
    Case(
        "housing_grades",
        (Effect(CHEN, "indicator dwelling_unsafe", "clear", "fired red"),),
        {4: {"unknown_code"}, 5: {"nobody_named"}},
        (ROSTER,),
    ),
    Case(
        "water_supply",
        (
            Effect(WANG, "indicator water_unsafe", "unknown", "fired orange"),
            Effect(ZHANG, "indicator water_unsafe", "unknown", "clear"),
        ),
        {4: {"not_an_integer"}, 5: {"ambiguous_percentage"}},
        (ROSTER,),
    ),
    Case(
        "complaints",
        (
            Effect(WANG, "indicator hardship_report", "clear", "fired orange"),
            Effect(LIU, "indicator hardship_report", "clear", "clear"),
        ),
        {4: {"unknown_code"}, 5: {"nobody_named"}},
        (ROSTER,),
    ),
    Case(
        "businesses",
        (
            Effect(LIU, "exclusion company", "unknown", "fired"),
            Effect(WANG, "exclusion company", "unknown", "clear"),
            Effect(CHEN, "exclusion company", "unknown", "unknown"),  # Who allowed nobody to look.
        ),
        {4: {"wrong_form"}, 5: {"unknown_code"}},
        (ROSTER, "authorisations"),
    ),
    Case(
        "property",
        (
            Effect(LIU, "exclusion dwelling_bought", "unknown", "fired"),
            Effect(ZHANG, "exclusion dwelling_bought", "unknown", "fired exempt"),
            Effect(WANG, "exclusion dwelling_bought", "unknown", "clear"),
            Effect(CHEN, "exclusion dwelling_bought", "unknown", "unknown"),  # Who allowed nobody to look.
        ),
        {4: {"unknown_code"}, 5: {"required"}},
        (ROSTER, "authorisations"),
    ),
    Case(
        "microcredit",
        (
            Effect(ZHANG, "indicator loan_overdue", "unknown", "fired blue"),
            Effect(WANG, "indicator loan_overdue", "unknown", "clear"),
            Effect(WANG, "flag loan_ignored", "no", "yes"),
        ),
        {5: {"negative_number", "due_before_issued"}},  # Line 4 waits for a person: its amount is implausible.
        (ROSTER,),
    ),
    Case(
        "deposits",
        (
            Effect(LIU, "exclusion deposit", "unknown", "fired"),
            Effect(WANG, "exclusion deposit", "unknown", "clear"),
            Effect(CHEN, "exclusion deposit", "unknown", "unknown"),  # Who allowed nobody to look.
        ),
        {4: {"excel_overflow"}, 5: {"required"}},
        (ROSTER, "authorisations"),
    ),
    Case(
        "public_employees",
        (
            Effect(LIU, "exclusion public_employee", "unknown", "fired"),
            # Whom no list names may be on one nobody sent: never clear by a list alone.
            Effect(ZHANG, "exclusion public_employee", "unknown", "unknown"),
        ),
        {4: {"unknown_code"}, 5: {"date_form"}},
        (ROSTER, "authorisations"),
    ),
    Case(
        "monitored_list",
        (
            Effect(CHEN, "tag national_list", "no", "yes"),
            Effect(ZHANG, "tag national_list", "no", "no"),
        ),
        {4: {"unknown_code"}, 5: {"removal_date_missing"}},
        (ROSTER,),
    ),
    Case(
        "help_measures",
        (Effect(CHEN, "blocker no_measure_recorded", "yes", "no"),),
        {4: {"unknown_code"}, 5: {"nobody_named"}},
        (ROSTER,),
        listed=CHEN,
    ),
    Case(
        "household_visit",
        (
            # (12000 + 9000 - 3000 + 4000) / 3 as the visit counted it, in place of the roster's.
            Effect(ZHANG, "net_income_per_capita_yuan", "15000.00", "7333.33"),
            Effect(ZHANG, "indicator income_below_line", "clear", "fired"),
            Effect(ZHANG, "indicator water_unsafe", "unknown", "clear"),
            Effect(ZHANG, "indicator hardship_report", "clear", "fired orange"),
        ),
        {3: {"income_of_whole_year"}, 4: {"income_incomplete"}, 5: {"required"}},
        (ROSTER,),
    ),
    Case(
        "household_visit_general",
        (
            Effect(LIU, "indicator dwelling_unsafe", "clear", "fired orange"),
            Effect(LIU, "indicator water_unsafe", "unknown", "fired orange"),
            Effect(LIU, "rigid_outlay_yuan", "0.00", "26000.00"),
            Effect(WANG, "indicator water_unsafe", "unknown", "clear"),
        ),
        {4: {"not_yes_or_no"}, 5: {"relief_unknown"}},
        (ROSTER,),
    ),
    Case(
        "insurance_claims",
        (
            Effect(ZHANG, "indicator medical_self_paid", "fired orange", "clear"),
            Effect(ZHANG, "rigid_outlay_yuan", "12000.00", "3000.00"),
            # The claim for the animals, which would be more than any outlay of its kind, was taken back.
            Effect(ZHANG, "flag claim_surplus_ignored", "no", "no"),
        ),
        {5: {"unknown_code"}, 6: {"money_form"}},
        (ROSTER, "medical_settlement"),
    ),
    Case(
        "authorisations",
        (
            Effect(LIU, "flag authorised", "no", "yes"),
            Effect(CHEN, "flag authorised", "no", "no"),
        ),
        {4: {"unknown_code"}, 5: {"expires_before_signed"}, 6: {"open_ended_date"}},
        (ROSTER,),
    ),
]

Look = Callable[[str], Awaitable[Mapping[str, Any]]]


@pytest.fixture
def send(client: httpx.AsyncClient, house: Any, bearer: Callable[..., dict[str, str]]) -> Any:
    """Send an example and let the whole house come to rest; the errors of its lines."""
    department = Department(client, house, bearer(), bearer("county_admin", COUNTY))

    async def sent(layout: str) -> dict[int, set[str]]:
        content = example_of(layouts()[layout]).read_bytes()
        feed = await department.send(layout, content, period="2025" if layout == ROSTER else "2026-03-14")
        assert feed["status"] == "recorded", feed["problem"]
        await house.settle()
        found: dict[int, set[str]] = {}
        for error in await department.errors(feed["id"]):
            if error["level"] == "error":
                found.setdefault(error["line"], set()).add(error["code"])
        return found

    return sent


@pytest.fixture
def look(client: httpx.AsyncClient, bearer: Callable[..., dict[str, str]]) -> Any:
    """A household's assessment and its page, as the county sees them; empty if there is none."""

    async def seen(household_no: str) -> dict[str, Any]:
        url, headers = f"/monitoring/v1/households/{household_no}", bearer("county_admin", COUNTY, officer_no="C-1")
        assessment = await client.get(f"{url}/assessment", headers=headers)
        page = await client.get(url, headers=headers)
        if assessment.status_code == 404:
            return {}
        assert (assessment.status_code, page.status_code) == (200, 200), assessment.text
        return {**page.json(), **assessment.json()}

    return seen


def read(found: Mapping[str, Any], seen: str) -> str:
    """One thing of what is known of a household, in a word."""
    what, _, name = seen.partition(" ")
    if not found:
        return "missing"
    match what:
        case "indicator" | "exclusion":
            [one] = [each for each in found[f"{what}s"] if each["id"] == name]
            words = (one["state"], one.get("severity") if one["state"] == "fired" else None)
            return " ".join(filter(None, (*words, "exempt" if one.get("exempt") else None)))
        case "measured":
            return str(next(each["measured"] for each in found["indicators"] if each["id"] == name))
        case "flag":
            return "yes" if name in found["flags"] else "no"
        case "blocker":
            return "yes" if name in (found["removal_blockers"] or ()) else "no"
        case "tag":
            return "yes" if name in [tag["tag"] for tag in found["tags"]] else "no"
    return str(found[what])


async def list_household(client: httpx.AsyncClient, headers: dict[str, str], household_no: str) -> None:
    """The county enters a household into monitoring."""
    body = {
        "listed_as": "marginal_at_risk" if household_no == CHEN else "unstable_lifted_out",
        "decided_on": "2026-03-01",
        "document_no": "县防返贫办〔2026〕3号",
        "reason": "入户核实后纳入",
    }
    answer = await client.post(f"/monitoring/v1/households/{household_no}/decisions", json=body, headers=headers)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_an_example_changes_what_it_is_for(
    case: Case, send: Any, look: Look, client: httpx.AsyncClient, house: Any, bearer: Callable[..., dict[str, str]]
) -> None:
    for layout in case.given:
        await send(layout)
    if case.listed:
        await list_household(client, bearer("county_admin", COUNTY, officer_no="C-1"), case.listed)
        await house.settle()
    households = {effect.household for effect in case.effects}
    before = {each: await look(each) for each in households}
    errors = await send(case.layout)
    after = {each: await look(each) for each in households}
    told = {
        (e.household, e.seen): tuple(read(at[e.household], e.seen) for at in (before, after)) for e in case.effects
    }
    assert told == {(e.household, e.seen): (e.before, e.after) for e in case.effects}
    assert errors == case.errors


def test_every_data_set_has_its_example_here() -> None:
    assert sorted(case.layout for case in CASES) == sorted(layouts())
    assert all(any(e.before != e.after for e in case.effects) for case in CASES)
