"""A PIN, carried by hand from the provider's tab to ours."""

from playwright.sync_api import Locator

from tests.browser.inspection import inspect, title
from tests.browser.person import Person, Tab
from tripod_flow import text


def field(tab: Tab) -> Locator:
    return tab.page.get_by_label(text.PIN_LABEL)


def at_the_provider(tab: Tab) -> Tab:
    """Follow the link, which opens a tab of its own."""
    with tab.page.expect_popup() as opened:
        tab.page.get_by_role("link").click()
    opened.value.wait_for_load_state()
    return Tab(tab.person, opened.value)


def pin_of(provider: Tab) -> str:
    provider.authorize()
    return provider.page.locator("#pin").inner_text()


def test_a_pin_is_carried_over(person: Person) -> None:
    tab = person.begin(pin="true")
    inspect(tab, "pin", title(person.app, text.PIN), 200)
    pin = pin_of(at_the_provider(tab))
    field(tab).fill(pin)
    tab.click(text.PIN.action)
    inspect(tab, "pin-granted", title(person.app, text.GRANTED), 200)
    assert len(person.app.calls("access_token")) == 1
    assert person.app.stored()


def test_a_wrong_pin_may_be_mended(person: Person) -> None:
    tab = person.begin(pin="true")
    pin = pin_of(at_the_provider(tab))
    field(tab).fill("0000000" if pin != "0000000" else "1111111")
    field(tab).focus()
    tab.enter()
    inspect(tab, "pin-wrong", title(person.app, text.PIN), 400)
    assert field(tab).input_value() == ""
    field(tab).fill(pin)
    field(tab).focus()
    tab.enter()
    tab.reads(title(person.app, text.GRANTED))
    assert [call.status for call in person.app.calls("access_token")][-1] == 200
