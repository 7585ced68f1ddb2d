"""What the provider refuses, each with X's own body."""

from collections.abc import Iterator

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.provider import ProviderServer, RegisteredApp
from sandbox.provider.app import make_app
from sandbox.provider.failures import ProviderFailure
from sandbox.provider.signed_request import SignedRequest
from sandbox.provider.state import ProviderState
from sandbox.provider.token_server import TokenServer
from tests.support.app_client import CALLBACK, VERIFY, AppClient, Token, fields_of

NOT_AUTHENTICATED = '{"errors":[{"code":32,"message":"Could not authenticate you."}]}'
CLOCK_OFF = '{"errors":[{"message":"Timestamp out of bounds","code":135}]}'
REVERSE_AUTH = "Reverse auth credentials are invalid"
NOW = 1_800_000_000


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


def said(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.text


def test_unknown_key_is_32_on_every_leg(provider: ProviderServer) -> None:
    app = AppClient(provider, RegisteredApp("nobody", "nothing"))
    token = Token("some", "thing")
    for answer in (app.ask_request_token(), app.exchange(token, "v"), app.verify(token)):
        assert said(answer) == (401, NOT_AUTHENTICATED)
    assert [call.status for call in provider.calls("nobody")] == [401, 401, 401]


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"])
def test_wrong_secret_is_32_on_every_leg_and_spoils_nothing(provider: ProviderServer, method: str) -> None:
    right = AppClient(provider, signature_method=method)
    wrong = AppClient(provider, RegisteredApp(right.consumer.key, "wrong"), signature_method=method)
    token = right.request_token()
    verifier = right.consent(token)
    assert said(wrong.ask_request_token()) == (401, NOT_AUTHENTICATED)
    assert said(wrong.exchange(token, verifier)) == (401, NOT_AUTHENTICATED)
    assert said(right.exchange(Token(token.key, "wrong"), verifier)) == (401, NOT_AUTHENTICATED)
    fields = fields_of(right.exchange(token, verifier))
    access = Token(fields["oauth_token"], fields["oauth_token_secret"])
    assert said(wrong.verify(access)) == (401, NOT_AUTHENTICATED)
    assert right.verify(access).status_code == 200


def test_changed_parameter_breaks_the_signature(provider: ProviderServer) -> None:
    app = AppClient(provider)
    call = requests.Request(
        "POST", f"{provider.url}/oauth/request_token?x_auth_access_type=read", auth=app.auth(callback_uri=CALLBACK)
    )
    prepared = call.prepare()
    assert prepared.url is not None
    prepared.url = prepared.url.replace("=read", "=write")
    with requests.Session() as session:
        assert said(session.send(prepared, timeout=5)) == (401, NOT_AUTHENTICATED)


def test_repeated_nonce_is_refused(provider: ProviderServer) -> None:
    app = AppClient(provider, nonce="a0b1c2")
    call = requests.Request("POST", f"{provider.url}/oauth/request_token", auth=app.auth(callback_uri=CALLBACK))
    prepared = call.prepare()
    with requests.Session() as session:
        assert session.send(prepared, timeout=5).status_code == 200
        assert said(session.send(prepared, timeout=5)) == (401, NOT_AUTHENTICATED)


def test_another_app_may_use_the_same_nonce(provider: ProviderServer) -> None:
    for _ in range(2):
        assert AppClient(provider, nonce="shared").ask_request_token().status_code == 200


@pytest.mark.parametrize(("seconds_off", "status"), [(-301, 401), (-299, 200), (299, 200), (301, 401)])
def test_timestamp_may_be_300_seconds_off(seconds_off: int, status: int) -> None:
    with ProviderServer(clock=lambda: NOW) as provider:
        answer = AppClient(provider, timestamp=str(NOW + seconds_off)).ask_request_token()
        assert answer.status_code == status
        if status == 401:
            assert answer.text == CLOCK_OFF
            assert answer.headers["Content-Type"].startswith("application/json")


def test_unapproved_callback_is_415(provider: ProviderServer) -> None:
    app = AppClient(provider, provider.register(callback_urls=[CALLBACK]))
    assert app.ask_request_token(CALLBACK).status_code == 200
    assert app.ask_request_token("oob").status_code == 200
    for other in (CALLBACK + "/", CALLBACK + "?a=1", CALLBACK.upper(), "https://elsewhere.example/"):
        refused = app.ask_request_token(other)
        assert refused.status_code == 403
        assert refused.text == (
            '{"errors":[{"code":415,"message":"Callback URL not approved for this client application. '
            'Approved callback URLs can be adjusted in your application settings"}]}'
        )


def test_desktop_app_may_only_use_oob(provider: ProviderServer) -> None:
    app = AppClient(provider, provider.register(callback_urls=[]))
    assert said(app.ask_request_token(CALLBACK)) == (
        401,
        "<errors><error code=\"417\">Desktop applications only support the oauth_callback value 'oob'</error></errors>",
    )
    assert app.ask_request_token("oob").status_code == 200


def test_missing_callback_or_signature_is_malformed(provider: ProviderServer) -> None:
    app = AppClient(provider)
    missing = (
        app.call("POST", "/oauth/request_token"),
        requests.post(f"{provider.url}/oauth/request_token", timeout=5),
        requests.get(provider.url + VERIFY, timeout=5),
        app.call("GET", VERIFY),
    )
    for answer in missing:
        assert said(answer) == (400, '{"errors":[{"code":215,"message":"Bad Authentication data."}]}')


def test_unknown_and_exchanged_request_tokens_are_refused_alike(provider: ProviderServer) -> None:
    app = AppClient(provider)
    assert said(app.exchange(Token("unknown", "secret"), "verifier")) == (401, REVERSE_AUTH)
    token = app.request_token()
    verifier = app.consent(token)
    assert app.exchange(token, verifier).status_code == 200
    assert said(app.exchange(token, verifier)) == (401, REVERSE_AUTH)


def test_another_apps_request_token_is_unknown(provider: ProviderServer) -> None:
    app, other = AppClient(provider), AppClient(provider)
    token = app.request_token()
    assert said(other.exchange(token, app.consent(token))) == (401, REVERSE_AUTH)


def test_another_apps_access_token_is_invalid(provider: ProviderServer) -> None:
    access = AppClient(provider).connect()
    assert AppClient(provider).verify(access).json()["errors"][0]["code"] == 89


def test_wrong_or_missing_verifier_is_refused_and_the_right_one_still_works(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token()
    refusal = (401, "Error processing your OAuth request: Invalid oauth_verifier parameter")
    assert said(app.exchange(token, "before-consent")) == refusal
    verifier = app.consent(token)
    assert said(app.exchange(token, "wrong")) == refusal
    assert said(app.call("POST", "/oauth/access_token", token)) == refusal
    assert app.exchange(token, verifier).status_code == 200


def test_expired_request_token_is_refused(provider: ProviderServer) -> None:
    app = AppClient(provider)
    token = app.request_token()
    verifier = app.consent(token)
    provider.expire(token.key)
    refused = app.exchange(token, verifier)
    assert refused.status_code == 401
    assert refused.text.startswith("<hash><error>Invalid / expired Token</error>")


def test_request_token_lives_for_10_minutes() -> None:
    times = [NOW]
    with ProviderServer(clock=lambda: times[-1]) as provider:
        app = AppClient(provider, timestamp=str(NOW))
        late, in_time = app.request_token(), app.request_token()
        pins = {token.key: app.consent(token) for token in (late, in_time)}
        times.append(NOW + 600)
        app = AppClient(provider, app.consumer, timestamp=str(NOW + 600))
        assert app.exchange(in_time, pins[in_time.key]).status_code == 200
        times.append(NOW + 601)
        assert app.exchange(late, pins[late.key]).status_code == 401


def test_unknown_signature_method_is_refused(provider: ProviderServer) -> None:
    app = AppClient(provider, signature_method="HMAC-SHA512")
    assert app.ask_request_token().status_code == 400


def test_consumer_key_is_registered_once(provider: ProviderServer) -> None:
    consumer = provider.register(callback_urls=[])
    with pytest.raises(ValueError, match="is taken"):
        provider.register(consumer.key)
    assert consumer.secret not in repr(consumer)


# oauthlib verifies X's own published example, which no library of ours signed
EXAMPLE = (
    'OAuth oauth_callback="http%3A%2F%2Flocalhost%2Fsign-in-with-twitter%2F", '
    'oauth_consumer_key="cChZNFj6T5R0TigYB9yd1w", oauth_nonce="ea9ec8429b68d6b77cd5600adbbb0456", '
    'oauth_signature="F1Li3tvehgcraF8DMJ7OyxO4w9Y%3D", oauth_signature_method="HMAC-SHA1", '
    'oauth_timestamp="1318467427", oauth_version="1.0"'
)


@pytest.mark.parametrize("host", ["api.twitter.com", "api.x.com"])
def test_published_signature_verifies_on_its_own_host_only(host: str) -> None:
    state = ProviderState(clock=lambda: 1_318_467_427)
    state.add(RegisteredApp("cChZNFj6T5R0TigYB9yd1w", "L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg"))
    call = SignedRequest(f"https://{host}/oauth/request_token", "POST", "", {"Authorization": EXAMPLE}, {})
    assert isinstance(TokenServer(state).request_token(call), ProviderFailure) == (host == "api.x.com")


APP = make_app(ProviderState(clock=lambda: NOW))


@settings(max_examples=60, deadline=None)
@given(header=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60), body=st.binary(max_size=60))
def test_no_header_or_body_breaks_the_provider(header: str, body: bytes) -> None:
    with APP.test_client() as client:
        for prefix in ("OAuth ", 'OAuth oauth_token="', "Basic ", "Bearer ", ""):
            for path in ("/oauth/request_token", "/oauth/access_token", "/oauth2/token"):
                headers = {"Authorization": prefix + header, "Content-Type": "application/x-www-form-urlencoded"}
                assert client.post(path, data=body, headers=headers).status_code < 500
