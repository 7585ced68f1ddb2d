"""Attacks between two browsers: one begins and another ends, or cookies are carried over, planted and doubled."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.browser import JSON
from sandbox.gateway.event import GatewayRequest, path_parameters, to_event
from tests.support.direct import begin as begin_directly
from tests.support.direct import invoke, new_pair, ticket_in
from tests.support.pin import begin as begin_pin
from tests.support.pin import post
from tests.support.sandbox_app import RETURN_TO, SandboxApp, make_app

WRONG = (403, "wrong_browser")


def visit(app: SandboxApp, url: str, cookie: str) -> tuple[int, str]:
    """Open ``url`` with exactly this Cookie header; returns status and code."""
    answer = requests.get(url, headers={"Accept": JSON, "Cookie": cookie}, allow_redirects=False, timeout=30)
    assert "location" not in answer.headers
    assert app.user.user_id not in answer.text or answer.status_code == 200
    return answer.status_code, answer.json().get("code", "")


def token_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["oauth_token"][0]


def nothing_happened(app: SandboxApp) -> bool:
    return not app.calls("access_token") and app.stored() is None and app.connection() is None


@pytest.mark.parametrize("query", [{}, {"return_to": RETURN_TO}, {"endpoint": "authenticate"}, {"challenge": "a" * 43}])
def test_login_csrf_with_the_attackers_callback(app: SandboxApp, query: dict[str, str]) -> None:
    attacker, victim = app.browser(), app.browser()
    callback = app.come_back(attacker, cancel=False, **query)
    refused = victim.get(callback, accept=JSON)
    assert (refused.status_code, refused.json()["code"]) == WRONG
    assert "location" not in refused.headers
    assert not victim.cookies
    assert nothing_happened(app)


def test_login_csrf_with_the_attackers_refusal(app: SandboxApp) -> None:
    attacker, victim = app.browser(), app.browser()
    callback = app.come_back(attacker, cancel=True, return_to=RETURN_TO)
    assert visit(app, callback, "") == WRONG
    assert victim.get(callback).status_code == 403
    assert app.item(f"authorization#{app.name}#{parse_qs(urlsplit(callback).query)['denied'][0]}")


def test_login_csrf_while_the_victim_signs_in_as_well(app: SandboxApp) -> None:
    attacker, victim = app.browser(), app.browser()
    attackers = app.sandbox.provider_server.add_user()
    planted = app.consent(app.begin(attacker), attackers)
    own = app.come_back(victim)
    assert victim.get(planted, accept=JSON).json()["code"] == "wrong_browser"
    assert victim.get(own, accept=JSON).json()["user_id"] == app.user.user_id
    assert len(app.calls("access_token")) == 1


def test_login_csrf_with_the_attackers_pin(app: SandboxApp) -> None:
    attacker, victim = app.browser(), app.browser()
    token, pin = begin_pin(app, attacker)
    begin_pin(app, victim)
    told = post(app, victim, {"request_token": token, "pin": pin})
    assert (told.status_code, told.json()["code"]) == WRONG
    assert nothing_happened(app)


def test_login_csrf_with_an_authorization_begun_by_direct_invocation(app: SandboxApp) -> None:
    attackers, victims = new_pair(app.name), new_pair(app.name)
    begun = begin_directly(app, subject="attacker", challenge=attackers[1], return_to=RETURN_TO)
    location = app.browser().get(app.consent(begun["authorize_url"])).headers["location"]  # in the victim's browser
    assert invoke(app, "redeem", ticket=ticket_in(location), secret=victims[0])["code"] == "ticket_rejected"
    assert app.stored() is None
    assert app.connection() is None


def test_login_csrf_by_a_start_with_the_attackers_challenge(app: SandboxApp) -> None:
    attackers, victims = new_pair(app.name), new_pair(app.name)
    victim = app.browser()
    location = victim.get(app.come_back(victim, challenge=attackers[1], return_to=RETURN_TO)).headers["location"]
    assert location.startswith(f"{RETURN_TO}?")  # so the ticket is told to the app's own page alone
    assert invoke(app, "redeem", ticket=ticket_in(location), secret=victims[0])["code"] == "ticket_rejected"


def test_session_fixation_by_a_forwarded_authorize_url(app: SandboxApp) -> None:
    attacker, victim = app.browser(), app.browser()
    callback = app.consent(app.begin(attacker))  # the victim agrees to what the attacker began
    token = token_of(callback)
    assert victim.get(callback, accept=JSON).json()["code"] == "wrong_browser"
    told = attacker.get(f"/oauth/{app.name}/callback?oauth_token={token}&oauth_verifier=guess", accept=JSON)
    assert told.json()["code"] == "verifier_rejected"
    again = attacker.get(callback, accept=JSON)  # one guess is all: even the right verifier comes too late
    assert (again.json()["code"], app.stored()) == ("verifier_rejected", None)


def test_session_fixation_without_the_verifier(app: SandboxApp) -> None:
    attacker = app.browser()
    callback = app.consent(app.begin(attacker))
    assert attacker.get(f"/oauth/{app.name}/callback?oauth_token={token_of(callback)}", accept=JSON).json()["code"] == "denied"
    assert (attacker.get(callback, accept=JSON).json()["code"], app.stored()) == ("denied", None)
    assert not app.calls("access_token")


@pytest.mark.parametrize("value", ["1.known", "9999999999.known", ""])
def test_session_fixation_by_a_cookie_planted_before_start(app: SandboxApp, value: str) -> None:
    victim = app.browser()
    victim.cookies = {"__Host-tripod-0123456789abcdef": value}
    callback = app.come_back(victim)
    ((name, key),) = [pair for pair in victim.cookies.items() if pair[0] != "__Host-tripod-0123456789abcdef"]
    assert (value != key, len(key.split(".")[1])) == (True, 43)
    assert visit(app, callback, f"{name}={value}") == WRONG
    assert visit(app, callback, f"{name}={key}") == (200, "")


def test_authorization_theft_of_a_leaked_callback_url(app: SandboxApp) -> None:
    victim, thief = app.browser(), app.browser()
    callback = app.come_back(victim)
    app.begin(thief)
    ((name, key),) = victim.cookies.items()
    ((thiefs_name, thiefs_key),) = thief.cookies.items()
    kept = app.authorization(callback)["cookie_digest"]["S"]
    for cookie in (
        "",
        f"{thiefs_name}={thiefs_key}",
        f"{name}={thiefs_key}",
        f"{name}=",
        f"{name}={kept}",
        f"{name}={token_of(callback)}",
        f"{name}={key[:-1]}",
        f"{name}={key.upper()}",
        f"{name}={key.partition('.')[2]}",
        f"{thiefs_name}={key}",
    ):
        assert visit(app, callback, cookie) == WRONG, cookie
    assert nothing_happened(app)
    assert victim.get(callback).status_code == 200
    assert app.stored()


def test_authorization_theft_of_an_outcome(app: SandboxApp) -> None:
    victim = app.browser()
    callback = app.come_back(victim, challenge=new_pair(app.name)[1])
    ticket = victim.get(callback, accept=JSON).json()["ticket"]
    for method in (callback, f"/oauth/{app.name}/callback?denied={token_of(callback)}"):
        stolen = app.browser().get(method, accept=JSON)
        assert (stolen.status_code, stolen.json()["code"]) == WRONG
        assert not {ticket, app.user.user_id, app.user.screen_name} & set(stolen.json().values())


def test_authorization_theft_under_another_providers_name(app: SandboxApp) -> None:
    other, victim = make_app(app.sandbox), app.browser()
    callback = app.come_back(victim)
    crossed = callback.replace(f"/oauth/{app.name}/", f"/oauth/{other.name}/")
    assert victim.get(crossed, accept=JSON).json()["code"] == "unknown_authorization"
    assert nothing_happened(app)
    assert not other.calls("access_token")


@pytest.mark.parametrize(
    "tossed",
    [
        "{bare}={key}",
        "__Secure-{bare}={key}",
        "__host-{bare}={key}",
        "__HOST-{bare}={key}",
        "__Host-__Host-{bare}={key}",
        "%5F%5FHost-{bare}={key}",
        "{name}.={key}",
        "{name}[0]={key}",
        "x={name}={key}",
        "x={name}%3D{key}",
        "={name}={key}",
        "x=%3B%20{name}={key}",
        "x=y {name}={key}",
        "x=y\t{name}={key}",
    ],
)
def test_cookie_tossing_under_a_name_that_a_neighbour_may_set(app: SandboxApp, tossed: str) -> None:
    attacker = app.browser()
    callback = app.come_back(attacker)
    ((name, key),) = attacker.cookies.items()
    assert visit(app, callback, tossed.format(name=name, bare=name.removeprefix("__Host-"), key=key)) == WRONG
    assert nothing_happened(app)


@pytest.mark.parametrize("blank", ["\u00a0", "\u0085", "\u2000", "\u2028", "\u3000", "\x1f", "\x0b", "\0"])
@pytest.mark.parametrize("place", ["{blank}{name}", "{name}{blank}"])
def test_cookie_tossing_behind_a_blank_that_a_browser_takes_for_a_letter(app: SandboxApp, blank: str, place: str) -> None:
    attacker = app.browser()
    callback = urlsplit(app.come_back(attacker))
    ((name, key),) = attacker.cookies.items()
    request = GatewayRequest("GET", f"{callback.path}?{callback.query}", "HTTP/1.1", [("accept", JSON)], b"", "127.0.0.1", 443)
    route = next(
        one
        for one in app.sandbox.functions.function(f"{app.sandbox.prefix}-callback").routes
        if path_parameters(one, callback.path)
    )
    told = to_event(request, route, {"provider": app.name}, app.sandbox.aws_server.account)
    told["cookies"] = [f"{place.format(blank=blank, name=name)}={key}"]
    answer = app.sandbox.functions.invoke(f"{app.sandbox.prefix}-callback", told, alias="live").payload
    assert json.loads(answer["body"])["code"] == "wrong_browser"
    assert nothing_happened(app)


@pytest.mark.parametrize(
    "order", ["{name}={theirs}; {name}={own}", "{name}={own}; {name}={theirs}", "{name}={own}; x=1; {name}="]
)
def test_cookie_tossing_by_several_of_one_name(app: SandboxApp, order: str) -> None:
    attacker, victim = app.browser(), app.browser()
    planted, own = app.come_back(attacker), app.come_back(victim)
    ((name, key),) = victim.cookies.items()
    ((attackers_name, attackers_key),) = attacker.cookies.items()
    assert visit(app, planted, order.format(name=attackers_name, own=key, theirs="1.x")) == WRONG
    assert nothing_happened(app)
    assert visit(app, own, order.format(name=name, own=key, theirs=attackers_key)) in (WRONG, (200, ""))
    assert app.authorization(planted)["state"] == {"S": "pending"}


def test_cookie_tossing_is_left_to_the_browser_by_the_prefix(app: SandboxApp) -> None:
    (line,) = app.browser().start(app.name).raw.headers.getlist("set-cookie")
    attributes = {part.strip().partition("=")[0].lower() for part in line.split(";")[1:]}
    assert line.startswith("__Host-")
    assert attributes == {"max-age", "path", "secure", "httponly", "samesite"}  # no Domain
    assert "; Path=/;" in line


def test_authorization_theft_of_the_apps_query_by_who_holds_a_direct_authorize_url(app: SandboxApp) -> None:
    _, challenge = new_pair(app.name, f"{RETURN_TO}?private=42")
    begun = begin_directly(app, subject="42", challenge=challenge, return_to=f"{RETURN_TO}?private=42")
    refusal = app.consent(begun["authorize_url"], cancel=True)
    location = app.browser().get(refusal).headers["location"]
    assert location == f"{RETURN_TO}?outcome=denied&provider={app.name}"
    bound = app.browser()
    own = app.come_back(bound, cancel=True, return_to=f"{RETURN_TO}?private=42")
    assert "private=42" in bound.get(own).headers["location"]
