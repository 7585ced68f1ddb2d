"""What the reader refuses: secrets that are missing or malformed, and hosts that are not the provider's."""

import json
import logging
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
import requests

import tripod
from sandbox.provider import ProviderFault
from tests.support.reading import WHO, revoke, session, who
from tests.support.sandbox_app import SandboxApp
from tripod import ConsumerNotFound, HostNotAllowed, MalformedSecret, TokenNotFound, TokenRevoked, TripodUnavailable, process


def test_what_is_missing_or_not_ours_is_told_by_the_secrets_name_alone(granted: SandboxApp) -> None:
    client = granted.sandbox.client("secretsmanager")
    with pytest.raises(TokenNotFound, match=f"{granted.sandbox.prefix}/user/{granted.name}/nobody"):
        tripod.user_session(granted.name, user_id="nobody")
    foreign = granted.secret_name + "0"
    stored = granted.stored()
    client.create_secret(Name=foreign, SecretString=json.dumps(stored))
    with pytest.raises(MalformedSecret, match=foreign) as caught:
        tripod.user_session(granted.name, user_id=granted.user.user_id + "0")
    issued = granted.sandbox.provider_server.issued(granted.consumer.key)
    assert not [secret for secret in issued if secret in repr(caught.value) + str(caught.value)]
    client.put_secret_value(SecretId=granted.consumer_secret_name, SecretString="s3cret")
    process.forget()
    with pytest.raises(MalformedSecret, match=granted.consumer_secret_name) as caught:
        session(granted)
    assert "s3cret" not in repr(caught.value)
    client.delete_secret(SecretId=granted.consumer_secret_name, ForceDeleteWithoutRecovery=True)
    with pytest.raises(ConsumerNotFound, match=granted.consumer_secret_name):
        tripod.user_tokens(granted.name, user_id=granted.user.user_id)


READERS: dict[str, Callable[[str, Any], object]] = {
    "user_session": lambda provider, user_id: tripod.user_session(provider, user_id=user_id),
    "user_tokens": lambda provider, user_id: tripod.user_tokens(provider, user_id=user_id),
    "app_session": lambda provider, _: tripod.app_session(provider),
    "invalidate_app_token": lambda provider, user_id: tripod.invalidate_app_token(provider, owner_id=user_id),
}
FUNCTIONS: dict[str, Callable[[str, Any], object]] = {
    "users": lambda provider, _: list(tripod.users(provider)),
    "disconnect": lambda provider, user_id: tripod.disconnect(provider, user_id=user_id),
}
EVERY = READERS | FUNCTIONS


@pytest.mark.parametrize("provider", ["nobodys", "No Provider", ""])
@pytest.mark.parametrize("call", EVERY.values(), ids=EVERY)
def test_a_provider_that_is_not_there_is_told_as_such(
    granted: SandboxApp, call: Callable[[str, Any], object], provider: str
) -> None:
    prefix = granted.sandbox.prefix
    with pytest.raises(ConsumerNotFound, match=f"no secret {prefix}/consumer/{provider}: .*TRIPOD_PREFIX.* {prefix}") as caught:
        call(provider, granted.user.user_id)
    assert caught.value.secret == f"{prefix}/consumer/{provider}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("call", READERS.values(), ids=READERS)
