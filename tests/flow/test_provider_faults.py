"""A provider that fails, in every way and at either leg: its code in time, and a later try that may still succeed."""

import json
import re
import time
import tracemalloc
from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest

from sandbox.browser import JSON
from sandbox.provider import ProviderFault, Rewritten
from sandbox.world import Sandbox
from tests.support.reading import reading
from tests.support.sandbox_app import RETURN_TO, SandboxApp, make_app
from tripod import user_tokens
from tripod.credentials import Consumer
from tripod.signing import Signer
from tripod_flow.edges.transport import ResponseLost, Timeouts, send

PATIENCE = 28  # seconds; API Gateway's 30, with some to spare
UNAVAILABLE, REJECTED = (503, "provider_unavailable"), (502, "provider_rejected")
INTERRUPTED, VERIFIER = (409, "interrupted"), (400, "verifier_rejected")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (ProviderFault.SERVER_ERROR, UNAVAILABLE),
        (ProviderFault.OVER_CAPACITY, UNAVAILABLE),
        (ProviderFault.RATE_LIMITED, UNAVAILABLE),
        (ProviderFault.TIMEOUT, UNAVAILABLE),
        (ProviderFault.DRIP, UNAVAILABLE),
        (ProviderFault.RESET, UNAVAILABLE),
        (ProviderFault.RESET_AFTER, UNAVAILABLE),
        (ProviderFault.GARBAGE, UNAVAILABLE),
        (ProviderFault.HUGE, UNAVAILABLE),
        (ProviderFault.TRUNCATED, UNAVAILABLE),
        (ProviderFault.GZIP_BOMB, UNAVAILABLE),
        (ProviderFault.NEGATIVE_CHUNK, UNAVAILABLE),
        (ProviderFault.SMALLER_CHUNK, UNAVAILABLE),
        (ProviderFault.EMPTY, REJECTED),
        (ProviderFault.HTML, REJECTED),
        (ProviderFault.BINARY, REJECTED),
        (ProviderFault.ERROR_TEXT, REJECTED),
        (ProviderFault.REDIRECT, REJECTED),
        (ProviderFault.REDIRECT_HUGE, UNAVAILABLE),
        (ProviderFault.REDIRECT_BOMB, UNAVAILABLE),
        (ProviderFault.SLOW_TEXT, REJECTED),
        (ProviderFault.UNCONFIRMED, REJECTED),
        (ProviderFault.EMPTY_SECRET, REJECTED),
        (ProviderFault.SUSPENDED, REJECTED),
        (ProviderFault.CLOCK_OFF, REJECTED),
        (ProviderFault.NO_CREDITS, REJECTED),
    ],
)
def test_at_leg_1(app: SandboxApp, fault: ProviderFault, expected: tuple[int, str]) -> None:
    app.fault("request_token", fault, times=2)
    browser = app.browser()
    began = time.monotonic()
    answer = browser.start(app.name, accept=JSON)
    assert time.monotonic() - began < PATIENCE
    assert (answer.status_code, answer.json()["code"]) == expected
    assert ("retry-after" in answer.headers) == (expected == UNAVAILABLE)
    assert not browser.cookies
    while browser.start(app.name, accept=JSON).status_code != 200:  # one fault may be left
        assert len(app.calls("request_token")) < 6


def test_a_passing_fault_at_leg_1_is_not_noticed(app: SandboxApp) -> None:
    app.fault("request_token", ProviderFault.RESET)
    assert app.browser().start(app.name).status_code == 302
    assert len(app.calls("request_token")) == 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (ProviderFault.SERVER_ERROR, UNAVAILABLE),
        (ProviderFault.OVER_CAPACITY, UNAVAILABLE),
        (ProviderFault.RATE_LIMITED, UNAVAILABLE),
        (ProviderFault.TIMEOUT, INTERRUPTED),
        (ProviderFault.TIMEOUT_AFTER, INTERRUPTED),
        (ProviderFault.DRIP, INTERRUPTED),
        (ProviderFault.RESET, INTERRUPTED),
        (ProviderFault.RESET_AFTER, INTERRUPTED),
        (ProviderFault.GARBAGE, INTERRUPTED),
        (ProviderFault.EMPTY, INTERRUPTED),
        (ProviderFault.HTML, INTERRUPTED),
        (ProviderFault.BINARY, INTERRUPTED),
        (ProviderFault.HUGE, INTERRUPTED),
        (ProviderFault.TRUNCATED, INTERRUPTED),
        (ProviderFault.GZIP_BOMB, INTERRUPTED),
        (ProviderFault.NEGATIVE_CHUNK, INTERRUPTED),
        (ProviderFault.SMALLER_CHUNK, INTERRUPTED),
        (ProviderFault.REDIRECT, REJECTED),
        (ProviderFault.REDIRECT_HUGE, INTERRUPTED),
        (ProviderFault.REDIRECT_BOMB, INTERRUPTED),
        (ProviderFault.SLOW_TEXT, REJECTED),
        (ProviderFault.ERROR_TEXT, REJECTED),
        (ProviderFault.SUSPENDED, REJECTED),
        (ProviderFault.CLOCK_OFF, REJECTED),
        (ProviderFault.NOT_AUTHENTICATED, REJECTED),
        (ProviderFault.WRONG_VERIFIER, VERIFIER),
        (ProviderFault.UNKNOWN_REQUEST_TOKEN, VERIFIER),
        (ProviderFault.EXPIRED_REQUEST_TOKEN, VERIFIER),
        (ProviderFault.OAUTH_PROBLEM, VERIFIER),
    ],
)
def test_at_leg_3(app: SandboxApp, fault: ProviderFault, expected: tuple[int, str]) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("access_token", fault, times=2)
    began = time.monotonic()
    answer = browser.get(callback, accept=JSON)
    assert time.monotonic() - began < PATIENCE
    assert (answer.status_code, answer.json()["code"]) == expected
    assert ("retry-after" in answer.headers) == (expected == UNAVAILABLE)
    if expected == UNAVAILABLE:
        answers = [browser.get(callback, accept=JSON) for _ in range(2)]  # one fault may be left
        assert answers[-1].json()["outcome"] == "granted"
        assert app.stored()
    else:
        exchanges = len(app.calls("access_token"))
        again = browser.get(callback, accept=JSON)
        assert (again.status_code, again.json()["code"]) == expected
        assert len(app.calls("access_token")) == exchanges
        assert app.stored() is None
        assert "request_secret" not in app.authorization(callback)
        anew = [browser.get(app.come_back(browser)).status_code for _ in range(2)]  # one fault may be left
        assert anew[-1] == 200


