"""A provider of OAuth 1.0, which issues no verifier: nothing but the cookie tells who is back, so nobody else may finish."""

import pytest

from sandbox.browser import JSON
from sandbox.world import Sandbox
from tests.support.catalogue_app import CatalogueApp, make_catalogue_app
from tests.support.direct import begin, new_pair
from tests.support.sandbox_app import RETURN_TO


@pytest.fixture(params=["tripit", "launchpad", "schoology"])
def app(request: pytest.FixtureRequest, sandbox: Sandbox) -> CatalogueApp:
    return make_catalogue_app(sandbox, request.param)


def test_the_callback_url_stands_on_the_authorize_url(app: CatalogueApp) -> None:
    assert f"oauth%2F{app.name}%2Fcallback" in app.begin(app.browser())


def test_a_callback_without_a_verifier_is_exchanged_once(app: CatalogueApp) -> None:
    browser = app.browser()
    back = app.come_back(browser)
    assert "oauth_verifier" not in back
    assert browser.get(back, accept=JSON).json()["outcome"] == "granted"
    assert browser.get(back, accept=JSON).json()["outcome"] == "granted"
    assert len(app.calls("access_token")) == 1


def test_another_browser_finishes_nothing(app: CatalogueApp) -> None:
    back = app.come_back(app.browser())
    answer = app.browser().get(back, accept=JSON)
    assert answer.json()["code"] == "wrong_browser"
    assert app.calls("access_token") == []
    assert app.stored() is None


@pytest.mark.parametrize("word", ["denied=1", "error=access_denied", "rejected=1", "oauth_problem=user_refused"])
def test_a_no_in_words_is_one(app: CatalogueApp, word: str) -> None:
    browser = app.browser()
    assert browser.get(f"{app.come_back(browser)}&{word}", accept=JSON).json()["code"] == "denied"


def test_a_return_that_names_no_request_token_exchanges_nothing(app: CatalogueApp) -> None:
    browser = app.browser()
    bare = app.come_back(browser).partition("?")[0]
    assert browser.get(bare, accept=JSON).json()["code"] == "denied"
    assert app.calls("access_token") == []


def test_no_other_than_a_browser_can_begin(app: CatalogueApp) -> None:
    _, challenge = new_pair(app.name)
    for asked in ({"challenge": challenge}, {"pin": True, "subject": "7"}):
        answer = begin(app, **asked)
        assert (answer["status"], "no verifier" in answer["detail"]) == (400, True), answer
    by_pin = app.browser().start(app.name, accept=JSON, pin="true")
    assert (by_pin.status_code, by_pin.json()["code"]) == (400, "bad_request")


def test_what_was_begun_while_verifiers_were_expected_is_not_finished_without_one(app: CatalogueApp) -> None:
    """A definition that is changed meanwhile opens no way to what a direct invocation began."""
    app.redefine(verifier=True)
    _, challenge = new_pair(app.name, RETURN_TO)
    begun = begin(app, challenge=challenge, return_to=RETURN_TO)
    app.redefine(verifier=False)
    answer = app.browser().get(f"/oauth/{app.name}/callback?oauth_token={begun['request_token']}", accept=JSON)
    assert answer.json()["code"] == "unknown_authorization"
    assert app.calls("access_token") == []


def test_a_ticket_is_keyed_by_the_cookie(app: CatalogueApp) -> None:
    secret, challenge = new_pair(app.name, RETURN_TO)
    browser = app.browser()
    answer = browser.get(app.come_back(browser, challenge=challenge, return_to=RETURN_TO))
    assert "ticket=" in answer.headers["location"]
    assert secret not in answer.headers["location"]


def test_the_return_of_another_browser_ends_a_sign_in_that_was_forwarded(app: CatalogueApp) -> None:
    """Who has another person agree finds nothing to finish: that person's browser is back first."""
    mallory = app.browser()
    back = app.come_back(mallory)
    assert app.browser().get(back, accept=JSON).json()["code"] == "wrong_browser"
    assert mallory.get(back, accept=JSON).json()["code"] == "verifier_rejected"
    assert app.calls("access_token") == []
    assert app.stored() is None


def test_a_verifier_that_nobody_can_have_issued_is_worth_nothing(app: CatalogueApp) -> None:
    app.redefine(verifier=True)
    _, challenge = new_pair(app.name, RETURN_TO)
    begun = begin(app, challenge=challenge, return_to=RETURN_TO)
    app.redefine(verifier=False)
    target = f"/oauth/{app.name}/callback?oauth_token={begun['request_token']}&oauth_verifier=any"
    assert app.browser().get(target, accept=JSON).json()["code"] == "unknown_authorization"
    assert app.calls("access_token") == []
