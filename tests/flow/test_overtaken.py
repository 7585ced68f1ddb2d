"""Whoever is overtaken leaves what is another's to them: one grant is stored by one at a time."""

from typing import Any
from unittest.mock import patch

import pytest

from sandbox.world import Sandbox
from tests.support.clock import Clock
from tests.support.direct import new_pair
from tests.support.grants import current, tidy, token_of, unidentified
from tests.support.harness import Harness
from tests.support.sandbox_app import SandboxApp, make_app
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.table import Update
from tripod_flow.flows import relay
from tripod_flow.rules import transitions
from tripod_flow.rules.authorization import Authorization, Identity, State
from tripod_flow.rules.transitions import Transition


def not_stored(harness: Harness) -> Any:
    """Return a patch by which whoever decides dies before anything is stored."""
    return patch.object(harness.token_store, "try_to_store", lambda _: None)


def test_a_grant_that_somebody_else_has_just_begun_to_store_is_left_to_them(app: SandboxApp) -> None:
    harness = Harness(app)
    with not_stored(harness):
        owed = harness.callback(*harness.come_back())
    harness.clock.now += transitions.LEASE
    quicker, update = Harness(app, clock=harness.clock), harness.table.update

    def overtaken(transition: Transition, held: Authorization | None = None) -> Update:
        harness.table.update = update  # type: ignore[method-assign]  # once
        taking = transitions.lease_storing(harness.record(owed.request_token), now=harness.clock())
        assert taking
        assert quicker.table.update(taking).applied
        return update(transition, held)

    harness.table.update = overtaken  # type: ignore[method-assign]  # once
    harness.relay.relay([owed.pk], lambda: True)
    assert app.stored() is None
    harness.clock.now += transitions.LEASE
    harness.relay.relay([owed.pk], lambda: True)
    assert app.stored()


@pytest.mark.parametrize(("by_relay", "lease"), [(False, transitions.LEASE), (True, relay.RELAY_LEASE)])
def test_a_grant_that_a_successor_has_decided_is_left_to_them(sandbox: Sandbox, by_relay: bool, lease: float) -> None:
    successor, token, verifier = unidentified(sandbox)
    app = successor.app

    class Slow(ProviderClient):
        """A client that outlasts its lease while it asks whose the tokens are: the user reloads, and that is quicker."""

        overtaken = False

        def identity(self, *args: Any, **kwargs: Any) -> Identity:
            if not Slow.overtaken:
                Slow.overtaken = True
                successor.clock.now += lease
                with not_stored(successor):
                    assert successor.callback(token, verifier).state is State.GRANTED
            return super().identity(*args, **kwargs)

    slow = Harness(app, clock=successor.clock, client_type=Slow, cookies=successor.cookies)
    if by_relay:
        successor.clock.now += 60
        slow.relay.relay([successor.record(token).pk], lambda: True)
    else:
        assert slow.callback(token, verifier).state is State.GRANTED
    assert Slow.overtaken
    assert app.stored() is None
    successor.clock.now += transitions.LEASE
    successor.relay.relay([successor.record(token).pk], lambda: True)
    assert app.stored()


def consented(harness: Harness) -> tuple[str, str, Authorization]:
    """Return a ticket, its secret, and the record of a consent that waits for them."""
    secret, challenge = new_pair(harness.app.name)
    token, verifier = harness.come_back(browser=False, challenge=challenge, subject="42")
    came = harness.finish.callback(harness.app.name, token, verifier, {})
    assert came.ticket
    return came.ticket, secret, harness.record(token)


def test_of_two_redemptions_at_once_both_are_told_the_same(app: SandboxApp) -> None:
    harness = Harness(app)
    ticket, secret, _ = consented(harness)
    quicker, look = Harness(app, clock=Clock(harness.clock.now + 1)), harness.table.authorization
    told: list[Authorization] = []

    def overtaken(pk: str) -> Authorization | None:
        found = look(pk)
        if not told:
            told.append(quicker.finish.redeem(ticket, secret))
        return found

    harness.table.authorization = overtaken  # type: ignore[method-assign]  # once
    again = harness.finish.redeem(ticket, secret)
    assert (again.state, again.user_id, again.redeemed_at) == (State.GRANTED, app.user.user_id, told[0].redeemed_at)


def test_what_the_relay_could_not_store_it_stores_once_that_is_due_again(app: SandboxApp) -> None:
    harness = Harness(app)
    with not_stored(harness):
        owed = harness.callback(*harness.come_back())
    harness.clock.now += transitions.LEASE
    app.sandbox.aws_server.fault("secretsmanager", "CreateSecret", "denied", times=1, match=app.name)
    harness.relay.relay([owed.pk], lambda: True)
    harness.relay.relay([owed.pk], lambda: True)
    assert app.stored() is None
    harness.clock.now += 60
    harness.relay.relay([owed.pk], lambda: True)
    assert app.stored()


def test_of_two_in_one_millisecond_one_holds_the_lease(app: SandboxApp) -> None:
    harness = Harness(app)
    with not_stored(harness):
        owed = harness.callback(*harness.come_back())
    harness.clock.now += transitions.LEASE
    record = harness.record(owed.request_token)
    leases = [transitions.lease_storing(record, now=harness.clock()) for _ in range(2)]
    assert [lease is not None and harness.table.update(lease).applied for lease in leases] == [True, False]


def test_of_two_exchanges_the_one_that_was_sent_later_counts_however_quickly_it_was_answered(sandbox: Sandbox) -> None:
    app = make_app(sandbox, renews=True)  # the older of two grants holds a void token
    slow = Harness(app)
    quick = Harness(app, clock=slow.clock)
    newer: list[Authorization] = []
    commit = slow.finish._exchange._grant

    def meanwhile(*arguments: Any, **named: Any) -> Authorization:
        slow.clock.now += 2  # the provider has answered, and the answer is slow
        newer.append(quick.callback(*quick.come_back()))
        slow.clock.now += 2
        return commit(*arguments, **named)

    token, verifier = slow.come_back()
    with patch.object(slow.finish._exchange, "_grant", meanwhile):
        older = slow.callback(token, verifier)
    tidy(slow, older, *newer)
    assert current(app) == token_of(newer[0])
