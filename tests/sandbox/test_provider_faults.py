"""Each fault does on the wire what it says, and does or leaves undone the leg's work as it says."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import requests
from oauthlib.oauth1 import Client

from sandbox.provider import Fault, Provider
from sandbox.provider.faults import HUGE
from tests.sandbox.app_client import VERIFY, AppClient, Token, fields_of

UNAPPROVED = (
    "Callback URL not approved for this client application. Approved callback URLs can be adjusted in your application settings"
)
ANSWERS = {
    Fault.SERVER_ERROR: (500, '{"errors":[{"message":"Internal error","code":131}]}'),
    Fault.OVER_CAPACITY: (503, '{"errors":[{"message":"Over capacity","code":130}]}'),
    Fault.RATE_LIMITED: (429, '{"errors":[{"message":"Rate limit exceeded","code":88}]}'),
    Fault.NOT_AUTHENTICATED: (401, '{"errors":[{"code":32,"message":"Could not authenticate you."}]}'),
    Fault.CLOCK_OFF: (401, '{"errors":[{"message":"Timestamp out of bounds","code":135}]}'),
    Fault.CALLBACK_NOT_APPROVED: (403, f'{{"errors":[{{"code":415,"message":"{UNAPPROVED}"}}]}}'),
    Fault.CALLBACK_NOT_APPROVED_XML: (
        403,
        f"<?xml version='1.0' encoding='UTF-8'?><errors><error code=\"415\">{UNAPPROVED}</error></errors>",
    ),
    Fault.CALLBACK_NOT_APPROVED_HASH: (
        403,
        f"<hash><error>{UNAPPROVED}</error><request>/oauth/request_token</request></hash>",
    ),
    Fault.NO_CALLBACK: (
        401,
        "<errors><error code=\"417\">Desktop applications only support the oauth_callback value 'oob'</error></errors>",
    ),
    Fault.SUSPENDED: (401, '{"errors":[{"code":416,"message":"Invalid / suspended application"}]}'),
    Fault.REVOKED: (401, '{"errors":[{"code":89,"message":"Invalid or expired token."}]}'),
    Fault.NO_CREDITS: (
        402,
        '{"title":"CreditsDepleted","status":402,"detail":"Your account has no credits left."}',
    ),
    Fault.UNKNOWN_REQUEST_TOKEN: (401, "Reverse auth credentials are invalid"),
    Fault.WRONG_VERIFIER: (401, "Error processing your OAuth request: Invalid oauth_verifier parameter"),
    Fault.EXPIRED_REQUEST_TOKEN: (
        401,
        "<hash><error>Invalid / expired Token</error><request>/oauth/access_token</request></hash>",
    ),
    Fault.ERROR_TEXT: (200, "Error: The authorization headers in your request are not valid"),
    Fault.OAUTH_PROBLEM: (401, "oauth_problem=token_rejected"),
    Fault.EMPTY: (200, ""),
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def ready(provider: Provider) -> Callable[[], tuple[AppClient, Token, str]]:
    """Make an app whose user has consented: only the exchange is left."""

    def consented() -> tuple[AppClient, Token, str]:
        app = AppClient(provider)
        token = app.request_token()
        return app, token, app.consent(token)

    return consented


Ready = Callable[[], tuple[AppClient, Token, str]]


@pytest.mark.parametrize("fault", ANSWERS)
def test_answer_goes_over_the_wire_as_x_writes_it(provider: Provider, ready: Ready, fault: Fault) -> None:
    app, token, verifier = ready()
    provider.fault(app.consumer.key, "access_token", fault)
    answer = app.exchange(token, verifier)
    assert (answer.status_code, answer.text) == ANSWERS[fault]


def test_no_access_is_453_in_a_403(provider: Provider) -> None:
    app = AppClient(provider)
    access = app.connect()
    provider.fault(app.consumer.key, "verify_credentials", Fault.NO_ACCESS)
    refused = app.verify(access)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, 453)


def test_rate_limit_comes_with_its_headers(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.RATE_LIMITED)
    headers = app.ask_request_token().headers
    assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == ("75", "0")
    assert 890 < int(headers["x-rate-limit-reset"]) - time.time() <= 900


@pytest.mark.parametrize("fault", Fault)
def test_exchange_takes_place_exactly_where_the_fault_says(provider: Provider, ready: Ready, fault: Fault) -> None:
    app, token, verifier = ready()
    provider.fault(app.consumer.key, "access_token", fault, seconds=0.05)
    with suppress(requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        app.exchange(token, verifier)
    again = app.exchange(token, verifier)
    if fault.exchanged:
        assert (again.status_code, again.text) == (401, "Reverse auth credentials are invalid")
    else:
        assert (again.status_code, fields_of(again)["screen_name"]) == (200, "ada")
    first, second = provider.calls(app.consumer.key, "access_token")
    assert (first.fault, second.fault) == (fault, None)
    assert (first.status is None) == fault.hangs_up


def test_faults_come_in_turn_for_their_times_on_their_leg_and_app(provider: Provider) -> None:
    app, other = AppClient(provider), AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.OVER_CAPACITY, times=2)
    provider.fault(app.consumer.key, "request_token", Fault.RATE_LIMITED)
    provider.fault(app.consumer.key, "access_token", Fault.SERVER_ERROR)
    assert other.ask_request_token().status_code == 200
    assert [app.ask_request_token().status_code for _ in range(4)] == [503, 503, 429, 200]


def test_fault_can_strike_the_users_page(provider: Provider) -> None:
    app = AppClient(provider)
    token = app.request_token()
    provider.fault(app.consumer.key, "authorize", Fault.OVER_CAPACITY)
    assert requests.get(app.page(token), timeout=5).status_code == 503
    assert requests.get(app.page(token), timeout=5).status_code == 200


def test_timeout_answers_nothing_within_its_seconds(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.TIMEOUT, seconds=0.3)
    begun = time.monotonic()
    with pytest.raises(requests.ConnectionError, match="without response"):
        app.ask_request_token()
    assert 0.3 <= time.monotonic() - begun < 2
    assert [call.status for call in provider.calls(app.consumer.key)] == [None]


def test_reset_is_a_reset_on_the_socket(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.RESET)
    with pytest.raises(requests.ConnectionError, match="ConnectionResetError"):
        app.ask_request_token()


def test_reset_after_the_exchange_loses_the_answer(provider: Provider, ready: Ready) -> None:
    app, token, verifier = ready()
    provider.fault(app.consumer.key, "access_token", Fault.RESET_AFTER)
    with pytest.raises(requests.ConnectionError, match="ConnectionResetError"):
        app.exchange(token, verifier)


def test_garbage_is_not_http(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.GARBAGE)
    with pytest.raises(requests.ConnectionError, match="BadStatusLine"):
        app.ask_request_token()


def test_truncated_answer_promises_more_than_it_sends(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.TRUNCATED)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        app.ask_request_token()


def test_redirect_leads_to_another_host_name(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.REDIRECT)
    moved = app.ask_request_token()
    assert moved.status_code == 302
    assert moved.headers["Location"] == provider.url.replace("localhost", "127.0.0.1") + "/oauth/request_token"


def test_html_and_binary_come_with_200(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.HTML)
    provider.fault(app.consumer.key, "request_token", Fault.BINARY)
    assert app.ask_request_token().text.startswith("<!doctype html>")
    binary = app.ask_request_token()
    assert binary.status_code == 200
    with pytest.raises(UnicodeDecodeError):
        binary.content.decode()


def test_huge_answer_has_50_mb_and_no_length(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.HUGE)
    answer = app.ask_request_token()
    assert "Content-Length" not in answer.headers
    assert HUGE * 0.99 < len(answer.content) <= HUGE


def test_gzip_bomb_is_small_on_the_wire(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.GZIP_BOMB)
    auth = app.auth(callback_uri="oob")
    with requests.post(provider.url + "/oauth/request_token", auth=auth, timeout=5, stream=True) as answer:
        packed = answer.raw.read(decode_content=False)
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) > HUGE


def test_unconfirmed_and_empty_secret_change_only_their_field(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", Fault.UNCONFIRMED)
    provider.fault(app.consumer.key, "request_token", Fault.EMPTY_SECRET)
    unconfirmed, empty = fields_of(app.ask_request_token()), fields_of(app.ask_request_token())
    assert unconfirmed["oauth_callback_confirmed"] == "false"
    assert unconfirmed["oauth_token_secret"] in provider.issued(app.consumer.key)
    assert (empty["oauth_token_secret"], empty["oauth_callback_confirmed"]) == ("", "true")


def request_line(provider: Provider, app: AppClient, access: Token) -> socket.socket:
    """Send a signed call over a bare socket, and return the socket."""
    signer = Client(app.consumer.key, app.consumer.secret, access.key, access.secret)
    _, headers, _ = signer.sign(provider.url + VERIFY)
    port = int(provider.url.rpartition(":")[2])
    line = socket.create_connection(("localhost", port), timeout=5)
    line.sendall(f"GET {VERIFY} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: {headers['Authorization']}\r\n\r\n".encode())
    return line


def test_drip_sends_a_byte_at_a_time_headers_too_and_ends(provider: Provider) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "verify_credentials", Fault.DRIP, seconds=0.5)
    begun = time.monotonic()
    with request_line(provider, app, app.connect()) as line:
        pieces = list(iter(lambda: line.recv(4096), b""))
    assert time.monotonic() - begun < 2
    assert len(pieces) > 5
    assert {len(piece) for piece in pieces} == {1}
    assert b"HTTP/1.1 200 OK".startswith(b"".join(pieces)[:15])


@pytest.mark.parametrize("fault", [None, Fault.TIMEOUT, Fault.TIMEOUT_AFTER, Fault.DRIP, Fault.HUGE])
def test_provider_stops_at_once_whatever_is_under_way(fault: Fault | None) -> None:
    before = set(threading.enumerate())
    with Provider() as provider:
        app = AppClient(provider)
        access = app.connect()
        idle = set(threading.enumerate())
        if fault is None:  # a browser connects ahead of need and says nothing
            line = socket.create_connection(("localhost", int(provider.url.rpartition(":")[2])), timeout=5)
        else:
            provider.fault(app.consumer.key, "verify_credentials", fault, seconds=60)
            line = request_line(provider, app, access)
        while set(threading.enumerate()) <= idle:
            pass  # until a handler has taken the call
        begun = time.monotonic()
    assert time.monotonic() - begun < 1
    assert set(threading.enumerate()) <= before
    line.close()
