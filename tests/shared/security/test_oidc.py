"""Officers log in at the government's identity platform, whose keys are fetched from it."""

import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from shared.security.access import SCOPES, SCOPES_OF_ROLE
from shared.security.principal import Principal
from shared.security.tokens import PlatformAway, TokenIssuer, TokenRefused, TokenVerifier
from shared.settings import Settings
from shared.vocabulary.terms import Role
from tests.shared.conftest import NOON, Receiver

OURS = Ed25519PrivateKey.generate()
PLATFORM = generate_private_key(65537, 2048)
STRANGER = generate_private_key(65537, 2048)
ISSUER = "https://login.example.gov.cn"


def keys_of(key: RSAPrivateKey) -> bytes:
    public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return json.dumps({"keys": [public | {"kid": "k1", "use": "sig", "alg": "RS256"}]}).encode()


def signed(key: Any = PLATFORM, kid: str = "k1", algorithm: str = "RS256", **changed: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": "fangpin-county",
        "sub": "GB0001",
        "iat": NOON.timestamp(),
        "role": "grid_worker",
        "exp": (NOON + timedelta(minutes=5)).timestamp(),
        "division": "130624100201",
        "scope": "openid alerts:act",
    }
    return jwt.encode(claims | changed, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture
def verifier(receiver: Receiver) -> TokenVerifier:
    receiver.headers = [(b"content-type", b"application/json")]
    receiver.answers = [(200, keys_of(PLATFORM))] * 5
    settings = Settings(oidc_issuer=ISSUER, oidc_jwks_url=f"{receiver.url}/keys", oidc_audience="fangpin-county")
    return TokenVerifier(OURS, settings)


async def test_an_officer_of_the_platform_is_let_in(verifier: TokenVerifier) -> None:
    found = await verifier.verify(signed(), now=NOON)
    assert (found.subject, found.kind, found.division) == ("GB0001", "person", "130624100201")


@pytest.mark.parametrize("role", Role)
async def test_what_a_post_may_do_is_ours_to_say(verifier: TokenVerifier, role: Role) -> None:
    for scope in ("openid profile", "", "alerts:act", " ".join(SCOPES)):
        found = await verifier.verify(signed(role=role, scope=scope), now=NOON)
        assert found.scopes == SCOPES_OF_ROLE[role], scope


async def test_our_own_tokens_carry_no_more_than_was_asked_for(verifier: TokenVerifier) -> None:
    officer = Principal("GB0001", "person", "130624100201", frozenset({"alerts:act"}), Role.GRID_WORKER)
    token = TokenIssuer(OURS, "fangpin").issue(officer, now=NOON, lifetime=timedelta(minutes=5))
    assert (await verifier.verify(token, now=NOON)).scopes == {"alerts:act"}


async def test_the_keys_are_fetched_once(verifier: TokenVerifier, receiver: Receiver) -> None:
    for number in range(5):
        await verifier.verify(signed(sub=f"GB{number}"), now=NOON)
    assert len(receiver.received) == 1


BAD: dict[str, dict[str, Any]] = {
    "another signer": {"key": STRANGER},
    "unknown key": {"kid": "k9"},
    "path as key": {"kid": "../../dev/null"},
    "another audience": {"aud": "fangpin"},
    "another issuer": {"iss": "https://evil.example"},
    "our issuer": {"iss": "fangpin"},
    "expired": {"exp": NOON.timestamp() - 1},
    "not yet": {"nbf": NOON.timestamp() + 60},
    "no role": {"role": None},
    "unknown role": {"role": "emperor"},
    "several roles": {"role": ["grid_worker", "county_admin"]},
    "no division": {"division": None},
    "shared secret": {"key": "s" * 32, "algorithm": "HS256"},
    "another algorithm": {"key": OURS, "algorithm": "EdDSA"},
}


@pytest.mark.parametrize("changed", BAD.values(), ids=BAD.keys())
async def test_any_other_token_is_refused(verifier: TokenVerifier, changed: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        await verifier.verify(signed(**changed), now=NOON)


async def test_the_platform_names_people_and_never_systems(verifier: TokenVerifier) -> None:
    with pytest.raises(TokenRefused):
        await verifier.verify(signed(kind="system", role=None), now=NOON)
    found = await verifier.verify(signed(kind="system", scope="alerts:act alerts:admin"), now=NOON)
    assert (found.kind, found.scopes) == ("person", SCOPES_OF_ROLE[Role.GRID_WORKER])


async def test_our_own_key_does_not_sign_for_the_platform(verifier: TokenVerifier) -> None:
    token = jwt.encode(
        {
            "iss": "fangpin",
            "aud": "fangpin-county",
            "sub": "x",
            "iat": NOON.timestamp(),
            "role": "county_admin",
            "exp": NOON.timestamp() + 60,
            "division": "130624000000",
        },
        PLATFORM,
        algorithm="RS256",
        headers={"kid": "k1"},
    )
    with pytest.raises(TokenRefused):
        await verifier.verify(token, now=NOON)


async def test_a_platform_that_is_away_is_not_the_officers_fault(receiver: Receiver) -> None:
    settings = Settings(oidc_issuer=ISSUER, oidc_jwks_url="http://127.0.0.1:9/", oidc_audience="fangpin-county")
    with pytest.raises(PlatformAway) as away:
        await TokenVerifier(OURS, settings).verify(signed(), now=NOON)
    assert away.value.status == 503


def test_the_three_settings_of_the_platform_go_together() -> None:
    with pytest.raises(ValueError, match="go together"):
        Settings(oidc_issuer=ISSUER)
