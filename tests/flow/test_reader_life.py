"""A connection's whole life, through the public layer and Tripod's own functions."""

from urllib.parse import parse_qs, urlsplit

import pytest

import tripod
from sandbox.browser import JSON
from tests.support.reading import WHO, grant, reading, reads
from tests.support.sandbox_app import RETURN_TO, SandboxApp
from tripod import Connection, SignIn, TicketRejected, TokenNotFound, TokenRevoked, tickets


def test_an_app_learns_who_has_signed_in(app: SandboxApp) -> None:
    secret, browser = tickets.new_secret(), app.browser()
    ended = browser.get(app.come_back(browser, challenge=tickets.challenge(secret, provider=app.name)), accept=JSON).json()
    with reading(app.sandbox):
        with pytest.raises(TicketRejected):
            tripod.redeem(ended["ticket"], tickets.new_secret())
        proof = SignIn(app.name, app.user.user_id, app.user.screen_name, None, None)
        assert tripod.redeem(ended["ticket"], secret) == proof
        assert tripod.redeem(ended["ticket"], secret) == proof  # a retry after a lost answer


def test_a_user_is_listed_disconnected_and_back(app: SandboxApp) -> None:
    with reading(app.sandbox):
        assert list(tripod.users(app.name)) == []
        grant(app)
        (connection,) = tripod.users(app.name)
        expected = Connection(app.name, app.user.user_id, app.user.screen_name, None, connection.granted_at)
        assert connection == expected
        with tripod.user_session(app.name, user_id=app.user.user_id) as user:
            assert user.get(app.sandbox.provider + WHO, timeout=5).status_code == 200
            tripod.disconnect(app.name, user_id=app.user.user_id)
            before = reads(app)
            with pytest.raises(TokenRevoked):
                user.get(app.sandbox.provider + WHO, timeout=5)
            assert reads(app) == before + 1
            assert list(tripod.users(app.name)) == []
            with pytest.raises(TokenNotFound):
                tripod.disconnect(app.name, user_id=app.user.user_id)
            grant(app)
            assert user.get(app.sandbox.provider + WHO, timeout=5).status_code == 200
        assert len(list(tripod.users(app.name))) == 1


def test_a_ticket_comes_back_to_the_app_in_its_own_url(app: SandboxApp) -> None:
    secret, browser = tickets.new_secret(), app.browser()
    challenge = tickets.challenge(secret, provider=app.name, return_to=RETURN_TO)
    callback = app.come_back(browser, challenge=challenge, return_to=RETURN_TO)
    (ticket,) = parse_qs(urlsplit(browser.get(callback).headers["location"]).query)["ticket"]
    with reading(app.sandbox):
        assert tripod.redeem(ticket, secret).user_id == app.user.user_id
