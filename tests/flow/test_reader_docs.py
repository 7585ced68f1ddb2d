"""The examples of docs/reading-tokens.md, run: with the sandbox's provider for X, and its user for theirs."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest

import tripod
from sandbox.repository import TEMPLATE
from tests.support.reading import grant, reading, revoke
from tests.support.sandbox_app import SandboxApp
from tripod.credentials import UserTokens

PAGE = (TEMPLATE.parent / "docs" / "reading-tokens.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)

Example = Callable[[str], dict[str, Any]]


@pytest.fixture
def example(app: SandboxApp) -> Iterator[Example]:
    """Run the page's one block that contains a text; returns what it defines."""

    def run(containing: str) -> dict[str, Any]:
        (block,) = (block for block in BLOCKS if containing in block)
        code = block.replace('"x"', repr(app.name)).replace("https://api.x.com", app.sandbox.provider)
        defined: dict[str, Any] = {}
        exec(code.replace("2244994945", app.user.user_id), defined)  # noqa: S102  # our own documentation
        return defined

    with reading(app.sandbox):
        yield run


def test_every_example_is_python() -> None:
    assert len(BLOCKS) == 8
    for block in BLOCKS:
        exec(block, {})  # noqa: S102  # our own documentation


def test_the_first_example_says_who_the_user_is(app: SandboxApp, example: Example) -> None:
    grant(app)
    shown = {"id": app.user.user_id, "name": app.user.name, "username": app.user.screen_name}
    assert example("2/users/me")["handler"]({}, None) == shown


def test_the_second_posts_and_tells_the_user_to_sign_in(app: SandboxApp, example: Example) -> None:
    post, event = example("2/tweets")["handler"], {"user_id": app.user.user_id}
    assert post(event, None) == "You have never signed in."
    grant(app)
    assert post(event, None) == "Posted."
    revoke(app)  # in X's own settings: API v2 doesn't say that it was that
    assert post(event, None) == "X says 401."
    tripod.disconnect(app.name, user_id=app.user.user_id)
    assert post(event, None) == "You have disconnected: sign in again."
    grant(app)
    assert post(event, None) == "Posted."


def test_tickets_are_redeemed(app: SandboxApp, example: Example) -> None:
    defined, browser = example("tickets.new_secret"), app.browser()
    session: dict[str, str] = {}
    start = defined["sign_in"](session, f"{app.sandbox.api}/oauth/{app.name}/start", "http://127.0.0.1:3000/done")
    location = browser.get(app.consent(browser.get(start).headers["location"])).headers["location"]
    ticket = location.partition("ticket=")[2].partition("&")[0]
    assert defined["signed_in"]({}, ticket) is None
    assert defined["signed_in"](session, ticket) == (app.name, app.user.user_id, app.user.screen_name, None)


def test_users_are_listed_and_disconnected(app: SandboxApp, example: Example) -> None:
    users, disconnect = example("in users(")["handler"], example("import TokenNotFound, TripodUnavailable")["handler"]
    event = {"user_id": app.user.user_id}
    assert disconnect(event, None) == "not connected"
    grant(app)
    assert [user[:3] for user in users({}, None)] == [(app.user.user_id, app.user.screen_name, None)]
    assert disconnect(event, None) == "disconnected"
    assert users({}, None) == []


def test_the_app_makes_requests(app: SandboxApp, example: Example) -> None:
    answer = example("rate_limit_status")["handler"]({}, None)
    assert answer["rate_limit_context"]["application"] == app.consumer.key


def test_the_page_shows_the_secret_as_it_is(app: SandboxApp) -> None:
    grant(app)
    (shown,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.M | re.S)
    stored = app.stored()
    assert stored
    assert set(json.loads(shown)) == set(stored) == {field.name for field in fields(UserTokens)}


def test_the_page_tells_of_every_name() -> None:
    assert [name for name in tripod.__all__ if name not in PAGE] == ["Connection", "SignIn", "SigningTokens", "UserTokens"]
