"""What the worker of every service does for its messages."""

from datetime import timedelta

from apscheduler.triggers.interval import IntervalTrigger

from shared.messaging.relay import relay_once, relay_urgent
from shared.messaging.tidy import tidy
from shared.worker import Task, Tick

# "relay" wakes both; those somebody waits for have a task of their own, so that they never queue behind a file.
RELAY = (Task("relay_urgent", relay_urgent), Task("relay", relay_once, every=timedelta(seconds=1)))
TIDY = Tick("tidy", tidy, IntervalTrigger(hours=6))
