import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from sandbox.gateway.event import GatewayRequest, MalformedResultError, path_parameters, to_event, to_reply
from sandbox.template.template import Route

ROUTE = Route("GET", "/oauth/{provider}/start")


def request(target: str = "/oauth/x/start", headers: list[tuple[str, str]] | None = None, body: bytes = b"") -> GatewayRequest:
    return GatewayRequest("GET", target, "HTTP/1.1", headers or [], body, "127.0.0.1", 8000)


def translated(asked: GatewayRequest) -> dict[str, Any]:
    return to_event(asked, ROUTE, {"provider": "x"}, "123456789012")


def test_an_event_has_what_api_gateway_sends() -> None:
    made = translated(request("/oauth/x/start?a=1", [("User-Agent", "Browser/1"), ("Host", "elsewhere.example")]))
    context = made["requestContext"]
    assert (made["version"], made["routeKey"], made["isBase64Encoded"]) == ("2.0", "GET /oauth/{provider}/start", False)
    assert (made["rawPath"], made["rawQueryString"]) == ("/oauth/x/start", "a=1")
    assert made["pathParameters"] == {"provider": "x"}
    assert context["http"] == {
        "method": "GET",
        "path": "/oauth/x/start",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "Browser/1",
    }
    assert (context["stage"], context["accountId"], context["routeKey"]) == ("$default", "123456789012", made["routeKey"])
    assert context["timeEpoch"] > 1_700_000_000_000
    assert {"requestId", "time", "apiId", "domainPrefix"} <= context.keys()
    assert "body" not in made
    assert "cookies" not in made
    json.dumps(made)


def test_the_domain_name_is_never_the_callers_host() -> None:
    made = translated(request(headers=[("Host", "evil.example"), ("X-Forwarded-Host", "evil.example")]))
    assert made["requestContext"]["domainName"] == "127.0.0.1:8000"
    assert made["headers"]["host"] == "evil.example"


def test_with_a_custom_domain_its_name_is_in_the_event() -> None:
    context = translated(replace(request(), domain="sign-in.example.com"))["requestContext"]
    assert (context["domainName"], context["domainPrefix"]) == ("sign-in.example.com", "sign-in")


def test_header_names_are_lower_case_and_repeated_ones_joined_by_commas() -> None:
    headers = translated(request(headers=[("X-One", "a"), ("x-one", "b, c"), ("ACCEPT", "text/html")]))["headers"]
    assert (headers["x-one"], headers["accept"]) == ("a,b, c", "text/html")


def test_cookies_are_a_list_of_their_own() -> None:
    made = translated(request(headers=[("Cookie", "a=1; b=2=2"), ("cookie", "c=3")]))
    assert made["cookies"] == ["a=1", "b=2=2", "c=3"]
    assert "cookie" not in made["headers"]


def test_the_forwarding_headers_name_the_caller() -> None:
    headers = translated(request(headers=[("X-Forwarded-For", "10.0.0.1")]))["headers"]
    assert headers["x-forwarded-for"] == "10.0.0.1, 127.0.0.1"
    assert (headers["x-forwarded-port"], headers["x-forwarded-proto"]) == ("8000", "http")
    assert headers["x-amzn-trace-id"].startswith("Root=1-")


def test_repeated_query_values_are_joined_by_commas_beside_the_query_as_sent() -> None:
    made = translated(request("/oauth/x/start?a=1&b=x%20y+z&a=2%2C3&empty=&bare&%C3%BC=%C3%A4"))
    assert made["rawQueryString"] == "a=1&b=x%20y+z&a=2%2C3&empty=&bare&%C3%BC=%C3%A4"
    assert made["queryStringParameters"] == {"a": "1,2,3", "b": "x y z", "empty": "", "bare": "", "ü": "ä"}


def test_no_query_gives_no_parameters() -> None:
    made = translated(request("/oauth/x/start?"))
    assert made["rawQueryString"] == ""
    assert "queryStringParameters" not in made


@pytest.mark.parametrize(
    ("content_type", "encoded"),
    [
        ("application/json", False),
        ("application/problem+json; charset=utf-8", False),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", True),
        ("application/octet-stream", True),
        ("", True),
    ],
)
def test_a_body_is_base64_unless_it_is_text(content_type: str, encoded: bool) -> None:
    made = translated(request(headers=[("Content-Type", content_type)], body="grün".encode()))
    assert made["isBase64Encoded"] is encoded
    assert (base64.b64decode(made["body"]).decode() if encoded else made["body"]) == "grün"


def test_text_that_is_not_utf_8_comes_as_base64() -> None:
    made = translated(request(headers=[("Content-Type", "text/plain")], body=b"\xff"))
    assert (made["body"], made["isBase64Encoded"]) == ("/w==", True)


@pytest.mark.parametrize(
    "target", ["/oauth/x/start?a=%FF%00&%zz=[\xff\xfe", "/\xff%ff\x01?\x7f", "http://evil.example/oauth/x/start"]
)
def test_weird_bytes_become_an_event_nonetheless(target: str) -> None:
    made = translated(request(target))
    assert made["rawQueryString"].isascii()
    json.dumps(made).encode()


@pytest.mark.parametrize(
    ("pattern", "path", "parameters"),
    [
        ("/oauth/{provider}/start", "/oauth/x/start", {"provider": "x"}),
        ("/oauth/{provider}/start", "/oauth/a%20b/start", {"provider": "a b"}),
        ("/oauth/{provider}/start", "/oauth//start", None),
        ("/oauth/{provider}/start", "/oauth/x/start/", None),
        ("/oauth/{provider}/start", "/oauth/x/y/start", None),
        ("/oauth/{provider}/start", "/OAUTH/x/start", None),
        ("/deep/{rest+}", "/deep/a/b%2Fc", {"rest": "a/b/c"}),
        ("/plain.txt", "/plainxtxt", None),
    ],
)
def test_a_path_fits_its_route(pattern: str, path: str, parameters: dict[str, str] | None) -> None:
    assert path_parameters(Route("GET", pattern), path) == parameters


def test_a_result_becomes_an_answer() -> None:
    result = {
        "statusCode": 302,
        "headers": {"Location": "https://x.example/", "X-Count": 3, "X-Yes": True},
        "cookies": ["a=1; Secure", "b=2"],
        "body": "grün",
    }
    assert to_reply(result) == (
        302,
        [
            ("location", "https://x.example/"),
            ("x-count", "3"),
            ("x-yes", "true"),
            ("set-cookie", "a=1; Secure"),
            ("set-cookie", "b=2"),
            ("content-type", "text/plain;charset=UTF-8"),
        ],
        "grün".encode(),
    )


def test_a_base64_body_is_decoded() -> None:
    assert to_reply({"statusCode": "200", "body": "/w==", "isBase64Encoded": True})[2] == b"\xff"


@pytest.mark.parametrize(("result", "body"), [({"a": 1}, b'{"a":1}'), ("text", b"text"), (None, b"null"), ([1], b"[1]")])
def test_a_result_without_status_code_is_json_with_200(result: Any, body: bytes) -> None:
    assert to_reply(result) == (200, [("content-type", "application/json")], body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"statusCode": "ok"},
        {"statusCode": None},
        {"statusCode": 99},
        {"statusCode": 200.0},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": {"a": "b\r\nset-cookie: c"}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"a": "\u20ac"}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "cookies": ["a=1\nb"]},
        {"statusCode": 200, "body": "x", "isBase64Encoded": True},
    ],
)
def test_a_malformed_result_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(MalformedResultError):
        to_reply(wrong)