def test_under_another_prefix_it_is_the_app_that_is_not_found(
    granted: SandboxApp, call: Callable[[str, Any], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPOD_PREFIX", "other")
    process.forget()
    with pytest.raises(ConsumerNotFound, match=f"no secret other/consumer/{granted.name}: .*TRIPOD_PREFIX.* other"):
        call(granted.name, granted.user.user_id)


@pytest.mark.parametrize("call", FUNCTIONS.values(), ids=FUNCTIONS)
def test_under_another_prefix_there_is_no_stack(
    granted: SandboxApp, call: Callable[[str, Any], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPOD_PREFIX", "other")
    process.forget()
    with pytest.raises(TripodUnavailable, match=r"there is no .*\bother\b.*TRIPOD_PREFIX") as caught:
        call(granted.name, granted.user.user_id)
    assert caught.value.code == "not_configured"


@pytest.mark.parametrize("recoverable", [True, False])
def test_without_the_apps_secret_nobody_is_listed_or_told_to_sign_in_again(granted: SandboxApp, recoverable: bool) -> None:
    user_id = granted.user.user_id
    assert [one.user_id for one in tripod.users(granted.name)] == [user_id]
    tripod.disconnect(granted.name, user_id=user_id)
    assert list(tripod.users(granted.name)) == []
    how = {} if recoverable else {"ForceDeleteWithoutRecovery": True}
    granted.sandbox.client("secretsmanager").delete_secret(SecretId=granted.consumer_secret_name, **how)
    process.forget()
    for call in EVERY.values():
        if call is not EVERY["disconnect"]:  # the function has its own memory
            with pytest.raises(ConsumerNotFound, match=granted.consumer_secret_name):
                call(granted.name, user_id)


def test_an_integer_is_a_user_id_as_its_digits_are(granted: SandboxApp) -> None:
    user_id = int(granted.user.user_id)
    assert tripod.user_tokens(granted.name, user_id=user_id) == tripod.user_tokens(granted.name, user_id=str(user_id))
    with tripod.user_session(granted.name, user_id=user_id) as user:
        assert who(granted, user).json()["id"] == user_id
        revoke(granted)
        with pytest.raises(TokenRevoked, match=granted.secret_name):
            who(granted, user)
    tripod.disconnect(granted.name, user_id=user_id)
    assert list(tripod.users(granted.name)) == []
    with pytest.raises(TokenRevoked, match=granted.secret_name):
        tripod.user_tokens(granted.name, user_id=user_id)
    with pytest.raises(TokenNotFound, match=f"{granted.sandbox.prefix}/user/{granted.name}/0"):
        tripod.user_tokens(granted.name, user_id=0)


BY_USER = {name: call for name, call in EVERY.items() if name not in ("users", "app_session")}


@pytest.mark.parametrize("user_id", [True, False, None, 2244994945.0, b"2244994945", ["s3cret"]], ids=repr)
@pytest.mark.parametrize("call", BY_USER.values(), ids=BY_USER)
def test_no_user_has_an_id_that_is_neither_text_nor_an_integer(
    granted: SandboxApp, call: Callable[[str, Any], object], user_id: Any
) -> None:
    with pytest.raises(TypeError, match=f"a string or an integer, not {type(user_id).__name__}$"):
        call(granted.name, user_id)
    assert not process.this()._clients


def test_no_secret_is_in_a_repr_an_error_or_a_log(granted: SandboxApp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = tripod.user_tokens(granted.name, user_id=granted.user.user_id)
    with session(granted) as user:
        prepared = user.prepare_request(requests.Request("GET", granted.sandbox.provider + WHO))
        shown = [repr(each) for each in (tokens, user, user.auth, prepared, prepared.hooks, vars(user))]
        who(granted, user)
        revoke(granted)
        with pytest.raises(TokenRevoked) as caught:
            who(granted, user)
    shown += [repr(caught.value), str(caught.value), caplog.text]
    secrets = [granted.consumer.secret, tokens.oauth_token, tokens.oauth_token_secret, tokens.consumer_secret]
    assert not [secret for secret in secrets for text in shown if secret in text]


def test_tokens_are_not_sent_without_tls_nor_to_hosts_that_are_not_the_providers(granted: SandboxApp) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
        calls = len(granted.calls("verify_credentials"))
        process.this().loopback = False  # as in a deployed Lambda
        with pytest.raises(HostNotAllowed, match="only https"):
            who(granted, user)
        process.this().loopback = True
        granted.redefine(api_hosts=["api.example"])
        process.this().secret_reader.consumer(granted.name, fresh=True)
        with pytest.raises(HostNotAllowed, match=r"provider\.api_hosts"):
            user.get(granted.sandbox.provider.replace("localhost", "127.0.0.1") + WHO, timeout=5)
        assert len(granted.calls("verify_credentials")) == calls
        assert who(granted, user).status_code == 200  # the host of its endpoints


def test_a_plaintext_signature_is_for_the_providers_hosts_alone(granted: SandboxApp) -> None:
    granted.redefine(signature_method="PLAINTEXT")
    with session(granted) as user, pytest.raises(HostNotAllowed):
        user.get(granted.sandbox.provider.replace("localhost", "127.0.0.1") + WHO, timeout=5)


@pytest.mark.parametrize("fault", [ProviderFault.NEGATIVE_CHUNK, ProviderFault.SMALLER_CHUNK])
def test_a_chunk_of_a_negative_size_is_not_read_to_the_end(granted: SandboxApp, fault: ProviderFault) -> None:
    with session(granted) as user:
        granted.fault("verify_credentials", fault)
        tracemalloc.start()
        with pytest.raises(requests.RequestException):
            who(granted, user)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000_000
        assert who(granted, user).status_code == 200
