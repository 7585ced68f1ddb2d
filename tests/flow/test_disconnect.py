"""A disconnect ends what stands, however it interleaves with storing, deleting and telling."""

from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from tests.support.direct import new_pair
from tests.support.grants import acting, assert_nothing_is_owed, current, grant, revoked_events, tidy, token_of
from tests.support.harness import Harness
from tests.support.sandbox_app import SandboxApp
from tripod_flow.rules import errors, transitions
from tripod_flow.rules.authorization import Authorization


@pytest.mark.parametrize("after", [False, True])
def test_a_revocation_while_tokens_are_stored_wins_and_reaches_the_provider(app: SandboxApp, after: bool) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())

    def disconnect() -> None:
        harness.clock.now += 1
        harness.revocation.revoke(app.name, app.user.user_id)

    app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    harness.clock.now += 1
    slow = Harness(app, clock=harness.clock, writer_type=acting("store", disconnect, after=after))
    record = slow.callback(*slow.come_back())
    tidy(harness, record)
    assert current(app) is None
    assert harness.record(record.request_token).pending_tokens is None
    assert_nothing_is_owed(app)
    assert app.calls("invalidate_token")[-1].status in (200, 401)
    with pytest.raises(LookupError):  # the provider knows of no grant any more
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)


def test_a_disconnect_counts_for_a_grant_that_is_still_owed(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    app.sandbox.aws_server.fault("secretsmanager", "PutSecretValue", "denied", times=1, match=app.name)
    owed = grant(harness)
    harness.clock.now += 30
    harness.revocation.revoke(app.name, app.user.user_id)
    tidy(harness, owed)
    assert current(app) is None
    assert harness.record(owed.request_token).pending_tokens is None
    with pytest.raises(LookupError):
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)


