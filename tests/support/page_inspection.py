"""What must hold of every page that a person sees, whatever it says; and a picture of it for those who look."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.support.person import Tab
from tests.support.sandbox_app import SandboxApp
from tripod_flow.api import text

PICTURES = Path(__file__).resolve().parents[2] / "screenshots"
LARGEST = 8192  # bytes of a page
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_FOCUSABLE = "a[href], button, input:not([type=hidden])"
_FOCUSED = f"[...document.querySelectorAll('{_FOCUSABLE}')].indexOf(document.activeElement)"
_OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def title(app: SandboxApp, words: text.Text) -> str:
    """Return a page's heading as a person reads it."""
    return words.title.format(provider=text.provider_name(app.name))


def inspect(tab: Tab, picture: str, heading: str, status: int) -> None:
    """Check the page in ``tab``, and keep pictures of it; the keyboard's focus is then on its last link, field or button."""
    tab.reads(heading)
    page, answer = tab.page, tab.answers[-1]
    assert answer.status == status
    assert len(answer.body()) <= LARGEST
    assert heading in page.title()
    assert page.locator("html").get_attribute("lang")
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    _keeps_to_itself(tab)
    _is_reached_by_keyboard(page)
    _is_accessible(page, picture)
    _fits_a_phone(page, picture)


def _keeps_to_itself(tab: Tab) -> None:
    """No image, font, script or style from anywhere, and no third site: pages alone, of the API and the provider."""
    sandbox = tab.person.app.sandbox
    for request in tab.person.requests:
        assert request.resource_type == "document", request.url
        assert request.url.startswith((f"{sandbox.api}/", f"{sandbox.provider}/")), request.url


def _is_reached_by_keyboard(page: Page) -> None:
    """Tab goes through every link, field and button, in the order of the page."""
    page.evaluate("document.activeElement?.blur()")
    for place in range(page.locator(_FOCUSABLE).count()):
        page.keyboard.press("Tab")
        assert page.evaluate(_FOCUSED) == place


def _is_accessible(page: Page, picture: str) -> None:
    """Axe finds nothing to mend, by day and by night."""
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found: dict[str, Any] = page.evaluate(
            "axe.run({resultTypes: ['violations']})" if scheme == "light" else "axe.run({runOnly: ['color-contrast']})"
        )
        violations = found["violations"]
        assert not [(one["id"], one["help"], [node["html"] for node in one["nodes"]]) for one in violations], scheme
        page.screenshot(path=PICTURES / f"{picture}-{scheme}.png")
    page.emulate_media(color_scheme="light")


def _fits_a_phone(page: Page, picture: str) -> None:
    """Nothing hangs over at the right: on the narrowest phone, and with letters twice as large."""
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate(_OVERHANG) <= 0
    page.screenshot(path=PICTURES / f"{picture}-phone.png", full_page=True)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.set_viewport_size({"width": 640, "height": 640})
    assert page.evaluate(_OVERHANG) <= 0
    page.screenshot(path=PICTURES / f"{picture}-large.png", full_page=True)
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size({"width": 1280, "height": 720})
