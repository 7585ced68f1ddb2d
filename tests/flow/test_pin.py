"""PIN-based authorization in a browser and by a program."""

import re
from typing import Any

import pytest

from sandbox.browser import JSON, PAGE
from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.pin import FORM, begin, post
from tests.support.sandbox_app import QUICK, RETURN_TO, SandboxApp, make_app


def test_the_page_leads_to_the_provider_in_a_new_tab_and_asks_for_the_pin(app: SandboxApp) -> None:
    browser = app.browser()
    started = browser.start(app.name, pin="true")
    assert started.status_code == 303
    page = browser.get(started.headers["location"])
    assert page.status_code == 200
    assert browser.get(started.headers["location"]).text == page.text  # a reload keeps the request token
    link = re.search(r'<a href="([^"]+)" target="_blank" rel="noopener noreferrer">', page.text)
    token = re.search(r'name="request_token" value="([^"]+)"', page.text)
    assert link
    assert token
    assert "form-action 'self';" in page.headers["content-security-policy"]
    pin = app.consent(link[1].replace("&amp;", "&"))
    ended = post(app, browser, {"request_token": token[1], "pin": f" {pin[:3]} {pin[3:]} "}, accept=PAGE)
    assert (ended.status_code, "You are connected" in ended.text) == (200, True)
    assert app.stored()


def test_a_program_hands_the_pin_in_as_json_or_form(app: SandboxApp) -> None:
    for kind in (FORM, JSON):
        browser = app.browser()
        token, pin = begin(app, browser)
        body = f'{{"request_token": "{token}", "pin": "{pin}"}}' if kind == JSON else {"request_token": token, "pin": pin}
        first, again = post(app, browser, body, kind=kind), post(app, browser, body, kind=kind)
        assert first.json()["user_id"] == app.user.user_id
        assert again.json() == first.json()
    assert len(app.calls("access_token")) == 2


def test_the_pins_page_may_lead_to_the_app(app: SandboxApp) -> None:
    browser = app.browser()
    page = browser.get(browser.start(app.name, pin="true", return_to=RETURN_TO).headers["location"])
    assert "form-action 'self' http://127.0.0.1:3000;" in page.headers["content-security-policy"] + ";"
    token, pin = begin(app, browser, return_to=RETURN_TO)
    ended = post(app, browser, {"request_token": token, "pin": pin}, accept=PAGE)
    assert ended.status_code == 303
    assert ended.headers["location"].startswith(f"{RETURN_TO}?outcome=granted")


def test_five_pins_may_be_tried_and_the_page_says_how_many_are_left(app: SandboxApp) -> None:
    browser = app.browser()
    token, pin = begin(app, browser)
    for left in (4, 3):
        told = post(app, browser, {"request_token": token, "pin": "0000000"})
        assert (told.status_code, told.json()["code"], told.json()["attempts_left"]) == (400, "verifier_rejected", left)
    page = post(app, browser, {"request_token": token, "pin": "0000000"}, accept=PAGE)
    assert page.status_code == 400
    assert "2 more can be tried" in page.text
    assert 'role="alert"' in page.text
    assert f'value="{token}"' in page.text
    post(app, browser, {"request_token": token, "pin": "0000000"})
    assert "attempts_left" not in post(app, browser, {"request_token": token, "pin": "0000000"}).json()
    assert post(app, browser, {"request_token": token, "pin": pin}).json()["code"] == "verifier_rejected"
    assert len(app.calls("access_token")) == 5


@pytest.mark.parametrize("zero", ["\uff10", "\u0660", "\u06f0"])
def test_a_pin_is_taken_in_the_digits_of_the_users_keyboard(app: SandboxApp, zero: str) -> None:
    browser = app.browser()
    token, pin = begin(app, browser)
    typed = "".join(chr(ord(zero) + int(digit)) for digit in pin)
    assert post(app, browser, {"request_token": token, "pin": typed}).json()["outcome"] == "granted"


@pytest.mark.parametrize("wrong", ["12 34!", "<b>", "1234567' OR", "é", "1" * 129, "   "])
def test_what_can_not_be_a_pin_costs_no_try(app: SandboxApp, wrong: str) -> None:
    browser = app.browser()
    token, pin = begin(app, browser)
    told = post(app, browser, {"request_token": token, "pin": wrong})
    assert (told.status_code, told.json()["code"]) == (400, "bad_request")
    page = post(app, browser, {"request_token": token, "pin": wrong}, accept=PAGE)
    assert f"/pin?request_token={token}" in page.text
    assert not app.calls("access_token")
    assert post(app, browser, {"request_token": token, "pin": pin}).json()["outcome"] == "granted"


