"""What is counted; labels never hold a person, a household or a village."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("fangpin_requests_total", "HTTP requests", ["service", "method", "route", "status"])
SECONDS = Histogram(
    "fangpin_request_seconds",
    "HTTP request duration",
    ["service", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
TASK_FAILURES = Counter("fangpin_task_failures_total", "Worker tasks that raised", ["service", "task"])
OUTBOX_WAITING = Gauge("fangpin_outbox_waiting", "Messages not yet delivered", ["service"])
OUTBOX_AGE = Gauge("fangpin_outbox_oldest_seconds", "Age of the oldest message not yet delivered", ["service"])
OUTBOX_DEAD = Gauge("fangpin_outbox_dead", "Messages given up, waiting for a person", ["service"])
ALERTS_TROUBLE = Gauge("fangpin_alerts_trouble", "1 while this stands still", ["trouble"])
