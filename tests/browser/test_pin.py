"""A PIN, carried by hand from the provider's tab to ours."""

from playwright.sync_api import Locator

from sandbox.provider import ProviderFault
from tests.support.page_inspection import inspect, title
from tests.support.person import Person, Tab
from tripod_flow.api import text


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
    inspect(tab, "pin-wrong", text.WRONG_PIN.title, 400)
    assert field(tab).input_value() == ""
    field(tab).fill(pin)
    field(tab).focus()
    tab.enter()
    tab.reads(title(person.app, text.GRANTED))
    assert [call.status for call in person.app.calls("access_token")][-1] == 200


def test_a_reload_and_back_keep_the_pin_good(person: Person) -> None:
    tab = person.begin(pin="true")
    pin = pin_of(at_the_provider(tab))
    tab.page.reload()
    field(tab).fill("0000000" if pin != "0000000" else "1111111")
    tab.click(text.PIN.action)
    tab.reads(text.WRONG_PIN.title)
    tab.page.go_back()
    tab.reads(title(person.app, text.PIN))
    field(tab).fill(pin)
    tab.click(text.PIN.action)
    tab.reads(title(person.app, text.GRANTED))
    tab.page.go_back()
    tab.page.reload()  # the page that asked for the PIN knows the outcome by now
    tab.reads(title(person.app, text.GRANTED))


def test_a_passing_fault_leads_back_to_the_field(person: Person) -> None:
    tab = person.begin(pin="true")
    pin = pin_of(at_the_provider(tab))
    person.app.fault("access_token", ProviderFault.OVER_CAPACITY, times=2)
    field(tab).fill(pin)
    tab.click(text.PIN.action)
    words = text.PROBLEMS["provider_unavailable"]
    tab.reads(title(person.app, words))
    tab.click(words.action)
    field(tab).fill(pin)
    tab.click(text.PIN.action)
    tab.reads(title(person.app, text.GRANTED))


def test_five_wrong_pins_end_it(person: Person) -> None:
    tab = person.begin(pin="true")
    pin = pin_of(at_the_provider(tab))
    for _ in range(5):
        field(tab).fill("0000000" if pin != "0000000" else "1111111")
        tab.click(text.PIN.action)
        tab.page.wait_for_load_state()
    inspect(tab, "pin-ended", title(person.app, text.NO_PIN_LEFT), 400)
    assert len(person.app.calls("access_token")) == 5
