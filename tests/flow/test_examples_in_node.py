"""The examples on Node.js, run as they are: under the policy that their template asks for, with what their package.json names."""

import json
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
import requests
from oauthlib.oauth1 import rfc5849

import tripod
from sandbox.repository import ROOT
from sandbox.world import Sandbox
from tests.support.checks import with_identity
from tests.support.direct import invoke
from tests.support.harness import Harness
from tests.support.node import NEEDS_NODE, installed, run_node, serving
from tests.support.reading import grant, reading, revoke
from tests.support.sandbox_app import SandboxApp, make_app
from tests.support.signed_request import FORM, pairs, send
from tests.support.waiting import eventually
from tripod import names
from tripod_flow.flows.sign import SignRequest

EXAMPLES = ["post_node", "sign_node"]
SIGNATURE = re.compile('oauth_signature="([^"]+)"')

# Requests that oauth-1.0a signs rightly (docs/reading-tokens.md says which), with their forms.
REQUESTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/2/tweets", None),
    ("GET", "/1.1/account/verify_credentials.json?skip_status=true&include_entities=false", None),
    ("GET", "/2/users/me?id=2&id=10&q=%F0%9F%98%80%20%26%3D%2B%25~*'()!&empty=", None),
    ("POST", "/1.1/statuses/update.json", {"status": "it's 5 * 5 = 25 ~ (é😀) & + % \nand more"}),
    ("POST", "/1.1/statuses/update.json?trim=1", {"status": "s", "media_ids": ["3", "2", "10", "2"]}),
]

# The header of each request, by the example's own code; all with one timestamp, and a nonce for each.
SIGN = """
import OAuth from "oauth-1.0a";
const [module, input] = process.argv.slice(1);
const { requests, keys, timestamp } = JSON.parse(input);
const { authorization } = await import(module);
OAuth.prototype.getTimeStamp = () => timestamp;
console.log(JSON.stringify(requests.map(({ nonce, ...request }) => {
  OAuth.prototype.getNonce = () => nonce;
  return authorization(request, keys);
})));
"""


def posts(app: SandboxApp) -> list[str]:
    """Return what the app has posted: the provider has verified the signature of each."""
    return [post.text for post in app.sandbox.provider_server.posts(app.consumer.key)]


def asked_of_aws(app: SandboxApp) -> int:
    """Return how often anybody has read the app's secrets or opened its sealed tokens."""
    server = app.sandbox.aws_server
    opened = [call for call in server.called("kms", "Decrypt") if call.caller == "ReadTokens"]
    return len(server.called("secretsmanager", "GetSecretValue", app.name)) + len(opened)


