"""Whatever is written into an address: a 4xx problem with a code that says what to do, and nothing is written or asked of the provider."""

import pytest

from sandbox.browser import JSON
from tests.support import direct, pin
from tests.support.sandbox_app import SandboxApp

LONG = "a" * 5000
BAD = "bad_request"


def check(app: SandboxApp, path: str, status: int, code: str) -> None:
    browser = app.browser()
    since = len(app.sandbox.aws_server.calls)
    answer = browser.get(f"/oauth/{app.name}/{path}", accept=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["status"] == status
    assert problem["detail"]
    assert LONG not in answer.text
    page = browser.get(f"/oauth/{app.name}/{path}")
    assert page.status_code == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert not browser.cookies
    wrote = [
        call
        for call in app.sandbox.aws_server.calls[since:]
        if call.status == 200 and app.name in call.resource and not call.operation.startswith("Get")
    ]
    assert not wrote


@pytest.mark.parametrize(
    "query",
    [
        "oauth_token=slipped",
        "oauth_callback=https%3A%2F%2Fevil.example",
        "oauth_callback",
        "OAuth_Token=slipped",
        "fbclid=1&oauth_anything=1",
        "endpoint=",
        "endpoint=authorise",
        "endpoint=authorize&endpoint=authenticate",
        "force_login=yes",
        "force_login",
        "screen_name=",
        f"screen_name={LONG}",
        "screen_name=%00",
        "screen_name=a%0d%0aSet-Cookie:x=y",
        "screen_name=%ff%fe",
        "screen_name=%C3%28",
        "x_auth_access_type=admin",
        "challenge=abc",
        f"challenge={'a' * 42}",
        f"challenge={'a' * 42}%3D",
        "return_to=",
        f"return_to=https%3A%2F%2Fapp.example%2F{LONG}",
        "&".join(f"a{number}=1" for number in range(200)),
        "%6fauth_token=1",
    ],
)
def test_start_refuses(app: SandboxApp, query: str) -> None:
    check(app, f"start?{query}", 400, BAD)
    assert not app.calls("request_token")


def test_start_ignores_what_it_does_not_know_and_says_so(app: SandboxApp) -> None:
    query = "fbclid=1&utm_source=a%20link&=1&subject=42&fbclid=2&a%0ab=1&utm_campaign=%ff&" + "x" * 50
    answer = app.browser().get(f"/oauth/{app.name}/start?{query}", accept=JSON)
    assert answer.status_code == 200
    assert answer.json()["ignored"] == ["fbclid", "utm_source", "subject", "utm_campaign"]
    assert app.browser().get(f"/oauth/{app.name}/start?{query}").status_code == 302
    assert "ignored" not in app.browser().start(app.name, accept=JSON).json()


def test_what_is_not_known_is_named(app: SandboxApp) -> None:
    browser = app.browser()
    known = "Known are: request_token"
    told = pin.post(app, browser, {"request_token": "a", "pin": "1", "<b>": "2"}).json()["detail"]
    assert told == f"Not known here: a name that can't be repeated. {known}, pin."
    told = pin.post(app, browser, {"request_token": "a", "pin": "1", "code": "2"}).json()["detail"]
    assert told == f"Not known here: code. {known}, pin."
    told = direct.invoke(app, "redeem", ticket="a", secret="b", user="c")["detail"]
    assert told == "Not known here: user. Known are: ticket, secret."


@pytest.mark.parametrize(
    "return_to", ["https%3A%2F%2Fevil.example%2Fdone", "javascript%3Aalert(1)", "http%3A%2F%2F127.0.0.1%3A3000%2Fdone%23f"]
)
def test_start_refuses_to_return_elsewhere(app: SandboxApp, return_to: str) -> None:
    check(app, f"start?return_to={return_to}", 400, "return_to_not_allowed")
    assert not app.calls("request_token")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 404, "unknown_authorization"),
        ("?oauth_token=abc", 404, "unknown_authorization"),
        ("?oauth_verifier=abc", 404, "unknown_authorization"),
        ("?oauth_token=abc&oauth_verifier=", 404, "unknown_authorization"),
        ("?oauth_token=&oauth_verifier=abc", 404, "unknown_authorization"),
        ("?oauth_token=abc&oauth_token=abd&oauth_verifier=abc", 400, BAD),
        ("?oauth_token=abc&oauth_verifier=abc&oauth_verifier=abd", 400, BAD),
        (f"?oauth_token={LONG}&oauth_verifier=abc", 400, BAD),
        (f"?oauth_token=abc&oauth_verifier={LONG}", 400, BAD),
        ("?oauth_token=%ff&oauth_verifier=abc", 400, BAD),
        ("?oauth_token=abc&oauth_verifier=%00", 400, BAD),
        ("?oauth_token=a%0ab&oauth_verifier=abc", 400, BAD),
        ("?denied=", 404, "unknown_authorization"),
        ("?error=access_denied&oauth_token=abc&oauth_verifier=abc", 400, BAD),
        ("?rejected=1&oauth_token=abc&oauth_verifier=abc", 400, BAD),
        ("?denied=" + "%F0%9F%98%80" * 512, 400, BAD),
        ("?oauth_verifier=v&oauth_token=" + "%F0%9F%98%80" * 512, 400, BAD),
        ("?oauth_verifier=v&oauth_token=" + "%F0%9F%98%80" * 128, 404, "unknown_authorization"),
        ("?denied=abc&oauth_verifier=abc", 400, BAD),
        (f"?denied={LONG}", 400, BAD),
        ("?oauth_token=abc&oauth_problem=server_error", 404, "unknown_authorization"),
        ("?oauth_token=abc&oauth_verifier=abc", 404, "unknown_authorization"),
        ("?denied=abc", 404, "unknown_authorization"),
        ("?oauth_token=a%23b&oauth_verifier=%E2%82%AC", 404, "unknown_authorization"),
    ],
)
def test_callback_refuses(app: SandboxApp, query: str, status: int, code: str) -> None:
    check(app, f"callback{query}", status, code)
    assert not app.calls("access_token")