def test_a_secret_that_was_restored_by_hand_can_be_revoked_again(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    harness.revocation.revoke(app.name, app.user.user_id)
    app.sandbox.client("secretsmanager").restore_secret(SecretId=app.secret_name)
    assert current(app)
    harness.revocation.revoke(app.name, app.user.user_id)
    assert current(app) is None


def test_a_user_who_comes_back_while_the_secret_is_deleted_keeps_the_new_tokens(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    new: list[Authorization] = []
    slow = Harness(app, clock=harness.clock, writer_type=acting("delete", lambda: new.append(grant(harness, anew=False))))
    harness.clock.now += 1
    slow.revocation.revoke(app.name, app.user.user_id)
    assert current(app) == token_of(new[0])
    tidy(harness)
    assert_nothing_is_owed(app)


def test_each_revocation_is_told_however_quickly_they_follow(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    for _ in range(2):
        harness.clock.now += 1
        harness.revocation.revoke(app.name, app.user.user_id)
        grant(harness, anew=False)
    harness.relay.relay([app.connection_key], lambda: True)
    assert len({event["id"] for event in revoked_events(app)}) == 2


def test_a_revocation_during_the_telling_of_another_is_told_too(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    publish = harness.bus.publish

    def slowly(events: Any) -> None:
        publish(events)
        if len(revoked_events(app)) == 1:
            grant(harness, anew=False)
            harness.clock.now += 1
            harness.revocation.revoke(app.name, app.user.user_id)

    harness.bus.publish = slowly  # type: ignore[method-assign]  # watched
    harness.relay.relay([app.connection_key], lambda: True)
    assert len({event["id"] for event in revoked_events(app)}) == 2
    tidy(harness)
    assert_nothing_is_owed(app)


def disconnected_in_part(harness: Harness) -> None:
    """Connect the app's user, and disconnect them but for the secret, which AWS refuses to delete."""
    harness.callback(*harness.come_back())
    harness.clock.now += 1
    harness.app.sandbox.aws_server.fault("secretsmanager", "DeleteSecret", "denied", times=1, match=harness.app.name)
    with pytest.raises(ClientError):
        harness.revocation.revoke(harness.app.name, harness.app.user.user_id)
    harness.clock.now += 1


def test_a_disconnect_that_is_repeated_counts_for_what_was_consented_to_meanwhile(app: SandboxApp) -> None:
    harness = Harness(app)
    disconnected_in_part(harness)
    secret, challenge = new_pair(app.name)
    came = harness.finish.callback(app.name, *harness.come_back(browser=False, challenge=challenge, subject="42"), {})
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    assert came.ticket
    with pytest.raises(errors.InvalidTicket):
        harness.finish.redeem(came.ticket, secret)
    assert current(app) is None


def test_a_disconnect_that_is_repeated_counts_for_what_was_granted_meanwhile(app: SandboxApp) -> None:
    harness = Harness(app)
    disconnected_in_part(harness)
    with patch.object(harness.token_store, "try_to_store", lambda _: None):  # out of time: it stays owed
        owed = harness.callback(*harness.come_back())
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += transitions.LEASE
    tidy(harness, owed)
    assert current(app) is None
    assert [event["time"] > (owed.granted_at or 0) for event in revoked_events(app)] == [False, True]
    assert_nothing_is_owed(app)


def test_a_secret_that_cant_be_read_can_be_revoked_all_the_same(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    app.sandbox.client("secretsmanager").put_secret_value(SecretId=app.secret_name, SecretString="junk")
    assert harness.revocation.revoke(app.name, app.user.user_id) is False
    assert current(app) is None


def test_what_a_disconnect_overtakes_is_deleted_by_the_next_word_of_the_stream(app: SandboxApp) -> None:
    other = Harness(app)

    def disconnect() -> None:
        other.clock.now += 1
        other.revocation.revoke(app.name, app.user.user_id)

    other.callback(*other.come_back())
    app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    other.clock.now += 1
    slow = Harness(app, clock=other.clock, writer_type=acting("store", disconnect))
    record = slow.callback(*slow.come_back())
    assert current(app)  # written after the disconnect
    other.relay.relay([record.pk], lambda: True)  # at once, not in a sweep to come
    assert current(app) is None


def test_a_secret_that_is_restored_under_a_disconnect_is_deleted_again(app: SandboxApp) -> None:
    harness = Harness(app)
    with patch.object(harness.token_store, "try_to_store", lambda _: None):  # stays in the outbox
        old = harness.callback(*harness.come_back())
    newer = Harness(app, clock=harness.clock)
    grant(newer)
    assert current(app)
    harness.clock.now += 1

    def disconnect() -> None:
        newer.revocation.revoke(app.name, app.user.user_id)

    slow = Harness(app, clock=harness.clock, writer_type=acting("restore", disconnect))
    tidy(slow, old)  # finds the newer grant current, and is overtaken by the disconnect before it restores that one's secret
    tidy(newer, old)
    assert current(app) is None
    assert harness.record(old.request_token).pending_tokens is None
    assert_nothing_is_owed(app)


def test_the_subject_of_who_has_disconnected_is_not_the_next_ones(harness: Harness) -> None:
    app = harness.app
    secret, challenge = new_pair(app.name)
    token, verifier = harness.come_back(browser=False, challenge=challenge, subject="alice")
    ticket = harness.finish.callback(app.name, token, verifier, {}).ticket
    assert ticket
    harness.finish.redeem(ticket, secret)
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += 1
    harness.callback(*harness.come_back())  # another of the app's users, with the same account at the provider
    found = harness.table.connection(app.connection_key)
    assert found
    assert found.subject is None
    harness.relay.relay([app.connection_key], lambda: True)
    assert [event["subject"] for event in revoked_events(app)] == ["alice"]


def test_each_of_several_disconnects_is_told_with_its_own_subject(harness: Harness) -> None:
    app = harness.app
    for subject in ("alice", "bob"):
        secret, challenge = new_pair(app.name)
        token, verifier = harness.come_back(browser=False, challenge=challenge, subject=subject)
        ticket = harness.finish.callback(app.name, token, verifier, {}).ticket
        assert ticket
        harness.finish.redeem(ticket, secret)
        harness.clock.now += 1
        harness.revocation.revoke(app.name, app.user.user_id)
        harness.clock.now += 1
    harness.relay.relay([app.connection_key], lambda: True)
    assert [event["subject"] for event in revoked_events(app)] == ["alice", "bob"]
