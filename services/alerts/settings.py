"""What alerts is told from outside, besides what all services are told."""

from datetime import timedelta

from shared.settings import Settings


class AlertsSettings(Settings):
    """`most_duties`: on how many posts one person may be. `most_grid_households`: how many households a grid has.

    `give_up_after`: how long an undelivered message is tried. `stream_for`: how long one live stream lasts.
    A stream ends and is opened again by the client, so that a withdrawn right is noticed.
    """

    most_duties: int = 3
    most_grid_households: int = 100
    give_up_after: timedelta = timedelta(days=7)
    stream_for: timedelta = timedelta(minutes=10)
