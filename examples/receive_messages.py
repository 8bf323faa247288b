"""Receive fangpin's messages, as a system that wants to know of risk changes would.

    FANGPIN_WEBHOOK_SECRET=whsec_... python receive_messages.py --port 9000 --seen seen.sqlite3

The secret is shown once, by POST /monitoring/v1/subscriptions with types ["cn.fangpin.monitoring.risk_changed.v1"].
A message tells of the subscription's division only, by household number, indicator and cause: no contact, no
evidence, no amount. Who answers 410 is unsubscribed.
Three rules of a good receiver: believe only a right signature (Standard Webhooks), act on each webhook-id once (a
message may come again under its id, never under another), and answer 2xx only when the message is safe with you:
any other answer brings it again. One line per risk change is printed, by household number, without names.

Put a TLS proxy in front: fangpin sends to https only, outside its demo mode. Ends on SIGTERM or Ctrl-C.
"""

import argparse
import os
import signal
import sqlite3
import sys
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

RISK_CHANGED = "cn.fangpin.monitoring.risk_changed.v1"
LARGEST = 8 * 1024 * 1024


class Seen:
    """Which messages were acted on; a file, so that a restart forgets none."""

    def __init__(self, path: Path) -> None:
        self._path, self._one_at_a_time = path, threading.Lock()
        with self._one_at_a_time, closing(sqlite3.connect(path)) as store:
            store.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at TEXT NOT NULL)")

    def once(self, message_id: str, act: Any) -> bool:
        """Act, unless this id was acted on; remembered only if the act did not fail."""
        with self._one_at_a_time, closing(sqlite3.connect(self._path)) as store, store:
            now = datetime.now(UTC).isoformat()
            fresh = store.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (message_id, now)).rowcount == 1
            if fresh:
                act()
            return fresh


class Receiver(BaseHTTPRequestHandler):
    """POST anything: the path is not looked at, the signature is."""

    webhook: Webhook
    seen: Seen
    timeout = 30

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self._answer(413 if length.isdecimal() else 411)
            return
        body = self.rfile.read(int(length))
        try:
            message = self.webhook.verify(body, dict(self.headers.items()))
        except (WebhookVerificationError, ValueError) as error:  # ValueError: a signature that is not even one.
            print(f"拒绝 refused: {type(error).__name__}", flush=True)
            self._answer(401)
            return
        fresh = self.seen.once(self.headers["webhook-id"], lambda: act_on(message))
        if not fresh:
            print(f"重复 duplicate: {self.headers['webhook-id']}", flush=True)
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """The lines above say enough."""


def act_on(message: dict[str, Any]) -> None:
    """What your system does with a message; here, a line per risk change. Types you do not know are no error."""
    if message["type"] != RISK_CHANGED:
        return
    for item in message["data"]["items"]:
        print(in_words(item), flush=True)


def in_words(item: dict[str, Any]) -> str:
    """The change without names: absent fields are nulls."""
    was, now = (item.get(name) or "none" for name in ("previous_recommendation", "recommendation"))
    fired = [finding["indicator"] for finding in item.get("findings", ()) if finding["state"] == "fired"]
    opens = "opens" if item["opens"] else f"withheld:{item.get('withheld_because')}"
    return (
        f"风险变化 risk_changed {item['subject']} on={item['on']} {was}->{now} "
        f"severity={item.get('severity') or 'none'} fired={','.join(fired) or 'none'} "
        f"facts_version={item['facts_version']} {opens}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="接收防贫消息")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--seen", type=Path, default=Path("seen.sqlite3"), help="已处理的消息编号")
    options = parser.parse_args()
    secret = os.environ.get("FANGPIN_WEBHOOK_SECRET")
    if not secret:
        parser.error("缺少签名密钥：请设置 FANGPIN_WEBHOOK_SECRET（whsec_ 开头）")
    Receiver.webhook, Receiver.seen = Webhook(secret), Seen(options.seen)
    server = ThreadingHTTPServer((options.host, options.port), Receiver)
    # shutdown() waits for the loop that this thread runs, so it must be called from another.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"正在接收 listening on http://{options.host}:{options.port}", flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
