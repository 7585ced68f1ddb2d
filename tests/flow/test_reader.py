"""What another Lambda sees of a user's tokens, from grant to revocation and back."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import requests

import tripod
from sandbox.provider import ProviderFault
from sandbox.repository import TEMPLATE
from tests.support.reading import WHO, consumer_secret, grant, reading, reads, run
from tests.support.sandbox_app import SandboxApp
from tripod import ConsumerNotFound, HostNotAllowed, MalformedSecret, TokenNotFound, TokenRevoked, TripodError, process

POST = "/1.1/statuses/update.json"
PEERS = TEMPLATE.parent / ".peers"


@pytest.fixture
def granted(app: SandboxApp) -> Iterator[SandboxApp]:
    grant(app)
    with reading(app.sandbox):
        yield app


def session(app: SandboxApp) -> requests.Session:
    return tripod.user_session(app.name, user_id=app.user.user_id)


def who(app: SandboxApp, user: requests.Session, **options: Any) -> requests.Response:
    return user.get(app.sandbox.provider + WHO, timeout=5, **options)


def revoke(app: SandboxApp) -> None:
    """Let the user revoke the app in the provider's own settings."""
    app.sandbox.provider_server.revoke(app.consumer.key, app.user)


def delete(app: SandboxApp, **how: Any) -> None:
    app.sandbox.client("secretsmanager").delete_secret(SecretId=app.secret_name, **how)


def keep(app: SandboxApp, **secret: Any) -> None:
    """Change the consumer secret."""
    client = app.sandbox.client("secretsmanager")
    content = json.loads(client.get_secret_value(SecretId=consumer_secret(app))["SecretString"])
    client.put_secret_value(SecretId=consumer_secret(app), SecretString=json.dumps(content | secret))


def test_a_function_with_only_the_reader_layer_signs_requests_that_the_provider_verifies(app: SandboxApp) -> None:
    grant(app)
    code = """
import sys
from tripod import user_session
assert "boto3" not in sys.modules and "botocore" not in sys.modules
provider, user_id, url = sys.argv[1:]
with user_session(provider, user_id=user_id) as user:
    for _ in range(3):
        answer = user.get(url, timeout=5)
        print(answer.status_code, answer.json()["screen_name"])
assert "tripod_flow" not in sys.modules
"""
    before = reads(app), reads(app, consumer_secret(app))
    printed = run(app.sandbox, code, app.name, app.user.user_id, app.sandbox.provider + WHO)
    assert printed.splitlines() == [f"200 {app.user.screen_name}"] * 3
    assert (reads(app), reads(app, consumer_secret(app))) == (before[0] + 1, before[1] + 1)


@pytest.mark.skipif(not (PEERS / ".ready").exists(), reason="run: make peers")
def test_tweepy_signs_with_the_tokens(app: SandboxApp) -> None:
    grant(app)
    code = """
import sys
import requests, tweepy
from tripod import user_tokens

class Session(requests.Session):  # tweepy knows only X's own host
    def prepare_request(self, request):
        request.url = request.url.replace("https://api.twitter.com", sys.argv[3])
        return super().prepare_request(request)

tokens = user_tokens(sys.argv[1], user_id=sys.argv[2])
client = tweepy.Client(
    consumer_key=tokens.consumer_key,
    consumer_secret=tokens.consumer_secret,
    access_token=tokens.oauth_token,
    access_token_secret=tokens.oauth_token_secret,
)
client.session = Session()
client.create_tweet(text="posted by tweepy")
print(client.get_me().data.username)
"""
    arguments = (app.name, app.user.user_id, app.sandbox.provider)
    assert run(app.sandbox, code, *arguments, python=PEERS / "venv" / "bin" / "python") == app.user.screen_name
    assert [post.text for post in app.sandbox.provider_server.posts(app.consumer.key)] == ["posted by tweepy"]


def test_every_request_is_signed_anew_and_secrets_are_read_once(granted: SandboxApp) -> None:
    before = reads(granted)
    for _ in range(2):
        with session(granted) as user:
            assert [who(granted, user).status_code for _ in range(3)] == [200] * 3
            assert user.post(granted.sandbox.provider + POST, data={"status": "hé + & = %"}, timeout=5).status_code == 200
            assert user.post(granted.sandbox.provider + "/2/tweets", json={"text": "hé"}, timeout=5).status_code == 201
    assert reads(granted) == before + 1
    assert [post.text for post in granted.sandbox.provider_server.posts(granted.consumer.key)] == ["hé + & = %", "hé"] * 2


def test_threads_share_a_session_and_one_read(granted: SandboxApp) -> None:
    before = reads(granted)
    statuses: list[int] = []
    ready = threading.Barrier(12)

    def call() -> None:
        ready.wait()
        with session(granted) as user:
            statuses.extend(who(granted, user).status_code for _ in range(3))

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 36
    assert reads(granted) == before + 1


