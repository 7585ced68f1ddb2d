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

from sandbox.provider import ProviderFault, ProviderServer
from sandbox.provider.faults import HUGE
from tests.support.app_client import VERIFY, AppClient, Token, fields_of

UNAPPROVED = (
    "Callback URL not approved for this client application. Approved callback URLs can be adjusted in your application settings"
)
ANSWERS = {
    ProviderFault.SERVER_ERROR: (500, '{"errors":[{"message":"Internal error","code":131}]}'),
    ProviderFault.OVER_CAPACITY: (503, '{"errors":[{"message":"Over capacity","code":130}]}'),
    ProviderFault.RATE_LIMITED: (429, '{"errors":[{"message":"Rate limit exceeded","code":88}]}'),
    ProviderFault.NOT_AUTHENTICATED: (401, '{"errors":[{"code":32,"message":"Could not authenticate you."}]}'),
    ProviderFault.CLOCK_OFF: (401, '{"errors":[{"message":"Timestamp out of bounds","code":135}]}'),
    ProviderFault.CALLBACK_NOT_APPROVED: (403, f'{{"errors":[{{"code":415,"message":"{UNAPPROVED}"}}]}}'),
    ProviderFault.CALLBACK_NOT_APPROVED_XML: (
        403,
        f"<?xml version='1.0' encoding='UTF-8'?><errors><error code=\"415\">{UNAPPROVED}</error></errors>",
    ),
    ProviderFault.CALLBACK_NOT_APPROVED_HASH: (
        403,
        f"<hash><error>{UNAPPROVED}</error><request>/oauth/request_token</request></hash>",
    ),
    ProviderFault.NO_CALLBACK: (
        401,
        "<errors><error code=\"417\">Desktop applications only support the oauth_callback value 'oob'</error></errors>",
    ),
    ProviderFault.SUSPENDED: (401, '{"errors":[{"code":416,"message":"Invalid / suspended application"}]}'),
    ProviderFault.REVOKED: (401, '{"errors":[{"code":89,"message":"Invalid or expired token."}]}'),
    ProviderFault.NO_CREDITS: (
        402,
        '{"title":"CreditsDepleted","status":402,"detail":"Your account has no credits left."}',
    ),
    ProviderFault.UNKNOWN_REQUEST_TOKEN: (401, "Reverse auth credentials are invalid"),
    ProviderFault.WRONG_VERIFIER: (401, "Error processing your OAuth request: Invalid oauth_verifier parameter"),
    ProviderFault.EXPIRED_REQUEST_TOKEN: (
        401,
        "<hash><error>Invalid / expired Token</error><request>/oauth/access_token</request></hash>",
    ),
    ProviderFault.ERROR_TEXT: (200, "Error: The authorization headers in your request are not valid"),
    ProviderFault.OAUTH_PROBLEM: (401, "oauth_problem=token_rejected"),
    ProviderFault.EMPTY: (200, ""),
}


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture(scope="module")
def ready(provider: ProviderServer) -> Callable[[], tuple[AppClient, Token, str]]:
    """Make an app whose user has consented: only the exchange is left."""

    def consented() -> tuple[AppClient, Token, str]:
        app = AppClient(provider)
        token = app.request_token()
        return app, token, app.consent(token)

    return consented


Ready = Callable[[], tuple[AppClient, Token, str]]


@pytest.mark.parametrize("fault", ANSWERS)
def test_answer_goes_over_the_wire_as_x_writes_it(provider: ProviderServer, ready: Ready, fault: ProviderFault) -> None:
    app, token, verifier = ready()
    provider.fault(app.consumer.key, "access_token", fault)
    answer = app.exchange(token, verifier)
    assert (answer.status_code, answer.text) == ANSWERS[fault]


def test_no_access_is_453_in_a_403(provider: ProviderServer) -> None:
    app = AppClient(provider)
    access = app.connect()
    provider.fault(app.consumer.key, "verify_credentials", ProviderFault.NO_ACCESS)
    refused = app.verify(access)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, 453)


def test_rate_limit_comes_with_its_headers(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.RATE_LIMITED)
    headers = app.ask_request_token().headers
    assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == ("75", "0")
    assert 890 < int(headers["x-rate-limit-reset"]) - time.time() <= 900


@pytest.mark.parametrize("fault", ProviderFault)
def test_exchange_takes_place_exactly_where_the_fault_says(provider: ProviderServer, ready: Ready, fault: ProviderFault) -> None:
    app, token, verifier = ready()
    provider.fault(app.consumer.key, "access_token", fault, seconds=0.05)
    odd = (
        requests.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        ValueError,
    )  # the last is urllib3's, of a chunk below 0
    with suppress(*odd):
        app.exchange(token, verifier)
    again = app.exchange(token, verifier)
    if fault.work_done:
        assert (again.status_code, again.text) == (401, "Reverse auth credentials are invalid")
    else:
        assert (again.status_code, fields_of(again)["screen_name"]) == (200, "ada")
    first, second = provider.calls(app.consumer.key, "access_token")
    assert (first.fault, second.fault) == (fault, None)
    assert (first.status is None) == fault.hangs_up


