"""Systems get short tokens for their secret, with no more than they are allowed."""

from typing import Any

import asyncpg
import pytest

from shared.web.oauth import hash_secret
from tests.shared.web.conftest import Edge

HELD = ["intake:feeds:write", "intake:feeds:read", "monitoring:decide", "alerts:act"]


@pytest.fixture(autouse=True)
async def _clients(edge: Edge, small_admin: asyncpg.Connection) -> None:
    for client_id, active in (("medical", True), ("closed", False)):
        await small_admin.execute(
            """
            INSERT INTO directory.oauth_client (client_id, secret_hashes, name, division, department, scopes, active,
                                                created_at)
            VALUES ($1, $2, '医保局', '130624000000', 'medical', $3, $4, now())
            """,
            client_id,
            [hash_secret(client_id, "old"), hash_secret(client_id, "new")],
            HELD,
            active,
        )


async def ask(edge: Edge, **form: str) -> Any:
    return await edge.http.post("/oauth2/token", data={"grant_type": "client_credentials"} | form)


@pytest.mark.parametrize("secret", ["old", "new"])
async def test_either_secret_gets_a_token_that_works(edge: Edge, secret: str) -> None:
    answer = await ask(edge, client_id="medical", client_secret=secret)
    body = answer.json()
    assert (answer.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 600)
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await edge.http.get("/intake/v1/places", headers=headers)).status_code == 200


async def test_basic_authentication_is_the_same(edge: Edge) -> None:
    answer = await edge.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=("medical", "new"))
    assert answer.status_code == 200


async def test_a_system_never_gets_to_decide_or_act(edge: Edge) -> None:
    wanted = "monitoring:decide alerts:act intake:feeds:write alerts:admin"
    everything = (await ask(edge, client_id="medical", client_secret="new")).json()["scope"]
    asked = (await ask(edge, client_id="medical", client_secret="new", scope=wanted)).json()["scope"]
    assert (everything, asked) == ("intake:feeds:read intake:feeds:write", "intake:feeds:write")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"client_id": "medical"},
        {"client_id": "medical", "client_secret": "wrong"},
        {"client_id": "unknown", "client_secret": "new"},
        {"client_id": "closed", "client_secret": "new"},
        {"client_id": "medical\x00", "client_secret": "new"},
        {"client_id": "", "client_secret": ""},
    ],
    ids=str,
)
async def test_a_wrong_client_learns_nothing(edge: Edge, form: dict[str, str]) -> None:
    answer = await ask(edge, **form)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_client")
    assert answer.json()["detail"] == "客户端编号或密钥不正确"


@pytest.mark.parametrize("value", ["Basic", "Basic !!", "Basic /w==", "Basic eDp5"])
async def test_malformed_basic_authentication_is_refused(edge: Edge, value: str) -> None:
    answer = await edge.http.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, headers={"Authorization": value}
    )
    assert answer.status_code == 401


async def test_only_client_credentials_are_granted(edge: Edge) -> None:
    answer = await ask(edge, grant_type="password", client_id="medical", client_secret="new")
    assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_grant_type")
    assert (await edge.http.post("/oauth2/token", json={"grant_type": "x"})).status_code == 422
