"""Tickets, direct invocations, and the attacks on them: each finds no secret, no event, and no way to tokens or identity."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.browser import JSON
from tests.support.direct import begin, invoke, new_pair, ticket_in
from tests.support.harness import Harness
from tests.support.sandbox_app import RETURN_TO, SandboxApp, make_app
from tests.support.waiting import eventually
from tripod_flow.rules import errors, transitions
from tripod_flow.rules.authorization import State


def test_a_ticket_proves_who_signed_in(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name, RETURN_TO)
    browser = app.browser()
    callback = app.come_back(browser, challenge=challenge, return_to=RETURN_TO)
    location = browser.get(callback).headers["location"]
    assert location.startswith(f"{RETURN_TO}?outcome=granted&provider={app.name}&ticket=")
    assert browser.get(callback).headers["location"] == location
    proof = invoke(app, "redeem", ticket=ticket_in(location), secret=secret)
    assert proof == {
        "provider": app.name,
        "user_id": app.user.user_id,
        "screen_name": app.user.screen_name,
        "subject": None,
        "return_to": RETURN_TO,
    }


def test_without_a_challenge_there_is_no_ticket(app: SandboxApp) -> None:
    browser = app.browser()
    assert "ticket" not in browser.get(app.come_back(browser), accept=JSON).json()
    denied = app.browser()
    location = denied.get(app.come_back(denied, cancel=True, challenge=new_pair(app.name)[1], return_to=RETURN_TO)).headers[
        "location"
    ]
    assert "ticket" not in location


@pytest.mark.parametrize("challenge", ["short", "a" * 44, "a" * 42 + "=", "é" * 43, ""])
def test_a_challenge_must_be_a_hash(app: SandboxApp, challenge: str) -> None:
    assert app.browser().start(app.name, accept=JSON, challenge=challenge).json()["code"] == "bad_request"


def test_a_stolen_ticket_is_nothing_without_the_sessions_secret(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name)
    browser = app.browser()
    ticket = browser.get(app.come_back(browser, challenge=challenge), accept=JSON).json()["ticket"]
    for wrong in (new_pair(app.name)[0], challenge, ticket, secret + "x", "x"):
        told = invoke(app, "redeem", ticket=ticket, secret=wrong)
        assert told["code"] == "ticket_rejected"
        assert app.user.user_id not in json.dumps(told)
    assert invoke(app, "redeem", ticket=ticket, secret=secret)["user_id"] == app.user.user_id


def test_a_ticket_planted_in_anothers_browser_does_not_fit_their_session(app: SandboxApp) -> None:
    _, attackers = new_pair(app.name)
    victims, _ = new_pair(app.name)
    browser = app.browser()
    planted = browser.get(app.come_back(browser, challenge=attackers), accept=JSON).json()["ticket"]
    assert invoke(app, "redeem", ticket=planted, secret=victims)["code"] == "ticket_rejected"


def test_a_ticket_altered_anywhere_is_rejected(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name)
    browser = app.browser()
    ticket = browser.get(app.come_back(browser, challenge=challenge), accept=JSON).json()["ticket"]
    for place in (len(app.name) - 1, len(app.name) + 3, len(ticket) - 5):
        altered = ticket[:place] + ("A" if ticket[place] != "A" else "B") + ticket[place + 1 :]
        assert invoke(app, "redeem", ticket=altered, secret=secret)["code"] == "ticket_rejected"


def test_fifty_redeems_at_once_are_one(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name)
    browser = app.browser()
    ticket = browser.get(app.come_back(browser, challenge=challenge), accept=JSON).json()["ticket"]
    with ThreadPoolExecutor(50) as crowd:
        told = list(crowd.map(lambda _: invoke(app, "redeem", ticket=ticket, secret=secret), range(50)))
    assert {answer["user_id"] for answer in told} == {app.user.user_id}


def test_sign_in_only_keeps_no_tokens(app: SandboxApp) -> None:
    app = make_app(app.sandbox, secret={"store": "none"})
    secret, challenge = new_pair(app.name)
    browser = app.browser()
    callback = app.come_back(browser, challenge=challenge)
    ticket = browser.get(callback, accept=JSON).json()["ticket"]
    assert invoke(app, "redeem", ticket=ticket, secret=secret)["user_id"] == app.user.user_id
    assert app.stored() is None
    assert app.connection() is None
    assert "pending_tokens" not in app.authorization(callback)


def test_an_authorization_begun_by_another_lambda_is_completed_by_its_redeem(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name, RETURN_TO)
    begun = begin(app, subject="customer 42", challenge=challenge, return_to=RETURN_TO)
    assert set(begun) == {"authorize_url", "request_token", "expires_at"}
    callback = app.consent(begun["authorize_url"])
    assert callback.startswith(f"{app.sandbox.api}/oauth/{app.name}/callback?")
    location = app.browser().get(callback).headers["location"]
    assert app.stored() is None
    assert app.connection() is None
    assert app.authorization(callback)["state"] == {"S": "consented"}
    assert "pending_event" not in app.authorization(callback)
    proof = invoke(app, "redeem", ticket=ticket_in(location), secret=secret)
    assert proof["subject"] == "customer 42"
    stored, connection = app.stored(), app.connection()
    assert stored
    assert connection
    assert connection["subject"] == {"S": "customer 42"}
    assert app.browser().get(callback).headers["location"] == location
    assert invoke(app, "redeem", ticket=ticket_in(location), secret=secret) == proof


def test_a_stranger_who_consents_through_a_forwarded_url_gives_the_attacker_nothing(app: SandboxApp) -> None:
    _, challenge = new_pair(app.name)
    begun = begin(app, subject="attacker", challenge=challenge)
    callback = app.consent(begun["authorize_url"])  # the victim, sent there by the attacker
    victims = app.browser().get(callback, accept=JSON).json()
    assert victims["outcome"] == "granted"
    # The attacker, who holds the request token and the session's secret, but not the verifier, reloads the callback for the ticket.
    for guess in ("guess", "a" * 32):
        told = app.browser().get(
            f"/oauth/{app.name}/callback?oauth_token={begun['request_token']}&oauth_verifier={guess}", accept=JSON
        )
        assert told.status_code == 404
        assert app.user.user_id not in told.text
    assert app.browser().get(f"/oauth/{app.name}/callback?denied={begun['request_token']}", accept=JSON).status_code == 404
    # And the victim's own session, which never asked for this ticket, can't redeem it.
    assert invoke(app, "redeem", ticket=victims["ticket"], secret=new_pair(app.name)[0])["code"] == "ticket_rejected"
    before = len(app.sandbox.events)
    app.relay(app.authorization(callback)["pk"]["S"])
    assert not [event for event in app.sandbox.events[before:] if event.detail["provider"] == app.name]
    assert app.stored() is None
    assert app.connection() is None


def test_a_consent_that_is_never_confirmed_is_erased(app: SandboxApp) -> None:
    harness = Harness(app)
    secret, challenge = new_pair(app.name)
    token, verifier = harness.come_back(browser=False, challenge=challenge, subject="42")
    came = harness.finish.callback(app.name, token, verifier, {})
    assert came.record.state is State.CONSENTED
    assert came.record.ttl is None
    harness.clock.now += transitions.CONFIRMATION_LIFETIME - 1
    harness.relay.relay([came.record.pk], lambda: True)
    assert harness.record(token).pending_tokens
    harness.clock.now += 1
    harness.relay.relay([came.record.pk], lambda: True)
    lapsed = harness.record(token)
    assert (lapsed.state, lapsed.pending_tokens, lapsed.outbox, lapsed.pending_event) == (State.FAILED, None, None, None)
    assert came.ticket
    with pytest.raises(errors.InvalidTicket):
        harness.finish.redeem(came.ticket, secret)


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ({}, "challenge"),
        ({"subject": "42"}, "challenge"),
        ({"pin": True}, "subject"),
        ({"challenge": 5}, "challenge"),
        ({"challenge": "a" * 43, "subject": "s" * 257}, "subject"),
        ({"challenge": "a" * 43, "subject": ""}, "subject"),
        ({"challenge": "a" * 43, "force_login": "yes"}, "force_login"),
        ({"challenge": "a" * 43, "force_login": 1}, "force_login"),
        ({"challenge": "a" * 43, "oauth_callback": "https://evil.example"}, "Not known"),
        ({"challenge": "a" * 43, "return_to": {"a": 1}}, "return_to"),
    ],
)
def test_a_direct_start_that_makes_no_sense_says_what_to_change(app: SandboxApp, asked: dict[str, Any], missing: str) -> None:
    told = begin(app, **asked)
    assert (told["status"], told["code"]) == (400, "bad_request")
    assert missing in told["detail"]


@pytest.mark.parametrize("function", ["start", "callback", "redeem", "revoke"])
@pytest.mark.parametrize("payload", [[], None, "x", 5, True])
def test_a_direct_invocation_with_something_else_than_an_object_says_so(app: SandboxApp, function: str, payload: object) -> None:
    answer = app.sandbox.client("lambda").invoke(FunctionName=f"{app.sandbox.prefix}-{function}", Payload=json.dumps(payload))
    assert "FunctionError" not in answer
    told = json.loads(answer["Payload"].read())
    assert (told["code"], "must be a JSON object" in told["detail"]) == ("bad_request", True)


def test_a_subject_is_never_taken_from_a_browser(app: SandboxApp) -> None:
    begun = app.browser().start(app.name, accept=JSON, subject="42").json()
    assert begun["ignored"] == ["subject"]
    found = app.item(f"authorization#{app.name}#{begun['request_token']}")
    assert found
    assert "subject" not in found


def test_a_pin_handed_in_by_the_app_that_asked_is_its_own_act(app: SandboxApp) -> None:
    begun = begin(app, subject="42", pin=True)
    pin = app.consent(begun["authorize_url"])
    assert pin.isdigit()
    hand_in = {"provider": app.name, "request_token": begun["request_token"], "pin": pin}
    assert invoke(app, "callback", **hand_in, subject="43")["code"] == "unknown_authorization"
    told = invoke(app, "callback", **hand_in, subject="42")
    assert told == {
        "outcome": "granted",
        "provider": app.name,
        "user_id": app.user.user_id,
        "screen_name": app.user.screen_name,
    }
    assert app.stored()
    assert invoke(app, "callback", **hand_in, subject="42") == told
    assert len(app.calls("access_token")) == 1


def test_five_pins_may_be_tried(app: SandboxApp) -> None:
    begun = begin(app, subject="42", pin=True)
    pin = app.consent(begun["authorize_url"])
    hand_in = {"provider": app.name, "request_token": begun["request_token"], "subject": "42"}
    before = len(app.sandbox.logs.lines)
    for _ in range(4):
        assert invoke(app, "callback", **hand_in, pin="0000000")["code"] == "verifier_rejected"
    harness = Harness(app)
    assert harness.record(begun["request_token"]).failed_pins == 4
    assert invoke(app, "callback", **hand_in, pin="0000001")["code"] == "verifier_rejected"
    assert harness.record(begun["request_token"]).state is State.FAILED
    assert invoke(app, "callback", **hand_in, pin=pin)["code"] == "verifier_rejected"
    assert len(app.calls("access_token")) == 5
    assert app.stored() is None
    assert eventually(lambda: any('"repeated"' in line for line in app.sandbox.logs.lines[before:]))  # the sixth
    told = [json.loads(line) for line in app.sandbox.logs.lines[before:] if line.startswith("{")]
    assert sum("verifier_rejected" in line for line in told if "_aws" in line) == 5  # as often as one was wrong
    assert sum("reason" in line for line in told) == 5


def test_a_callback_and_a_pin_each_finish_only_their_own_kind(app: SandboxApp) -> None:
    begun = begin(app, subject="42", pin=True)
    pin = app.consent(begun["authorize_url"])
    crossed = f"/oauth/{app.name}/callback?oauth_token={begun['request_token']}&oauth_verifier={pin}"
    assert app.browser().get(crossed, accept=JSON).json()["code"] == "unknown_authorization"
    browser = app.browser()
    query = parse_qs(urlsplit(app.come_back(browser)).query)
    told = invoke(
        app, "callback", provider=app.name, request_token=query["oauth_token"][0], pin=query["oauth_verifier"][0], subject="42"
    )
    assert told["code"] == "unknown_authorization"
    assert not app.calls("access_token")
