"""The provider client against the sandbox's provider: how long they take at most, and what they repeat."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.provider import ProviderFault, ProviderServer
from sandbox.provider import RegisteredApp as App
from tests.support.waiting import eventually
from tripod.credentials import AccessToken, Consumer
from tripod.provider_errors import Cause
from tripod.signing import Signer
from tripod_flow.edges import aws
from tripod_flow.edges.deadline import COMMIT, RESERVE, Deadline
from tripod_flow.edges.provider_answer import Refused, Unavailable
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.transport import NotSent, Response, ResponseLost, ResponseTooLarge, Timeouts, send
from tripod_flow.rules import provider
from tripod_flow.rules.authorization import Identity

CALLBACK = "https://api.example/oauth/x/callback"


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture
def registered(server: ProviderServer) -> App:
    return server.register()


def definition(server: ProviderServer, **changes: str) -> provider.ProviderDefinition:
    return provider.of("p", Consumer("k", "s", provider={**server.endpoints(), **changes}), loopback=True)


def test_all_tries_together_end_within_the_requests_time(server: ProviderServer, registered: App) -> None:
    server.fault(registered.key, "request_token", ProviderFault.TIMEOUT, times=9, seconds=5)
    client = ProviderClient(Timeouts(connect=1, read=5, call=0.6, request=0.9)).for_request()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        client.request_token(definition(server), Consumer(registered.key, registered.secret), CALLBACK, access_type=None)
    with pytest.raises(Unavailable, match="no time is left"):
        client.request_token(definition(server), Consumer(registered.key, registered.secret), CALLBACK, access_type=None)
    assert time.monotonic() - began < 2.5
    eventually(lambda: len(server.calls(registered.key)) == 2, 5)  # the second is noted when it has arrived


def test_a_slow_provider_leaves_the_invocation_time_for_the_commit(server: ProviderServer, registered: App) -> None:
    server.fault(registered.key, "access_token", ProviderFault.TIMEOUT, seconds=20)
    deadline = Deadline()
    deadline.set((RESERVE + COMMIT + 0.5) * 1000)
    client = ProviderClient(Timeouts(), deadline=deadline).for_request()
    with pytest.raises(ResponseLost):
        client.access_token(definition(server), Consumer(registered.key, registered.secret), "t", "s", "v")
    assert deadline.left() > COMMIT / 2  # twice the time that one attempt may take
    assert COMMIT / 2 >= aws.ATTEMPT


def test_a_provider_that_cant_be_reached_has_seen_nothing(server: ProviderServer, registered: App) -> None:
    nowhere = definition(server, access_token_url="http://127.0.0.1:9/")
    with pytest.raises(Unavailable):
        ProviderClient(Timeouts()).access_token(nowhere, Consumer(registered.key, registered.secret), "t", "s", "v")
    with pytest.raises(NotSent):
        send("GET", "http://127.0.0.1:9/", Signer().sign_as(Consumer("k", "s")), Timeouts())


def test_a_dripping_provider_is_cut_off(server: ProviderServer, registered: App) -> None:
    server.fault(registered.key, "access_token", ProviderFault.DRIP, seconds=20)
    began = time.monotonic()
    with pytest.raises((ResponseLost, Refused)):
        ProviderClient(Timeouts(call=0.5)).access_token(
            definition(server), Consumer(registered.key, registered.secret), "t", "s", "v"
        )
    assert time.monotonic() - began < 3


def test_a_defect_of_ours_is_raised_as_it_is_and_not_taken_for_the_providers(server: ProviderServer) -> None:
    with pytest.raises(AttributeError):
        send("GET", definition(server).access_token_url, None, Timeouts())  # type: ignore[arg-type]  # the defect


def test_what_is_cut_off_leaves_no_thread_behind(server: ProviderServer, registered: App) -> None:
    server.fault(registered.key, "access_token", ProviderFault.TIMEOUT, seconds=20)
    before = set(threading.enumerate())
    auth = Signer().sign_as(Consumer(registered.key, registered.secret))
    with pytest.raises(ResponseLost):
        send("POST", definition(server).access_token_url, auth, Timeouts(read=30, call=0.3))
    ended_by = time.monotonic() + 5
    while any(thread.name.endswith("(run)") for thread in set(threading.enumerate()) - before):
        assert time.monotonic() < ended_by
        time.sleep(0.01)  # until the condition holds


def test_what_was_given_up_during_a_name_look_up_is_never_sent(
    server: ProviderServer, registered: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, found, threads = socket.getaddrinfo, threading.Event(), []

    def slow(*arguments: Any, **named: Any) -> Any:
        threads.append(threading.current_thread())
        assert found.wait(10)
        return look_up(*arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    auth = Signer().sign_as(Consumer(registered.key, registered.secret))
    with pytest.raises(NotSent):
        send("POST", definition(server).access_token_url, auth, Timeouts(call=0.2))
    found.set()
    threads[0].join(5)
    assert not threads[0].is_alive()
    assert not server.calls(registered.key)


def test_an_untrusted_certificate_is_not_talked_to(server: ProviderServer, registered: App) -> None:
    plain = server.url.replace("http://", "https://")  # speaks no TLS at all
    with pytest.raises(Unavailable):
        ProviderClient(Timeouts()).access_token(
            provider.ProviderDefinition(plain, plain, plain), Consumer(registered.key, registered.secret), "t", "s", "v"
        )
    assert not server.calls(registered.key)


@pytest.mark.parametrize(
    ("fields", "identity"),
    [
        ({"user_id": "1", "screen_name": "ada"}, Identity("1", "ada")),
        ({"user_id": "é" * 200}, None),
        ({"user_id": ""}, None),
        ({"user_id": "1", "screen_name": "a" * 300}, Identity("1", None)),
        ({"user_id": "1", "screen_name": "a\0"}, Identity("1", None)),
        ({"user_id": "1", "screen_name": ""}, Identity("1", None)),
        ({"user_id": "u" * 441}, Identity("u" * 441, None)),
        ({"user_id": "u" * 442}, None),
    ],
)
def test_a_user_id_or_name_that_cant_be_kept_is_left_out(
    fields: dict[str, str], identity: Identity | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = urlencode({"oauth_token": "t", "oauth_token_secret": "s", **fields}).encode()
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", lambda *_, **__: Response(200, {}, body))
    response = ProviderClient(Timeouts()).access_token(provider.X, Consumer("k", "s"), "t", "s", "v")
    assert response.identity == identity
    assert response.token == AccessToken(oauth_token="t", oauth_token_secret="s", consumer_key="k")


@pytest.mark.parametrize("ids", ["&user_id=1&user_id=2", "&user_id=Ren%E9"])
def test_a_token_answer_that_names_nobody_for_sure_is_nobodys(ids: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"oauth_token=t&oauth_token_secret=s{ids}".encode()
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", lambda *_, **__: Response(200, {}, body))
    with pytest.raises(ResponseLost):
        ProviderClient(Timeouts()).access_token(provider.X, Consumer("k", "s"), "t", "s", "v")


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("9" * 12, 900),
        ("9" * 15, 900),
        ("9" * 16, 5),
        ("soon", 5),
        ("", 5),
        ("Thu, 01 Jan 1970 00:16:50 GMT", 10),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 900),
        ("Thu, 99 Jan 1970", 5),
    ],
)
def test_when_to_come_back_is_within_a_quarter_of_an_hour(after: str, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Response(429, {"retry-after": after}, b"")
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", lambda *_, **__: answer)
    with pytest.raises(Unavailable) as caught:
        ProviderClient(Timeouts(), clock=lambda: 1000.0).request_token(provider.X, Consumer("k", "s"), CALLBACK, access_type=None)
    assert caught.value.retry_after == seconds


PAGE = b"\n<!DOCTYPE html><title>Just a moment...</title>"


def test_a_challenge_page_is_no_refusal_of_the_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", lambda *_, **__: Response(403, {}, PAGE))
    client, consumer = ProviderClient(Timeouts()), Consumer("k", "s")
    token = AccessToken(oauth_token="t", oauth_token_secret="s", consumer_key="k")
    with pytest.raises(Unavailable):
        client.request_token(provider.X, consumer, CALLBACK, access_type=None)
    with pytest.raises(Unavailable):
        client.access_token(provider.X, consumer, "t", "s", "v")
    with pytest.raises(Unavailable):
        client.identity(provider.X, consumer, token)
    with pytest.raises(Refused):  # nor a reason to keep a user connected
        client.invalidate(provider.X, consumer, token)


@pytest.mark.parametrize(("status", "body"), [(405, PAGE), (406, PAGE), (403, b"error code: 1020"), (408, b""), (425, b"early")])
def test_what_passes_is_no_refusal_either(status: int, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", lambda *_, **__: Response(status, {}, body))
    with pytest.raises(Unavailable):
        ProviderClient(Timeouts()).request_token(provider.X, Consumer("k", "s"), CALLBACK, access_type=None)


UNREAD = b'{"result": "nothing for them", "oauth_token": "tokn"}'


def test_an_answer_of_success_that_holds_nothing_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", lambda *_, **__: Response(200, {}, UNREAD))
    client, consumer = ProviderClient(Timeouts()), Consumer("k", "s")
    token = AccessToken(oauth_token="tokn", oauth_token_secret="s", consumer_key="k")
    with pytest.raises(Refused) as begun:
        client.request_token(provider.X, consumer, CALLBACK, access_type=None)
    with pytest.raises(ResponseLost):
        client.access_token(provider.X, consumer, "tokn", "s", "v")
    with pytest.raises(Refused) as asked:
        client.identity(provider.X, consumer, token)
    assert begun.value.refusal.cause is asked.value.refusal.cause is Cause.UNREADABLE
    told = [vars(record) for record in caplog.records if record.getMessage() == "the provider answered"]
    assert [one["answer"] for one in told] == ["200 unreadable"] * 3
    assert all("nothing for them" in one["beginning"] for one in told)
    assert "tokn" not in told[1]["beginning"] + told[2]["beginning"]


def test_a_refusal_with_a_status_of_success_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"error": "mwoauth-invalid-authorization", "message": "Invalid signature"}'
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", lambda *_, **__: Response(200, {}, body))
    client, consumer = ProviderClient(Timeouts()), Consumer("k", "s")
    with pytest.raises(Refused) as begun:
        client.request_token(provider.X, consumer, CALLBACK, access_type=None)
    with pytest.raises(Refused) as back:
        client.access_token(provider.X, consumer, "t", "s", "v")
    assert begun.value.refusal.cause is back.value.refusal.cause is Cause.BAD_CREDENTIALS


def test_an_unexplained_401_is_about_the_app_where_there_is_no_user_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", lambda *_, **__: Response(401, {}, b"no"))
    client, consumer = ProviderClient(Timeouts()), Consumer("k", "s")
    with pytest.raises(Refused) as begun:
        client.request_token(provider.X, consumer, CALLBACK, access_type=None)
    with pytest.raises(Refused) as back:
        client.access_token(provider.X, consumer, "t", "s", "v")
    assert (begun.value.refusal.cause, back.value.refusal.cause) == (Cause.BAD_CREDENTIALS, Cause.UNKNOWN)


def test_an_identity_that_is_too_long_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*_: Any, **__: Any) -> Response:
        raise ResponseTooLarge

    monkeypatch.setattr("tripod_flow.edges.provider_client.send", too_large)
    token = AccessToken(oauth_token="t", oauth_token_secret="s", consumer_key="k")
    with pytest.raises(Refused) as caught:
        ProviderClient(Timeouts()).identity(provider.X, Consumer("k", "s"), token)
    assert caught.value.refusal.cause is Cause.UNREADABLE


def test_an_identity_may_be_in_an_array(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"users": [{"id": 7, "names": ["ada", "a"]}]}'
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", lambda *_, **__: Response(200, {}, body))
    token = AccessToken(oauth_token="t", oauth_token_secret="s", consumer_key="k")
    for path, found in (
        ("users.0.id", "7"),
        ("users.0.names.1", "a"),
        ("users.1.id", None),
        ("users.x.id", None),
        ("users.-1.id", None),
    ):
        definition = replace(provider.X, identity_user_id_field=path, screen_name_field="users.0.names.0")
        if found is None:
            with pytest.raises(Refused):
                ProviderClient(Timeouts()).identity(definition, Consumer("k", "s"), token)
        else:
            assert ProviderClient(Timeouts()).identity(definition, Consumer("k", "s"), token) == Identity(found, "ada")


def test_a_refusal_says_why(server: ProviderServer) -> None:
    with pytest.raises(Refused) as caught:
        ProviderClient(Timeouts()).request_token(definition(server), Consumer("unknown", "s"), CALLBACK, access_type=None)
    assert caught.value.refusal.cause is Cause.BAD_CREDENTIALS
