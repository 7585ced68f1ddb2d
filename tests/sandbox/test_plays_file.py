"""plays.toml is read once, whole, and says what is wrong with it."""

import pytest

from sandbox.provider import ProviderServer, plays
from sandbox.provider.play import X
from sandbox.provider.plays import FlawedPlayError

LEGS = """
request_token.url = "https://a.example/request"
authorize.url = "https://a.example/authorize"
access_token.url = "https://a.example/access"
"""
ERRORS = 'errors.not_authenticated = {status = 401, text = "no"}\n'
SURE = 'sure.src = "all of it"\n'


def described(*parts: str) -> str:
    return "[here]\n" + "".join(parts)


def test_every_entry_says_how_sure_it_is() -> None:
    for name in plays.names():
        assert plays.of(name).sure, name


def test_x_is_no_entry_and_a_play_that_is_not_there_is_an_error() -> None:
    assert "x" not in plays.names()
    assert plays.of("x") is X
    with pytest.raises(LookupError, match="can't play nosuch"):
        plays.of("nosuch")
    with ProviderServer() as server, pytest.raises(LookupError):
        server.register(play="nosuch")


def test_the_least_that_an_entry_says_is_enough() -> None:
    play = plays.read(described(LEGS, ERRORS, SURE))["here"]
    assert [endpoint.leg for endpoint in play.endpoints] == ["request_token", "authorize", "access_token"]
    assert play.refusals.revoked.body == "no"


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        (described(ERRORS, SURE), "here has no request_token, authorize, access_token"),
        (described(LEGS, SURE), "here.errors has no not_authenticated"),
        (described(LEGS, ERRORS), "here.sure must say"),
        (described(LEGS, ERRORS, 'sure.hope = "x"'), "here.sure must say"),
        (described(LEGS, ERRORS, SURE, "colour = 1"), "here knows no colour"),
        (described(LEGS, ERRORS, SURE, 'verifier = "no"'), "here.verifier is 'no'"),
        (described(LEGS, ERRORS, SURE, 'callback = "later"'), "here.callback is 'later'"),
        (described(LEGS, ERRORS, SURE, "nonce = [1]"), "here.nonce is"),
        (described(LEGS, ERRORS, SURE, 'same_as = "there"'), "here.same_as names no entry"),
        (described(LEGS, ERRORS, SURE, 'forms.pin = "{digits:7}"'), "here.forms knows no pin"),
        (described(LEGS, ERRORS, SURE, "places.site = {pattern = 1}"), "here.places.site.pattern is 1"),
        (described(LEGS, ERRORS, SURE, "access_lifetime = true"), "here.access_lifetime is True"),
        (described(LEGS, ERRORS, SURE, "identity = {}"), "here.identity.url must be https"),
        (described(LEGS, ERRORS, SURE, 'identity = {url = "http://a.example/"}'), "here.identity.url must be https"),
        (described(LEGS, ERRORS, SURE, 'identity = {url = "https://a.example/", colour = 1}'), "here.identity knows no colour"),
        (
            described(LEGS, ERRORS, SURE, "errors.revoked = {status = 401}"),
            "here.errors.revoked must have a status, and one of text",
        ),
        (described(LEGS, ERRORS, SURE, 'errors.hope = {status = 401, text = ""}'), "here.errors knows no hope"),
    ],
)
def test_a_flaw_is_told_by_its_place(text: str, flaw: str) -> None:
    with pytest.raises(FlawedPlayError) as raised:
        plays.read(text)
    assert flaw in str(raised.value)
