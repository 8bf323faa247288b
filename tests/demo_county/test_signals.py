"""What departments and visitors learn: later than it happened, not of everything, and of nothing that did not."""

from datetime import date
from pathlib import Path

from demo_county.calibration import load_calibration
from demo_county.chance import Chance
from demo_county.life import Lives
from demo_county.manifest import Manifest
from demo_county.months import period_until
from demo_county.signals import RELIEF_DAYS, SIGNALS_FILE, Signals
from tests.demo_county.small_county import UNTIL, VILLAGES, records

Small = tuple[Path, Manifest]


def test_nothing_is_known_before_it_happened_nor_after_the_last_day(small_county: Small) -> None:
    folder, manifest = small_county
    signals = records(folder / SIGNALS_FILE)
    assert len(signals) == manifest.files[SIGNALS_FILE].rows
    for signal in signals:
        assert signal["occurred_on"] <= signal["known_on"] <= UNTIL.isoformat()


def test_an_event_is_told_of_a_life_in_which_it_happened() -> None:
    period, calibration = period_until(UNTIL), load_calibration()
    lives, signals = Lives(calibration, period, "130624", 3), Signals(calibration, period)
    told = happened = 0
    for serial in range(1, 600):
        life = lives.live(serial, VILLAGES[0][0], (), Chance(f"3/household/{serial}"))
        learned = list(signals.of(life, Chance(f"3/signals/{serial}")))
        deaths = {signal.person for signal in learned if signal.kind == "event.death"}
        dead = {life.household.persons[position].identity_number for position in life.fate.deaths}
        assert deaths <= dead
        told, happened = told + len(deaths), happened + len(dead)
        if not life.fate.losses:
            assert not any(s.kind in {"event.job_loss", "event.business_failure"} for s in learned)
    assert 0.9 * happened <= told <= happened > 10


def test_the_life_does_not_depend_on_what_is_told_of_it() -> None:
    period, calibration = period_until(UNTIL), load_calibration()
    told, untold = (Lives(calibration, period, "130624", 3) for _ in range(2))
    signals = Signals(calibration, period)
    for serial in range(1, 40):
        life = told.live(serial, VILLAGES[0][0], (), Chance(f"3/household/{serial}"))
        list(signals.of(life, Chance(f"3/signals/{serial}")))
        assert untold.live(serial, VILLAGES[0][0], (), Chance(f"3/household/{serial}")) == life


def test_school_fees_fall_due_in_march_and_september(small_county: Small) -> None:
    fees = [s for s in records(small_county[0] / SIGNALS_FILE) if s["kind"] == "expense.education"]
    assert fees
    assert {date.fromisoformat(fee["occurred_on"]).month for fee in fees} == {3, 9}


def test_visits_are_made_in_both_years(small_county: Small) -> None:
    folder, manifest = small_county
    visits = [s["occurred_on"][:7] for s in records(folder / SIGNALS_FILE) if s["source"] == "visit"]
    first = f"{manifest.months[0][:4]}-{manifest.months[0][4:]}"
    assert min(visits) < first <= max(visits)


def test_only_those_whose_need_is_over_reported_themselves_here_and_while_it_lasted() -> None:
    period, calibration = period_until(UNTIL), load_calibration()
    lives, signals = Lives(calibration, period, "130624", 3), Signals(calibration, period)
    over = spoke = 0
    for serial in range(1, 4000):
        life = lives.live(serial, VILLAGES[0][0], (), Chance(f"3/household/{serial}"))
        start, stop = life.truth.from_month, life.truth.to_month
        own = [s for s in signals.of(life, Chance(f"3/signals/{serial}")) if s.source == "self_report"]
        over, spoke = over + (stop is not None), spoke + len(own)
        assert not own or (start is not None and stop is not None)
        assert all(str(start) <= s.occurred_on.isoformat()[:7] <= str(stop) for s in own)
    assert 0 < spoke < over


def test_the_cost_of_a_disaster_is_told_with_it_and_the_relief_when_it_is_paid(small_county: Small) -> None:
    signals = [s for s in records(small_county[0] / SIGNALS_FILE) if s["department"] == "应急"]
    events = {(s["household_no"], s["occurred_on"], s["known_on"]) for s in signals if s["kind"] == "event.disaster"}
    told = [s for s in signals if s["kind"] == "expense.disaster"]
    costs = {(s["household_no"], s["occurred_on"], s["known_on"]) for s in told if s["details"]["amount"] != "0.00"}
    assert costs == events != set()
    for later in (s for s in told if s["details"]["amount"] == "0.00"):
        waited = date.fromisoformat(later["known_on"]) - date.fromisoformat(later["occurred_on"])
        assert waited.days == RELIEF_DAYS
