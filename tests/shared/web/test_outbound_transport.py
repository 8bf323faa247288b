"""At the moment of connecting, a listed name must stand for an address that may be reached."""

from ipaddress import ip_network

import httpx
import pytest

from shared.outbound import Outbound
from shared.web.outbound_transport import AddressNotAllowed, OutboundTransport, outbound_client
from tests.services.intake.interface import Answer, interface

NAME = "gate.example.gov.cn"
LOOPBACK = [ip_network("127.0.0.0/8")]


class Names:
    """A name server that says what the test tells it; keeps how often it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked = list(addresses), 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.addresses


async def ask(url: str, rule: Outbound, names: Names) -> httpx.Response:
    async with httpx.AsyncClient(transport=OutboundTransport(rule, names), trust_env=False) as http:
        return await http.get(url)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_a_listed_name_that_stands_for_the_loopback_is_not_connected_to(address: str) -> None:
    async with interface(lambda _: Answer(b"{}")) as inside:
        with pytest.raises(AddressNotAllowed):
            await ask(f"http://{NAME}:{inside.port}/", Outbound([f"{NAME}:*"], plain=True), Names(address))
        assert inside.asked == []


async def test_an_inner_gateway_that_is_configured_is_asked_by_its_name() -> None:
    async with interface(lambda _: Answer(b"{}")) as inside:
        rule, names = Outbound([f"{NAME}:*"], LOOPBACK, plain=True), Names("169.254.1.1", "127.0.0.1")
        answer = await ask(f"http://{NAME}:{inside.port}/", rule, names)
    assert answer.status_code == 200
    assert inside.asked[0].headers["host"] == f"{NAME}:{inside.port}"
    assert names.asked == 1, "asked twice, a name may stand for two addresses"


async def test_the_next_address_is_tried_if_one_does_not_answer() -> None:
    async with interface(lambda _: Answer(b"{}")) as inside:
        rule = Outbound([f"{NAME}:*"], LOOPBACK, plain=True)
        answer = await ask(f"http://{NAME}:{inside.port}/", rule, Names("127.0.0.2", "127.0.0.1"))
    assert answer.status_code == 200


async def test_what_is_not_listed_is_not_even_resolved() -> None:
    names = Names("59.255.0.1")
    with pytest.raises(AddressNotAllowed):
        await ask(f"https://{NAME}:22/", Outbound([NAME]), names)
    assert names.asked == 0


async def test_a_redirect_is_not_followed() -> None:
    elsewhere = Answer(b"", "302 Found", "location: http://127.0.0.1:9/\r\n")
    async with (
        interface(lambda _: elsewhere) as inside,
        outbound_client(Outbound(["127.0.0.1:*"], plain=True)) as http,
    ):
        answer = await http.get(f"http://127.0.0.1:{inside.port}/")
    assert (answer.status_code, len(inside.asked)) == (302, 1)


async def test_the_systems_own_names_are_resolved() -> None:
    with pytest.raises(AddressNotAllowed):
        async with outbound_client(Outbound(["localhost:*"], plain=True)) as http:
            await http.get("http://localhost:9/")
