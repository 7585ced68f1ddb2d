"""App-only calls: the app's bearer token, from the sandbox's provider."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import requests
from urllib3 import HTTPResponse

import tripod
from sandbox.provider import ProviderFault
from sandbox.provider.records import Leg
from sandbox.world import Sandbox
from tests.support.leaks import leaks
from tests.support.reading import grant, reading, reads
from tests.support.sandbox_app import SandboxApp, make_app
from tests.support.waiting import eventually
from tripod import ConsumerNotFound, HostNotAllowed, MalformedSecret, TokenNotFound, TripodUnavailable, process

LIMITS = "/1.1/application/rate_limit_status.json"
BEARER: Leg = "bearer_token"


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[SandboxApp]:
    """An app of the test's own, whose secrets this process reads."""
    with reading(sandbox):
        yield make_app(sandbox)


def keep(app: SandboxApp, **secret: Any) -> None:
    described = app.sandbox.provider_server.endpoints(app.consumer.key)
    content = {"consumer_key": app.consumer.key, "consumer_secret": app.consumer.secret, "provider": described}
    text = json.dumps(content | secret)
    app.sandbox.client("secretsmanager").put_secret_value(SecretId=app.consumer_secret_name, SecretString=text)


def limits(app: SandboxApp) -> tuple[int, int]:
    """Make an app-only call; return its status and how many it took."""
    with tripod.app_session(app.name) as session:
        answer = session.get(app.sandbox.provider + LIMITS, timeout=5)
    return answer.status_code, 1 + len(answer.history)


def test_the_token_is_got_once_and_kept(app: SandboxApp) -> None:
    assert [limits(app) for _ in range(3)] == [(200, 1)] * 3
    assert [call.status for call in app.calls(BEARER)] == [200]
    assert app.calls(BEARER)[0].user_agent.startswith("Tripod/")


def test_threads_get_one_token_between_them(app: SandboxApp) -> None:
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(limits(app)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert len(app.calls(BEARER)) == 1


def test_a_401_drops_the_token_and_another_is_got_once(app: SandboxApp) -> None:
    assert limits(app) == (200, 1)
    app.sandbox.provider_server._state.revoke_bearer(app.consumer.key)
    assert limits(app) == (200, 2)
    assert len(app.calls(BEARER)) == 2
    app.fault("rate_limit_status", ProviderFault.REVOKED, times=2)
    assert limits(app) == (401, 2)
    assert len(app.calls(BEARER)) == 3
    assert limits(app) == (200, 1)
    assert len(app.calls(BEARER)) == 4


def test_the_app_owner_can_end_the_token(app: SandboxApp) -> None:
    grant(app)
    assert limits(app) == (200, 1)
    tripod.invalidate_app_token(app.name, owner_id=app.user.user_id)
    assert [call.status for call in app.calls("invalidate_bearer_token")] == [200]
    assert limits(app) == (200, 1)
    assert len(app.calls(BEARER)) == 2
    app.fault("invalidate_bearer_token", ProviderFault.OVER_CAPACITY)
    with pytest.raises(TripodUnavailable) as caught:
        tripod.invalidate_app_token(app.name, owner_id=app.user.user_id)
    assert caught.value.code == "provider_unavailable"
    with pytest.raises(TokenNotFound):
        tripod.invalidate_app_token(app.name, owner_id="nobody")


def test_a_rotated_secret_is_read_afresh_once(app: SandboxApp) -> None:
    assert limits(app) == (200, 1)
    app.consumer = app.sandbox.provider_server.rotate(app.consumer.key)
    app.sandbox.provider_server._state.revoke_bearer(app.sandbox.provider_server._state.app(app.consumer.key))
    keep(app)
    before = reads(app, app.consumer_secret_name)
    assert limits(app) == (200, 2)
    assert [call.status for call in app.calls(BEARER)] == [200, 403, 200]
    assert reads(app, app.consumer_secret_name) == before + 1


def test_an_app_that_the_provider_refuses_is_told_which_secret_to_check(app: SandboxApp) -> None:
    keep(app, consumer_secret="s3cret")
    with pytest.raises(TripodUnavailable, match=app.consumer_secret_name) as caught:
        limits(app)
    assert caught.value.code == "provider_rejected"
    assert "s3cret" not in repr(caught.value)
    assert len(app.calls(BEARER)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        ProviderFault.SERVER_ERROR, ProviderFault.OVER_CAPACITY, ProviderFault.RATE_LIMITED, ProviderFault.RESET, ProviderFault.GARBAGE,
        ProviderFault.EMPTY, ProviderFault.HTML, ProviderFault.BINARY, ProviderFault.HUGE, ProviderFault.GZIP_BOMB, ProviderFault.TRUNCATED,
    ],
)  # fmt: skip
def test_a_provider_that_fails_leaves_no_token_and_the_next_request_tries_again(app: SandboxApp, fault: ProviderFault) -> None:
    app.fault(BEARER, fault)
    with pytest.raises(TripodUnavailable) as caught:
        limits(app)
    assert caught.value.code == "provider_unavailable"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert limits(app) == (200, 1)


