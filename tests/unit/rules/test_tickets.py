"""Tickets: what they are made of, which authorization they name, and when they prove a sign-in."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.tables import cells
from tripod.challenges import challenge
from tripod_flow.rules import tickets, transitions
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.errors import InvalidTicket

T = 1_800_000_000.0
SECRET = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = challenge(SECRET, provider="x", return_to="")
PROOF = "5zm5qTNrrEfgrG6bv0ehYA-t5Y5b1C2xyi1_BpeLiEw"  # HMAC-SHA256 of "ticket authorization#x#token" by "key"


def ticket() -> str:
    return tickets.issue("x", "token", "key")


def of(state: str = "granted", **changes: Any) -> Authorization:
    begun = transitions.begin("x", "token", "s", cookie_digest="c", challenge=CHALLENGE, now=T)
    return replace(begun, **{"state": State(state), "decided_at": T, "ticket_digest": tickets.digest(ticket()), **changes})


def reason(found: Authorization | None, given: str | None = None, secret: str = SECRET, now: float = T) -> str:
    """Return why a ticket proves nothing, or "." where it proves the sign-in."""
    try:
        assert tickets.check(found, given or ticket(), secret, now=now) is found
    except InvalidTicket as error:
        return str(error)
    return "."


STATES = """
         pending           exchanging        exchanged         consented  granted  denied            failed
ticket   no such sign-in   no such sign-in   no such sign-in   .          .        no such sign-in   no such sign-in
"""


@pytest.mark.parametrize(("_", "state", "expected"), cells(STATES))
def test_a_ticket_proves_a_grant_or_a_consent(_: str, state: str, expected: str) -> None:
    assert reason(of(state)) == expected


@pytest.mark.parametrize(
    ("found", "given", "secret", "expected"),
    [
        (None, None, SECRET, "no such sign-in"),
        ({"ticket_digest": None}, None, SECRET, "no such sign-in"),
        ({"challenge": None}, None, SECRET, "no such sign-in"),
        ({}, None, SECRET, "."),
        (
            {},
            "another",
            SECRET,
            "ticket and secret do not belong together, or the challenge was not made of secret, provider and return_to",
        ),
        (
            {},
            None,
            "another",
            "ticket and secret do not belong together, or the challenge was not made of secret, provider and return_to",
        ),
        (
            {},
            None,
            "é",
            "ticket and secret do not belong together, or the challenge was not made of secret, provider and return_to",
        ),
        (
            {},
            "another",
            "another",
            "ticket and secret do not belong together, or the challenge was not made of secret, provider and return_to",
        ),
        (
            {},
            None,
            CHALLENGE,
            "ticket and secret do not belong together, or the challenge was not made of secret, provider and return_to",
        ),
        (
            {"return_to": "https://another.example/"},
            None,
            SECRET,
            "ticket and secret do not belong together, or the challenge was not made of secret, provider and return_to",
        ),
        (
            {"provider": "y"},
            None,
            SECRET,
            "ticket and secret do not belong together, or the challenge was not made of secret, provider and return_to",
        ),
        (
            {"challenge": challenge(SECRET, provider="x", return_to="https://a.example/")},
            None,
            SECRET,
            "ticket and secret do not belong together, or the challenge was not made of secret, provider and return_to",
        ),
        (
            {"challenge": challenge(SECRET, provider="x", return_to="https://a.example/"), "return_to": "https://a.example/"},
            None,
            SECRET,
            ".",
        ),
    ],
)
def test_a_ticket_is_nothing_without_its_secret(
    found: dict[str, Any] | None, given: str | None, secret: str, expected: str
) -> None:
    assert reason(None if found is None else of(**found), given, secret) == expected


@pytest.mark.parametrize(
    ("redeemed", "seconds", "expected"),
    [
        (None, 0, "."),
        (None, 299.999, "."),
        (None, 300, "too late"),
        (299, 300, "."),
        (299, 358.999, "."),
        (299, 359, "redeemed before"),
        (299, 999, "redeemed before"),
    ],
)
def test_a_ticket_is_redeemed_within_five_minutes_and_repeated_within_one(
    redeemed: float | None, seconds: float, expected: str
) -> None:
    assert reason(of(redeemed_at=None if redeemed is None else T + redeemed), now=T + seconds) == expected


def test_an_outcome_without_a_time_is_of_the_epoch() -> None:
    assert reason(replace(of(), decided_at=None), now=299) == "."
    assert reason(replace(of(), decided_at=None), now=300) == "too late"


def test_a_ticket_is_the_same_for_the_same_key_and_another_for_any_other() -> None:
    assert ticket() == f"x.dG9rZW4.{PROOF}"
    others = {tickets.issue(*given) for given in (("y", "token", "key"), ("x", "other", "key"), ("x", "token", "other"))}
    assert len({one.rpartition(".")[2] for one in others} - {PROOF}) == 3


@pytest.mark.parametrize("request_token", ["token", "a", "ab", "abc", "é", "a.b", "?>~" * 5, "aaW", "elevenbytes"])
def test_a_ticket_names_its_authorization(request_token: str) -> None:
    issued = tickets.issue("p-1", request_token, "key")
    assert tickets.authorization_key(issued) == f"authorization#p-1#{request_token}"


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "x.y.z", "x..", "x.dA." + "a" * 42, "x.dA." + "a" * 44, "X.dA." + "a" * 43, "x.%ff." + "a" * 43,
        "x._w." + "a" * 43, "x.a." + "a" * 43, "x.dA." + "a" * 43 + "\n", "x.dA." + "a" * 42 + "=", "a" * 33 + ".dA." + "a" * 43,
        "x." + "a" * 2049 + "." + "a" * 43, "x.dA.dA." + "a" * 43,
    ],
)  # fmt: skip
def test_anything_else_is_no_ticket(text: str) -> None:
    with pytest.raises(InvalidTicket) as error:
        tickets.authorization_key(text)
    assert str(error.value) == "not a ticket"


def test_a_ticket_is_kept_as_its_sha256() -> None:
    assert tickets.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [(CHALLENGE, True), ("A9_-" * 10 + "abc", True), ("a" * 42, False), ("a" * 44, False), ("a" * 42 + "=", False),
     ("a" * 43 + "\n", False), ("é" * 43, False), ("", False)],
)  # fmt: skip
def test_a_challenge_is_a_sha256_in_base64url(text: str, is_one: bool) -> None:
    assert tickets.is_challenge(text) is is_one
