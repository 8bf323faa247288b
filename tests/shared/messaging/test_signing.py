"""Signatures follow Standard Webhooks to the letter, and nothing malformed gets through."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.signing import SignatureRefused, sign, verify

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
MOMENT = datetime.fromtimestamp(1614265330, UTC)
PUBLISHED = (
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    b'{"test": 2432232314}',
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
)
OURS = (
    "01J0000000000000000000TEST",
    '{"type":"alert.opened","timestamp":"2021-02-25T15:02:10Z","data":{"village":"和平村"}}'.encode(),
    "v1,8p5WqJMcd3xuy5oDuk/uzRMuVusAZdq5bBBgXW/vlwc=",
)
MESSAGE_ID, BODY, SIGNATURE = PUBLISHED


def headers(**changed: str) -> dict[str, str]:
    plain = {"id": MESSAGE_ID, "timestamp": "1614265330", "signature": SIGNATURE} | changed
    return {f"webhook-{name}": value for name, value in plain.items()}


@pytest.mark.parametrize(("message_id", "body", "signature"), [PUBLISHED, OURS])
def test_the_published_vectors_hold(message_id: str, body: bytes, signature: str) -> None:
    signed = sign(SECRET, message_id, body, MOMENT)
    assert signed == {"webhook-id": message_id, "webhook-timestamp": "1614265330", "webhook-signature": signature}
    assert verify([SECRET], signed, body, now=MOMENT) == message_id


def test_a_moment_in_shanghai_signs_as_the_same_moment() -> None:
    local = MOMENT.astimezone(timezone(timedelta(hours=8))).replace(microsecond=999_999)
    assert sign(SECRET, MESSAGE_ID, BODY, local)["webhook-signature"] == SIGNATURE


def test_several_secrets_and_several_signatures_allow_rotation() -> None:
    given = headers(signature=f"v2,abc v1,{'A' * 43}= {SIGNATURE}")
    assert verify([b"another secret", SECRET], given, BODY, now=MOMENT) == MESSAGE_ID


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_of_skew_are_borne(seconds: int) -> None:
    assert verify([SECRET], headers(), BODY, now=MOMENT + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400, -86_400])
def test_more_than_five_minutes_of_skew_are_refused(seconds: int) -> None:
    with pytest.raises(SignatureRefused):
        verify([SECRET], headers(), BODY, now=MOMENT + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "changed",
    [
        {"id": ""},
        {"id": "msg_other"},
        {"timestamp": ""},
        {"timestamp": "1614265331"},
        {"timestamp": "nan"},
        {"timestamp": "1614265330.0"},
        {"timestamp": "１６１４２６５３３０"},
        {"timestamp": "9" * 400},
        {"timestamp": "-1614265330"},
        {"signature": ""},
        {"signature": "v1"},
        {"signature": "v1,"},
        {"signature": SIGNATURE.replace("v1,", "v2,")},
        {"signature": SIGNATURE[3:]},
        {"signature": SIGNATURE[:-2] + "A="},
        {"signature": "v1,é"},
        {"signature": SIGNATURE.replace(",", ",,")},
        {"signature": SIGNATURE.rstrip("=")},
        {"signature": "v1,not base64!"},
        {"signature": "v1,和平村"},
    ],
    ids=str,
)
def test_a_malformed_or_changed_header_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        verify([SECRET], headers(**changed), BODY, now=MOMENT)


@pytest.mark.parametrize("body", [b"", BODY + b" ", b"\xff\xfe", BODY.replace(b"4", b"5")])
def test_another_body_is_refused(body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        verify([SECRET], headers(), body, now=MOMENT)


def test_missing_headers_are_refused() -> None:
    with pytest.raises(SignatureRefused):
        verify([SECRET], {}, BODY, now=MOMENT)


@pytest.mark.parametrize("secrets", [[], [b""], [b"", SECRET]])
def test_no_secret_and_an_empty_secret_open_nothing(secrets: list[bytes]) -> None:
    with pytest.raises(SignatureRefused):
        verify(secrets, headers(), BODY, now=MOMENT)


def test_nothing_is_signed_with_an_empty_secret() -> None:
    with pytest.raises(SignatureRefused):
        sign(b"", MESSAGE_ID, BODY, MOMENT)


@given(
    message_id=st.text(max_size=30), signed_at=st.text(max_size=15), signature=st.text(max_size=60), body=st.binary()
)
def test_whatever_comes_is_refused_and_never_raises_anything_else(
    message_id: str, signed_at: str, signature: str, body: bytes
) -> None:
    with pytest.raises(SignatureRefused):
        verify([SECRET], headers(id=message_id, timestamp=signed_at, signature=signature), body, now=MOMENT)


@given(secret=st.binary(min_size=1, max_size=64), message_id=st.text(min_size=1, max_size=40), text=st.text())
def test_what_is_signed_verifies(secret: bytes, message_id: str, text: str) -> None:
    body = text.encode(errors="replace")
    message_id = message_id.encode(errors="replace").decode()
    assert verify([secret], sign(secret, message_id, body, MOMENT), body, now=MOMENT) == message_id
