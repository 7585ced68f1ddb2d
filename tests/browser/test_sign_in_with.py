"""Sign in with X (endpoint=authenticate), from every state that the user can be in at the provider."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.support.page_inspection import title
from tests.support.person import Person, Tab
from tests.support.sandbox_app import SandboxApp
from tripod_flow.api import text


def sign_in(person: Person, **query: str) -> Tab:
    return person.begin(endpoint="authenticate", **query)


def asks_who(tab: Tab) -> bool:
    return tab.page.get_by_label("Username").is_visible()


def asks_for_consent(tab: Tab) -> bool:
    return tab.page.get_by_role("button", name="Authorize app").is_visible()


def test_signed_in_and_granted_returns_at_once(person: Person) -> None:
    person.connected()
    tab = sign_in(person)
    tab.reads(title(person.app, text.GRANTED))
    assert tab.statuses == [302, 302, 200]  # start, the provider, callback: no page between
    assert len(person.app.calls("access_token")) == 2


def test_signed_in_and_not_granted_asks_for_consent(person: Person) -> None:
    person.begin().cancel()  # it signed in first
    tab = sign_in(person)
    assert not asks_who(tab)
    assert asks_for_consent(tab)
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))


def test_signed_out_and_granted_asks_only_who(person: Person, anybody: Callable[[SandboxApp], Person]) -> None:
    person.connected()
    tab = sign_in(anybody(person.app))
    assert asks_who(tab)
    tab.sign_in()
    tab.reads(title(person.app, text.GRANTED))


def test_signed_out_and_not_granted_asks_both(person: Person) -> None:
    tab = sign_in(person)
    assert asks_who(tab)
    tab.sign_in()
    assert asks_for_consent(tab)
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))


def test_force_login_asks_again_for_somebody_else(person: Person) -> None:
    person.connected()
    tab = sign_in(person, force_login="true")
    assert asks_who(tab)
    other = person.app.sandbox.provider_server.add_user()
    tab.sign_in(other)
    assert asks_for_consent(tab)
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))
    assert f"@{other.screen_name}" in tab.page.inner_text("main")


def test_a_screen_name_is_filled_in(person: Person) -> None:
    tab = sign_in(person, force_login="true", screen_name=person.app.user.screen_name)
    expect(tab.page.get_by_label("Username")).to_have_value(person.app.user.screen_name)
    tab.page.get_by_label("Password").fill(person.app.user.password)
    tab.enter()
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))


def test_cancel_before_signing_in_and_then_not(person: Person) -> None:
    tab = sign_in(person)
    tab.click("Cancel")
    tab.reads(title(person.app, text.DENIED))
    assert tab.statuses[-1] == 403
    assert not person.app.calls("access_token")
    tab.answers.clear()
    tab.click(text.DENIED.action)
    assert "/oauth/authenticate?" in tab.page.url
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))
