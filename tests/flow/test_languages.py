"""Pages in the visitor's language, and JSON in English, through the API."""

import pytest
import requests

from sandbox.browser import JSON, PAGE
from sandbox.provider import ProviderFault
from tests.support.pin import begin, post
from tests.support.sandbox_app import SandboxApp

GERMAN = "de-AT,de;q=0.9,en;q=0.8"


def test_a_browser_is_answered_in_its_language(app: SandboxApp) -> None:
    browser = app.browser(GERMAN)
    page = browser.get(app.come_back(browser))
    assert page.headers["content-language"] == "de"
    assert '<html lang="de" dir="ltr">' in page.text
    assert f"Ihr Konto <bdi>@{app.user.screen_name}</bdi> bei" in page.text
    assert "You are connected" not in page.text


def test_a_reload_is_in_the_language_that_the_browser_asks_for_by_then(app: SandboxApp) -> None:
    browser = app.browser(GERMAN)
    address = app.come_back(browser)
    assert "Konto verbunden" in browser.get(address).text
    arabic = app.browser("ar-EG,ar;q=0.9")
    arabic.cookies = browser.cookies
    assert '<html lang="ar" dir="rtl">' in arabic.get(address).text


def test_problems_are_pages_in_the_browsers_language_and_json_in_english(app: SandboxApp) -> None:
    browser = app.browser(GERMAN)
    address = app.come_back(browser)
    page = app.browser(GERMAN).get(address)
    assert (page.status_code, "Dieser Browser hat kein Cookie dieser Anmeldung." in page.text) == (403, True)
    told = app.browser(GERMAN).get(address, accept=JSON)
    assert told.json()["title"] == "Please start again in this browser"
    assert "content-language" not in told.headers
    app.fault("request_token", ProviderFault.OVER_CAPACITY, times=2)
    assert "ist nicht erreichbar" in browser.start(app.name).text
    link = browser.start("nobody")
    assert "Dieser Link ist fehlerhaft" in link.text
    assert '<p lang="en" dir="ltr">There is no provider of this name here.</p>' in link.text


def test_the_pins_pages_are_in_the_language_of_each_request(app: SandboxApp) -> None:
    browser = app.browser(GERMAN)
    token, pin = begin(app, browser)
    assert "mit einer PIN verbinden" in browser.get(f"/oauth/{app.name}/pin?request_token={token}").text
    form = {"request_token": token, "pin": "0000000"}
    german, french = ({"Accept-Language": language} for language in (GERMAN, "fr"))
    assert "Verbleibende Versuche: 4" in post(app, browser, form, accept=PAGE, **german).text
    assert "Essais restants\u00a0: 3" in post(app, browser, form, accept=PAGE, **french).text
    nonsense = post(app, browser, {**form, "pin": "12 34!"}, accept=PAGE, **german)
    assert (nonsense.status_code, "Das kann keine PIN sein" in nonsense.text) == (400, True)
    assert "PIN erneut eingeben</a>" in nonsense.text
    told = post(app, browser, form, **german).json()
    assert (told["attempts_left"], told["detail"]) == (2, "2 more can be tried.")
    assert "Konto verbunden" in post(app, browser, {**form, "pin": pin}, accept=PAGE, **german).text


@pytest.mark.parametrize("header", ["", "xx", "de;q=0", "\u00ff", "de;q=0.5;q=0.5", "*"])
def test_english_where_nothing_else_fits(app: SandboxApp, header: str) -> None:
    headers: dict[str, str | bytes] = {"Accept": PAGE, "Accept-Language": header.encode("latin-1")}
    page = requests.get(f"{app.sandbox.api}/oauth/{app.name}/callback?denied=unknown", headers=headers, timeout=30)
    assert (page.status_code, page.headers["content-language"]) == (404, "en")
    assert "Nothing to finish here" in page.text
