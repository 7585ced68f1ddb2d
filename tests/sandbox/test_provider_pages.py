"""Leg 2: the pages that a user sees, and where they send the browser."""

import re
from collections.abc import Iterator

import pytest
import requests

from sandbox.provider import ProviderServer, User, Visitor
from tests.support.app_client import CALLBACK, AppClient, Token, query_of


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


class PageBrowser(requests.Session):
    """A browser that follows no redirect by itself and can press a page's button."""

    def open(self, url: str) -> requests.Response:
        return self.get(url, timeout=5, allow_redirects=False)

    def press(self, page: requests.Response, decision: str, user: User | None = None, **more: str) -> requests.Response:
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        typed = {"username": user.screen_name, "password": user.password} if user else {}
        fields = hidden | typed | {"decision": decision} | more
        return self.post(str(page.url), fields, timeout=5, allow_redirects=False)


@pytest.fixture
def browser() -> Iterator[PageBrowser]:
    with PageBrowser() as opened:
        yield opened


def buttons(page: requests.Response) -> list[str]:
    return re.findall(r"<button[^>]*>([^<]+)</button>", page.text)


def signed_in(app: AppClient, browser: PageBrowser) -> None:
    """Sign in without deciding anything."""
    browser.press(browser.open(app.page(app.request_token())), "sign_in", app.provider.users[0])


