"""The proxy's limits are the services' limits, and what is not for outside cannot be reached."""

import re

import pytest

from shared.web.events import MESSAGE_LIMIT_BYTES
from tests.deploy.deployed import SERVICES, compose, settings_class, text
from tests.deploy.nginx_file import Directive, parse, seconds, size_in_bytes

FILE = parse(text("nginx.conf"))
(HTTP,) = FILE.all("http")
PLAIN, DOOR = HTTP.all("server")
LOCATIONS = {" ".join(one.arguments): one for one in DOOR.all("location")}
ATTACHMENTS = "~ ^/intake/v1/(receipts/)?attachments$"
EVENTS = r"~ ^/(?<receiver>intake|monitoring|alerts)/v1/events/?$"


def test_only_named_paths_lead_inside() -> None:
    open_paths = {path for path, one in LOCATIONS.items() if one.all("proxy_pass")}
    assert open_paths == {
        "= /oauth2/token",
        "/intake/v1/feeds",
        ATTACHMENTS,
        EVENTS,
        "= /alerts/v1/inbox/stream",
        "/intake/",
        "/monitoring/",
        "/alerts/",
        "= /livez",
    }
    assert LOCATIONS["/"].value("return") == "404"


@pytest.mark.parametrize(
    ("path", "upstream"),
    [
        ("= /oauth2/token", "intake"),
        ("/intake/v1/feeds", "intake"),
        ("/intake/", "intake"),
        ("/monitoring/", "monitoring"),
        ("/alerts/", "alerts"),
        ("= /alerts/v1/inbox/stream", "alerts"),
    ],
)
def test_paths_lead_to_their_service(path: str, upstream: str) -> None:
    assert LOCATIONS[path].value("proxy_pass") == f"http://{upstream}"


@pytest.mark.parametrize("service", SERVICES)
def test_addresses_agree_with_compose(service: str) -> None:
    (upstream,) = [one for one in HTTP.all("upstream") if one.arguments == [service]]
    host, _, port = upstream.value("server").partition(":")
    whole = compose()
    command = whole["services"][service]["command"]
    assert (host, port) == (service, command[command.index("--port") + 1])
    assert whole["x-common"][f"FANGPIN_{service.upper()}_URL"] == f"http://{host}:{port}"
    assert f"FANGPIN_{service.upper()}_URL=http://{host}:{port}\n" in text("env.example")


def test_body_limits_are_those_of_the_services() -> None:
    intake = settings_class("intake")()
    assert size_in_bytes(HTTP.value("client_max_body_size")) == intake.body_limit_bytes
    feeds = LOCATIONS["/intake/v1/feeds"]
    assert size_in_bytes(feeds.value("client_max_body_size")) == intake.model_dump()["feed_limit_bytes"]
    assert feeds.value("proxy_request_buffering") == "off"
    attachments = LOCATIONS[ATTACHMENTS]
    assert size_in_bytes(attachments.value("client_max_body_size")) == intake.model_dump()["attachment_limit_bytes"]
    pattern = ATTACHMENTS.removeprefix("~ ")
    assert re.fullmatch(pattern, "/intake/v1/attachments")
    assert re.fullmatch(pattern, "/intake/v1/receipts/attachments")
    assert size_in_bytes(LOCATIONS[EVENTS].value("client_max_body_size")) == MESSAGE_LIMIT_BYTES
    assert not [
        one
        for path, one in LOCATIONS.items()
        if one.all("client_max_body_size") and path not in {"/intake/v1/feeds", ATTACHMENTS, EVENTS}
    ]


def test_messages_between_services_do_not_come_from_outside() -> None:
    rules = [(one.name, *one.arguments) for one in LOCATIONS[EVENTS].inside if one.name in {"allow", "deny"}]
    assert rules == [("allow", "127.0.0.1"), ("deny", "all")]
    pattern = EVENTS.removeprefix("~ ").replace("?<", "?P<")
    assert all(re.fullmatch(pattern, f"/{service}/v1/events") for service in SERVICES)


def test_the_live_stream_is_not_held_back_nor_cut() -> None:
    stream = LOCATIONS["= /alerts/v1/inbox/stream"]
    assert stream.value("proxy_buffering") == "off"
    assert seconds(stream.value("proxy_read_timeout")) > settings_class("alerts")().model_dump()["stream_for"].seconds


def test_an_address_claimed_by_the_client_is_overwritten() -> None:
    set_headers = {one.arguments[0]: one.arguments[1] for one in DOOR.all("proxy_set_header")}
    assert set_headers["X-Forwarded-For"] == "$remote_addr"
    assert set_headers["Forwarded"] == ""
    assert "$proxy_add_x_forwarded_for" not in text("nginx.conf")


def test_no_location_loses_the_headers_of_the_server() -> None:
    headers = {one.arguments[0] for one in DOOR.all("add_header")}
    assert {
        "Strict-Transport-Security",
        "X-Content-Type-Options",
        "X-Frame-Options",
        "Referrer-Policy",
        "Content-Security-Policy",
    } <= headers
    assert all(one.arguments[-1] == "always" for one in DOOR.all("add_header"))
    # nginx inherits these only where a location has none of its own.
    inner = [one.name for location in LOCATIONS.values() for one in location.walk()]
    assert not {"add_header", "proxy_set_header"} & set(inner)


def test_only_the_phone_page_brings_its_own_policy() -> None:
    """What nginx adds as an empty text it does not add; the page's own header then stands alone."""
    (policies,) = [one for one in HTTP.all("map") if one.arguments == ["$uri", "$content_security_policy"]]
    assert {one.name: " ".join(one.arguments) for one in policies.inside} == {
        "~^/alerts/m/": "",
        "default": "default-src 'none'; frame-ancestors 'none'",
    }
    (header,) = [one for one in DOOR.all("add_header") if one.arguments[0] == "Content-Security-Policy"]
    assert header.arguments == ["Content-Security-Policy", "$content_security_policy", "always"]


def test_everybody_is_limited_and_tokens_more_so() -> None:
    rates = {
        re.search(r"zone=(\w+):", " ".join(one.arguments))[1]: int(one.arguments[-1][5:-3])  # type: ignore[index]
        for one in HTTP.all("limit_req_zone")
    }
    assert rates["tokens"] < rates["requests"]
    assert DOOR.value("limit_req").startswith("zone=requests ")
    assert LOCATIONS["= /oauth2/token"].value("limit_req").startswith("zone=tokens ")
    assert HTTP.value("limit_req_status") == "429"


def test_transport_is_encrypted_and_plain_http_only_redirects() -> None:
    assert [one.name for one in PLAIN.inside] == ["listen", "server_name", "return"]
    assert PLAIN.value("return") == "308 https://$host$request_uri"
    assert DOOR.value("ssl_protocols") == "TLSv1.2 TLSv1.3"


def test_the_log_holds_no_query_and_no_token() -> None:
    written = HTTP.value("log_format")
    assert "$uri" in written
    assert not re.search(r"\$request\b|\$request_uri|\$args|\$http_authorization|\$query_string", written)


def test_what_the_proxy_refuses_is_a_problem_document() -> None:
    assert HTTP.value("default_type") == "application/problem+json"
    named = [one for path, one in LOCATIONS.items() if path.startswith("@")]
    pages: list[Directive] = DOOR.all("error_page")
    assert {one.arguments[-1] for one in pages} == {path for path in LOCATIONS if path.startswith("@")}
    for one in named:
        status, body = one.value("return").split(" ", 1)
        assert f'"status":{status}' in body
        assert '"code":' in body