def checks_asked(app: SandboxApp, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what check is asked about the app's users from now on; the list grows."""
    asked: list[dict[str, Any]] = []
    functions = app.sandbox.functions
    before = functions.on_event

    def on_event(name: str, event: Any) -> None:
        before(name, event)
        if name == f"{app.sandbox.prefix}-check" and event.get("provider") == app.name:
            asked.append(event)

    monkeypatch.setattr(functions, "on_event", on_event)
    return asked


@NEEDS_NODE
@pytest.mark.parametrize("store", ["secrets-manager", "table", "moving"])
def test_the_posting_example_posts_from_every_store_and_says_when_it_may_not(
    sandbox: Sandbox, tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = with_identity(make_app(sandbox, secret={"store": store}))
    event = {"user_id": app.user.user_id, "text": "héllo & + world"}
    variables = {"TRIPOD_PROVIDER": app.name, "TRIPOD_TABLE": sandbox.table}
    with serving(sandbox, installed("post_node", tmp_path), "ReadTokens", **variables) as post:
        assert post({"user_id": 12}) == {"error": "user_id and text must be strings"}
        assert post(event) == {"error": "the user has not signed in yet"}
        grant(app)
        assert post(event).keys() == {"id"}
        before = asked_of_aws(app)
        assert post(event | {"text": "again"}).keys() == {"id"}
        assert asked_of_aws(app) == before  # it remembers
        assert posts(app) == [event["text"], "again"]
        reports = checks_asked(app, monkeypatch)
        revoke(app)  # in X's own settings: API v2 doesn't say that it was that
        for _ in range(3):
            assert "no longer accepts" in post(event)["error"]
        assert eventually(lambda: app.calls("verify_credentials"), 20)  # by check, to which it was reported
        assert reports == [{"provider": app.name, "user_id": app.user.user_id, "reported": True}]  # each token once
        grant(app)
        assert post(event | {"text": "back"}).keys() == {"id"}  # with tokens that it has not remembered
        assert posts(app)[2:] == ["back"]
        revoke(app)
        assert "no longer accepts" in post(event)["error"]
        assert eventually(lambda: len(reports) == 2)  # another token
        invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
        assert "the user has disconnected" in post(event)["error"]
        assert post.end() == ""


@NEEDS_NODE
def test_the_posting_example_is_not_kept_waiting_by_a_report_that_fails_and_reports_no_more_for_a_while(
    granted: SandboxApp, tmp_path: Path
) -> None:
    app, event = granted, {"user_id": granted.user.user_id, "text": "hello"}
    tried: list[str] = []
    variables = {"TRIPOD_PROVIDER": app.name, "TRIPOD_TABLE": app.sandbox.table}
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes a connection, and says nothing
        silent.settimeout(0)
        variables["AWS_ENDPOINT_URL_LAMBDA"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with serving(app.sandbox, installed("post_node", tmp_path), "ReadTokens", **variables) as post:
            revoke(app)
            for _ in range(2):
                began = time.monotonic()
                assert "no longer accepts" in post(event)["error"]
                assert time.monotonic() - began < 10
            assert post.end() == ""
        with suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                tried.append("a report")
    assert tried == ["a report"]


@NEEDS_NODE
def test_the_posting_example_finds_any_users_secret_takes_no_ended_tokens_and_quotes_nothing(
    app: SandboxApp, tmp_path: Path
) -> None:
    ended, strange = "1", "a/b é~%"
    contents = {
        ended: json.dumps({"oauth_token": "t0ken", "oauth_token_secret": "s3cret", "expires_at": 1_700_000_000}),
        strange: "s3cret",
    }
    for user_id, content in contents.items():
        name = names.user_secret(app.sandbox.prefix, app.name, user_id)
        app.sandbox.client("secretsmanager").create_secret(Name=name, SecretString=content)
    code = """
    const { handler } = await import(process.argv[1]);
    const told = process.argv.slice(2).map((user_id) => handler({ user_id, text: "" }).catch((error) => ({ thrown: error.stack })));
    console.log(JSON.stringify(await Promise.all(told)));
    """
    arguments = (str(installed("post_node", tmp_path)), ended, strange)
    told = run_node(app.sandbox, code, "ReadTokens", *arguments, TRIPOD_PROVIDER=app.name, TRIPOD_TABLE=app.sandbox.table)
    assert told[0] == {"error": "the user's tokens have ended: ask them to sign in again"}
    assert told[1]["thrown"].startswith(f"Error: {name}: not JSON")
    assert "s3cret" not in str(told)
    assert posts(app) == []


@NEEDS_NODE
def test_the_signing_example_posts_without_a_token(app: SandboxApp, tmp_path: Path) -> None:
    event = {"user_id": app.user.user_id, "text": "héllo & + world"}
    with serving(app.sandbox, installed("sign_node", tmp_path), "SignRequests", TRIPOD_PROVIDER=app.name) as post:
        assert post({"user_id": 12}) == {"error": "user_id and text must be strings"}
        assert post(event)["error"].startswith("token_not_found: ")
        grant(app)
        assert post(event).keys() == {"id"}
        assert posts(app) == [event["text"]]
        revoke(app)
        assert "no longer accepts" in post(event)["error"]
        invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
        assert post(event)["error"].startswith("token_revoked: ")
        assert post.end() == ""


@NEEDS_NODE
def test_node_sign_and_the_reader_sign_a_request_alike_and_the_provider_takes_it(
    granted: SandboxApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, now = granted, str(int(time.time()))
    site, user = app.sandbox.provider, tripod.user_tokens(app.name, user_id=app.user.user_id)
    keys = {
        "consumer": {"key": user.consumer_key, "secret": user.consumer_secret},
        "token": {"key": user.oauth_token, "secret": user.oauth_token_secret},
    }
    given = [
        {"method": method, "url": site + path, "nonce": f"nonce{at}", **({"data": form} if form else {})}
        for at, (method, path, form) in enumerate(REQUESTS)
    ]
    asked = json.dumps({"requests": given, "keys": keys, "timestamp": int(now)})
    by_node = run_node(app.sandbox, SIGN, "ReadTokens", str(installed("post_node", tmp_path)), asked)
    monkeypatch.setattr(rfc5849, "generate_timestamp", lambda: now)
    sign = Harness(app).flows.sign
    for at, ((method, path, form), node) in enumerate(zip(REQUESTS, by_node, strict=True)):
        monkeypatch.setattr(rfc5849, "generate_nonce", lambda at=at: f"nonce{at}")
        by_sign = sign.authorization(SignRequest(app.name, app.user.user_id, method, site + path, pairs(form or {})))
        with reading(app.sandbox), tripod.user_session(app.name, user_id=app.user.user_id) as session:
            by_reader = session.prepare_request(requests.Request(method, site + path, data=form)).headers["Authorization"]
        signatures = {unquote(SIGNATURE.findall(header)[0]) for header in (node, by_sign, by_reader)}
        assert len(signatures) == 1, path
        body = urlencode(form, doseq=True) if form else '{"text": "any"}' * (method == "POST")
        kind = FORM if form else "application/json"
        assert send(app, method, path, node, body=body, kind=kind) in {200, 201}, path
        assert send(app, method, path, by_sign, body=body, kind=kind) == 401  # the same nonce again


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_pins_what_the_tests_run_it_with(example: str) -> None:
    package = json.loads((ROOT / "examples" / example / "function/package.json").read_text())
    assert {"name", "version"} <= package.keys()  # npm packs nothing without, and sam build packs
    pinned = package.get("dependencies", {}) | package["devDependencies"]
    ours = json.loads((ROOT / "tests/sandbox/peers/package.json").read_text())["dependencies"]
    assert pinned.items() <= ours.items()
    imported = {
        name
        for path in (ROOT / "examples" / example / "function").glob("*.mjs")
        for name in re.findall(r'from "((?:@[^/"]+/)?[^./"@:][^"/:]*)"', path.read_text())
    }
    assert pinned.keys() == imported
    assert not [name for name in package.get("dependencies", {}) if name.startswith("@aws-sdk/")]  # the runtime brings it
