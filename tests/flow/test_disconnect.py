"""A disconnect ends what stands and what is on its way, however they interleave, and nothing that comes after it."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.direct import new_pair
from tests.support.grants import acting, assert_nothing_is_owed, current, grant, revoked_events, tidy, token_of, unidentified
from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import SandboxApp
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.rules import connection, errors, transitions
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.transitions import Transition


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
    with patch.object(harness.token_store, "try_to_store", lambda _: None):  # out of time: it stays owed
        owed = harness.callback(*harness.come_back())
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += transitions.LEASE
    tidy(harness, owed)
    assert current(app) is None
    assert [event["time"] > (owed.granted_at or 0) for event in revoked_events(app)] == [False, True]
    assert_nothing_is_owed(app)


def test_another_apps_token_is_deleted_and_not_called_invalidated(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    other = app.sandbox.provider_server.register()
    app.change_consumer(consumer_key=other.key, consumer_secret=other.secret)
    assert Harness(app, clock=harness.clock).revocation.revoke(app.name, app.user.user_id) is False
    assert current(app) is None


def test_a_secret_that_cant_be_read_can_be_revoked_all_the_same(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    app.sandbox.client("secretsmanager").put_secret_value(SecretId=app.secret_name, SecretString="junk")
    assert harness.revocation.revoke(app.name, app.user.user_id) is False
    assert current(app) is None


def test_a_disconnect_between_look_and_write_of_another_leaves_no_token_valid(app: SandboxApp) -> None:
    harness = Harness(app)
    with patch.object(harness.token_store, "try_to_store", lambda _: None):  # stays in the outbox
        owed = harness.callback(*harness.come_back())
    harness.clock.now += 1
    with pytest.raises(errors.NotConnected):
        harness.revocation.revoke(app.name, app.user.user_id)
    other, extend = Harness(app, clock=harness.clock), connection.extend_revocation

    def overtaken(*args: Any, **named: Any) -> Transition:
        patching.stop()
        harness.clock.now += 1
        with pytest.raises(errors.NotConnected):
            other.revocation.revoke(app.name, app.user.user_id)
        return extend(*args, **named)

    patching = patch.object(connection, "extend_revocation", overtaken)
    patching.start()
    tidy(harness, owed)
    assert len(app.calls("invalidate_token")) == 1
    assert app.stored() is None


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


def test_a_disconnect_holds_where_the_connections_first_write_failed(harness: Harness) -> None:
    app = harness.app
    fault = app.sandbox.aws_server.fault("dynamodb", "UpdateItem", "denied", times=9999, match=app.connection_key)
    record = harness.callback(*harness.come_back())
    fault.times = 0
    harness.clock.now += 1
    assert harness.table.connection(app.connection_key) is None
    with pytest.raises(errors.NotConnected):
        harness.revocation.revoke(app.name, app.user.user_id)
    harness.wake(record.pk, app.connection_key, seconds=120)
    assert app.stored() is None
    assert len(app.calls("invalidate_token")) == 1
    assert sorted(app.told()) == ["authorization.granted", "connection.revoked"]


def test_a_disconnect_holds_while_a_consent_waits_for_its_ticket(harness: Harness) -> None:
    app = harness.app
    secret, challenge = new_pair(app.name)
    token, verifier = harness.come_back(browser=False, challenge=challenge)
    ticket = harness.finish.callback(app.name, token, verifier, {}).ticket
    assert ticket
    harness.clock.now += 1
    with pytest.raises(errors.NotConnected):
        harness.revocation.revoke(app.name, app.user.user_id)
    with pytest.raises(errors.InvalidTicket):
        harness.finish.redeem(ticket, secret)
    harness.clock.now += transitions.CONFIRMATION_LIFETIME
    harness.relay.relay([harness.record(token).pk], lambda: True)
    assert app.stored() is None


def test_a_disconnect_holds_while_it_is_not_known_whose_the_tokens_are(sandbox: Sandbox) -> None:
    harness, token, _ = unidentified(sandbox)
    app = harness.app
    harness.clock.now += 1
    with pytest.raises(errors.NotConnected):
        harness.revocation.revoke(app.name, app.user.user_id)
    harness.wake(harness.record(token).pk, seconds=120)
    assert harness.record(token).state is State.GRANTED
    assert app.stored() is None
    assert len(app.calls("invalidate_token")) == 1


def test_after_a_disconnect_that_found_nothing_the_user_can_sign_in(harness: Harness) -> None:
    app = harness.app
    with pytest.raises(errors.NotConnected):
        harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += 1
    harness.callback(*harness.come_back())
    harness.relay.relay([app.connection_key], lambda: True)
    assert app.stored()


def test_a_disconnect_during_the_exchange_ends_what_the_user_had_agreed_to(harness: Harness) -> None:
    app = harness.app
    token, verifier = harness.come_back()
    exchange, other = harness.finish._exchange, Harness(app, clock=harness.clock)
    grant = exchange._grant

    def disconnected(*args: Any, **named: Any) -> Any:
        harness.clock.now += 2  # the provider has answered, the grant is not yet written
        with pytest.raises(errors.NotConnected):
            other.revocation.revoke(app.name, app.user.user_id)
        harness.clock.now += 2
        return grant(*args, **named)

    with patch.object(exchange, "_grant", disconnected):
        harness.callback(token, verifier)
    harness.wake(harness.record(token).pk, app.connection_key, seconds=60)
    assert app.stored() is None


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


def sweep(harness: Harness) -> None:
    """Let hours pass, in which the relay does what is due."""
    for _ in range(50):
        harness.clock.now += 600
        due = [pk for shard in "01234567" for pk in harness.table.outbox(shard, now=harness.clock()) if harness.app.name in pk]
        harness.relay.relay(due, lambda: True)


def slowly(method: str, act: Callable[[], None], *, dies: bool) -> type[SecretWriter]:
    """Return a writer that something overtakes in its first call of ``method``, and that may die with it."""
    Acting = acting(method, act)

    def call(self: Any, *arguments: Any, **named: Any) -> None:
        getattr(Acting, method)(self, *arguments, **named)
        if dies:
            raise Killed

    return type("Slow", (Acting,), {method: call})


@pytest.mark.parametrize("dies", [False, True])
def test_a_slow_deletion_takes_no_tokens_of_who_has_signed_in_again(app: SandboxApp, dies: bool) -> None:
    other = Harness(app)
    other.callback(*other.come_back())
    new: list[Authorization] = []

    def meanwhile() -> None:
        new.append(grant(other, anew=False))
        other.relay.relay([app.connection_key, new[0].pk], lambda: True)

    other.clock.now += 1
    slow = Harness(app, clock=other.clock, writer_type=slowly("delete", meanwhile, dies=dies))
    with pytest.raises(Killed) if dies else nullcontext():
        slow.revocation.revoke(app.name, app.user.user_id)
    sweep(other)
    assert_nothing_is_owed(app)
    assert current(app) == token_of(new[0])


@pytest.mark.parametrize("dies", [False, True])
def test_a_slow_restoration_brings_no_tokens_back(app: SandboxApp, dies: bool) -> None:
    other = Harness(app)
    other.callback(*other.come_back())
    other.clock.now += 1
    dying = Harness(app, clock=other.clock, writer_type=slowly("delete", lambda: grant(other, anew=False), dies=True))  # type: ignore[arg-type]  # its answer is nobody's
    with pytest.raises(Killed):
        dying.revocation.revoke(app.name, app.user.user_id)
    assert current(app) is None  # of a user who has come back: the relay restores it

    def meanwhile() -> None:
        other.clock.now += 1
        other.revocation.revoke(app.name, app.user.user_id)

    slow = Harness(app, clock=other.clock, writer_type=slowly("restore", meanwhile, dies=dies))
    slow.clock.now += connection.WRITING
    with pytest.raises(Killed) if dies else nullcontext():
        slow.relay.relay([app.connection_key], lambda: True)
    sweep(other)
    assert_nothing_is_owed(app)
    assert current(app) is None


def slow_exchange(harness: Harness, act: Callable[[], None]) -> Any:
    """Return a patch by which something happens between an exchange and its commit."""
    exchange = harness.finish._exchange
    commit = exchange._grant

    def slow(*arguments: Any, **named: Any) -> Any:
        act()
        return commit(*arguments, **named)

    return patch.object(exchange, "_grant", slow)


def test_a_consent_from_before_a_disconnect_does_not_replace_the_sign_in_after_it(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    other = Harness(app, clock=harness.clock)
    newer: list[Authorization] = []

    def meanwhile() -> None:
        harness.clock.now += 2
        other.revocation.revoke(app.name, app.user.user_id)
        harness.clock.now += 2
        newer.append(other.callback(*other.come_back()))
        harness.clock.now += 2

    harness.clock.now += 5
    token, verifier = harness.come_back()
    with slow_exchange(harness, meanwhile):
        older = harness.callback(token, verifier)
    tidy(harness, older, newer[0])
    assert current(app) == token_of(newer[0])


def test_a_ticket_that_a_disconnect_ended_is_not_redeemed_after_the_next_sign_in(app: SandboxApp) -> None:
    harness = Harness(app)
    secret, challenge = new_pair(app.name)
    came = harness.finish.callback(app.name, *harness.come_back(browser=False, challenge=challenge, subject="alice"), {})
    harness.clock.now += 1
    with pytest.raises(errors.NotConnected):
        harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += 1
    harness.callback(*harness.come_back())
    assert came.ticket
    with pytest.raises(errors.InvalidTicket):
        harness.finish.redeem(came.ticket, secret)


def test_a_page_that_is_loaded_again_does_not_agree_anew(app: SandboxApp) -> None:
    harness = Harness(app)
    token, verifier = harness.come_back()
    app.fault("access_token", ProviderFault.RATE_LIMITED)
    with pytest.raises(errors.ProviderUnavailable):
        harness.callback(token, verifier)
    harness.clock.now += 5
    with pytest.raises(errors.NotConnected):
        harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += 5
    record = harness.callback(token, verifier)
    tidy(harness, record)
    assert current(app) is None


def test_of_the_events_about_a_disconnected_user_the_latest_says_so(app: SandboxApp) -> None:
    harness = Harness(app)
    other = Harness(app, clock=harness.clock)

    def meanwhile() -> None:
        harness.clock.now += 2
        with pytest.raises(errors.NotConnected):
            other.revocation.revoke(app.name, app.user.user_id)
        harness.clock.now += 2

    token, verifier = harness.come_back()
    with slow_exchange(harness, meanwhile):
        granted = harness.callback(token, verifier)
    tidy(harness, granted)
    tidy(harness, granted)
    harness.relay.relay([app.connection_key], lambda: True)
    told = sorted(app.events(), key=lambda event: float(event.detail["time"]))
    assert (told[-1].detail_type, current(app)) == ("connection.revoked", None)
