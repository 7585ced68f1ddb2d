"""The user's no: what the provider may say for it, whose it must be, and what the user and the app are told."""

import re

import pytest

from sandbox.browser import JSON, Browser
from tests.support.sandbox_app import RETURN_TO, SandboxApp


def begin(app: SandboxApp, browser: Browser) -> str:
    """Begin an authorization that leads back to the app; return its request token."""
    return str(browser.start(app.name, return_to=RETURN_TO, accept=JSON).json()["request_token"])


def test_a_refusal_ends_on_a_page_that_offers_another_try(app: SandboxApp) -> None:
    browser = app.browser()
    response = browser.get(app.come_back(browser, cancel=True, force_login="true"))
    assert response.status_code == 403
    assert "Nothing was connected" in response.text
    again = re.search(r'href="([^"]+)"', response.text)
    assert again
    assert browser.get(again[1]).status_code == 302
    assert "force_login=true" in again[1]
    assert not app.calls("access_token")


def test_a_refusal_is_told_to_programs_and_to_the_app(app: SandboxApp) -> None:
    browser = app.browser()
    response = browser.get(app.come_back(browser, cancel=True), accept=JSON)
    assert (response.status_code, response.json()["code"]) == (403, "denied")
    returned = browser.get(app.come_back(browser, cancel=True, return_to=RETURN_TO))
    assert returned.headers["location"] == f"{RETURN_TO}?outcome=denied&provider={app.name}"


def test_a_refusal_needs_the_same_browser_as_consent(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser, cancel=True)
    assert app.browser().get(callback, accept=JSON).json()["code"] == "wrong_browser"
    assert browser.get(callback, accept=JSON).json()["code"] == "denied"


def test_a_refusal_after_the_grant_changes_nothing(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    browser.get(callback)
    token = callback.partition("oauth_token=")[2].partition("&")[0]
    assert browser.get(f"/oauth/{app.name}/callback?denied={token}").status_code == 200


def test_other_providers_words_for_a_refusal_are_understood(app: SandboxApp) -> None:
    browser = app.browser()
    token = browser.start(app.name, accept=JSON).json()["request_token"]
    answer = browser.get(f"/oauth/{app.name}/callback?oauth_token={token}&oauth_problem=user_refused", accept=JSON)
    assert answer.json()["code"] == "denied"


@pytest.mark.parametrize(
    "refusal",
    [
        "oauth_token={}&error=access_denied",
        "oauth_token={}",
        "oauth_token={}&oauth_verifier=",
        "oauth_token={}&oauth_verifier=denied",
        "oauth_token={}&oauth_verifier=DENIED",
        "oauth_token={}&oauth_verifier=null",
        "oauth_token={}&oauth_verifier=%20",
        "oauth_token={}&denied=1",
        "oauth_token={}&denied=true",
        "denied={}",
        "denied=true",
        "oauth_token={}&rejected=1",
        "oauth_token={}&oauth_problem=user_refused",
        "error=access_denied",
        "rejected=1",
        "",
    ],
)
def test_a_no_in_whatever_words_ends_at_the_apps_own_page(app: SandboxApp, refusal: str) -> None:
    browser = app.browser()
    token = begin(app, browser)
    answer = browser.get(f"/oauth/{app.name}/callback?{refusal.format(token)}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{RETURN_TO}?outcome=denied&provider={app.name}")
    app.sandbox.settle()
    app.sweep()
    assert app.told() == ["authorization.denied"]


@pytest.mark.parametrize("begun", [0, 2])
def test_which_of_several_was_refused_is_not_guessed_at(app: SandboxApp, begun: int) -> None:
    browser = app.browser()
    tokens = [begin(app, browser) for _ in range(begun)]
    answer = browser.get(f"/oauth/{app.name}/callback?error=access_denied")
    assert answer.status_code == 404
    assert f'href="{app.sandbox.api}/oauth/{app.name}/start"' in answer.text
    for token in tokens:
        assert browser.get(f"/oauth/{app.name}/callback?denied={token}").status_code == 303


def test_a_sign_in_that_is_long_over_does_not_stand_in_anothers_way(app: SandboxApp) -> None:
    browser = app.browser()
    old, token = begin(app, browser), begin(app, browser)
    app.change_item(f"authorization#{app.name}#{old}", expires_at=1)
    answer = browser.get(f"/oauth/{app.name}/callback?error=access_denied")
    assert answer.headers["location"] == f"{RETURN_TO}?outcome=denied&provider={app.name}"
    assert app.item(f"authorization#{app.name}#{token}")["state"] == {"S": "denied"}  # type: ignore[index]  # it is there


def test_another_browser_refuses_nothing_by_saying_less(app: SandboxApp) -> None:
    browser = app.browser()
    token = begin(app, browser)
    for query in (f"oauth_token={token}", f"oauth_token={token}&error=access_denied"):
        assert app.browser().get(f"/oauth/{app.name}/callback?{query}").status_code == 403
    assert app.browser().get(f"/oauth/{app.name}/callback").status_code == 404
    assert browser.get(f"/oauth/{app.name}/callback?denied={token}").status_code == 303
