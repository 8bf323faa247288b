"""What becomes of findings: opened, mended, accepted until the values change."""

from datetime import date
from uuid import UUID

from services.monitoring.domain.quality_finding import Fired, Settlement, Standing, Subject, due_on, settle

SUBJECT = Subject("primary_age", 7, 9)
ID = UUID(int=1)
VALUES, OTHERS = b"values", b"others"


def standing(state: str = "open", digest: bytes = VALUES) -> Standing:
    return Standing(ID, SUBJECT, state, digest)


def test_what_fires_first_is_opened() -> None:
    assert settle([Fired(SUBJECT, VALUES)], []) == Settlement(opened=[Fired(SUBJECT, VALUES)])


def test_what_is_open_and_fires_stays_and_remembers_new_values() -> None:
    assert settle([Fired(SUBJECT, VALUES)], [standing()]) == Settlement()
    assert settle([Fired(SUBJECT, OTHERS)], [standing()]) == Settlement(changed=[(ID, OTHERS)])


def test_what_fires_no_more_is_mended() -> None:
    assert settle([], [standing()]) == Settlement(mended=[ID])


def test_an_acceptance_holds_for_its_values_alone() -> None:
    assert settle([Fired(SUBJECT, VALUES)], [standing("accepted")]) == Settlement()
    again = Fired(SUBJECT, OTHERS)
    assert settle([again], [standing("accepted")]) == Settlement(opened=[again], lapsed=[ID])
    assert settle([], [standing("accepted")]) == Settlement(lapsed=[ID])


def test_what_nobody_could_decide_stays_as_it_is() -> None:
    assert settle([], [standing()], {SUBJECT}) == Settlement()


def test_the_deadline_counts_days_from_the_finding() -> None:
    assert due_on(date(2026, 3, 15), 15) == date(2026, 3, 30)
