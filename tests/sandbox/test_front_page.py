"""The sandbox's own page, which shows what happened and no secret, and switches failures on and off."""

import json
import re
from collections.abc import Iterator

import pytest
import requests
from botocore.exceptions import ClientError

import tripod
from sandbox.browser import JSON
from sandbox.world import Sandbox
from tests.support.reading import reading
from tests.support.sandbox_app import QUICK, SandboxApp, make_app

NAME = "Acme & Engines"


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    """Return a sandbox as `make serve` runs it, of which no test here expects to find it untouched."""
    parameters = {"EnablePin": "true", "TokenKey": "on", "AppName": NAME, "Colour": "#7a1fa2"}
    with Sandbox(parameters=parameters, settings=QUICK, any_loopback=True) as running:
        yield running


@pytest.fixture
def app(world: Sandbox) -> SandboxApp:
    return make_app(world)


@pytest.fixture
def x(world: Sandbox) -> SandboxApp:
    """Return the sandbox's own app, and a user of the test's own."""
    content = world.client("secretsmanager").get_secret_value(SecretId=f"{world.prefix}/consumer/x")["SecretString"]
    server = world.provider_server
    return SandboxApp(world, "x", server.consumer(json.loads(content)["consumer_key"]), server.add_user())


def page(app: SandboxApp) -> str:
    shown = requests.get(f"{app.sandbox.api}/", timeout=20)
    assert shown.status_code == 200
    return shown.text


def press(app: SandboxApp, *about: str) -> str:
    """Press the one button whose form has all these values, and return the page that it leads to."""
    forms = [re.findall(r'name="(\w+)" value="([^"]*)"', form) for form in re.findall("<form.*?</form>", page(app))]
    (fields,) = (dict(form) for form in forms if set(about) <= {value for _, value in form})
    return requests.post(f"{app.sandbox.api}/", fields, timeout=20).text


def test_it_offers_every_way_in_and_shows_what_happened_with_secrets_masked(app: SandboxApp) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser))
    shown = page(app)
    for way in ("endpoint=authenticate", "force_login=true", "pin=true"):
        assert way in shown
    for seen in (app.name, app.user.screen_name, "granted", app.secret_name):
        assert seen in shown
    assert not [secret for secret in app.sandbox.provider_server.issued(app.consumer.key) if secret in shown]
    assert f"{app.consumer.secret[:4]}…" in shown
    assert len(re.findall("<caption>", shown)) == 4
    for name, value in app.sandbox.environment().items():
        assert f"export {name}={value}" in shown


@pytest.mark.parametrize("text", ["no JSON", "[1]", "\ufeff{}"])
def test_a_secret_that_somebody_is_trying_out_is_no_json_object(app: SandboxApp, text: str) -> None:
    app.sandbox.client("secretsmanager").put_secret_value(SecretId=app.consumer_secret_name, SecretString=text)
    assert "no JSON object" in page(app)


def test_nothing_else_is_at_the_root(app: SandboxApp) -> None:
    assert app.browser().get("/nothing").status_code == 404


@pytest.mark.parametrize(
    ("switch", "title", "answer"),
    [("down", "The provider is down", 503), ("refusing", "The provider refuses the app", 502)],
)
def test_the_provider_fails_until_it_is_switched_off_and_the_page_says_so(
    x: SandboxApp, switch: str, title: str, answer: int
) -> None:
    assert f"Switched on: {title}." in press(x, switch, "on")
    failed = x.browser().start("x", accept=JSON).status_code
    assert f"{title}: switched off." in press(x, switch, "off")
    assert failed == answer
    assert "Switched on" not in page(x)
    assert x.browser().start("x", accept=JSON).status_code == 200


def test_secrets_manager_is_throttled_until_it_is_switched_off_but_the_page_is_shown(x: SandboxApp) -> None:
    client = x.sandbox.client("secretsmanager")
    assert "Switched on: Secrets Manager is throttled." in press(x, "throttled", "on")
    try:
        with pytest.raises(ClientError, match="ThrottlingException"):
            client.get_secret_value(SecretId=x.consumer_secret_name)
        assert x.consumer_secret_name in page(x)
    finally:
        press(x, "throttled", "off")
    assert client.get_secret_value(SecretId=x.consumer_secret_name)


def test_a_user_is_revoked_at_the_provider_and_another_disconnected(x: SandboxApp) -> None:
    browser = x.browser()
    browser.get(x.come_back(browser))
    user_id, server = x.user.user_id, x.sandbox.provider_server
    with reading(x.sandbox), tripod.user_session("x", user_id=user_id) as session:
        me = f"{x.sandbox.provider}/2/users/me"
        assert session.get(me, timeout=5).json()["data"]["username"] == x.user.screen_name
        assert f"{x.user.screen_name} has revoked x at the provider." in press(x, "revoke", user_id)
        assert session.get(me, timeout=5).status_code == 401
    browser.get(x.come_back(browser))
    assert server.valid_token(x.consumer.key, x.user)
    assert f"User {user_id} of x is disconnected; invalidated at the provider: true." in press(x, "disconnect", user_id)
    assert x.is_deleted()
    assert not server.valid_token(x.consumer.key, x.user)


def test_another_site_presses_no_button_and_by_another_name_there_is_no_page(x: SandboxApp) -> None:
    forged = {"form_token": "made up", "do": "switch", "switch": "down", "to": "on"}
    assert requests.post(f"{x.sandbox.api}/", forged, timeout=20).status_code == 403
    assert not x.sandbox.provider_server.down
    rebound = requests.get(f"{x.sandbox.api}/", headers={"Host": "rebound.example"}, timeout=20)
    assert (rebound.status_code, "form_token" in rebound.text) == (403, False)


def test_pages_have_the_apps_name_and_colour(x: SandboxApp) -> None:
    browser = x.browser()
    ours = browser.get(browser.start("x", pin="true").headers["location"]).text
    assert "Acme &amp; Engines" in ours
    assert "#7a1fa2" in ours
    theirs = requests.get(x.begin(x.browser()), timeout=5)
    assert "Acme &amp; Engines" in theirs.text


@pytest.mark.parametrize("origin", ["http://127.0.0.1:5000", "http://localhost:5000", "http://[::1]:5000", "https://localhost"])
def test_users_may_be_sent_back_to_any_port_of_this_machine(x: SandboxApp, origin: str) -> None:
    browser = x.browser()
    back = browser.get(x.come_back(browser, return_to=f"{origin}/any/page?kept=1")).headers["location"]
    assert back.startswith(f"{origin}/any/page?kept=1&outcome=granted")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1.example:5000/", "http://127.0.0.1:5000@evil.example/", "http://192.168.0.1/", "http://127.0.0.1:70000/"],
)
def test_users_are_sent_to_no_other_machine(x: SandboxApp, url: str) -> None:
    refused = x.browser().start("x", accept=JSON, return_to=url)
    assert (refused.status_code, refused.json()["code"]) == (400, "return_to_not_allowed")


def test_a_lambda_may_name_such_a_page_too(x: SandboxApp) -> None:
    asked = {"provider": "x", "subject": "customer 42", "challenge": "a" * 43, "return_to": "http://127.0.0.1:5000/done"}
    function = {"FunctionName": f"{x.sandbox.prefix}-start", "Payload": json.dumps(asked).encode()}
    assert "authorize_url" in json.load(x.sandbox.client("lambda").invoke(**function)["Payload"])
