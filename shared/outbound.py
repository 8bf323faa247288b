"""Where messages and questions may leave to: only hosts and ports the operator listed; others could be inner ones.

One rule for connectors, webhooks and subscriptions. It is asked twice: by `refusal` when an address is put down, and
by `shared.web.outbound_transport` at every connection, when it shows which address a name really stands for.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

Network = IPv4Network | IPv6Network
_PORTS = {"https": 443, "http": 80}
_LISTED = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[^\s:/@\[\]]+))(?::(?P<port>[0-9]{1,5}|\*))?")
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Outbound:
    """The rule: `hosts` as listed, `networks` of inner addresses that a listed name may stand for.

    A host is listed as "name", which means the port of https, as "name:8443", or as "name:*"; an IPv6 address in
    brackets. An inner address that is itself listed needs no network. `plain` allows http, for demo mode.
    """

    hosts: Collection[str]
    networks: Collection[Network] = ()
    plain: bool = False

    def refusal(self, url: str) -> str | None:
        """Why a URL may not be asked; None if it may.

        Read by the parser that will send: two parsers may see two different hosts in one text.
        """
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            return "not a URL"
        if parsed.scheme != "https" and not (self.plain and parsed.scheme == "http"):
            return "https only"
        if parsed.userinfo or not any(_names(listed, parsed) for listed in self.hosts):
            return "host not allowed"
        return None

    def admits(self, host: str, address: str) -> bool:
        """Whether a listed host may be reached at this address: any public one, an inner one if allowed."""
        at = _plainly(ip_address(address.partition("%")[0]))
        if host == address or (at.is_global and not at.is_multicast):
            return True
        return any(at in network for network in self.networks)


def checked_listing(text: str) -> str:
    """A host as an operator lists it; ValueError if it is none."""
    found = _LISTED.fullmatch(text)
    if found is None or (found["port"] not in (None, "*") and not 0 < int(found["port"]) < 65536):
        raise ValueError(f"{text}: 应为 主机、主机:端口 或 主机:*，不带 https:// 和路径")
    return text


def _names(listed: str, url: httpx.URL) -> bool:
    found = _LISTED.fullmatch(listed)
    if found is None or (found["six"] or found["name"]).lower() != url.host:
        return False
    usual = _PORTS[url.scheme]
    port = url.port or usual
    return port < 65536 if found["port"] == "*" else int(found["port"] or usual) == port


def _plainly(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address only wraps: an inner one is inner in every dress."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def seconds_of(retry_after: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header, in seconds or as an HTTP date; None if absent or unreadable."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return timedelta(seconds=min(int(retry_after), 31_536_000))
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now, timedelta(0))