def test_revoked_tokens_are_told_after_exactly_one_fresh_read_and_forgotten(granted: SandboxApp) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
    revoke(granted)
    before, calls = reads(granted), len(granted.calls("verify_credentials"))
    with session(granted) as user, pytest.raises(TokenRevoked, match=granted.secret_name) as caught:
        who(granted, user)
    assert reads(granted) == before + 1
    assert len(granted.calls("verify_credentials")) == calls + 1
    assert isinstance(caught.value, TokenNotFound)
    assert isinstance(caught.value, TripodError)
    tripod.user_tokens(granted.name, user_id=granted.user.user_id)
    assert reads(granted) == before + 2


def test_after_a_new_grant_the_same_session_works_again(granted: SandboxApp) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
        revoke(granted)
        with pytest.raises(TokenRevoked):
            who(granted, user)
        grant(granted)
        assert who(granted, user).status_code == 200


def test_tokens_that_were_granted_anew_meanwhile_are_noticed_in_the_request_that_needs_them(granted: SandboxApp) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
        revoke(granted)
        grant(granted)
        before = reads(granted)
        again = user.post(granted.sandbox.provider + POST, data={"status": "once"}, timeout=5)
    assert again.json()["text"] == "once"
    assert [answer.status_code for answer in again.history] == [401]
    assert reads(granted) == before + 1
    assert [call.status for call in granted.calls("update_status")] == [401, 200]


def test_when_the_user_disconnects_a_warm_process_says_revoked(granted: SandboxApp) -> None:
    with session(granted) as user:
        who(granted, user)
        revoke(granted)
        delete(granted)
        before = reads(granted)
        with pytest.raises(TokenRevoked):
            who(granted, user)
        assert reads(granted) == before + 1
    with pytest.raises(TokenRevoked):  # nothing is remembered: scheduled for deletion
        session(granted)


def test_a_secret_that_is_gone_for_good_says_revoked_where_it_was_known_and_not_found_where_it_was_not(
    granted: SandboxApp,
) -> None:
    with session(granted) as user:
        who(granted, user)
        revoke(granted)
        delete(granted, ForceDeleteWithoutRecovery=True)
        with pytest.raises(TokenRevoked):
            who(granted, user)
    with pytest.raises(TokenNotFound) as caught:
        session(granted)
    assert not isinstance(caught.value, TokenRevoked)


