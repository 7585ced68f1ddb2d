"""Attacks with tickets: replayed, planted, guessed."""

import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.browser import JSON
from tests.support.direct import begin as begin_directly
from tests.support.direct import invoke, new_pair, ticket_in
from tests.support.sandbox_app import RETURN_TO, SandboxApp, make_app
from tripod_flow.rules import tickets

REJECTED = "ticket_rejected"


def signed_in(app: SandboxApp, challenge: str) -> tuple[str, str]:
    """Sign in, and return the ticket and the callback URL."""
    browser = app.browser()
    callback = app.come_back(browser, challenge=challenge, return_to=RETURN_TO)
    return ticket_in(browser.get(callback).headers["location"]), callback


def age(app: SandboxApp, callback: str, name: str, seconds: float) -> None:
    """Move one of an authorization's times into the past."""
    app.change_item(app.authorization(callback)["pk"]["S"], **{name: time.time() - seconds})


def told(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "request_id"}


def test_ticket_replay(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name, RETURN_TO)
    ticket, callback = signed_in(app, challenge)
    assert invoke(app, "redeem", ticket=ticket, secret=secret)["user_id"] == app.user.user_id
    assert invoke(app, "redeem", ticket=ticket, secret=new_pair(app.name)[0])["code"] == REJECTED
    age(app, callback, "redeemed_at", tickets.REPEAT + 1)
    assert invoke(app, "redeem", ticket=ticket, secret=secret)["code"] == REJECTED


def test_ticket_replay_of_one_that_was_never_redeemed(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name, RETURN_TO)
    ticket, callback = signed_in(app, challenge)
    age(app, callback, "decided_at", tickets.LIFETIME + 1)
    assert invoke(app, "redeem", ticket=ticket, secret=secret)["code"] == REJECTED


def test_ticket_replay_between_two_sign_ins(app: SandboxApp) -> None:
    first, second = new_pair(app.name, RETURN_TO), new_pair(app.name, RETURN_TO)
    (one, _), (other, _) = signed_in(app, first[1]), signed_in(app, second[1])
    assert one != other
    for ticket, secret in ((one, second[0]), (other, first[0])):
        assert invoke(app, "redeem", ticket=ticket, secret=secret)["code"] == REJECTED
    crossed = f"{one.rpartition('.')[0]}.{other.rpartition('.')[2]}"
    assert invoke(app, "redeem", ticket=crossed, secret=first[0])["code"] == REJECTED


def test_ticket_replay_under_another_providers_name(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name, RETURN_TO)
    ticket, _ = signed_in(app, challenge)
    other = make_app(app.sandbox)
    assert invoke(app, "redeem", ticket=ticket.replace(app.name, other.name), secret=secret)["code"] == REJECTED


def test_ticket_theft_by_a_challenge_out_of_another_apps_redirect(app: SandboxApp) -> None:
    attackers, challenge = new_pair(app.name, RETURN_TO)  # of a session at the app whose page is RETURN_TO
    victim = app.browser()
    elsewhere = app.come_back(victim, challenge=challenge, return_to=f"{RETURN_TO}?another=app", endpoint="authenticate")
    stolen = ticket_in(victim.get(elsewhere).headers["location"])
    assert invoke(app, "redeem", ticket=stolen, secret=attackers)["code"] == REJECTED
    nowhere = victim.get(app.come_back(victim, challenge=challenge), accept=JSON).json()["ticket"]
    assert invoke(app, "redeem", ticket=nowhere, secret=attackers)["code"] == REJECTED


def test_ticket_theft_by_a_challenge_for_another_provider(app: SandboxApp) -> None:
    attackers, challenge = new_pair(app.name, RETURN_TO)
    other = make_app(app.sandbox)
    stolen, _ = signed_in(other, challenge)
    assert invoke(app, "redeem", ticket=stolen, secret=attackers)["code"] == REJECTED


def test_ticket_planting_in_the_apps_return_address(app: SandboxApp) -> None:
    attackers, victims = new_pair(app.name, RETURN_TO), new_pair(app.name, RETURN_TO)
    planted, _ = signed_in(app, attackers[1])
    assert invoke(app, "redeem", ticket=planted, secret=victims[0])["code"] == REJECTED
    names = (
        "ticket={}",
        "%74icket={}",
        "TICKET=x&ticket={}",
        "Ticket={}",
        "a=1;ticket={}",
        "%20ticket={}",
        "ticket[]={}",
        "ticket%00={}",
    )
    for query in (name.format(planted) for name in names):  # so that it comes before ours, for whichever parser
        answer = app.browser().start(app.name, accept=JSON, return_to=f"{RETURN_TO}?{query}")
        assert answer.json()["code"] == "return_to_not_allowed", query


def test_ticket_guessing_from_all_that_is_public(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name)
    begun = begin_directly(app, subject="attacker", challenge=challenge)
    callback = app.consent(begun["authorize_url"])  # the victim's consent; only the verifier is not the attacker's to see
    app.browser().get(callback)
    token = begun["request_token"]
    kept = app.authorization(callback)
    for key in (
        "",
        token,
        secret,
        challenge,
        app.name,
        kept["ticket_digest"]["S"],
        kept["verifier_digest"]["S"],
        parse_qs(urlsplit(callback).query)["oauth_verifier"][0],  # a short one can be guessed: the salt can't
        secrets.token_hex(16),
    ):
        guessed = tickets.issue(app.name, token, key)
        assert invoke(app, "redeem", ticket=guessed, secret=secret)["code"] == REJECTED, key
    assert app.stored() is None


def test_ticket_guessing_learns_nothing_from_the_answers(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name, RETURN_TO)
    ticket, _ = signed_in(app, challenge)
    pending = begin_directly(app, subject="42", challenge=challenge)["request_token"]
    answers = [
        told(invoke(app, "redeem", ticket=guess, secret=with_secret))
        for guess, with_secret in (
            (ticket, "wrong"),  # a sign-in that exists
            (f"{ticket.rpartition('.')[0]}.{'A' * 43}", secret),
            (tickets.issue(app.name, "no-such-token", "k"), secret),
            (tickets.issue(app.name, pending, "k"), secret),
            (tickets.issue("nobody", "t", "k"), secret),
        )
    ]
    assert answers[0]["code"] == REJECTED
    assert all(answer == answers[0] for answer in answers)
    assert app.user.user_id not in str(answers)


def test_ticket_guessing_by_trying_every_pin(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name)
    begun = begin_directly(app, subject="42", pin=True, challenge=challenge)
    pin = app.consent(begun["authorize_url"])
    asked = {"provider": app.name, "request_token": begun["request_token"], "pin": pin, "subject": "42"}
    ticket = invoke(app, "callback", **asked)["ticket"]
    assert tickets.issue(app.name, begun["request_token"], pin) != ticket  # the PIN alone, of ten million, makes none
    assert invoke(app, "callback", **asked)["ticket"] == ticket
    assert invoke(app, "redeem", ticket=ticket, secret=secret)["user_id"] == app.user.user_id