def test_consent_redirects_to_the_callback_and_keeps_its_query(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    token = app.request_token(CALLBACK + "?keep=a%26b&empty=")
    sign_in = browser.open(app.page(token))
    assert buttons(sign_in) == ["Sign in", "Cancel"]
    consent = browser.press(sign_in, "sign_in", provider.users[0])
    assert buttons(consent) == ["Authorize app", "Cancel"]
    back = browser.press(consent, "authorize")
    assert back.status_code == 302
    query = query_of(back.headers["Location"])
    verifier = query.pop("oauth_verifier")
    assert back.headers["Location"].startswith(CALLBACK + "?")
    assert query == {"keep": "a&b", "empty": "", "oauth_token": token.key}
    assert app.exchange(token, verifier).status_code == 200


def test_cancel_redirects_with_denied_alone_and_ends_the_token(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    token = app.request_token(CALLBACK + "?keep=1")
    back = browser.press(browser.open(app.page(token)), "cancel")
    assert query_of(back.headers["Location"]) == {"keep": "1", "denied": token.key}
    assert app.exchange(token, "anything").text == "Reverse auth credentials are invalid"
    assert browser.open(app.page(token)).status_code == 403


def test_authorize_always_asks(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    signed_in(app, browser)
    for _ in range(2):
        page = browser.open(app.page(app.request_token()))
        assert buttons(page) == ["Authorize app", "Cancel"]
        assert browser.press(page, "authorize").status_code == 302


def test_authenticate_redirects_at_once_when_granted_before(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    app.connect(provider.users[0])
    sign_in = browser.open(app.page(app.request_token(), "authenticate"))
    assert buttons(sign_in) == ["Sign in", "Cancel"]
    assert browser.press(sign_in, "sign_in", provider.users[0]).status_code == 302

    token = app.request_token()
    at_once = browser.open(app.page(token, "authenticate"))
    assert at_once.status_code == 302
    verifier = query_of(at_once.headers["Location"])["oauth_verifier"]
    assert app.exchange(token, verifier).status_code == 200


def test_authenticate_asks_a_user_who_has_not_granted_this_app(provider: ProviderServer, browser: PageBrowser) -> None:
    AppClient(provider).connect(provider.users[0])
    app = AppClient(provider)
    signed_in(app, browser)
    assert buttons(browser.open(app.page(app.request_token(), "authenticate"))) == ["Authorize app", "Cancel"]


def test_authenticate_asks_again_after_revocation(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    app.connect(provider.users[0])
    signed_in(app, browser)
    provider.revoke(app.consumer.key, provider.users[0])
    assert buttons(browser.open(app.page(app.request_token(), "authenticate"))) == ["Authorize app", "Cancel"]


@pytest.mark.parametrize("page", ["authorize", "authenticate"])
def test_force_login_asks_who_it_is_and_for_consent(provider: ProviderServer, browser: PageBrowser, page: str) -> None:
    app = AppClient(provider)
    app.connect(provider.users[0])
    signed_in(app, browser)
    token = app.request_token()
    sign_in = browser.open(app.page(token, page, force_login="true", screen_name="grace"))
    assert buttons(sign_in) == ["Sign in", "Cancel"]
    assert 'value="grace"' in sign_in.text
    consent = browser.press(sign_in, "sign_in", provider.users[1])
    assert "@grace" in consent.text
    assert browser.press(consent, "authorize").status_code == 302


def test_screen_name_prefills_the_field_and_is_escaped(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    page = browser.open(app.page(app.request_token(), screen_name="%22%3E%3Cscript%3E"))
    assert "<script" not in page.text
    assert "&#34;&gt;&lt;script&gt;" in page.text


def test_wrong_password_asks_again(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    page = browser.open(app.page(app.request_token()))
    again = browser.press(page, "sign_in", username="ada", password="wrong")
    assert "Wrong username or password" in again.text
    assert buttons(browser.press(again, "sign_in", provider.users[0])) == ["Authorize app", "Cancel"]


def test_pin_has_seven_digits_and_works_once(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token("oob")
    pin = app.consent(token)
    assert re.fullmatch(r"\d{7}", pin)
    assert app.exchange(token, "0000000").status_code == 401
    assert app.exchange(token, pin).status_code == 200
    assert app.exchange(token, pin).status_code == 401


def test_cancel_without_a_callback_shows_a_page(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    page = browser.press(browser.open(app.page(app.request_token("oob"))), "cancel")
    assert (page.status_code, "You cancelled" in page.text) == (200, True)


def test_unknown_expired_and_decided_tokens_show_an_invalid_page(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    expired, decided = app.request_token(), app.request_token()
    provider.expire(expired.key)
    app.consent(decided)
    for token in (Token("unknown", ""), expired, decided):
        page = browser.open(app.page(token))
        assert (page.status_code, "Whoa there!" in page.text) == (403, True)


@pytest.mark.parametrize("form_token", ["", "guessed", "é"])
def test_form_without_the_sessions_token_is_refused(provider: ProviderServer, browser: PageBrowser, form_token: str) -> None:
    app = AppClient(provider)
    signed_in(app, browser)
    token = app.request_token()
    page = browser.open(app.page(token))
    assert browser.press(page, "authorize", form_token=form_token).status_code == 403
    assert browser.press(page, "authorize").status_code == 302


def test_authorize_without_sign_in_grants_nothing(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    page = browser.open(app.page(app.request_token()))
    assert buttons(browser.press(page, "authorize")) == ["Sign in", "Cancel"]


def test_pages_are_plain_and_safe(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider, provider.register(name="<b>Tom & Jerry</b>"))
    page = browser.open(app.page(app.request_token()))
    assert '<html lang="en">' in page.text
    assert "<script" not in page.text
    assert "http" not in page.text.replace(provider.url, "")
    assert "<b>Tom" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_read_only_request_does_not_ask_for_posting(provider: ProviderServer, browser: PageBrowser) -> None:
    app = AppClient(provider)
    signed_in(app, browser)
    assert "Post for you" in browser.open(app.page(app.request_token())).text
    assert "Post for you" not in browser.open(app.page(app.request_token(x_auth_access_type="read"))).text


def test_visitor_refuses_and_reports_dead_ends(provider: ProviderServer) -> None:
    app = AppClient(provider)
    visitor = Visitor(provider.add_user("newcomer"))
    token = app.request_token()
    assert query_of(visitor.cancel(app.page(token))) == {"denied": token.key}
    with pytest.raises(ValueError, match="Whoa there!"):
        visitor.authorize(app.page(token))
    stranger = Visitor(User("1", "stranger", "Stranger", "none"))
    with pytest.raises(ValueError, match="Sign in"):
        stranger.authorize(app.page(app.request_token()))
    visitor.close()
    stranger.close()
