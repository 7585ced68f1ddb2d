"""Whoever is overtaken leaves what is another's to them: one grant is stored by one at a time."""

from typing import Any
from unittest.mock import patch

import pytest

from sandbox.provider import Fault
from sandbox.world import Sandbox
from tests.conftest import App, make_app
from tests.flow.test_tickets import new_pair
from tests.house import Clock, House
from tripod_flow import errors, progress
from tripod_flow.authorization import Authorization, State
from tripod_flow.legs import Identity, Legs
from tripod_flow.transition import Transition


def unstored(house: House) -> Any:
    """Return a patch by which whoever decides dies before anything is stored."""
    return patch.object(house.custody, "try_to_keep", lambda _: False)


def test_a_grant_that_somebody_else_has_just_begun_to_store_is_left_to_them(app: App) -> None:
    house = House(app)
    with unstored(house):
        owed = house.callback(*house.come_back())
    house.clock.now += progress.LEASE
    quicker, move = House(app, clock=house.clock), house.table.move

    def overtaken(transition: Transition, held: Authorization | None = None) -> tuple[bool, Authorization | None]:
        house.table.move = move  # type: ignore[method-assign]
        taking = progress.keeping(house.record(owed.request_token), now=house.clock())
        assert taking
        assert quicker.table.move(taking)[0]
        return move(transition, held)

    house.table.move = overtaken  # type: ignore[method-assign]
    house.relay.relay([owed.pk], lambda: True)
    assert app.stored() is None
    house.clock.now += progress.LEASE
    house.relay.relay([owed.pk], lambda: True)
    assert app.stored()


def unidentified(sandbox: Sandbox) -> tuple[House, str, str]:
    """Return an exchange of which nobody could say yet whose the tokens are: the house, its request token and verifier."""
    app = make_app(sandbox, user_id_field=None, screen_name_field=None)
    app.fault("identity", Fault.SERVER_ERROR)
    house = House(app)
    token, verifier = house.come_back()
    with pytest.raises(errors.ProviderUnavailable):
        house.callback(token, verifier)
    return house, token, verifier


@pytest.mark.parametrize("by_relay", [False, True])
def test_a_grant_that_a_successor_has_decided_is_left_to_them(sandbox: Sandbox, by_relay: bool) -> None:
    successor, token, verifier = unidentified(sandbox)
    app = successor.app

    class Slow(Legs):
        """Legs that outlast their lease while they ask whose the tokens are: the user reloads, and that is quicker."""

        overtaken = False

        def identity(self, *args: Any, **kwargs: Any) -> Identity:
            if not Slow.overtaken:
                Slow.overtaken = True
                successor.clock.now += progress.LEASE
                with unstored(successor):
                    assert successor.callback(token, verifier).state is State.GRANTED
            return super().identity(*args, **kwargs)

    slow = House(app, clock=successor.clock, legs_type=Slow, cookies=successor.cookies)
    if by_relay:
        slow.relay.relay([successor.record(token).pk], lambda: True)
    else:
        assert slow.callback(token, verifier).state is State.GRANTED
    assert Slow.overtaken
    assert app.stored() is None
    successor.clock.now += progress.LEASE
    successor.relay.relay([successor.record(token).pk], lambda: True)
    assert app.stored()


def consented(house: House) -> tuple[str, str, Authorization]:
    """Return a ticket, its secret, and the record of a consent that waits for them."""
    secret, challenge = new_pair()
    token, verifier = house.come_back(browser=False, challenge=challenge, subject="42")
    came = house.handshake.callback(house.app.name, token, verifier, {})
    assert came.ticket
    return came.ticket, secret, house.record(token)


def test_a_consent_that_was_redeemed_meanwhile_neither_lapses_nor_is_redeemed_anew(app: App) -> None:
    house = House(app)
    ticket, secret, stale = consented(house)
    granted = house.handshake.redeem(ticket, secret)
    for late in (progress.lapsed(stale, now=house.clock() + 1), progress.confirmed(stale, now=house.clock() + 1)):
        assert not house.table.move(late)[0]
    now = house.record(stale.request_token)
    assert (now.state, now.redeemed_at) == (State.GRANTED, granted.redeemed_at)
    assert app.stored()


def test_a_consent_that_has_lapsed_meanwhile_is_not_granted(app: App) -> None:
    house = House(app)
    _, _, stale = consented(house)
    house.clock.now += progress.CONFIRMATION_LIFETIME
    house.relay.relay([stale.pk], lambda: True)
    assert not house.table.move(progress.confirmed(stale, now=house.clock()))[0]
    assert house.record(stale.request_token).state is State.FAILED
    assert app.stored() is None


def test_of_two_who_take_over_what_a_dead_holder_left_one_has_it(sandbox: Sandbox) -> None:
    house, token, _ = unidentified(sandbox)
    left = house.record(token)
    first, second = (progress.resume(left, claim_id=claim_id, now=house.clock()) for claim_id in ("first", "second"))
    assert first
    assert second
    assert house.table.move(first)[0]
    assert not house.table.move(second)[0]
    assert house.record(token).claim_id == "first"


def test_of_two_redemptions_at_once_both_are_told_the_same(app: App) -> None:
    house = House(app)
    ticket, secret, _ = consented(house)
    quicker, look = House(app, clock=Clock(house.clock.now + 1)), house.table.authorization
    told: list[Authorization] = []

    def overtaken(pk: str) -> Authorization | None:
        found = look(pk)
        if not told:
            told.append(quicker.handshake.redeem(ticket, secret))
        return found

    house.table.authorization = overtaken  # type: ignore[method-assign]
    again = house.handshake.redeem(ticket, secret)
    assert (again.state, again.user_id, again.redeemed_at) == (State.GRANTED, app.user.user_id, told[0].redeemed_at)


def test_what_the_relay_could_not_store_its_next_sweep_may_store_at_once(app: App) -> None:
    house = House(app)
    with unstored(house):
        owed = house.callback(*house.come_back())
    house.clock.now += progress.LEASE
    app.sandbox.aws_server.fault("secretsmanager", "CreateSecret", "denied", times=1, match=app.name)
    house.relay.relay([owed.pk], lambda: True)
    assert app.stored() is None
    house.relay.relay([owed.pk], lambda: True)
    assert app.stored()
