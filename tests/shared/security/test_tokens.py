"""A token is ours, whole and in time, or it is refused with 401."""

import base64
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.security.access import SCOPES, SCOPES_OF_ROLE
from shared.security.principal import Principal
from shared.security.tokens import TokenIssuer, TokenRefused, TokenVerifier, principal_of
from shared.settings import Settings
from shared.vocabulary.terms import Role
from tests.shared.conftest import NOON

KEY = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()
RSA = generate_private_key(65537, 2048)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
SETTINGS = Settings(data=Path("unused"))
CLAIMS: dict[str, Any] = {
    "iss": "fangpin",
    "aud": "fangpin",
    "sub": "GB0001",
    "iat": NOON.timestamp(),
    "kind": "person",
    "exp": (NOON + timedelta(minutes=5)).timestamp(),
    "role": "village_secretary",
    "division": "130624100201",
    "scope": "monitoring:read alerts:act",
}


def signed(without: str = "", key: Any = KEY, algorithm: str = "EdDSA", headers: Any = None, **changed: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changed).items() if name != without}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


def by_hand(header: dict[str, Any], signature: bytes = b"", **changed: Any) -> str:
    parts = [json.dumps(part).encode() for part in (header, CLAIMS | changed)]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (*parts, signature)).decode()


def confused() -> str:
    """A token signed with our public key as if it were a shared secret."""
    body = by_hand({"alg": "HS256", "typ": "JWT"}).rsplit(".", 1)[0]
    signature = hmac.digest(PUBLIC, body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(KEY, SETTINGS)


async def test_a_right_token_names_its_principal(verifier: TokenVerifier) -> None:
    found = await verifier.verify(signed(name="李四", officer_no="GB0001"), now=NOON)
    assert found == Principal(
        "GB0001",
        "person",
        "130624100201",
        frozenset({"monitoring:read", "alerts:act"}),
        Role.VILLAGE_SECRETARY,
        "李四",
        None,
        "GB0001",
    )


BAD = {
    "empty": "",
    "garbage": "x.y.z",
    "two parts": "a.b",
    "not ascii": "号.码.x",
    "null": "null",
    "huge": "A" * 200_000,
    "unsigned": by_hand({"alg": "none"}),
    "unsigned, capitals": by_hand({"alg": "NONE"}),
    "no algorithm": by_hand({"typ": "JWT"}),
    "public key as secret": confused(),
    "another signer": signed(key=OTHER),
    "an RSA signer": signed(key=RSA, algorithm="RS256"),
    "a shared secret": signed(key="s" * 64, algorithm="HS512"),
    "its own key": signed(
        key=OTHER, headers={"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, "jku": "https://evil.example/keys"}
    ),
    "a path as kid": signed(key=OTHER, headers={"kid": "../../dev/null"}),
    "expired": signed(exp=NOON.timestamp()),
    "expired long ago": signed(exp=1),
    "not yet": signed(nbf=NOON.timestamp() + 31),
    "from the future": signed(iat=NOON.timestamp() + 31),
    "another audience": signed(aud="other"),
    "no audience": signed("aud"),
    "another issuer": signed(iss="other"),
    "no issuer": signed("iss"),
    "no end": signed("exp"),
    "no beginning": signed("iat"),
    "nobody": signed("sub"),
    "end is text": signed(exp="soon"),
    "end is no number": signed(exp="nan"),
    "end is a list": by_hand({"alg": "EdDSA"}, exp=[1]),
    "unknown role": signed(role="emperor"),
    "no role": signed("role"),
    "role is a list": signed(role=["county_admin"]),
    "unknown kind": signed(kind="god"),
    "kind is a list": signed(kind=["person"]),
    "no division": signed("division"),
    "division too short": signed(division="13062"),
    "division of letters": signed(division="x" * 12),
    "empty division": signed(division=""),
    "division is a list": signed(division=["130624100201"]),
    "changed": signed()[:-4] + "AAAA",
    "truncated": signed()[:-1],
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
async def test_any_other_token_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        await verifier.verify(token, now=NOON)
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")


@given(
    text=st.text(max_size=100) | st.binary(max_size=60).map(lambda b: base64.urlsafe_b64encode(b).decode() + ".e30.x")
)
async def test_nothing_made_up_does_worse_than_be_refused(text: str) -> None:
    with pytest.raises(TokenRefused):
        await TokenVerifier(KEY, SETTINGS).verify(text, now=NOON)


async def test_a_token_found_good_is_refused_once_it_expires(verifier: TokenVerifier) -> None:
    token = signed()
    await verifier.verify(token, now=NOON)
    assert await verifier.verify(token, now=NOON + timedelta(minutes=4, seconds=59))
    with pytest.raises(TokenRefused):
        await verifier.verify(token, now=NOON + timedelta(minutes=5))


async def test_remembered_tokens_do_not_pile_up(verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.security.tokens._CACHE_LIMIT", 3)
    for number in range(10):
        await verifier.verify(signed(sub=f"s{number}"), now=NOON)
    assert len(verifier._known) <= 3


@pytest.mark.parametrize("role", list(Role))
async def test_a_scope_beyond_the_role_is_cut(verifier: TokenVerifier, role: Role) -> None:
    token = signed(role=role.value, scope=" ".join([*SCOPES, "root", "monitoring:*"]))
    assert (await verifier.verify(token, now=NOON)).scopes == SCOPES_OF_ROLE[role]


@pytest.mark.parametrize("role", [None, "county_admin"])
async def test_a_system_never_decides_and_never_acts(verifier: TokenVerifier, role: str | None) -> None:
    token = signed("" if role else "role", kind="system", scope=" ".join(SCOPES), **({"role": role} if role else {}))
    assert (await verifier.verify(token, now=NOON)).scopes == frozenset(SCOPES) - {
        "intake:appeals:decide",
        "monitoring:decide",
        "monitoring:policy",
        "monitoring:quality:close",
        "alerts:act",
        "alerts:tasks",
        "alerts:supervise",
        "alerts:silence",
    }


async def test_what_the_issuer_makes_the_verifier_takes(verifier: TokenVerifier) -> None:
    for role in Role:
        given = Principal("x", "person", "130600000000", SCOPES_OF_ROLE[role], role, "李四", "民政局", "GB1")
        token = TokenIssuer(KEY, "fangpin").issue(given, now=NOON, lifetime=timedelta(minutes=1))
        assert await verifier.verify(token, now=NOON) == given


@given(
    claims=st.dictionaries(
        st.sampled_from(["kind", "role", "division", "scope", "name", "department"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=12)
            | st.sampled_from(["person", "system", "130624000000"]),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
            max_leaves=3,
        ),
    )
)
def test_strange_claims_make_no_stranger_principal(claims: dict[str, Any]) -> None:
    try:
        found = principal_of({"sub": "x"} | claims)
    except TokenRefused:
        return
    assert found.kind == "system" or found.role is not None
    assert found.scopes <= SCOPES.keys()
    assert len(found.division) == 12


@pytest.mark.parametrize("claim", ["sub", "officer_no", "name"])
def test_a_token_that_names_people_by_identity_number_is_refused(claim: str) -> None:
    """They stand in every audit row as they came; the platform must send its own number of the person."""
    with pytest.raises(TokenRefused, match="身份证号"):
        principal_of({**CLAIMS, claim: "999901195503074016"})
