"""A browser without a screen, which visits the API's pages: for tests and the demo.

It stores its cookies itself, because ``requests`` sends no Secure cookie over http; Chromium does, on loopback.
"""

from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin

import requests

PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"  # what Chromium says that it accepts
JSON = "application/json"
TIMEOUT = 40  # seconds; longer than API Gateway waits


class Browser:
    """One browser profile, with its cookies, at the API ``api``; it follows no redirect by itself.

    ``host`` is the name by which the browser knows the API, where that has a domain of its own: DNS leads from there to ``api``.
    ``language`` is what it says that its user reads (``Accept-Language``).
    """

    def __init__(self, api: str, host: str = "", language: str = "en-US,en;q=0.9") -> None:
        self._api = api
        self._host = host
        self._language = language
        self.cookies: dict[str, str] = {}

    def start(self, provider: str = "x", *, accept: str = PAGE, **query: str) -> requests.Response:
        """Visit start."""
        return self.get(f"/oauth/{provider}/start{'?' if query else ''}{urlencode(query)}", accept=accept)

    def get(self, address: str, *, accept: str = PAGE) -> requests.Response:
        """Visit an address of the API; a path is taken as it is written, percent-encoded or not."""
        headers = {"Accept": accept, "Accept-Language": self._language}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self._host:
            headers["Host"] = self._host
        response = requests.get(self.url(address), headers=headers, allow_redirects=False, timeout=TIMEOUT)
        for line in response.raw.headers.getlist("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return response

    def url(self, address: str) -> str:
        """Return where an address of the API, or a path of it, is reached on this machine."""
        return urljoin(self._api, address.removeprefix(f"https://{self._host}") if self._host else address)
