"""A disconnected user's token is invalidated at the provider: at once, or by the relay, for a day."""

from typing import Any
from unittest.mock import patch

import pytest

from sandbox.provider import ProviderFailure, ProviderFault, failures
from tests.support.direct import invoke, new_pair
from tests.support.grants import acting, assert_nothing_is_owed, current, grant, let_hours_pass, revoked_events, tidy
from tests.support.harness import Harness, Killed
from tests.support.invalidation import asking, knows_no_grant
from tests.support.sandbox_app import SandboxApp
from tripod_flow.flows.kept_token import kept_token
from tripod_flow.rules import errors, revocation, transitions
from tripod_flow.rules.transitions import Transition

DOWN = [ProviderFault.OVER_CAPACITY, ProviderFault.TIMEOUT, ProviderFault.RESET, ProviderFault.RATE_LIMITED]


@pytest.mark.parametrize("fault", DOWN)
def test_a_provider_that_is_down_keeps_nobody_connected_and_is_asked_again(app: SandboxApp, fault: ProviderFault) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser))
    app.fault("invalidate_token", fault)
    told = invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
    assert (told["outcome"], told["invalidated"]) == ("revoked", "pending")
    assert app.is_deleted()
    found = app.connection()
    assert found is not None
    assert "connected_to" not in found
    app.relay(app.connection_key)
    assert [event["invalidated"] for event in revoked_events(app)] == [True]
    assert knows_no_grant(app)
    kept = app.item(app.connection_key)
    assert kept is not None
    assert "pending_invalidation" not in kept


def test_who_hears_of_a_disconnect_hears_whether_the_provider_has_invalidated(harness: Harness) -> None:
    app = harness.app
    for answers in ([], [failures.NOT_FOUND], [ProviderFault.SERVER_ERROR] * 2):
        grant(harness, anew=False)
        for answer in answers:
            app.fault("invalidate_token", answer)
        harness.clock.now += 1
        harness.revocation.revoke(app.name, app.user.user_id)
        harness.clock.now += revocation.INVALIDATING + 1
        harness.relay.relay([app.connection_key], lambda: True)
    assert [event["invalidated"] for event in revoked_events(app)] == [True, False, "pending"]


def test_a_provider_that_stays_down_is_asked_seldom_and_for_a_day(harness: Harness) -> None:
    app = harness.app
    harness.callback(*harness.come_back())
    app.fault("invalidate_token", ProviderFault.SERVER_ERROR, times=9999)
    harness.clock.now += 1
    assert harness.revocation.revoke(app.name, app.user.user_id) is None
    harness.wake(app.connection_key, seconds=600)
    assert 4 < len(app.calls("invalidate_token")) <= 20
    harness.clock.now += revocation.INVALIDATION_PATIENCE - 700
    harness.relay.relay([app.connection_key], lambda: True)
    found = harness.table.connection(app.connection_key)
    assert found
    assert found.pending_invalidation
    harness.clock.now += 1300
    with patch("tripod_flow.edges.telemetry.abandoned") as abandoned:
        harness.relay.relay([app.connection_key], lambda: True)
    assert abandoned.call_args.args == (app.connection_key, "the token's invalidation")
    asked = len(app.calls("invalidate_token"))
    let_hours_pass(harness)
    assert len(app.calls("invalidate_token")) == asked
    assert_nothing_is_owed(app)


def test_tokens_that_are_stored_while_a_disconnect_looks_for_them_are_invalidated_too(app: SandboxApp) -> None:
    def die() -> None:
        raise Killed

    dying = Harness(app, writer_type=acting("store", die))
    token, verifier = dying.come_back()
    with pytest.raises(Killed):  # the connection is written, the secret is not
        dying.callback(token, verifier)
    harness = Harness(app, clock=dying.clock)
    harness.clock.now += transitions.LEASE + 1
    slow = Harness(app, clock=harness.clock)
    read = kept_token
    looks = []

    def look(*arguments: Any) -> Any:
        looks.append(read(*arguments))
        if len(looks) == 1:
            harness.relay.relay([harness.record(token).pk], lambda: True)
            assert current(app)
        return looks[-1]

    with patch("tripod_flow.flows.revocation.kept_token", look):
        assert slow.revocation.revoke(app.name, app.user.user_id) is True
    tidy(harness)
    assert current(app) is None
    assert knows_no_grant(app)


