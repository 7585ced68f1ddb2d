"""What the reader refuses: secrets that are missing or malformed, and hosts that are not the provider's."""

import json
import logging
import tracemalloc

import pytest
import requests

import tripod
from sandbox.provider import ProviderFault
from tests.support.reading import WHO, revoke, session, who
from tests.support.sandbox_app import SandboxApp
from tripod import ConsumerNotFound, HostNotAllowed, MalformedSecret, TokenNotFound, TokenRevoked, process


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
    with pytest.raises(MalformedSecret, match=granted.consumer_secret_name) as caught:
        session(granted)
    assert "s3cret" not in repr(caught.value)
    client.delete_secret(SecretId=granted.consumer_secret_name, ForceDeleteWithoutRecovery=True)
    with pytest.raises(ConsumerNotFound, match=granted.consumer_secret_name):
        tripod.user_tokens(granted.name, user_id=granted.user.user_id)


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