def test_an_answer_that_drips_ends_in_time_and_another_provider_is_not_kept_waiting(
    app: SandboxApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tripod.bearer.CALL", 1.0)  # seconds
    other = make_app(app.sandbox)
    app.fault(BEARER, ProviderFault.DRIP, seconds=20.0)
    raised: list[TripodUnavailable] = []

    def ask() -> None:
        try:
            limits(app)
        except TripodUnavailable as error:
            raised.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert eventually(lambda: len(app.calls(BEARER)) == 1)
    assert limits(other) == (200, 1)
    assert asking.is_alive()
    asking.join(5)
    assert [error.code for error in raised] == ["provider_unavailable"]
    assert limits(app) == (200, 1)


def test_the_apps_secret_follows_no_redirect(app: SandboxApp) -> None:
    app.fault(BEARER, ProviderFault.REDIRECT)
    with pytest.raises(TripodUnavailable, match="302") as caught:
        limits(app)
    assert caught.value.code == "provider_rejected"
    assert len(app.calls(BEARER)) == 1


@pytest.mark.parametrize("url", [None, "http://api.example/oauth2/token", "ftp://localhost/", "https://", "https://[", 7])
def test_a_provider_without_a_safe_endpoint_has_no_app_session(app: SandboxApp, url: object) -> None:
    keep(app, provider={"bearer_token_url": url} if url else {"access_token_url": "https://api.example/"})
    with pytest.raises(MalformedSecret, match=r"provider\.bearer_token_url"):
        tripod.app_session(app.name)


@pytest.mark.usefixtures("app")
def test_an_unknown_provider_has_no_app_session(unique: str) -> None:
    with pytest.raises(ConsumerNotFound, match=unique):
        tripod.app_session(unique)


def test_no_token_is_in_a_repr_or_a_log(app: SandboxApp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    grant(app)
    assert limits(app) == (200, 1)
    session = tripod.app_session(app.name)
    shown = [repr(session), repr(session.auth), repr(vars(session))]
    tripod.invalidate_app_token(app.name, owner_id=app.user.user_id)
    shown.append(caplog.text)
    issued = app.sandbox.provider_server.issued(app.consumer.key)
    assert issued
    assert not [secret for secret in issued for text in shown if secret in text]


def test_a_malformed_answer_prints_neither_token_nor_bearer_nor_their_urls(app: SandboxApp) -> None:
    logged = StringIO()
    handler = logging.StreamHandler(logged)
    logging.getLogger().addHandler(handler)
    try:
        grant(app)
        app.fault(BEARER, ProviderFault.RUN_TOGETHER)
        with suppress(TripodUnavailable):
            limits(app)
        limits(app)
        app.fault("invalidate_bearer_token", ProviderFault.RUN_TOGETHER)
        with suppress(TripodUnavailable):
            tripod.invalidate_app_token(app.name, owner_id=app.user.user_id)
    finally:
        logging.getLogger().removeHandler(handler)
    assert "withheld" in logged.getvalue()

    assert not leaks(logged.getvalue(), set(app.sandbox.provider_server.issued(app.consumer.key)))


def test_the_bearer_is_sent_to_the_providers_hosts_alone(app: SandboxApp) -> None:
    assert limits(app) == (200, 1)
    with tripod.app_session(app.name) as session, pytest.raises(HostNotAllowed):
        session.get(app.sandbox.provider.replace("localhost", "127.0.0.1") + LIMITS, timeout=5)
    assert len(app.calls("rate_limit_status")) == 1


@pytest.mark.parametrize("wait", ["9" * 5000, "-1", "soon", "\u0663"])
def test_a_retry_after_that_is_no_number_of_seconds_is_left_out(app: SandboxApp, wait: str) -> None:
    response = requests.Response()
    response.status_code, response.raw = 503, HTTPResponse(BytesIO(), preload_content=False)
    response.headers["Retry-After"] = wait
    with patch.object(requests.Session, "post", lambda *_, **__: response), pytest.raises(TripodUnavailable) as caught:
        limits(app)
    assert caught.value.retry_after is None


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Other: b", "t\u00f6ken", "\u20ac"])
def test_a_token_that_no_header_can_carry_is_none(app: SandboxApp, token: str) -> None:
    response = requests.Response()
    body = json.dumps({"token_type": "bearer", "access_token": token}).encode()
    response.status_code, response.raw = 200, HTTPResponse(BytesIO(body), preload_content=False)
    with patch.object(requests.Session, "post", lambda *_, **__: response), pytest.raises(TripodUnavailable) as caught:
        limits(app)
    assert caught.value.code == "provider_unavailable"


def test_the_apps_secret_goes_through_no_proxy_and_is_replaced_by_no_netrc(
    app: SandboxApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    process.this().secret_reader.consumer(app.name)  # from AWS, which boto3 asks by way of a proxy
    (tmp_path / "netrc").write_text("machine localhost login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert limits(app) == (200, 1)