@pytest.mark.parametrize("around", [" ", "\t", "\n", "\u00a0", "\u200b", "\ufeff"])
def test_blanks_that_were_copied_along_with_a_pin_are_ignored(app: SandboxApp, around: str) -> None:
    browser = app.browser()
    token, pin = begin(app, browser)
    pasted = f"{around}{pin[:3]} {pin[3:]}{around}"
    assert post(app, browser, {"request_token": token, "pin": pasted}).json()["outcome"] == "granted"


def test_an_empty_pin_leads_back_to_the_page_that_asks_for_it(app: SandboxApp) -> None:
    browser = app.browser()
    token, _ = begin(app, browser)
    for form in (f"request_token={token}&pin=", f"request_token={token}", f"request_token={token}&pin=1&pin=2"):
        page = post(app, browser, form, accept=PAGE)
        assert page.status_code == 400
        assert f'href="{app.sandbox.api}/oauth/{app.name}/pin?request_token={token}"' in page.text


def test_a_link_to_the_pins_page_may_have_a_tracker(app: SandboxApp) -> None:
    browser = app.browser()
    token, _ = begin(app, browser)
    assert browser.get(f"/oauth/{app.name}/pin?request_token={token}&fbclid=1").status_code == 200


def test_the_fifth_wrong_pin_says_that_it_was_the_last(app: SandboxApp) -> None:
    browser = app.browser()
    token, _ = begin(app, browser)
    pages = [post(app, browser, {"request_token": token, "pin": "0000000"}, accept=PAGE).text for _ in range(6)]
    assert ["None of the five PINs was right" in page for page in pages] == [False, False, False, False, True, True]
    assert "Start again with a new PIN" in pages[4]


def test_the_pins_page_shows_how_it_stands_to_the_browser_that_asked(app: SandboxApp) -> None:
    browser = app.browser()
    token, pin = begin(app, browser, force_login="true", screen_name="jo")
    look = f"/oauth/{app.name}/pin?request_token={token}"
    told = browser.get(look, accept=JSON).json()
    assert told["request_token"] == token
    assert "force_login=true" in told["authorize_url"]
    assert "screen_name=jo" in told["authorize_url"]
    assert app.browser().get(look, accept=JSON).json()["code"] == "wrong_browser"
    post(app, browser, {"request_token": token, "pin": pin})
    assert browser.get(look, accept=JSON).json()["outcome"] == "granted"
    assert browser.get(f"/oauth/{app.name}/pin?request_token=unknown", accept=JSON).json()["code"] == "unknown_authorization"
    assert browser.get(f"/oauth/{app.name}/pin", accept=JSON).json()["code"] == "bad_request"
    verifier = app.browser()
    callback = app.come_back(verifier)
    crossed = callback.partition("oauth_token=")[2].partition("&")[0]
    assert verifier.get(f"/oauth/{app.name}/pin?request_token={crossed}", accept=JSON).json()["code"] == "unknown_authorization"


@pytest.mark.parametrize(("fault", "times"), [(ProviderFault.OVER_CAPACITY, 2), (ProviderFault.RATE_LIMITED, 1)])
def test_after_a_passing_fault_the_same_pin_can_be_entered_again(app: SandboxApp, fault: ProviderFault, times: int) -> None:
    browser = app.browser()
    token, pin = begin(app, browser, return_to=RETURN_TO)
    app.fault("access_token", fault, times=times)
    page = post(app, browser, {"request_token": token, "pin": pin}, accept=PAGE)
    assert page.status_code == 503
    again = re.search(r'href="([^"]+)"', page.text)
    assert again
    assert f'value="{token}"' in browser.get(again[1]).text
    assert post(app, browser, {"request_token": token, "pin": pin}, accept=PAGE).status_code == 303


def test_a_second_post_while_the_first_is_at_work_is_led_to_its_outcome(app: SandboxApp) -> None:
    browser = app.browser()
    token, pin = begin(app, browser)
    key = f"authorization#{app.name}#{token}"  # as a holder that is still at work leaves it
    app.change_item(key, state="exchanging", claim_id="another", lease_until=9999999999)
    page = post(app, browser, {"request_token": token, "pin": pin}, accept=PAGE)
    assert (page.status_code, page.headers["refresh"]) == (
        409,
        f"1; url={app.sandbox.api}/oauth/{app.name}/pin?request_token={token}",
    )
    looked = browser.get(page.headers["refresh"].partition("url=")[2])
    assert (looked.status_code, looked.headers["refresh"]) == (409, "1")


