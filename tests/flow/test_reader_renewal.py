"""What a session does about a 401: read the secrets afresh once, send again, or say that the user has disconnected."""

import json
from pathlib import Path

import pytest
import requests

import tripod
from sandbox.provider import Fault, ProviderFailure, ProviderFault, failures
from tests.support.reading import delete, grant, reads, revoke, session, who
from tests.support.sandbox_app import SandboxApp
from tripod import TokenNotFound, TokenRevoked, TripodError

POST = "/1.1/statuses/update.json"


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
        revoke_and_grant(granted, user)
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
        ProviderFault.NO_CALLBACK,
        failures.READ_ONLY,
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_401_for_another_reason_is_the_callers_to_read(granted: SandboxApp, fault: Fault, stream: bool) -> None:
    with session(granted) as user:
        who(granted, user)
        before = reads(granted), reads(granted, granted.consumer_secret_name)
        granted.fault("verify_credentials", fault)
        answer = who(granted, user, stream=stream)
        assert answer.status_code == 401
        assert len(answer.content) == int(answer.headers["content-length"])
        assert not answer.history
        assert who(granted, user).status_code == 200
    assert (reads(granted), reads(granted, granted.consumer_secret_name)) == before


@pytest.mark.parametrize(
    "fault",
    [
        ProviderFault.SERVER_ERROR,
        ProviderFault.RATE_LIMITED,
        ProviderFault.NO_ACCESS,
        ProviderFault.NO_CREDITS,
        failures.V2_PERMISSIONS,
        failures.V2_CLIENT_FORBIDDEN,
        failures.USER_LOCKED,
    ],
)
def test_other_refusals_are_the_callers_to_read(granted: SandboxApp, fault: Fault) -> None:
    with session(granted) as user:
        granted.fault("verify_credentials", fault)
        answer = who(granted, user, stream=True)
        assert answer.raw.read()
        assert answer.status_code in (402, 403, 429, 500)
        answer.close()


UNEXPLAINED = {
    "X's API v2": failures.V2_UNAUTHORIZED,
    "nothing": ProviderFailure(401, "", failures.TEXT),
    "X's code 32": failures.NOT_AUTHENTICATED,
    "an expired token, or an invalid one": ProviderFailure(401, '{"error":"Invalid / expired Token"}'),
    "a text": ProviderFailure(401, "invalid token", failures.TEXT),
    "a page": ProviderFailure(401, "<!doctype html><title>401</title>", failures.TEXT),
    "a leg's words": failures.UNKNOWN_REQUEST_TOKEN,
    "a verifier's": failures.WRONG_VERIFIER,
    "an unknown code": ProviderFailure(401, '{"errors":[{"code":999,"message":"No."}]}'),
    "nested too deeply": ProviderFailure(401, "[" * 5000),
}
unexplained = pytest.mark.parametrize("refusal", UNEXPLAINED.values(), ids=UNEXPLAINED)


@unexplained
def test_an_unexplained_401_that_nothing_explains_is_the_callers_to_read(granted: SandboxApp, refusal: ProviderFailure) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
        before = reads(granted), reads(granted, granted.consumer_secret_name)
        granted.fault("verify_credentials", refusal)
        answer = who(granted, user)
        assert (answer.status_code, answer.history) == (401, [])
        assert len(answer.content) == int(answer.headers["content-length"])
        assert (reads(granted), reads(granted, granted.consumer_secret_name)) == (before[0] + 1, before[1] + 1)
        assert who(granted, user).status_code == 200
    assert [call.status for call in granted.calls("verify_credentials")] == [200, 401, 200]


@unexplained
def test_an_unexplained_401_to_a_token_that_was_granted_anew_is_tried_with_the_new_one(
    granted: SandboxApp, refusal: ProviderFailure
) -> None:
    with session(granted) as user:
        revoke_and_grant(granted, user)
        granted.fault("verify_credentials", refusal)
        answer = who(granted, user)
        assert (answer.status_code, [each.status_code for each in answer.history]) == (200, [401])


@unexplained
def test_an_unexplained_401_to_a_token_that_was_deleted_says_revoked(granted: SandboxApp, refusal: ProviderFailure) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
        delete(granted)
        granted.fault("verify_credentials", refusal)
        with pytest.raises(TokenRevoked, match=granted.secret_name):
            who(granted, user)
    assert [call.status for call in granted.calls("verify_credentials")] == [200, 401]


def test_a_request_is_sent_again_once_where_the_newer_token_is_refused_too(granted: SandboxApp) -> None:
    with session(granted) as user:
        revoke_and_grant(granted, user)
        before = reads(granted)
        granted.fault("verify_credentials", failures.V2_UNAUTHORIZED, times=3)
        answer = who(granted, user)
    assert (answer.status_code, [each.status_code for each in answer.history]) == (401, [401])
    assert reads(granted) == before + 1


def test_another_providers_word_for_a_rejected_token_means_revoked(granted: SandboxApp) -> None:
    with session(granted) as user:
        granted.fault("verify_credentials", ProviderFault.OAUTH_PROBLEM)
        with pytest.raises(TokenRevoked):
            who(granted, user)


def test_a_rotated_consumer_key_is_read_afresh_once(granted: SandboxApp) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
        consumer = granted.sandbox.provider_server.rotate(granted.consumer.key)
        before = reads(granted, granted.consumer_secret_name)
        refused = who(granted, user)  # our secret holds the old key still
        assert refused.status_code == 401
        assert refused.json()["errors"][0]["code"] == 32
        assert reads(granted, granted.consumer_secret_name) == before + 1
        granted.change_consumer(consumer_key=consumer.key, consumer_secret=consumer.secret)
        before = reads(granted, granted.consumer_secret_name)
        assert who(granted, user).status_code == 200
        assert reads(granted, granted.consumer_secret_name) == before + 1


def test_a_grant_to_another_app_is_signed_with_that_apps_key(granted: SandboxApp) -> None:
    with session(granted) as user:
        assert who(granted, user).status_code == 200
        revoke(granted)
        other = granted.sandbox.provider_server.register()
        tokens = granted.sandbox.provider_server._state
        request_token = tokens.new_request_token(other.key, "oob", "write")
        tokens.consent(request_token, granted.user)
        access = tokens.exchange(request_token)
        granted.change_consumer(consumer_key=other.key, consumer_secret=other.secret)
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
        assert answer.json()["title"] == "Unauthorized"
        assert who(granted, user).status_code == 200
    assert len(granted.calls("create_post")) == 1


def revoke_and_grant(app: SandboxApp, user: requests.Session) -> None:
    """Make the process's cached secrets stale."""
    assert who(app, user).status_code == 200
    revoke(app)
    grant(app)
