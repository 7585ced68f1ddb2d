"""Somebody with a browser profile of their own, who gets about by clicking."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import APIResponse, BrowserContext, Page, Request, Response, Route, expect

from sandbox.provider.records import User
from tests.support.sandbox_app import SandboxApp

LINK = "Sign in with the provider"
PATIENCE = 10  # seconds


@dataclass
class Tab:
    """One tab: its page, and the documents that it was answered with, redirects among them."""

    person: "Person"
    page: Page
    answers: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("response", self._answered)

    def _answered(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.answers.append(response)

    @property
    def heading(self) -> str:
        return self.page.get_by_role("heading", level=1).inner_text()

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]

    def click(self, name: str) -> None:
        """Click a button or link and wait for the page that it leads to."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name)).click()

    def enter(self) -> None:
        """Press Enter and wait for the page that it leads to."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def sign_in(self, user: User | None = None) -> None:
        """Sign in at the provider."""
        who = user or self.person.app.user
        self.page.get_by_label("Username").fill(who.screen_name)
        self.page.get_by_label("Password").fill(who.password)
        self.click("Sign in")

    def authorize(self) -> None:
        """Consent at the provider, after signing in there if it asks."""
        self._sign_in_if_asked()
        self.click("Authorize app")

    def cancel(self) -> None:
        """Refuse at the provider, after signing in there if it asks."""
        self._sign_in_if_asked()
        self.click("Cancel")

    def _sign_in_if_asked(self) -> None:
        if self.page.get_by_label("Username").is_visible():
            self.sign_in()

    def reads(self, heading: str) -> None:
        """Wait until the page has this heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading, timeout=10_000)


@dataclass
class Person:
    """A person before one browser profile, about to connect their account to ``app``."""

    profile: BrowserContext
    app: SandboxApp
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.profile.on("request", self._asked)

    def _asked(self, request: Request) -> None:  # Playwright takes no builtin method such as list.append
        self.requests.append(request)

    def tab(self) -> Tab:
        """Open a new tab."""
        return Tab(self, self.profile.new_page())

    def begin(self, tab: Tab | None = None, /, provider: str | None = None, **query: str) -> Tab:
        """Click the link to start on the app's own page, by default in a new tab."""
        opened = tab or self.tab()
        address = f"{self.app.sandbox.api}/oauth/{provider or self.app.name}/start?{urlencode(query)}"
        opened.page.set_content(f'<a href="{address.replace("&", "&amp;").rstrip("?")}">{LINK}</a>')
        opened.answers.clear()
        opened.click(LINK)
        return opened

    def connected(self) -> Tab:
        """Go the whole way once."""
        tab = self.begin()
        tab.authorize()
        return tab

    def consent_held(self, tab: Tab) -> tuple[str, Callable[[], None]]:
        """Consent, with the way back held at the last moment; return its address, and what lets the browser follow it."""
        if tab.page.get_by_label("Username").is_visible():
            tab.sign_in()
        held: list[tuple[Route, APIResponse]] = []
        # The provider's answer is held: Playwright can't hold what a redirect leads to.
        tab.page.route("**/oauth/authorize*", lambda route: held.append((route, route.fetch(max_redirects=0))))
        tab.page.get_by_role("button", name="Authorize app").click(no_wait_after=True)
        deadline = time.monotonic() + PATIENCE
        while not held and time.monotonic() < deadline:
            tab.page.wait_for_timeout(20)
        (route, answer) = held[0]
        return answer.headers["location"], lambda: route.fulfill(response=answer)

    def meddle(self, tab: Tab, **values: dict[str, str] | None) -> dict[str, Any]:
        """Change what DynamoDB keeps of the authorization that a provider's page is about; return what was there."""
        item = self.app.authorization(self._as_callback(tab))
        changed = {**item, **{name: value for name, value in values.items() if value is not None}}
        self.put(changed)
        return item

    def put(self, item: dict[str, Any]) -> None:
        """Write an item of the table."""
        self.app.sandbox.client("dynamodb").put_item(TableName=self.app.sandbox.table, Item=item)

    def expire(self, tab: Tab) -> None:
        """Let the authorization be too old."""
        self.meddle(tab, expires_at={"N": "1"})

    @staticmethod
    def _as_callback(tab: Tab) -> str:
        return "?oauth_token=" + parse_qs(urlsplit(tab.page.url).query)["oauth_token"][0]