def test_a_refusal_at_the_callback_does_not_end_a_pin(app: SandboxApp) -> None:
    browser = app.browser()
    token, pin = begin(app, browser)
    assert browser.get(f"/oauth/{app.name}/callback?denied={token}", accept=JSON).json()["code"] == "unknown_authorization"
    assert post(app, browser, {"request_token": token, "pin": pin}).status_code == 200


@pytest.mark.parametrize("fault", [ProviderFault.REVOKED, ProviderFault.OAUTH_PROBLEM, ProviderFault.WRONG_VERIFIER])
def test_a_right_pin_is_not_called_wrong_when_the_identity_is_refused(app: SandboxApp, fault: ProviderFault) -> None:
    nameless = make_app(app.sandbox, secret={"store": "none"}, user_id_field=None, screen_name_field=None)
    browser = nameless.browser()
    token, pin = begin(nameless, browser)
    nameless.fault("identity", fault)
    told = [post(nameless, browser, {"request_token": token, "pin": pin}).json()["code"] for _ in range(2)]
    assert told == ["interrupted", "interrupted"]
    assert len(nameless.calls("access_token")) == 1


def test_a_wrong_pin_keeps_what_the_app_asked_for(app: SandboxApp) -> None:
    browser = app.browser()
    token, _ = begin(app, browser, return_to=RETURN_TO)
    page = post(app, browser, {"request_token": token, "pin": "0000000"}, accept=PAGE)
    again = re.search(r'class="plain" href="([^"]+)"', page.text)
    assert again
    assert "return_to=" in again[1]
    assert "pin=true" in again[1]


def test_another_browser_and_another_site_are_refused(app: SandboxApp) -> None:
    browser = app.browser()
    token, pin = begin(app, browser)
    body = {"request_token": token, "pin": pin}
    assert post(app, app.browser(), body).json()["code"] == "wrong_browser"
    for site in ("cross-site", "same-site"):
        refused = post(app, browser, body, **{"Sec-Fetch-Site": site})
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong_browser")
    assert not app.calls("access_token")
    assert post(app, browser, body, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", FORM),
        ("request_token=a", FORM),
        ("pin=1", FORM),
        ("request_token=a&pin=", FORM),
        ("request_token=a&pin=%20%20", FORM),
        ("request_token=a&pin=1&pin=2", FORM),
        ("request_token=a&pin=1&subject=42", FORM),
        ("request_token=a&pin=" + "1" * 5000, FORM),
        ("request_token=%ff&pin=1", FORM),
        (b"\xff\xfe", FORM),
        ("a" * 20000, FORM),
        ("", JSON),
        ("[]", JSON),
        ("[" * 4000, JSON),
        ('{"request_token": "a"}', JSON),
        ('{"request_token": "a", "pin": 1}', JSON),
        ('{"request_token": "a", "pin": "1", "pin": "2"}', JSON),
        ('{"request_token": "a", "pin": "\\u0000"}', JSON),
        ('{"request_token": "a", "pin": "\\ud800"}', JSON),
        ('{"request_token": "a", "pin": "1", "subject": "42"}', JSON),
    ],
)
def test_what_makes_no_sense_is_a_bad_request(app: SandboxApp, body: Any, kind: str) -> None:
    told = post(app, app.browser(), body, kind=kind)
    assert (told.status_code, told.json()["code"]) == (400, "bad_request")


def test_it_is_off_unless_the_stack_says_otherwise_and_pages_bear_the_apps_name_and_colour() -> None:
    with Sandbox(parameters={"AppName": "Acme & Sons", "Colour": "#FFCC00"}, settings=QUICK, streams=False) as sandbox:
        app = make_app(sandbox)
        told = app.browser().start(app.name, accept=JSON, pin="true")
        assert (told.status_code, told.json()["code"]) == (400, "bad_request")
        assert not app.calls("request_token")
        page = app.browser().start("nobody")
        assert "Acme &amp; Sons</title>" in page.text
        assert "--accent:#ffcc00;--on:#000" in page.text