@pytest.mark.parametrize(
    "fault",
    [
        ProviderFault.CLOCK_OFF,
        ProviderFault.SUSPENDED,
        ProviderFault.WRONG_VERIFIER,
        ProviderFault.UNKNOWN_REQUEST_TOKEN,
        ProviderFault.NO_CALLBACK,
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_401_for_another_reason_is_the_callers_to_read(granted: SandboxApp, fault: ProviderFault, stream: bool) -> None:
    with session(granted) as user:
        who(granted, user)
        before = reads(granted), reads(granted, consumer_secret(granted))
        granted.fault("verify_credentials", fault)
        answer = who(granted, user, stream=stream)
        assert answer.status_code == 401
        assert len(answer.content) == int(answer.headers["content-length"])
        assert not answer.history
        assert who(granted, user).status_code == 200
    assert (reads(granted), reads(granted, consumer_secret(granted))) == before


@pytest.mark.parametrize(
    "fault", [ProviderFault.SERVER_ERROR, ProviderFault.RATE_LIMITED, ProviderFault.NO_ACCESS, ProviderFault.NO_CREDITS]
)
def test_other_refusals_are_the_callers_to_read(granted: SandboxApp, fault: ProviderFault) -> None:
    with session(granted) as user:
        granted.fault("verify_credentials", fault)
        answer = who(granted, user, stream=True)
        assert answer.raw.read()
        assert answer.status_code in (402, 403, 429, 500)
        answer.close()


def test_another_providers_word_for_a_rejected_token_means_revoked(granted: SandboxApp) -> None:
    with session(granted) as user:
        granted.fault("verify_credentials", ProviderFault.OAUTH_PROBLEM)
        with pytest.raises(TokenRevoked):
            who(granted, user)


def test_a_rotated_consumer_key_is_read_afresh_once(granted: SandboxApp) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
        consumer = granted.sandbox.provider_server.rotate(granted.consumer.key)
        before, untouched = reads(granted, consumer_secret(granted)), reads(granted)
        refused = who(granted, user)  # our secret holds the old key still
        assert refused.status_code == 401
        assert refused.json()["errors"][0]["code"] == 32
        assert reads(granted, consumer_secret(granted)) == before + 1
        keep(granted, consumer_key=consumer.key, consumer_secret=consumer.secret)
        before = reads(granted, consumer_secret(granted))
        assert who(granted, user).status_code == 200
        assert (reads(granted, consumer_secret(granted)), reads(granted)) == (before + 1, untouched)


def test_a_grant_to_another_app_is_signed_with_that_apps_key(granted: SandboxApp) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
        revoke(granted)
        other = granted.sandbox.provider_server.register()
        tokens = granted.sandbox.provider_server._state
        request_token = tokens.new_request_token(other.key, "oob", "write")
        tokens.consent(request_token, granted.user)
        access = tokens.exchange(request_token)
        keep(granted, consumer_key=other.key, consumer_secret=other.secret)
        stored = granted.stored()
        assert stored
        stored |= {"oauth_token": access.token, "oauth_token_secret": access.secret, "consumer_key": other.key}
        granted.sandbox.client("secretsmanager").put_secret_value(SecretId=granted.secret_name, SecretString=json.dumps(stored))
        assert who(granted, user).status_code == 200
        assert tripod.user_tokens(granted.name, user_id=granted.user.user_id).consumer_key == other.key


def test_a_file_is_sent_again_from_its_beginning(granted: SandboxApp, tmp_path: Path) -> None:
    path = tmp_path / "post.json"
    path.write_text(json.dumps({"text": "from a file\n" * 3}))
    with session(granted) as user, path.open("rb") as file:
        revoke_and_grant(granted, user)
        answer = user.post(
            granted.sandbox.provider + "/2/tweets", data=file, headers={"Content-Type": "application/json"}, timeout=5
        )
    assert answer.status_code == 201
    assert answer.json()["data"]["text"] == "from a file\n" * 3


def test_a_stream_that_can_not_be_sent_again_is_not_and_the_next_request_works(granted: SandboxApp) -> None:
    with session(granted) as user:
        revoke_and_grant(granted, user)
        content = iter([json.dumps({"text": "from a stream"}).encode()])
        headers = {"Content-Type": "application/json"}
        answer = user.post(granted.sandbox.provider + "/2/tweets", data=content, headers=headers, timeout=5)
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["code"] == 89
        assert who(granted, user).status_code == 200
    assert len(granted.calls("create_post")) == 1


def revoke_and_grant(app: SandboxApp, user: requests.Session) -> None:
    """Make the process's cached secrets stale."""
    assert who(app, user).status_code == 200
    revoke(app)
    grant(app)


def test_signing_leaves_a_stream_as_it_is(granted: SandboxApp) -> None:
    with session(granted) as user:
        url = granted.sandbox.provider + "/2/tweets"
        prepared = user.prepare_request(requests.Request("POST", url, data=io.BytesIO(b"a=1\nb=2\n")))
        assert (cast("Any", prepared.body).tell(), prepared.headers["Content-Type"]) == (0, "application/octet-stream")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        with pytest.raises(ValueError, match="given whole"):
            user.post(url, data=io.BytesIO(b"status=a"), headers=form, timeout=5)


def test_neither_netrc_nor_proxy_nor_bundle_of_the_environment_has_a_say(
    granted: SandboxApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with session(granted) as user:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(netrc))
        assert who(granted, user).status_code == 200


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
    client.put_secret_value(SecretId=consumer_secret(granted), SecretString="s3cret")
    with pytest.raises(MalformedSecret, match=consumer_secret(granted)) as caught:
        session(granted)
    assert "s3cret" not in repr(caught.value)
    client.delete_secret(SecretId=consumer_secret(granted), ForceDeleteWithoutRecovery=True)
    with pytest.raises(ConsumerNotFound, match=consumer_secret(granted)):
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
        redefine(granted, api_hosts=["api.example"])
        process.this().secret_reader.consumer(granted.name, fresh=True)
        with pytest.raises(HostNotAllowed, match=r"provider\.api_hosts"):
            user.get(granted.sandbox.provider.replace("localhost", "127.0.0.1") + WHO, timeout=5)
        assert len(granted.calls("verify_credentials")) == calls
        assert who(granted, user).status_code == 200  # the host of its endpoints


def test_a_plaintext_signature_is_for_the_providers_hosts_alone(granted: SandboxApp) -> None:
    redefine(granted, signature_method="PLAINTEXT")
    with session(granted) as user, pytest.raises(HostNotAllowed):
        user.get(granted.sandbox.provider.replace("localhost", "127.0.0.1") + WHO, timeout=5)


def redefine(app: SandboxApp, **changes: Any) -> None:
    """Change the provider's definition in the consumer secret."""
    client, secret = app.sandbox.client("secretsmanager"), consumer_secret(app)
    content = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
    content["provider"] |= changes
    client.put_secret_value(SecretId=secret, SecretString=json.dumps(content))
