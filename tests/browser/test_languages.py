"""The pages in other languages, in Chromium: as accessible and as narrow as in English, from right to left too."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from sandbox.provider import ProviderFault
from tests.support.page_inspection import inspect, title
from tests.support.person import Person, Tab
from tests.support.sandbox_app import SandboxApp

Anybody = Callable[..., Person]

LOCALES = {"de": "de-DE", "ja": "ja-JP", "ar": "ar-EG"}
_MARK = "getComputedStyle(document.querySelector('svg')).stroke"
_TEXT = "getComputedStyle(document.querySelector('h1')).color"


@pytest.fixture(params=LOCALES)
def said(request: pytest.FixtureRequest) -> Any:
    """Return a language's words."""
    return import_module(f"tripod_flow.api.languages.{request.param}")


@pytest.fixture
def reader(said: Any, anybody: Anybody, app: SandboxApp) -> Person:
    """Return somebody who reads that language."""
    return anybody(app, LOCALES[said.LANGUAGE[0]])


def picture(said: Any, name: str) -> str:
    return f"{name}-{said.LANGUAGE[0]}"


def start_of(tab: Tab, element: str) -> float:
    """Return how far an element's text is from the edge that its language begins at, in pixels."""
    return float(
        tab.page.evaluate(
            """([element, rtl]) => {
            const range = document.createRange(); range.selectNodeContents(document.querySelector(element));
            const text = range.getBoundingClientRect(), whole = document.querySelector('main').getBoundingClientRect();
            return rtl ? whole.right - text.right : text.left - whole.left}""",
            [element, tab.page.evaluate("document.documentElement.dir") == "rtl"],
        )
    )


def test_granted(reader: Person, said: Any) -> None:
    tab = reader.connected()
    inspect(tab, picture(said, "granted"), title(reader.app, said.GRANTED), 200)
    assert tab.page.locator("html").get_attribute("lang") == said.LANGUAGE[0]
    assert start_of(tab, "h1") == start_of(tab, "main > p") < 60


def test_the_pins_page_and_its_flaws(reader: Person, said: Any) -> None:
    tab = reader.begin(pin="true")
    inspect(tab, picture(said, "pin"), title(reader.app, said.PIN), 200)
    field = tab.page.get_by_label(said.PIN_LABEL)
    assert field.evaluate("one => getComputedStyle(one).direction") == "ltr"
    assert field.evaluate("one => getComputedStyle(one).textAlign") in (
        ("right",) if said.LANGUAGE[1] == "rtl" else ("start", "left")
    )
    field.fill("0000000")
    tab.click(said.PIN.action)
    inspect(tab, picture(said, "pin-wrong"), said.WRONG_PIN.title, 400)
    field.fill("12 34!")
    tab.click(said.PIN.action)
    inspect(tab, picture(said, "pin-none"), said.NOT_A_PIN.title, 400)
    tab.click(said.NOT_A_PIN.action)
    tab.reads(title(reader.app, said.PIN))


def test_another_browser_and_a_way_on(reader: Person, said: Any, anybody: Anybody) -> None:
    other = anybody(reader.app)
    address, _ = other.consent_held(other.begin())
    tab = reader.tab()
    tab.page.goto(address)
    inspect(tab, picture(said, "wrong-browser"), said.NO_COOKIE.title, 403)
    tab.click(said.NO_COOKIE.action)
    tab.authorize()
    tab.reads(title(reader.app, said.GRANTED))


def test_provider_unavailable(reader: Person, said: Any) -> None:
    reader.app.fault("request_token", ProviderFault.OVER_CAPACITY, times=2)
    tab = reader.begin()
    words = said.PROBLEMS["provider_unavailable"]
    inspect(tab, picture(said, "provider-unavailable"), title(reader.app, words), 503)
    tab.click(words.action)
    tab.authorize()
    tab.reads(title(reader.app, said.GRANTED))


def test_the_providers_refusal_is_folded_in_english(reader: Person, said: Any) -> None:
    reader.app.fault("request_token", ProviderFault.CALLBACK_NOT_APPROVED, times=2)
    tab = reader.begin()
    tab.page.locator("details").evaluate("one => { one.open = true }")
    inspect(tab, picture(said, "provider-rejected"), title(reader.app, said.PROBLEMS["provider_rejected"]), 502)
    told = tab.page.locator("details p")
    assert f"{reader.app.sandbox.api}/oauth/{reader.app.name}/callback" in told.inner_text()
    assert [told.get_attribute(name) for name in ("lang", "dir")] == ["en", "ltr"]


def test_a_mark_has_the_texts_colour_where_colours_are_forced(person: Person) -> None:
    page = person.connected().page
    assert page.evaluate(_MARK) != page.evaluate(_TEXT)
    page.emulate_media(forced_colors="active")
    assert page.evaluate(_MARK) == page.evaluate(_TEXT)
