"""Injections: control characters in everything a caller writes, and headers that would move the API elsewhere."""

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import boto3
import pytest
import requests

from sandbox.browser import JSON, PAGE
from tests.support.roles import role
from tests.support.sandbox_app import SandboxApp

SPLITS = [
    "\r\nSet-Cookie: forged=1",
    "\nSet-Cookie: forged=1",
    "\rSet-Cookie: forged=1",
    "\r\n\r\n<script>forged</script>",
    "\0forged",
    "\x1b[2Jforged",
    "\x7fforged",
    "\u560a\u560dSet-Cookie: forged=1",  # cut down to a byte each: LF, CR
    "%0d%0aSet-Cookie: forged=1",
    '\n{"level":"ERROR","message":"forged"}',
    '"}\n{"_aws":{"CloudWatchMetrics":[{"Namespace":"forged"}]}}',
]

ADDRESSES = [
    *(f"start?{name}=v{{}}" for name in ("return_to", "challenge", "endpoint", "force_login", "screen_name", "pin")),
    "start?x_auth_access_type={}",
    "start?{}=1",
    "callback?oauth_token=t&oauth_verifier={}",
    "callback?oauth_token={}&oauth_verifier=v",
    "callback?denied={}",
    "callback?oauth_token=t&oauth_problem={}",
    "callback?oauth_token=t&oauth_verifier=v&{}=1",
    "pin?request_token={}",
]


@contextmanager
def logs_stay_whole(app: SandboxApp) -> Iterator[None]:
    """Check that each line that is printed meanwhile is one of ours: a log record or metrics, and no text beside them."""
    since = len(app.sandbox.logs.text)
    yield
    lines = app.sandbox.logs.text[since:].split("\n")
    assert lines.pop() == ""
    assert lines
    for line in lines:
        record = json.loads(line)
        assert ("level" in record) is not ("_aws" in record), line
        assert record.get("message") != "forged"
        assert record["service"] in ("start", "callback")
        if "_aws" in record:
            assert {one["Namespace"] for one in record["_aws"]["CloudWatchMetrics"]} == {"Tripod/tripod"}


def whole(answer: requests.Response) -> None:
    """Check that an answer has our headers alone, and nothing forged outside of a value."""
    assert "forged" not in " ".join(answer.headers)
    assert not [line for line in answer.raw.headers.getlist("set-cookie") if "forged" in line]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script>" not in answer.text
    location = answer.headers.get("location", "")
    assert re.fullmatch(r"[!-~]*", location), location


@pytest.mark.parametrize("address", ADDRESSES)
def test_header_and_log_injection_by_a_parameter(app: SandboxApp, address: str) -> None:
    with logs_stay_whole(app):
        for number, text in enumerate(SPLITS):
            written = address.format(quote(text))
            whole(app.browser().get(f"/oauth/{app.name}/{written}", accept=(PAGE, JSON)[number % 2]))


def test_header_and_log_injection_by_the_path(app: SandboxApp) -> None:
    with logs_stay_whole(app):
        for text in SPLITS:
            for rest in ("start", "callback?denied=a"):
                answer = app.browser().get(f"/oauth/x{quote(text, safe='')}/{rest}", accept=JSON)
                assert (answer.status_code, answer.json()["code"]) == (404, "unknown_provider")
                whole(answer)
                assert "forged" not in answer.text


def test_header_and_log_injection_by_a_posted_pin(app: SandboxApp) -> None:
    with logs_stay_whole(app):
        for text in SPLITS:
            for given in ({"request_token": "t", "pin": text}, {"request_token": text, "pin": "1"}, {text: "1"}):
                for sent in ({"data": given}, {"json": given}):
                    answer = requests.post(f"{app.sandbox.api}/oauth/{app.name}/pin", **sent, timeout=30)  # type: ignore[arg-type]  # one of two
                    assert answer.status_code in (400, 403, 404)
                    whole(answer)
                    assert "forged" not in answer.text


def test_header_and_log_injection_by_a_header(app: SandboxApp) -> None:
    marked = '"}\\n{"level":"ERROR","message":"forged"} forged'
    names = ("User-Agent", "Accept", "Cookie", "Referer", "X-Forwarded-For", "Accept-Language", "X-Amzn-Trace-Id", "Content-Type")
    with logs_stay_whole(app):
        for name in names:
            answer = requests.get(
                f"{app.sandbox.api}/oauth/{app.name}/start?endpoint=x", headers={"Accept": JSON, name: marked}, timeout=30
            )
            assert answer.status_code == 400
            whole(answer)
            assert "forged" not in answer.text


EVIL = "evil.example"
HEADERS = [
    {"Host": EVIL},
    {"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"},
    {"Forwarded": f"host={EVIL};proto=https"},
    {"X-Host": EVIL, "X-Forwarded-Server": EVIL, "X-HTTP-Host-Override": EVIL},
    {"X-Original-URL": f"https://{EVIL}/", "X-Rewrite-URL": f"https://{EVIL}/"},
    {"Origin": f"https://{EVIL}", "Referer": f"https://{EVIL}/"},
    {"X-Forwarded-Prefix": f"//{EVIL}", "X-Forwarded-Path": f"//{EVIL}"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=lambda each: next(iter(each)))
def test_host_header_injection(app: SandboxApp, headers: dict[str, str]) -> None:
    def get(rest: str) -> requests.Response:
        return requests.get(
            f"{app.sandbox.api}/oauth/{app.name}/{rest}",
            headers={"Accept": PAGE, **headers},
            allow_redirects=False,
            timeout=30,
        )

    callback = app.consent(get("start").headers["location"])
    assert callback.startswith(f"{app.sandbox.api}/oauth/{app.name}/callback?")
    assert get("start?pin=true").headers["location"].startswith(f"{app.sandbox.api}/oauth/{app.name}/pin?")
    page = get("callback?" + urlsplit(callback).query)
    assert page.status_code == 403
    assert EVIL not in page.text
    assert f'href="{app.sandbox.api}/oauth/{app.name}/start"' in page.text


@pytest.mark.parametrize("hosts", [[EVIL], ["{own}", EVIL], [EVIL, "{own}"], []])
def test_host_header_injection_by_the_request_line(app: SandboxApp, hosts: list[str]) -> None:
    own = urlsplit(app.sandbox.api).netloc
    connection = http.client.HTTPConnection(own, timeout=30)
    connection.putrequest("GET", f"http://{EVIL}/oauth/{app.name}/start", skip_host=True)
    for host in hosts:
        connection.putheader("Host", host.format(own=own))
    connection.putheader("Accept", PAGE)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 302
    assert app.consent(answer.headers["location"]).startswith(f"{app.sandbox.api}/oauth/{app.name}/callback?")


def test_host_header_injection_by_a_lambda_that_may_begin_authorizations(app: SandboxApp) -> None:
    context = {"requestId": "r", "stage": "$default", "domainName": "evil.example", "http": {"method": "GET"}}
    event = {"routeKey": "GET /oauth/{provider}/start", "headers": {}, "requestContext": context, "rawQueryString": ""}
    payload = json.dumps({**event, "pathParameters": {"provider": app.name}})
    with role(app.sandbox, "BeginAuthorizations"):
        client = boto3.client("lambda")
        for function in ("start", "callback"):
            answer = json.loads(client.invoke(FunctionName=f"{app.sandbox.prefix}-{function}", Payload=payload)["Payload"].read())
            assert (answer.get("code"), "cookies" in answer) == ("bad_request", False)
            with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
                client.invoke(FunctionName=f"{app.sandbox.prefix}-{function}", Qualifier="live", Payload=payload)
    assert not app.calls("request_token")
