"""One headless Chromium for the whole run; each person in a test has a browser profile of their own in it."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.person import Person
from tests.support.sandbox_app import SandboxApp

INSTALL = "apt-get install --no-install-recommends chromium fonts-dejavu-core"
# Without a sandbox, because CI runs as root; quiet, because a background request to Google would be one too many.
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium: Playwright's own is a download. Without one the tests are skipped, in CI they fail."""
    found = shutil.which("chromium")
    if found is None:
        reason = f"there is no Chromium on this machine: {INSTALL}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def anybody(chromium: Browser) -> Iterator[Callable[..., Person]]:
    """Return what makes a person with a new browser profile, who wants to connect an app, and reads a language."""
    profiles = []

    def new(app: SandboxApp, locale: str = "en-US") -> Person:
        profile = chromium.new_context(viewport={"width": 1280, "height": 720}, locale=locale)
        profile.set_default_timeout(10_000)  # milliseconds
        profiles.append(profile)
        return Person(profile, app)

    yield new
    for profile in profiles:
        profile.close()


@pytest.fixture
def person(anybody: Callable[[SandboxApp], Person], app: SandboxApp) -> Person:
    return anybody(app)