def test_callback_ignores_names_that_it_does_not_know(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser) + "&state=1&state=2&x=%ff&" + LONG
    assert browser.get(callback).status_code == 200


@pytest.mark.parametrize("name", ["nobody", "X", "a" * 33, "x%2F..%2Fx", "%00", "%ff", "..", "a b", "\u00fc"])
@pytest.mark.parametrize("path", ["start", "callback?oauth_token=a&oauth_verifier=b", "callback?denied=a"])
def test_an_unknown_provider_is_not_found(app: SandboxApp, name: str, path: str) -> None:
    answer = app.browser().get(f"/oauth/{name}/{path}", accept=JSON)
    assert answer.status_code == 404
    assert answer.json().get("code", "unknown_provider") == "unknown_provider"


def test_a_made_up_provider_is_looked_up_once_a_minute_at_most(app: SandboxApp) -> None:
    for _ in range(3):
        app.browser().start(f"{app.name}-not")
    assert len(app.sandbox.aws_server.called("secretsmanager", "GetSecretValue", f"{app.name}-not")) == 1


@pytest.mark.parametrize("cookie", ["__Host-tripod-x", "=;=;;", '"', "a=b; " * 50, "__Host-tripod-junk=" + "z" * 3000])
def test_cookies_that_make_no_sense_are_as_good_as_none(app: SandboxApp, cookie: str) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    stranger = app.browser()
    stranger.cookies = {"": cookie}
    assert stranger.get(callback, accept=JSON).json()["code"] == "wrong_browser"
    browser.cookies[""] = cookie
    assert browser.get(callback).status_code == 200


def test_a_consumer_secret_that_makes_no_sense_is_not_configured_and_the_log_says_why(app: SandboxApp) -> None:
    name = f"{app.name}-broken"
    app.sandbox.client("secretsmanager").create_secret(
        Name=f"{app.sandbox.prefix}/consumer/{name}",
        SecretString='{"consumer_key": "k", "consumer_secret": "s3cr3t-s3cr3t", "provider": {"authorise_url": "https://a.example/"}}',
    )
    answer = app.browser().start(name, accept=JSON)
    assert (answer.status_code, answer.json()["code"]) == (500, "not_configured")
    assert "authorise_url" not in answer.text
    (line,) = [line for line in app.sandbox.logs.lines if name in line and "not_configured" in line and "reason" in line]
    assert "unknown key authorise_url" in line
    assert "s3cr3t-s3cr3t" not in line