def test_faults_come_in_turn_for_their_times_on_their_leg_and_app(provider: ProviderServer) -> None:
    app, other = AppClient(provider), AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.OVER_CAPACITY, times=2)
    provider.fault(app.consumer.key, "request_token", ProviderFault.RATE_LIMITED)
    provider.fault(app.consumer.key, "access_token", ProviderFault.SERVER_ERROR)
    assert other.ask_request_token().status_code == 200
    assert [app.ask_request_token().status_code for _ in range(4)] == [503, 503, 429, 200]


def test_fault_can_strike_the_users_page(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token()
    provider.fault(app.consumer.key, "authorize", ProviderFault.OVER_CAPACITY)
    assert requests.get(app.page(token), timeout=5).status_code == 503
    assert requests.get(app.page(token), timeout=5).status_code == 200


def test_timeout_answers_nothing_within_its_seconds(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.TIMEOUT, seconds=0.3)
    begun = time.monotonic()
    with pytest.raises(requests.ConnectionError, match="without response"):
        app.ask_request_token()
    assert 0.3 <= time.monotonic() - begun < 2
    assert [call.status for call in provider.calls(app.consumer.key)] == [None]


def test_reset_is_a_reset_on_the_socket(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.RESET)
    with pytest.raises(requests.ConnectionError, match="ConnectionResetError"):
        app.ask_request_token()


def test_reset_after_the_exchange_loses_the_answer(provider: ProviderServer, ready: Ready) -> None:
    app, token, verifier = ready()
    provider.fault(app.consumer.key, "access_token", ProviderFault.RESET_AFTER)
    with pytest.raises(requests.ConnectionError, match="ConnectionResetError"):
        app.exchange(token, verifier)


def test_garbage_is_not_http(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.GARBAGE)
    with pytest.raises(requests.ConnectionError, match="BadStatusLine"):
        app.ask_request_token()


def test_truncated_answer_promises_more_than_it_sends(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.TRUNCATED)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        app.ask_request_token()


def test_redirect_leads_to_another_host_name(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.REDIRECT)
    moved = app.ask_request_token()
    assert moved.status_code == 302
    assert moved.headers["Location"] == provider.url.replace("localhost", "127.0.0.1") + "/oauth/request_token"


def test_html_and_binary_come_with_200(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.HTML)
    provider.fault(app.consumer.key, "request_token", ProviderFault.BINARY)
    assert app.ask_request_token().text.startswith("<!doctype html>")
    binary = app.ask_request_token()
    assert binary.status_code == 200
    with pytest.raises(UnicodeDecodeError):
        binary.content.decode()


def test_huge_answer_has_50_mb_and_no_length(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.HUGE)
    answer = app.ask_request_token()
    assert "Content-Length" not in answer.headers
    assert HUGE * 0.99 < len(answer.content) <= HUGE


def test_gzip_bomb_is_small_on_the_wire(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.GZIP_BOMB)
    auth = app.auth(callback_uri="oob")
    with requests.post(provider.url + "/oauth/request_token", auth=auth, timeout=5, stream=True) as answer:
        packed = answer.raw.read(decode_content=False)
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) > HUGE


def test_unconfirmed_and_empty_secret_change_only_their_field(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "request_token", ProviderFault.UNCONFIRMED)
    provider.fault(app.consumer.key, "request_token", ProviderFault.EMPTY_SECRET)
    unconfirmed, empty = fields_of(app.ask_request_token()), fields_of(app.ask_request_token())
    assert unconfirmed["oauth_callback_confirmed"] == "false"
    assert unconfirmed["oauth_token_secret"] in provider.issued(app.consumer.key)
    assert (empty["oauth_token_secret"], empty["oauth_callback_confirmed"]) == ("", "true")


def request_line(provider: ProviderServer, app: AppClient, access: Token) -> socket.socket:
    """Send a signed call over a bare socket, and return the socket."""
    signer = Client(app.consumer.key, app.consumer.secret, access.key, access.secret)
    _, headers, _ = signer.sign(provider.url + VERIFY)
    port = int(provider.url.rpartition(":")[2])
    line = socket.create_connection(("localhost", port), timeout=5)
    line.sendall(f"GET {VERIFY} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: {headers['Authorization']}\r\n\r\n".encode())
    return line


def test_drip_sends_a_byte_at_a_time_headers_too_and_ends(provider: ProviderServer) -> None:
    app = AppClient(provider)
    provider.fault(app.consumer.key, "verify_credentials", ProviderFault.DRIP, seconds=0.5)
    begun = time.monotonic()
    with request_line(provider, app, app.connect()) as line:
        pieces = list(iter(lambda: line.recv(4096), b""))
    assert time.monotonic() - begun < 2
    assert len(pieces) > 5
    assert {len(piece) for piece in pieces} == {1}
    assert b"HTTP/1.1 200 OK".startswith(b"".join(pieces)[:15])


@pytest.mark.parametrize(
    "fault", [None, ProviderFault.TIMEOUT, ProviderFault.TIMEOUT_AFTER, ProviderFault.DRIP, ProviderFault.HUGE]
)
def test_provider_stops_at_once_whatever_is_under_way(fault: ProviderFault | None) -> None:
    before = set(threading.enumerate())
    with ProviderServer() as provider:
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
