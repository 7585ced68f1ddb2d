"""What people do to a browser: reload, go back, click twice, open tabs. Each ends where it should, with exactly one exchange."""

from collections.abc import Callable

from tests.support.page_inspection import title
from tests.support.person import Person, Tab
from tests.support.sandbox_app import SandboxApp
from tripod_flow.api import text


def is_granted_once(tab: Tab, exchanges: int = 1) -> None:
    app = tab.person.app
    tab.reads(title(app, text.GRANTED))
    assert tab.statuses[-1] == 200
    assert len(app.calls("access_token")) == exchanges


def test_a_reload_of_the_last_page(person: Person) -> None:
    tab = person.connected()
    seen = len(tab.answers)
    tab.page.reload()
    assert len(tab.answers) == seen + 1
    is_granted_once(tab)


def test_a_reload_of_a_refusal(person: Person) -> None:
    tab = person.begin()
    tab.cancel()
    tab.page.reload()
    tab.reads(title(person.app, text.DENIED))
    assert tab.statuses[-1] == 403
    assert not person.app.calls("access_token")


def test_back_to_the_provider_and_forward_again(person: Person) -> None:
    """The provider's page is spent by then, and the last page is asked for once more."""
    person.begin().cancel()  # signed in there: its next page is no answer to a form
    tab = person.begin()
    tab.authorize()
    tab.page.go_back()
    assert tab.page.url.startswith(person.app.sandbox.provider)
    assert tab.statuses[-1] == 403
    tab.page.go_forward()
    is_granted_once(tab)


def test_back_twice_to_the_app_and_another_start(person: Person) -> None:
    person.begin().cancel()
    tab = person.begin()
    tab.authorize()
    tab.page.go_back()
    tab.page.go_back()
    person.begin(tab).authorize()
    is_granted_once(tab, exchanges=2)  # two authorizations, each with one


def test_a_double_click_on_authorize(person: Person) -> None:
    tab = person.begin()
    tab.sign_in()
    tab.page.get_by_role("button", name="Authorize app").dblclick()
    is_granted_once(tab)


def test_a_double_click_on_the_link_to_start(person: Person) -> None:
    tab = person.begin()
    tab.cancel()
    tab.page.get_by_role("link", name=text.DENIED.action).dblclick()
    tab.page.wait_for_url(f"{person.app.sandbox.provider}/**")
    tab.authorize()
    is_granted_once(tab)


def test_two_tabs_with_an_authorization_each(person: Person) -> None:
    one, other = person.begin(), person.begin()
    other.authorize()
    is_granted_once(other)
    one.page.reload()  # signed in by now
    one.authorize()
    is_granted_once(one, exchanges=2)


def test_one_way_back_in_two_tabs_at_once(person: Person) -> None:
    one, other = person.begin(), person.tab()
    address, follow = person.consent_held(one)
    follow()
    other.page.goto(address)
    is_granted_once(one)
    is_granted_once(other)


def test_a_tab_opened_after_expiry_still_tells_the_outcome(person: Person) -> None:
    tab = person.connected()
    address = tab.page.url
    person.expire(tab)
    late = person.tab()
    late.page.goto(address)
    is_granted_once(late)


def test_a_tab_opened_after_expiry_has_nothing_to_finish(person: Person) -> None:
    tab, late = person.begin(), person.tab()
    address, _ = person.consent_held(tab)
    person.app.change_item(person.app.authorization(address)["pk"]["S"], expires_at=1)
    late.page.goto(address)
    late.reads(title(person.app, text.PROBLEMS["expired"]))
    assert late.statuses[-1] == 410
    assert not person.app.calls("access_token")


def test_another_profile_sees_nothing_of_a_finished_one(person: Person, anybody: Callable[[SandboxApp], Person]) -> None:
    address = person.connected().page.url
    elsewhere = anybody(person.app).tab()
    elsewhere.page.goto(address)
    elsewhere.reads(title(person.app, text.PROBLEMS["wrong_browser"]))
    assert person.app.user.screen_name not in elsewhere.page.content()
    assert len(person.app.calls("access_token")) == 1
