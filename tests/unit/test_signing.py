"""The provider's own published examples, through the code that signs."""

import re
from urllib.parse import unquote

import pytest
import requests

from tripod.credentials import Consumer
from tripod.signing import Signer
from tripod_flow.legs import Legs
from tripod_flow.provider import Provider
from tripod_flow.transport import Answer, Timeouts

UPDATE = Consumer("xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw")
UPDATE_TOKEN = ("370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE")
SIGN_IN = Consumer("cChZNFj6T5R0TigYB9yd1w", "L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg")
REQUEST_TOKEN = ("NPcudxy0yU5T3tBzho7iCotZ3cnetKwcTIRlX0iwRl0", "veNRnAWe6inFuo8o2u8SLLZLjolYDmDP7SzL0YfYI")


def frozen(nonce: str, timestamp: int) -> Signer:
    return Signer(nonce=lambda: nonce, timestamp=lambda: str(timestamp))


def header_of(request: requests.PreparedRequest) -> str:
    """Return what was signed; oauthlib 3 leaves it in bytes."""
    header: str | bytes = request.headers["Authorization"]
    return header if isinstance(header, str) else header.decode()


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
    assert signature(header_of(request)) == expected


class Wire:
    """Stands in for the network: keeps what would be sent, prepared and signed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
        self.sent: list[requests.PreparedRequest] = []
        self._body = body.encode()
        monkeypatch.setattr("tripod_flow.legs.send", self.send)

    def send(self, method: str, url: str, auth: object, timeouts: Timeouts, *, data: dict[str, str] | None = None) -> Answer:
        assert timeouts
        self.sent.append(requests.Request(method, url, data=data, auth=auth).prepare())
        return Answer(200, {}, self._body)

    @property
    def header(self) -> str:
        return header_of(self.sent[0])


TWITTER = Provider(
    request_token_url="https://api.twitter.com/oauth/request_token",
    authorize_url="https://api.twitter.com/oauth/authorize",
    access_token_url="https://api.twitter.com/oauth/access_token",
)


def test_leg_1_is_signed_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true")
    legs = Legs(Timeouts(), frozen("ea9ec8429b68d6b77cd5600adbbb0456", 1318467427))
    legs.request_token(TWITTER, SIGN_IN, "http://localhost/sign-in-with-twitter/", access_type=None)
    assert signature(wire.header) == "F1Li3tvehgcraF8DMJ7OyxO4w9Y="


def test_leg_3_is_signed_as_published_with_the_verifier_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, "oauth_token=t&oauth_token_secret=s&user_id=1&screen_name=n")
    legs = Legs(Timeouts(), frozen("a9900fe68e2573b27a37f10fbad6a755", 1318467427))
    legs.access_token(TWITTER, SIGN_IN, *REQUEST_TOKEN, "uw7NjWHT6OJ1MpJOXsHfNxoAhPKpgI8BlYDhxEjIBY")
    assert signature(wire.header) == "39cipBtIOHEEnybAR4sATQTpl2I="
    assert wire.header.count("oauth_verifier") == 1
    assert not wire.sent[0].body


def test_no_two_requests_share_a_nonce() -> None:
    signer = Signer()
    headers = [
        requests.Request("GET", "https://api.x.com/", auth=signer.sign_as(UPDATE, *UPDATE_TOKEN))
        .prepare()
        .headers["Authorization"]
        for _ in range(50)
    ]
    assert len({re.search(r'oauth_nonce="([^"]+)"', str(header))[1] for header in headers}) == 50  # type: ignore[index]
