"""Interleavings of grants, revocations and the relay: in the end the secret is what came last, and nothing is owed."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from sandbox.provider import ProviderFault
from tests.support.direct import new_pair
from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import SandboxApp, make_app
from tripod.credentials import UserTokens
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.flows import relay
from tripod_flow.rules import connection, errors, transitions
from tripod_flow.rules.authorization import Authorization, State


def acting(method: str, act: Callable[[], None], *, after: bool = False) -> type[SecretWriter]:
    """Return a writer in whose first call of ``method`` something else happens, just before it or just after."""

    class Interrupted(SecretWriter):
        acted = False

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        first, Interrupted.acted = not Interrupted.acted, True
        if first and not after:
            act()
        result = getattr(SecretWriter, method)(self, *args, **kwargs)
        if first and after:
            act()
        return result

    setattr(Interrupted, method, call)
    return Interrupted


def die() -> None:
    raise Killed


def pk(app: SandboxApp) -> str:
    return connection.key(app.name, app.user.user_id)


def grant(harness: Harness, *, anew: bool = True) -> Authorization:
    """Let the user grant, with other tokens than before where ``anew``."""
    app = harness.app
    if anew:
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    harness.clock.now += 1
    return harness.callback(*harness.come_back())


def tidy(harness: Harness, *records: Authorization) -> None:
    """Let leases end, and the relay do what is owed."""
    harness.clock.now += relay.RELAY_LEASE + 1
    harness.relay.relay([*(record.pk for record in records), pk(harness.app)], lambda: True)


def current(app: SandboxApp) -> str | None:
    """Return the access token that readers get; None where the secret is deleted."""
    client = app.sandbox.client("secretsmanager")
    try:
        return str(json.loads(client.get_secret_value(SecretId=app.secret_name)["SecretString"])["oauth_token"])
    except (client.exceptions.InvalidRequestException, client.exceptions.ResourceNotFoundException):
        return None


def token_of(record: Authorization) -> str:
    assert record.pending_tokens
    return record.pending_tokens.oauth_token


def assert_nothing_is_owed(app: SandboxApp) -> None:
    found = app.item(pk(app))
    assert found is not None
    assert not found.keys() & {"outbox", "deletion_pending", "pending_events"}


def test_a_deletion_that_dies_under_a_new_grant_is_put_right(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    new: list[Authorization] = []

    class Dying(SecretWriter):
        def delete(self, provider: str, user_id: str) -> None:
            new.append(grant(harness, anew=False))
            super().delete(provider, user_id)
            raise Killed

    harness.clock.now += 1
    with pytest.raises(Killed):
        Harness(app, clock=harness.clock, writer_type=Dying).revocation.revoke(app.name, app.user.user_id)
    assert current(app) is None
    tidy(harness, *new)
    assert current(app) == token_of(new[0])
    assert_nothing_is_owed(app)


def test_a_connection_says_what_its_secret_contains_before_it_does(app: SandboxApp) -> None:
    named: list[str | None] = []

    class Watched(SecretWriter):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            found = harness.table.connection(pk(app))
            named.append(found.secret_version if found else None)
            super().store(tokens, expected=expected)

    harness = Harness(app, writer_type=Watched)
    harness.callback(*harness.come_back())
    version = app.sandbox.client("secretsmanager").get_secret_value(SecretId=app.secret_name)["VersionId"]
    assert named == [version]


def test_an_old_grant_that_is_written_last_and_dies_is_put_right(app: SandboxApp) -> None:
    harness = Harness(app)
    new: list[Authorization] = []

    class Late(SecretWriter):
        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            if not new:
                new.append(grant(harness))
                super().store(tokens, expected=expected)
                raise Killed
            super().store(tokens, expected=expected)

    slow = Harness(app, clock=harness.clock, writer_type=Late)
    token, verifier = slow.come_back()
    with pytest.raises(Killed):
        slow.callback(token, verifier)
    assert current(app) != token_of(new[0])
    tidy(harness, harness.record(token), *new)
    assert current(app) == token_of(new[0])
    assert harness.record(token).pending_tokens is None
    assert_nothing_is_owed(app)


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
    harness.relay.relay([pk(app)], lambda: True)
    assert_nothing_is_owed(app)


def test_three_grants_that_cross_end_with_the_newest(app: SandboxApp) -> None:
    harness = Harness(app)
    records: list[Authorization] = []
    reader = Harness(app, clock=harness.clock)
    restoring = acting("restore", lambda: records.append(grant(reader)))

    class Crossing(restoring):  # type: ignore[misc,valid-type]  # made above
        stored = False

        def store(self, tokens: UserTokens, *, expected: bool) -> None:
            if not Crossing.stored:
                Crossing.stored = True
                records.append(grant(reader))
            super().store(tokens, expected=expected)

    slow = Harness(app, clock=harness.clock, writer_type=Crossing)
    slow.callback(*slow.come_back())
    assert len(records) == 2
    assert current(app) == token_of(records[1])


def revoked_events(app: SandboxApp) -> list[dict[str, Any]]:
    return [
        event.detail
        for event in app.sandbox.events
        if event.detail_type == "connection.revoked" and event.detail["provider"] == app.name
    ]


def test_each_revocation_is_told_however_quickly_they_follow(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    for _ in range(2):
        harness.clock.now += 1
        harness.revocation.revoke(app.name, app.user.user_id)
        grant(harness, anew=False)
    harness.relay.relay([pk(app)], lambda: True)
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
    harness.relay.relay([pk(app)], lambda: True)
    assert len({event["id"] for event in revoked_events(app)}) == 2
    assert_nothing_is_owed(app)


def test_a_consent_before_a_disconnect_does_not_connect_again(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    secret, challenge = new_pair(app.name)
    came = harness.finish.callback(app.name, *harness.come_back(browser=False, challenge=challenge, subject="42"), {})
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += 1
    assert came.ticket
    with pytest.raises(errors.InvalidTicket):
        harness.finish.redeem(came.ticket, secret)
    assert current(app) is None


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
    with patch.object(harness.token_store, "try_to_store", lambda _: False):  # out of time: it stays owed
        owed = harness.callback(*harness.come_back())
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += transitions.LEASE
    tidy(harness, owed)
    assert current(app) is None
    assert [event["time"] > (owed.granted_at or 0) for event in revoked_events(app)] == [False, True]
    assert_nothing_is_owed(app)


def test_sign_in_only_keeps_no_tokens_even_where_the_identity_cant_be_had(app: SandboxApp) -> None:
    nameless = make_app(app.sandbox, secret={"store": False}, user_id_field=None, screen_name_field=None)
    harness = Harness(nameless)
    token, verifier = harness.come_back()
    nameless.fault("identity", ProviderFault.SERVER_ERROR)
    assert harness.callback(token, verifier).error == "interrupted"
    assert harness.record(token).pending_tokens is None
    again = harness.callback(*harness.come_back())
    assert (again.user_id, again.pending_tokens) == (nameless.user.user_id, None)


def test_an_unconfirmed_exchange_is_erased_after_ten_minutes_too(app: SandboxApp) -> None:
    nameless = make_app(app.sandbox, user_id_field=None, screen_name_field=None)
    harness = Harness(nameless)
    _, challenge = new_pair(app.name)
    token, verifier = harness.come_back(browser=False, challenge=challenge)
    nameless.fault("identity", ProviderFault.SERVER_ERROR, times=9)
    with pytest.raises(errors.ProviderUnavailable):
        harness.finish.callback(nameless.name, token, verifier, {})
    assert harness.record(token).state is State.EXCHANGED
    harness.clock.now += transitions.CONFIRMATION_LIFETIME
    harness.relay.relay([harness.record(token).pk], lambda: True)
    assert (harness.record(token).state, harness.record(token).pending_tokens) == (State.FAILED, None)


def test_another_apps_token_is_deleted_and_not_called_invalidated(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    other = app.sandbox.provider_server.register()
    client, name = app.sandbox.client("secretsmanager"), f"{app.sandbox.prefix}/consumer/{app.name}"
    content = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
    content |= {"consumer_key": other.key, "consumer_secret": other.secret}
    client.put_secret_value(SecretId=name, SecretString=json.dumps(content))
    assert Harness(app, clock=harness.clock).revocation.revoke(app.name, app.user.user_id) is False
    assert current(app) is None


def test_a_secret_that_cant_be_read_can_be_revoked_all_the_same(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    app.sandbox.client("secretsmanager").put_secret_value(SecretId=app.secret_name, SecretString="junk")
    assert harness.revocation.revoke(app.name, app.user.user_id) is False
    assert current(app) is None


def test_a_secret_that_is_restored_under_a_disconnect_is_deleted_again(app: SandboxApp) -> None:
    harness = Harness(app)
    with patch.object(harness.token_store, "try_to_store", lambda _: False):  # stays in the outbox
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
