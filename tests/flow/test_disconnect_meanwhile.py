"""A disconnect ends what is on its way: consents, exchanges and grants, however late they come; and nothing that comes after it."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.direct import new_pair
from tests.support.grants import current, tidy, token_of, unidentified
from tests.support.harness import Harness
from tests.support.sandbox_app import SandboxApp
from tripod_flow.rules import errors, transitions
from tripod_flow.rules.authorization import Authorization, State


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
    harness.wake(harness.record(token).pk, app.connection_key, seconds=120)
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
