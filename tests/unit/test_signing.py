"""The provider's own published examples, through the code that signs."""

import re
from io import BytesIO
from urllib.parse import unquote

import pytest
import requests
import urllib3

from tripod.credentials import Consumer
from tripod.signing import Signer
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.transport import Timeouts, send
from tripod_flow.rules.provider import ProviderDefinition

UPDATE = Consumer("xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw")
UPDATE_TOKEN = ("370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE")
SIGN_IN = Consumer("cChZNFj6T5R0TigYB9yd1w", "L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg")
REQUEST_TOKEN = ("NPcudxy0yU5T3tBzho7iCotZ3cnetKwcTIRlX0iwRl0", "veNRnAWe6inFuo8o2u8SLLZLjolYDmDP7SzL0YfYI")


def frozen(nonce: str, timestamp: int) -> Signer:
    return Signer(nonce=lambda: nonce, timestamp=lambda: str(timestamp))


def signature(header: str) -> str:
    found = re.search(r'oauth_signature="([^"]+)"', header)
    assert found
    return unquote(found[1])


@pytest.mark.parametrize(
    ("host", "expected"), [("api.x.com", "Ls93hJiZbQ3akF3HF3x1Bz8/zU4="), ("api.twitter.com", "hCtSmYh+iHYCEqBWrE7C7hYmtUk=")]
)
def test_the_published_status_update_is_signed_as_published(host: str, expected: str) -> None:
    auth = frozen("kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", 1318622958).sign_as(UPDATE, *UPDATE_TOKEN)
    request = requests.Request(
        "POST",
        f"https://{host}/1.1/statuses/update.json?include_entities=true",
        data={"status": "Hello Ladies + Gentlemen, a signed OAuth request!"},
        auth=auth,
    ).prepare()
    assert signature(request.headers["Authorization"]) == expected


class Wire:
    """Replaces the network: records the signed requests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
        self.sent: list[tuple[str, str, str | None]] = []
        self.header = ""
        self._body = body.encode()
        monkeypatch.setattr("urllib3.HTTPConnectionPool.urlopen", self.urlopen)

    def urlopen(self, method: str, url: str, body: str | None, headers: dict[str, str], **_: object) -> urllib3.HTTPResponse:
        self.sent.append((method, url, body))
        self.header = headers["Authorization"]
        return urllib3.HTTPResponse(BytesIO(self._body), status=200, preload_content=False)


TWITTER = ProviderDefinition(
    request_token_url="https://api.twitter.com/oauth/request_token",
    authorize_url="https://api.twitter.com/oauth/authorize",
    access_token_url="https://api.twitter.com/oauth/access_token",
)


def test_leg_1_is_signed_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true")
    legs = ProviderClient(Timeouts(), frozen("ea9ec8429b68d6b77cd5600adbbb0456", 1318467427))
    legs.request_token(TWITTER, SIGN_IN, "http://localhost/sign-in-with-twitter/", access_type=None)
    assert signature(wire.header) == "F1Li3tvehgcraF8DMJ7OyxO4w9Y="


def test_leg_3_is_signed_as_published_with_the_verifier_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, "oauth_token=t&oauth_token_secret=s&user_id=1&screen_name=n")
    legs = ProviderClient(Timeouts(), frozen("a9900fe68e2573b27a37f10fbad6a755", 1318467427))
    legs.access_token(TWITTER, SIGN_IN, *REQUEST_TOKEN, "uw7NjWHT6OJ1MpJOXsHfNxoAhPKpgI8BlYDhxEjIBY")
    assert signature(wire.header) == "39cipBtIOHEEnybAR4sATQTpl2I="
    assert wire.header.count("oauth_verifier") == 1
    assert wire.sent == [("POST", "/oauth/access_token", None)]


def test_the_access_type_is_signed_and_sent_as_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true")
    ProviderClient(Timeouts(), frozen("n", 1)).request_token(TWITTER, SIGN_IN, "https://a.example/", access_type="read")
    assert wire.sent == [("POST", "/oauth/request_token", "x_auth_access_type=read")]
    form = {"x_auth_access_type": "read"}
    auth = frozen("n", 1).sign_as(SIGN_IN, callback="https://a.example/")
    assert (
        wire.header
        == requests.Request("POST", TWITTER.request_token_url, data=form, auth=auth).prepare().headers["Authorization"]
    )


def test_what_is_signed_is_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, "")
    send("GET", "https://API.example:443/a/../%c3%a9?title=b%20c&A", frozen("n", 1).sign_as(SIGN_IN), Timeouts())
    assert wire.sent == [("GET", "/%C3%A9?title=b%20c&A", None)]
    auth = frozen("n", 1).sign_as(SIGN_IN)
    assert (
        wire.header
        == requests.Request("GET", "https://api.example/%C3%A9?title=b%20c&A", auth=auth).prepare().headers["Authorization"]
    )


def test_no_two_requests_share_a_nonce() -> None:
    signer = Signer()
    headers = [
        requests.Request("GET", "https://api.x.com/", auth=signer.sign_as(UPDATE, *UPDATE_TOKEN))
        .prepare()
        .headers["Authorization"]
        for _ in range(50)
    ]
    assert len({re.search(r'oauth_nonce="([^"]+)"', str(header))[1] for header in headers}) == 50  # type: ignore[index]  # None would fail the test
