"""A small identity platform on loopback: it checks client, redirect, code and PKCE as RFC 6749 and 7636 say."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CLIENT, SECRET = "fangpin-phone", "s3cret"


@dataclass
class Platform:
    """Who is at the keyboard (`claims`), and what was given out; `now` is the time it signs with."""

    now: float
    claims: dict[str, Any]
    port: int = 0
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def authorize(self, asked: dict[str, str]) -> str:
        """The person agrees: where his browser is sent."""
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == (
            "code",
            CLIENT,
            "S256",
        )
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def exchange(self, form: dict[str, str], proof: str) -> dict[str, str] | None:
        """The token of a code; None whatever is wrong. A code is good once."""
        asked = self.codes.pop(form.get("code", ""), None)
        right = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or proof != right or asked["code_challenge"] != challenge:
            return None
        if asked["redirect_uri"] != form.get("redirect_uri"):
            return None
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": "p-1", "iat": self.now, "exp": self.now + 300}
        claims = {**usual, "nonce": asked["nonce"], **self.claims}
        return {"id_token": jwt.encode(claims, self.key, algorithm="EdDSA", headers={"kid": "k1"}), "token_type": "x"}

    def keys(self) -> dict[str, Any]:
        return {"keys": [{**jwt.algorithms.OKPAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": "k1"}]}


@contextmanager
def platform(now: float, **claims: Any) -> Iterator[Platform]:
    """The platform, answering on a port of its own."""
    made = Platform(now, claims)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(made: Platform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/jwks":
                self._answer(200, made.keys())
                return
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("Location", made.authorize(asked))
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            given = made.exchange(form, self.headers.get("Authorization", ""))
            self._answer(200 if given else 400, given or {"error": "invalid_grant"})

        def _answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    return Handler
