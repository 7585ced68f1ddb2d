"""Requests that sign has signed, sent by another client; and what it refuses to sign."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlencode, urlsplit

import pytest
import requests
from oauthlib.oauth1 import rfc5849

import tripod
from sandbox.world import Sandbox
from tests.support.direct import invoke
from tests.support.harness import Harness
from tests.support.reading import grant, reading
from tests.support.sandbox_app import UNDEFINED, SandboxApp, make_app
from tests.support.signed_request import pairs, send
from tripod_flow.flows.sign import SignRequest

ME = "/1.1/account/verify_credentials.json"
UPDATE = "/1.1/statuses/update.json"


@pytest.fixture(scope="module", params=["secrets-manager", "table"])
def connected(request: pytest.FixtureRequest, sandbox: Sandbox) -> SandboxApp:
    """Return an app whose user has signed in; no test here takes the tokens away."""
    app = make_app(sandbox, secret={"store": request.param})
    grant(app)
    return app


@pytest.fixture
def own(app: SandboxApp) -> SandboxApp:
    """Return an app whose user has signed in, and which the test may change."""
    grant(app)
    return app


def sign(app: SandboxApp, method: str = "GET", path: str = ME, **other: Any) -> dict[str, Any]:
    """Have a request to the sandbox's provider signed as the app's user; ``other`` are more parameters, or other ones."""
    asked = {"provider": app.name, "user_id": app.user.user_id, "method": method, "url": app.sandbox.provider + path}
    return invoke(app, "sign", **asked | other)


def spelled(form: Mapping[str, Any]) -> str:
    """Return a form as another client encodes it: every byte as %xx, in small letters."""
    return "&".join("=".join("".join(f"%{byte:02x}" for byte in part.encode()) for part in pair) for pair in pairs(form))


REQUESTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", ME, None),
    ("GET", f"{ME}?", {}),
    ("GET", f"{ME}?skip_status=true&include_entities=false", None),
    ("GET", f"{ME}?id=2&id=10&id=1&ID=3&id", None),
    ("GET", f"{ME}?q=%F0%9F%98%80+%c3%A9%20%2B&a%20b=c%26d%3De&x='()*!~", None),
    ("GET", f"{ME}?&&=nameless&expansions%5B%5D=author_id&b=c;d", None),
    ("POST", UPDATE, {"status": "Hello Ladies + Gentlemen, a signed OAuth request!"}),
    ("POST", UPDATE, {"status": "first line\nsecond: 日本語 😀 & = % é ~", "empty": ""}),
    ("POST", f"{UPDATE}?include_entities=true&media_ids=1", {"status": "s", "media_ids": ["3", "2", "10", "2"]}),
    ("POST", f"{UPDATE}?status=in+the+query", None),
]


@pytest.mark.parametrize(("method", "path", "form"), REQUESTS)
def test_the_provider_takes_what_was_signed(connected: SandboxApp, method: str, path: str, form: dict[str, Any] | None) -> None:
    given = {} if form is None else {"form": form}
    bodies = [urlencode(form, doseq=True, quote_via=how) for how in (quote, quote_plus)] + [spelled(form)] if form else [""]
    for body in bodies:
        told = sign(connected, method, path, **given)
        assert told.keys() == {"authorization"}, told
        assert send(connected, method, path, told["authorization"], body=body) == 200
    assert send(connected, method, path, told["authorization"], body=bodies[-1]) == 401  # the nonce was used


def test_a_request_is_signed_for_its_method_address_and_parameters_alone(connected: SandboxApp) -> None:
    others = [("GET", f"{ME}?a=2", ""), ("GET", f"{ME}?a=1&b", ""), ("GET", "/2/users/me?a=1", ""), ("POST", UPDATE, "a=1")]
    for method, path, body in others:
        header = sign(connected, "GET", f"{ME}?a=1")["authorization"]
        assert send(connected, method, path, header, body=body) == 401


def test_a_body_that_is_no_form_is_not_signed(connected: SandboxApp) -> None:
    header = sign(connected, "POST", "/2/tweets")["authorization"]
    assert send(connected, "POST", "/2/tweets", header, body=json.dumps({"text": "any"}), kind="application/json") == 201


def test_each_signature_has_a_nonce_of_its_own_and_shows_no_secret(connected: SandboxApp) -> None:
    headers = [sign(connected)["authorization"] for _ in range(5)]
    assert len({re.findall('oauth_nonce="([^"]+)"', header)[0] for header in headers}) == 5
    server = connected.sandbox.provider_server
    shown = {connected.consumer.key, str(server.valid_token(connected.consumer.key, connected.user))}
    secrets = set(server.issued(connected.consumer.key)) - shown | {connected.consumer.secret}
    assert len(secrets) > 2
    assert [secret for secret in secrets if secret in unquote(" ".join(headers))] == []


@pytest.mark.parametrize(("method", "path", "form"), REQUESTS)
def test_the_reader_signs_the_same_request_alike(
    connected: SandboxApp, method: str, path: str, form: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rfc5849, "generate_nonce", lambda: "n0nce")
    monkeypatch.setattr(rfc5849, "generate_timestamp", lambda: "1790000000")
    url = connected.sandbox.provider + path
    asked = SignRequest(connected.name, connected.user.user_id, method, url, pairs(form or {}))
    with reading(connected.sandbox), tripod.user_session(connected.name, user_id=connected.user.user_id) as session:
        theirs = session.prepare_request(requests.Request(method, url, data=form or None)).headers["Authorization"]
    assert Harness(connected).flows.sign.authorization(asked) == theirs
    assert 'oauth_nonce="n0nce", oauth_timestamp="1790000000"' in theirs


def test_the_providers_realm_is_in_the_header(own: SandboxApp) -> None:
    own.redefine(realm="the API")
    header = sign(own)["authorization"]
    assert header.startswith('OAuth realm="the API", oauth_nonce=')
    assert send(own, "GET", ME, header) == 200


def test_a_change_counts_at_once(own: SandboxApp) -> None:
    """A disconnect, a new sign-in, and a rotated consumer secret, in a process that has signed for this user before."""
    nobody = invoke(own, "sign", provider=own.name, user_id="0", method="GET", url=own.sandbox.provider)
    assert (nobody["code"], nobody["status"], nobody["title"]) == ("token_not_found", 404, "Not connected")
    assert "authorization" in sign(own)
    invoke(own, "revoke", provider=own.name, user_id=own.user.user_id)
    told = sign(own)
    assert (told["code"], told["status"]) == ("token_revoked", 404)
    assert told["detail"] == "The user has disconnected: have them sign in again."
    grant(own)
    assert send(own, "GET", ME, sign(own)["authorization"]) == 200
    own.change_consumer(consumer_key="rotated")
    assert 'oauth_consumer_key="rotated"' in sign(own)["authorization"]


def test_tokens_that_have_ended_sign_nothing(own: SandboxApp) -> None:
    stored = own.stored()
    client = own.sandbox.client("secretsmanager")
    client.put_secret_value(SecretId=own.secret_name, SecretString=json.dumps(stored | {"expires_at": 1_700_000_000}))  # type: ignore[operator]  # it is there
    assert (told := sign(own))["code"] == "token_expired"
    assert "sign in again" in told["detail"]
    client.put_secret_value(SecretId=own.secret_name, SecretString=json.dumps(stored | {"expires_at": 9_000_000_000}))  # type: ignore[operator]  # likewise
    assert "authorization" in sign(own)


def test_a_secret_that_is_wrong_is_the_operators_to_mend(own: SandboxApp) -> None:
    client = own.sandbox.client("secretsmanager")
    client.put_secret_value(SecretId=own.secret_name, SecretString='{"oauth_token": "s3cret"}')
    assert (told := sign(own))["code"] == "not_configured"
    assert "s3cret" not in str(told)
    client.put_secret_value(SecretId=own.consumer_secret_name, SecretString="s3cret")
    assert sign(own)["code"] == "not_configured"
    assert sign(own, provider="nobodys")["code"] == "unknown_provider"


def test_nothing_is_signed_for_a_host_that_is_not_the_providers(own: SandboxApp) -> None:
    hosts = ["https://evil.example/", "https://127.0.0.1.evil.example/", "https://api.x.com/", "https://localhost.evil.example/"]
    for hosts_named in (["api.example", "xn--bcher-kva.example"], UNDEFINED):
        own.redefine(api_hosts=hosts_named)
        assert "authorization" in sign(own)  # the host of its endpoints
        for url in [*hosts, "http://api.example/", "http://evil.example/", "https://sub.api.example/"]:
            told = sign(own, url=f"{url}?access=secret")
            assert (told["code"], told["status"]) == ("host_not_allowed", 400), url
            assert told["detail"].startswith(f"Nothing is signed for {urlsplit(url).hostname}: ")
            assert "access=secret" not in str(told)
        for url in ("https://api.example/", "https://API.example:8443/1", "https://xn--bcher-kva.example/"):
            assert ("authorization" in sign(own, url=url)) is (hosts_named is not UNDEFINED), url


def test_no_header_is_given_that_would_be_the_secrets_themselves(own: SandboxApp) -> None:
    own.redefine(signature_method="PLAINTEXT")
    told = sign(own)
    assert (told["code"], told["status"]) == ("plaintext_signature", 400)
    assert "layer tripod" in told["detail"]
    assert "authorization" not in told


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"user_id": None}, "The parameter user_id is missing."),
    ({"user_id": 12}, "The parameter user_id must be a string."),
    ({"url": None}, "The parameter url is missing."),
    ({"method": ""}, "The parameter method is empty."),
    ({"method": "get"}, "The parameter method must be an HTTP method in capitals, such as GET."),
    ({"url": "https://api.x.com/\n"}, "The parameter url holds characters that can't be part of it."),
    ({"url": "https://api.x.com/\t"}, "The parameter url holds characters that can't be part of it."),
    ({"url": "https://api.x.com/?" + "a" * 8192}, "The parameter url is too long."),
    ({"url": "https://ada:pw@api.x.com/"}, "The parameter url must have no user name and password before its host."),
    ({"url": "https://api.x.com/?ids[]=1"}, "percent-encode [ and ] as %5B and %5D, and send it so."),
    ({"url": "https://api.x.com/?oauth_token=t"}, "OAuth's own parameters (oauth_…), which sign adds."),
    ({"form": {"a": "b"}}, "The parameter form can't be sent with GET: put it into the URL's query."),
    ({"method": "POST", "form": "a=b"}, "The parameter form must be an object."),
    ({"method": "POST", "form": {"oauth_callback": "x"}}, "OAuth's own parameters (oauth_…), which sign adds."),
    ({"method": "POST", "form": {"a": "v" * 70_000}}, "The parameter form is longer than 65536 bytes."),
    ({"body": "{}"}, "Not known here: body. Known are: provider, user_id, method, url, form."),
    ({"oauth_nonce": "n"}, "Not known here: oauth_nonce. Known are: provider, user_id, method, url, form."),
]


@pytest.mark.parametrize(("changed", "said"), REFUSED)
def test_what_is_wrong_is_told(app: SandboxApp, changed: dict[str, Any], said: str) -> None:
    told = sign(app, **changed)
    assert (told["code"], told["status"]) == ("bad_request", 400)
    assert told["detail"].endswith(said)


def test_what_was_signed_is_in_the_log_without_the_address(connected: SandboxApp) -> None:
    sign(connected, path=f"{ME}?private=1")
    lines = [json.loads(line) for line in connected.sandbox.logs.text.splitlines() if f'"{connected.name}"' in line]
    (line, *_) = [line for line in lines if line.get("message") == "signed"]
    host = urlsplit(connected.sandbox.provider).hostname
    assert (line["user_id"], line["method"], line["host"]) == (connected.user.user_id, "GET", host)
    assert "private=1" not in connected.sandbox.logs.text