@pytest.mark.parametrize("first", [True, False])
def test_a_process_that_dies_while_the_provider_is_asked_is_followed_by_the_relay(app: SandboxApp, first: bool) -> None:
    def die() -> None:
        raise Killed

    dying = Harness(app, client_type=asking(die, first=first))
    dying.callback(*dying.come_back())
    dying.clock.now += 1
    with pytest.raises(Killed):
        dying.revocation.revoke(app.name, app.user.user_id)
    assert current(app) is None
    tidy(dying)
    assert knows_no_grant(app)
    assert [event["invalidated"] for event in revoked_events(app)] == [True]
    let_hours_pass(dying)
    assert_nothing_is_owed(app)


def test_a_table_that_fails_after_the_provider_has_answered_leaves_it_to_the_relay(harness: Harness) -> None:
    app = harness.app
    harness.callback(*harness.come_back())
    harness.clock.now += 1

    def failing(*_: Any) -> None:
        raise errors.Contended

    with patch.object(harness.revocation, "_end", failing):
        assert harness.revocation.revoke(app.name, app.user.user_id) is None
    assert current(app) is None
    tidy(harness)
    assert knows_no_grant(app)
    assert [event["invalidated"] for event in revoked_events(app)] == [True]


def test_two_tokens_of_one_user_are_invalidated_one_after_the_other(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    app.fault("invalidate_token", ProviderFault.SERVER_ERROR, times=2)
    with patch.object(harness.token_store, "try_to_store", lambda _: None):  # out of time: it stays owed
        app.sandbox.provider_server.revoke(app.consumer.key, app.user)
        owed = grant(harness, anew=False)
    harness.clock.now += 1
    harness.revocation.revoke(app.name, app.user.user_id)
    for _ in range(3):
        tidy(harness, owed)
    let_hours_pass(harness)
    assert harness.record(owed.request_token).pending_tokens is None
    assert knows_no_grant(app)
    assert_nothing_is_owed(app)


def test_another_apps_token_is_deleted_and_not_called_invalidated(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    other = app.sandbox.provider_server.register()
    app.change_consumer(consumer_key=other.key, consumer_secret=other.secret)
    assert Harness(app, clock=harness.clock).revocation.revoke(app.name, app.user.user_id) is False
    assert current(app) is None


@pytest.mark.parametrize(
    "broken", ["no JSON", '{"consumer_key": "a"}', '{"consumer_key": "a", "consumer_secret": "b", "provider": {"x": 1}}']
)
def test_a_consumer_secret_that_is_broken_keeps_nobody_connected(app: SandboxApp, broken: str) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    client = app.sandbox.client("secretsmanager")
    right = client.get_secret_value(SecretId=app.consumer_secret_name)["SecretString"]
    client.put_secret_value(SecretId=app.consumer_secret_name, SecretString=broken)
    told = invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
    assert (told["outcome"], told["invalidated"]) == ("revoked", "pending")
    assert app.is_deleted()
    client.put_secret_value(SecretId=app.consumer_secret_name, SecretString=right)
    tidy(Harness(app, clock=harness.clock))
    app.relay(app.connection_key)
    assert knows_no_grant(app)


def test_a_consumer_secret_that_is_gone_keeps_nobody_connected(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    app.sandbox.client("secretsmanager").delete_secret(SecretId=app.consumer_secret_name, ForceDeleteWithoutRecovery=True)
    fresh = Harness(app, clock=harness.clock)
    assert fresh.revocation.revoke(app.name, app.user.user_id) is None
    assert app.is_deleted()
    with pytest.raises(errors.UnknownProvider):  # again: nobody is connected, and there is no such provider
        Harness(app, clock=harness.clock).revocation.revoke(app.name, app.user.user_id)


def test_an_app_that_changes_while_the_provider_is_down_ends_it(app: SandboxApp) -> None:
    harness = Harness(app)
    harness.callback(*harness.come_back())
    app.fault("invalidate_token", ProviderFault.SERVER_ERROR)
    harness.clock.now += 1
    assert harness.revocation.revoke(app.name, app.user.user_id) is None
    other = app.sandbox.provider_server.register()
    app.change_consumer(consumer_key=other.key, consumer_secret=other.secret)
    fresh = Harness(app, clock=harness.clock)
    tidy(fresh)
    assert len(app.calls("invalidate_token")) == 1
    assert [event["invalidated"] for event in revoked_events(app)] == [False]


@pytest.mark.parametrize(
    "reply", [ProviderFailure(403, "<html>Attention Required!</html>", failures.TEXT), failures.NOT_AUTHENTICATED]
)
def test_a_refusal_after_a_failure_ends_it(harness: Harness, reply: ProviderFailure) -> None:
    app = harness.app
    harness.callback(*harness.come_back())
    app.fault("invalidate_token", ProviderFault.RESET)
    app.fault("invalidate_token", reply, times=9)
    harness.clock.now += 1
    assert harness.revocation.revoke(app.name, app.user.user_id) is None
    harness.relay.relay([app.connection_key], lambda: True)
    let_hours_pass(harness)
    assert len(app.calls("invalidate_token")) == 2
    assert_nothing_is_owed(app)


def test_a_disconnect_between_look_and_write_of_another_leaves_no_token_valid(app: SandboxApp) -> None:
    harness = Harness(app)
    with patch.object(harness.token_store, "try_to_store", lambda _: None):  # stays in the outbox
        owed = harness.callback(*harness.come_back())
    harness.clock.now += 1
    with pytest.raises(errors.NotConnected):
        harness.revocation.revoke(app.name, app.user.user_id)
    other, add = Harness(app, clock=harness.clock), revocation.add_invalidation

    def overtaken(*args: Any, **named: Any) -> Transition | None:
        patching.stop()
        harness.clock.now += 1
        with pytest.raises(errors.NotConnected):
            other.revocation.revoke(app.name, app.user.user_id)
        return add(*args, **named)

    patching = patch.object(revocation, "add_invalidation", overtaken)
    patching.start()
    tidy(harness, owed)
    assert len(app.calls("invalidate_token")) == 1
    assert app.stored() is None
    assert knows_no_grant(app)


def test_a_consent_that_a_disconnect_ends_before_its_ticket_is_redeemed_is_invalidated(harness: Harness) -> None:
    app = harness.app
    _, challenge = new_pair(app.name)
    token, verifier = harness.come_back(browser=False, challenge=challenge)
    harness.finish.callback(app.name, token, verifier, {})
    harness.clock.now += 1
    with pytest.raises(errors.NotConnected):
        harness.revocation.revoke(app.name, app.user.user_id)
    harness.clock.now += transitions.CONFIRMATION_LIFETIME
    tidy(harness, harness.record(token))
    assert knows_no_grant(app)
    assert harness.record(token).pending_tokens is None


def test_a_relay_that_did_not_run_for_a_day_asks_before_it_gives_up(harness: Harness) -> None:
    app = harness.app
    harness.callback(*harness.come_back())
    app.fault("invalidate_token", ProviderFault.RATE_LIMITED, times=2)
    harness.clock.now += 1
    assert harness.revocation.revoke(app.name, app.user.user_id) is None
    harness.clock.now += revocation.INVALIDATION_PATIENCE
    let_hours_pass(harness)
    assert knows_no_grant(app)
