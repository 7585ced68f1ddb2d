"""Whose tokens they are, as a JSON Web Token says it."""

import time
from typing import Any

import jwt
import pytest

from tests.support.described_provider import URLS
from tripod.credentials import AccessToken, Consumer
from tripod.provider_errors import Cause
from tripod_flow.edges.identity_response import read_identity
from tripod_flow.edges.provider_answer import Refused
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.transport import Response, Timeouts
from tripod_flow.rules.authorization import Identity
from tripod_flow.rules.provider import ProviderDefinition

SECRET = "a-consumer-secret-of-32-characters-or-more-for-every-algorithm-there-is"
ENDPOINTS: dict[str, Any] = dict(URLS)
WIKI = ProviderDefinition(
    **ENDPOINTS, identity_url="https://wiki.example/me", identity_format="jwt", user_id_field="sub", screen_name_field="username"
)
CONSUMER = Consumer("key", SECRET)
TOKEN = AccessToken(oauth_token="t", oauth_token_secret="s", consumer_key="key")


def token(algorithm: str = "HS256", secret: str = SECRET, **changes: Any) -> bytes:
    now = int(time.time())
    claims = {"sub": "42", "username": "Ada", "aud": "key", "nonce": "n", "iat": now, "exp": now + 100, **changes}
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, "" if algorithm == "none" else secret, algorithm).encode()


def test_a_token_whose_end_is_a_moment_ago_names_the_user() -> None:
    assert read_identity(token(exp=int(time.time()) - 100), WIKI, CONSUMER, "n") == Identity("42", "Ada")


@pytest.mark.parametrize("changes", [{}, {"iat": None}, {"sub": 42}])
def test_a_token_that_is_signed_for_us_names_the_user(changes: dict[str, Any]) -> None:
    assert read_identity(token(**changes) + b"\n", WIKI, CONSUMER, "n") == Identity("42", "Ada")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"sub": "42"}',
        b"a.b.c",
        b"\xff.\xff.\xff",
        token(secret="b" * 64),
        token("HS512"),
        token("none"),
        token(aud="another app"),
        token(aud=None),
        token(exp=None),
        token(nonce="\ud800"),
        token(nonce="earlier"),
        token(nonce=None),
        token(nonce=5),
        token(exp=1),
        token(iat=int(time.time()) + 4000),
        token(sub=None),
        token(sub=""),
    ],
)
def test_any_other_names_nobody(body: bytes) -> None:
    assert read_identity(body, WIKI, CONSUMER, "n") is None


class Answers:
    """What a provider answers, one after the other, and what it was asked."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def send(self, _method: str, url: str, _auth: Any, _timeouts: Timeouts, *, accept: str, data: object) -> Response:
        assert (accept, data) == ("application/json", None)
        self.asked.append(url)
        return self.answers.pop(0)


def redirect(location: str, status: int = 303) -> Response:
    return Response(status, {"location": location}, b"")


ME = Response(200, {}, b'{"user_id": "42", "screen_name": "ada"}')
JSON = ProviderDefinition(**ENDPOINTS, identity_url="https://wiki.example/+me")


@pytest.mark.parametrize("location", ["/~ada", "https://wiki.example/~ada"])
def test_a_redirect_within_the_host_is_followed_once(location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(redirect(location), ME)
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", answers.send)
    assert ProviderClient(Timeouts()).identity(JSON, CONSUMER, TOKEN) == Identity("42", "ada")
    assert answers.asked == ["https://wiki.example/+me", "https://wiki.example/~ada"]


@pytest.mark.parametrize(
    "location",
    ["https://evil.example/", "http://wiki.example/~ada", "//evil.example/", "https://wiki.example:8443/", "http://[evil"],
)
def test_a_redirect_elsewhere_is_not_followed(location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(redirect(location), ME)
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", answers.send)
    with pytest.raises(Refused):
        ProviderClient(Timeouts()).identity(JSON, CONSUMER, TOKEN)
    assert len(answers.asked) == 1


def test_a_redirect_after_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(redirect("/a"), redirect("/b"), ME)
    monkeypatch.setattr("tripod_flow.edges.provider_client.send", answers.send)
    with pytest.raises(Refused) as caught:
        ProviderClient(Timeouts()).identity(JSON, CONSUMER, TOKEN)
    assert caught.value.refusal.cause is Cause.UNREADABLE
    assert len(answers.asked) == 2