ODDITIES: dict[str, Callable[[bytes], bytes]] = {
    "an empty pair": lambda body: b"&" + body + b"&",
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "a name in Latin-1": lambda body: body + b"&fullname=Ren%E9",
    "a field without a value": lambda body: body + b"&x_auth_expires",
    "a field twice": lambda body: body + b"&lang=en&lang=fr",
    "JSON": lambda body: json.dumps(dict(parse_qsl(body.decode()))).encode(),
    "a long token": lambda body: body.replace(b"oauth_token=", b"oauth_token=" + b"t" * 1900, 1),
    "no secret": lambda body: re.sub(rb"(oauth_token_secret)=[^&]*", rb"\1=", body),
}


@pytest.mark.parametrize("change", ODDITIES.values(), ids=ODDITIES)
def test_no_grant_is_lost_to_small_things(app: SandboxApp, change: Callable[[bytes], bytes]) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("access_token", Rewritten(change))
    answer = browser.get(callback, accept=JSON).json()
    assert (answer.get("outcome"), answer.get("user_id"), answer.get("screen_name")) == (
        "granted",
        app.user.user_id,
        app.user.screen_name,
    )
    stored = app.stored()
    assert stored
    assert stored["oauth_token"].endswith(tuple(app.sandbox.provider_server.issued(app.consumer.key)))
    with reading(app.sandbox):
        assert user_tokens(app.name, user_id=app.user.user_id).oauth_token == stored["oauth_token"]


def test_a_server_error_at_leg_3_is_tried_once_more(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("access_token", ProviderFault.SERVER_ERROR)
    assert browser.get(callback).status_code == 200
    assert len(app.calls("access_token")) == 2


@pytest.mark.parametrize(
    "fault",
    [
        ProviderFault.REDIRECT_HUGE,
        ProviderFault.REDIRECT_BOMB,
        ProviderFault.HUGE,
        ProviderFault.GZIP_BOMB,
        ProviderFault.NEGATIVE_CHUNK,
    ],
)
def test_an_answer_without_end_is_not_taken_into_memory(sandbox: Sandbox, fault: ProviderFault) -> None:
    app = make_app(sandbox)
    app.fault("request_token", fault, times=2)
    url = sandbox.provider_server.endpoints()["request_token_url"]
    consumer = Consumer(app.consumer.key, app.consumer.secret)
    with pytest.raises(ResponseLost):  # the provider, in this process too, makes its bodies at the first time
        send("POST", url, Signer().sign_as(consumer, callback="oob"), Timeouts())
    tracemalloc.start()
    with pytest.raises(ResponseLost):
        send("POST", url, Signer().sign_as(consumer, callback="oob"), Timeouts())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_server_error_that_hid_the_exchange_is_told_as_what_it_is(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("access_token", ProviderFault.ERROR_AFTER)
    assert browser.get(callback, accept=JSON).json()["code"] == "interrupted"


def test_a_failure_for_good_is_told_to_the_app(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser, return_to=RETURN_TO)
    app.fault("access_token", ProviderFault.RESET_AFTER)
    location = browser.get(callback).headers["location"]
    assert location == f"{RETURN_TO}?outcome=failed&provider={app.name}&error=interrupted"


def test_an_unavailable_provider_is_no_redirect_but_a_page_with_a_button_that_works(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser, return_to=RETURN_TO)
    app.fault("access_token", ProviderFault.OVER_CAPACITY, times=2)
    page = browser.get(callback)
    assert page.status_code == 503
    assert "Try again" in page.text
    assert browser.get(callback).status_code == 303
