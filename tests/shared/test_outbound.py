"""What may be asked outside: a host and a port that are listed, and a name for what it really stands for."""

from ipaddress import ip_network

import pytest

from shared.outbound import Outbound, checked_listing

LOOPBACK = Outbound(["127.0.0.1:*"], plain=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://127.0.0.1@evil.example/",
        "http://evil.example/",
        "https://[::1]/",
        "http://2130706433/",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "http://user:pw@127.0.0.1/",
        "http://127.0.0.1:99999/",
    ],
)
def test_only_allowed_hosts(url: str) -> None:
    assert LOOPBACK.refusal(url)


def test_plain_http_is_for_the_demo() -> None:
    assert LOOPBACK.refusal("http://127.0.0.1/x") is None
    assert Outbound(["127.0.0.1:*"]).refusal("http://127.0.0.1/x") == "https only"


@pytest.mark.parametrize(
    ("listed", "url", "allowed"),
    [
        ("gate.gov.cn", "https://gate.gov.cn/x", True),
        ("gate.gov.cn", "https://gate.gov.cn:443/x", True),
        ("gate.gov.cn", "https://gate.gov.cn:8443/x", False),
        ("gate.gov.cn", "https://gate.gov.cn:22/x", False),
        ("gate.gov.cn:8443", "https://gate.gov.cn:8443/x", True),
        ("gate.gov.cn:8443", "https://gate.gov.cn/x", False),
        ("gate.gov.cn:*", "https://gate.gov.cn:9/x", True),
        ("Gate.gov.cn", "https://gate.GOV.cn/x", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/x", True),
        ("[2001:db8::1]", "https://[2001:db8::1]:8443/x", False),
    ],
)
def test_the_port_is_part_of_what_is_listed(listed: str, url: str, allowed: bool) -> None:
    assert (Outbound([listed]).refusal(url) is None) is allowed


@pytest.mark.parametrize(
    "text", ["https://gate.gov.cn", "gate.gov.cn/x", "gate.gov.cn:0", "gate:65536", "::1", "", "a b"]
)
def test_a_listing_that_names_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="主机:端口"):
        checked_listing(text)


INNER = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.9",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "::1",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:10.1.2.3",
    "64:ff9b::a01:203",
    "2002:a01:203::1",
]


@pytest.mark.parametrize("address", INNER)
def test_a_name_may_not_stand_for_an_inner_address(address: str) -> None:
    assert not Outbound(["gate.gov.cn"]).admits("gate.gov.cn", address)


@pytest.mark.parametrize("address", ["59.255.0.1", "240e::1", "::ffff:59.255.0.1"])
def test_a_name_may_stand_for_a_public_address(address: str) -> None:
    assert Outbound(["gate.gov.cn"]).admits("gate.gov.cn", address)


def test_a_gateway_in_a_network_that_is_allowed_can_be_reached() -> None:
    rule = Outbound(["gate.gov.cn"], [ip_network("10.1.2.0/24")])
    assert rule.admits("gate.gov.cn", "10.1.2.3")
    assert rule.admits("gate.gov.cn", "::ffff:10.1.2.3")
    assert not rule.admits("gate.gov.cn", "10.1.3.3")


def test_an_inner_address_that_is_itself_listed_can_be_reached() -> None:
    assert Outbound(["10.1.2.3"]).admits("10.1.2.3", "10.1.2.3")
