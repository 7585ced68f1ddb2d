"""A whole sign-in over HTTP, as a browser and as a program see it."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.browser import JSON
from sandbox.world import Sandbox
from tests.support.sandbox_app import RETURN_TO, SandboxApp, make_app
from tripod.credentials import Consumer
from tripod.signing import Signer


def test_a_browser_is_sent_to_the_provider_bound_by_a_cookie(app: SandboxApp) -> None:
    browser = app.browser()
    response = browser.start(app.name)
    assert response.status_code == 302
    assert response.headers["location"].startswith(f"{app.sandbox.provider}/oauth/authorize?oauth_token=")
    (name,) = browser.cookies
    assert name.startswith("__Host-tripod-")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=3600"):
        assert attribute in response.headers["set-cookie"]
    assert not response.text


def test_a_program_is_told_the_authorize_url(app: SandboxApp) -> None:
    response = app.browser().start(app.name, accept=JSON)
    assert response.status_code == 200
    told = response.json()
    assert set(told) == {"authorize_url", "request_token", "expires_at"}
    assert told["request_token"] in told["authorize_url"]
    assert isinstance(told["expires_at"], int)
    assert "__Host-tripod-" in response.headers["set-cookie"]


@pytest.mark.parametrize("accept", ["*/*", "", "application/json, text/html;q=0.9", "text/html;q=0", "text/plain"])
def test_whoever_does_not_prefer_html_gets_json(app: SandboxApp, accept: str) -> None:
    assert app.browser().start(app.name, accept=accept).headers["content-type"] == JSON


def test_consent_ends_on_a_page_and_with_the_tokens_stored(app: SandboxApp) -> None:
    browser = app.browser()
    response = browser.get(app.come_back(browser))
    assert response.status_code == 200
    assert "<h1>You are connected</h1>" in response.text
    assert f"@{app.user.screen_name}" in response.text
    stored = app.stored()
    assert stored is not None
    assert {name: stored[name] for name in ("provider", "user_id", "screen_name", "consumer_key")} == {
        "provider": app.name,
        "user_id": app.user.user_id,
        "screen_name": app.user.screen_name,
        "consumer_key": app.consumer.key,
    }
    tokens = {"oauth_token", "oauth_token_secret", "expires_at", "extra"}
    assert set(stored) == {"provider", "user_id", "screen_name", "consumer_key", *tokens}
    assert stored["oauth_token"] in app.sandbox.provider_server.issued(app.consumer.key)


def test_consent_is_told_in_json_to_a_program(app: SandboxApp) -> None:
    browser = app.browser()
    response = browser.get(app.come_back(browser), accept=JSON)
    assert response.json() == {
        "outcome": "granted",
        "provider": app.name,
        "user_id": app.user.user_id,
        "screen_name": app.user.screen_name,
    }


def test_consent_returns_to_the_app_with_its_own_query_kept(app: SandboxApp) -> None:
    browser = app.browser()
    response = browser.get(app.come_back(browser, return_to=f"{RETURN_TO}?state=a%20b"))
    assert response.status_code == 303
    assert response.headers["location"] == f"{RETURN_TO}?state=a%20b&outcome=granted&provider={app.name}"


def test_after_a_grant_the_table_holds_the_connection_and_no_secret(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    browser.get(callback)
    connection, authorization = app.connection(), app.authorization(callback)
    assert connection is not None
    assert connection["connected_to"] == {"S": app.name}
    assert connection["screen_name"] == {"S": app.user.screen_name}
    assert authorization["state"] == {"S": "granted"}
    kept = json.dumps([connection, authorization])
    secrets = app.sandbox.provider_server.issued(app.consumer.key)
    assert secrets
    assert not [secret for secret in secrets if secret in kept]


def test_a_reload_shows_the_first_outcome_without_a_second_exchange(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    first, again = browser.get(callback), browser.get(callback)
    assert (first.status_code, first.text) == (again.status_code, again.text)
    assert len(app.calls("access_token")) == 1


def test_another_browser_is_refused_and_changes_nothing(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    before = app.authorization(callback)
    stranger = app.browser().get(callback)
    assert stranger.status_code == 403
    assert f'href="{app.sandbox.api}/oauth/{app.name}/start"' in stranger.text
    assert app.browser().get(callback, accept=JSON).json()["code"] == "wrong_browser"
    other = app.browser()
    app.begin(other)  # it has a cookie of its own, for another authorization
    assert other.get(callback).status_code == 403
    assert app.authorization(callback) == before
    assert not app.calls("access_token")
    assert browser.get(callback).status_code == 200


def test_two_tabs_do_not_disturb_each_other(app: SandboxApp) -> None:
    browser = app.browser()
    one, other = app.come_back(browser), app.come_back(browser)
    assert [browser.get(callback).status_code for callback in (other, one)] == [200, 200]


def test_starts_options_reach_the_provider(app: SandboxApp) -> None:
    url = app.begin(app.browser(), endpoint="authenticate", force_login="true", screen_name="jo & co")
    assert urlsplit(url).path == "/oauth/authenticate"
    query = parse_qs(urlsplit(url).query)
    assert (query["force_login"], query["screen_name"]) == (["true"], ["jo & co"])
    assert "oauth_callback" not in query


@pytest.mark.parametrize(("access", "status"), [("read", 401), ("write", 200)])  # 401: code 220, no access to post
def test_an_access_type_is_asked_for_in_leg_1(app: SandboxApp, access: str, status: int) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser, x_auth_access_type=access))
    stored = app.stored()
    assert stored
    auth = Signer().sign_as(Consumer(app.consumer.key, app.consumer.secret), stored["oauth_token"], stored["oauth_token_secret"])
    url = f"{app.sandbox.provider}/1.1/statuses/update.json"
    answer = requests.post(url, data={"status": "hello"}, auth=auth, timeout=5)
    assert answer.status_code == status
    assert ('"code":220' in answer.text.replace(" ", "")) == (access == "read")


def test_the_same_grant_again_writes_no_new_version(app: SandboxApp) -> None:
    client = app.sandbox.client("secretsmanager")
    for _ in range(2):
        browser = app.browser()
        assert browser.get(app.come_back(browser)).status_code == 200
    assert len(client.list_secret_version_ids(SecretId=app.secret_name)["Versions"]) == 1


def test_a_grant_after_the_user_revoked_the_app_replaces_the_tokens(app: SandboxApp) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser))
    first = app.stored()
    app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    browser.get(app.come_back(browser))
    second = app.stored()
    assert first
    assert second
    assert first["oauth_token"] != second["oauth_token"]


def test_two_users_get_their_own_tokens(app: SandboxApp) -> None:
    browser, other = app.browser(), app.sandbox.provider_server.add_user()
    browser.get(app.come_back(browser))
    browser.get(app.consent(app.begin(browser), other))
    mine = app.stored()
    app.user = other
    theirs = app.stored()
    assert mine
    assert theirs
    assert mine["user_id"] != theirs["user_id"]
    assert mine["oauth_token"] != theirs["oauth_token"]


@pytest.mark.parametrize(
    ("options", "secret"),
    [
        ({"user_id_field": None, "screen_name_field": None}, {}),  # asked for at the identity URL
        ({"user_id_field": "user_nsid", "screen_name_field": "username"}, {}),
        ({"callback_confirmed": "TRUE"}, {}),
    ],
)
def test_other_kinds_of_provider_need_only_their_consumer_secret(
    sandbox: Sandbox, options: dict[str, Any], secret: dict[str, Any]
) -> None:
    app = make_app(sandbox, secret=secret, **options)
    browser = app.browser()
    response = browser.get(app.come_back(browser), accept=JSON)
    assert response.json().get("user_id") == app.user.user_id, response.text
    stored = app.stored()
    assert stored
    assert stored["screen_name"] == app.user.screen_name


@pytest.mark.parametrize("method", ["HMAC-SHA256", "PLAINTEXT"])
def test_the_signature_method_is_the_providers(sandbox: Sandbox, method: str) -> None:
    app = make_app(sandbox)
    content = {
        "consumer_key": app.consumer.key,
        "consumer_secret": app.consumer.secret,
        "provider": {**sandbox.provider_server.endpoints(), "signature_method": method, "authorize_params": {"perms": "read"}},
    }
    sandbox.client("secretsmanager").put_secret_value(
        SecretId=f"{sandbox.prefix}/consumer/{app.name}", SecretString=json.dumps(content)
    )
    browser = app.browser()
    url = app.begin(browser)
    assert "perms=read" in url
    assert browser.get(app.consent(url)).status_code == 200
    assert {call.signature_method for call in app.calls("access_token")} == {method}


def test_an_unconfirmed_callback_is_accepted_only_where_the_secret_says_so(sandbox: Sandbox) -> None:
    strict = make_app(sandbox, callback_confirmed=None)
    refused = strict.browser().start(strict.name, accept=JSON)
    assert (refused.status_code, refused.json()["code"]) == (502, "provider_rejected")
    assert "require_callback_confirmed" in refused.json()["detail"]
    endpoints = sandbox.provider_server.endpoints()
    lenient = make_app(sandbox, callback_confirmed=None, secret={"provider": {**endpoints, "require_callback_confirmed": False}})
    browser = lenient.browser()
    assert browser.get(lenient.come_back(browser)).status_code == 200


HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000",
}


def test_every_answer_has_the_security_headers(app: SandboxApp) -> None:
    browser = app.browser()
    started = browser.start(app.name)
    callback = app.consent(started.headers["location"])
    answers = [
        started,
        browser.start(app.name, accept=JSON),
        browser.get(callback),
        browser.get(callback, accept=JSON),
        app.browser().get(callback),
        app.browser().get(callback, accept=JSON),
        browser.start("unknown"),
    ]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        policy = answer.headers["content-security-policy"]
        assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'none'"} <= set(
            policy.split("; ")
        )
        assert "unsafe-inline" not in policy
        assert "script-src" not in policy


def test_blanks_that_were_pasted_around_a_credential_are_ignored_and_told(app: SandboxApp) -> None:
    app.change_consumer(consumer_key=f" {app.consumer.key}\u200b", consumer_secret=f"{app.consumer.secret}\r\n")
    browser = app.browser()
    assert browser.get(app.come_back(browser), accept=JSON).json()["outcome"] == "granted"
    told = [line for line in app.sandbox.logs.text.splitlines() if "blanks around a credential" in line and app.name in line]
    assert told
    assert '"fields":["consumer_key","consumer_secret"]' in told[0]


def test_a_verifier_without_its_request_token_is_the_browsers_only_one(app: SandboxApp) -> None:
    browser = app.browser()
    verifier = app.come_back(browser).partition("oauth_verifier=")[2].partition("&")[0]
    answer = browser.get(f"/oauth/{app.name}/callback?oauth_verifier={verifier}", accept=JSON)
    assert answer.json()["outcome"] == "granted"
