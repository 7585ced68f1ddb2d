"""The sandbox's own page, which shows what happened and no secret."""

import re
from collections.abc import Iterator

import pytest

from sandbox.world import Sandbox
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp, make_app


@pytest.fixture
def app() -> Iterator[SandboxApp]:
    """Return an app in a sandbox of its own, in which nothing else has happened."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK) as sandbox:
        yield make_app(sandbox)


def test_it_offers_every_way_in_and_shows_what_happened_with_secrets_masked(app: SandboxApp) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser))
    page = browser.get("/")
    assert page.status_code == 200
    for way in ("endpoint=authenticate", "force_login=true", "pin=true"):
        assert way in page.text
    for seen in (app.name, app.user.screen_name, "granted", app.secret_name):
        assert seen in page.text
    assert not [secret for secret in app.sandbox.provider_server.issued(app.consumer.key) if secret in page.text]
    assert len(re.findall("<caption>", page.text)) == 4


@pytest.mark.parametrize("text", ["no JSON", "[1]", "\ufeff{}"])
def test_a_secret_that_somebody_is_trying_out_is_no_json_object(app: SandboxApp, text: str) -> None:
    app.sandbox.client("secretsmanager").put_secret_value(SecretId=app.consumer_secret_name, SecretString=text)
    page = app.browser().get("/")
    assert page.status_code == 200
    assert "no JSON object" in page.text


def test_nothing_else_is_at_the_root(app: SandboxApp) -> None:
    assert app.browser().get("/nothing").status_code == 404
