"""A user at the provider's pages, who reads the form and presses a button: for tests and demos without a browser."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from sandbox.provider.records import User

PAGES_AT_MOST = 5  # sign-in, a second try, consent, and room for one more
TIMEOUT = 10  # seconds


class Visitor:
    """A browser of ``user``, signed out at first."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._browser = requests.Session()
        self._browser.trust_env = False

    def authorize(self, authorize_url: str) -> str:
        """Consent; return the callback URL that the provider sends the browser to, or the PIN."""
        return self._walk(authorize_url, "authorize")

    def cancel(self, authorize_url: str) -> str:
        """Refuse; return the callback URL that the provider sends the browser to, empty if there is none."""
        return self._walk(authorize_url, "cancel")

    def close(self) -> None:
        """Close the browser."""
        self._browser.close()

    def _walk(self, url: str, decision: str) -> str:
        """Go from page to page until one sends the browser away or shows a PIN; raise ValueError at a dead end."""
        response = self._browser.get(url, timeout=TIMEOUT, allow_redirects=False)
        page = _Page(response.text)
        for _ in range(PAGES_AT_MOST):
            if response.is_redirect:
                return urljoin(url, response.headers["Location"])
            page = _Page(response.text)
            if not page.fields:
                break
            fields = page.fields | {"username": self._user.screen_name, "password": self._user.password}
            pressed = decision if decision in page.buttons else "sign_in"
            response = self._browser.post(url, fields | {"decision": pressed}, timeout=TIMEOUT, allow_redirects=False)
        if response.status_code != 200 or page.fields:
            raise ValueError(f"the provider's page says {response.status_code}: {page.heading}")
        return page.pin


class _Page(HTMLParser):
    """A page's heading, form fields, buttons and PIN."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.heading = self.pin = self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a field, a button, or the start of a text."""
        found = {name: value or "" for name, value in attrs}
        self._inside = "pin" if found.get("id") == "pin" else tag
        if tag == "input":
            self.fields[found["name"]] = found.get("value", "")
        elif tag == "button":
            self.buttons.append(found["value"])

    def handle_data(self, data: str) -> None:
        """Note the text of the heading and of the PIN."""
        if self._inside == "h1":
            self.heading += data
        elif self._inside == "pin":
            self.pin += data

    def handle_endtag(self, _tag: str) -> None:
        """Leave a text."""
        self._inside = ""
