"""Who may read an authorization's result, in which state and until when; and the error that it ended in."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.tables import cells
from tripod.credentials import AccessToken, UserTokens
from tripod.provider_errors import Cause
from tripod_flow.rules import authorization, binding, errors, transitions
from tripod_flow.rules.authorization import Authorization, State

T = 1_800_000_000.0
KINDS: dict[str, dict[str, Any]] = {
    "bound": {"cookie_digest": binding.digest("cookie")},
    "unbound": {"cookie_digest": None},
    "bound pin": {"cookie_digest": binding.digest("cookie"), "pin": True},
    "app's pin": {"cookie_digest": None, "pin": True, "subject": "é7"},
    "nobody's pin": {"cookie_digest": None, "pin": True},
}


def of(state: str, kind: str = "bound", verifier: str | None = "verifier") -> Authorization:
    begun = transitions.begin("x", "token", "s", restart_query="a=b", **KINDS[kind], now=T)
    return replace(begun, state=State(state), verifier_digest=verifier and authorization.digest(verifier))


# A caller by what it brings; a cell is the error, or "." where it is answered.
BROWSERS = """
                                   bound     unbound  bound pin  app's pin  nobody's pin
callback with cookie and verifier  .         .        Unknown    Unknown    Unknown
callback with another cookie       Wrong     .        Unknown    Unknown    Unknown
callback with verifier             Wrong     .        Unknown    Unknown    Unknown
pin with cookie                    Unknown   Unknown  .          Unknown    Unknown
pin with another cookie            Unknown   Unknown  Wrong      Unknown    Unknown
pin with subject                   Unknown   Unknown  Wrong      .          Unknown
pin with another subject           Unknown   Unknown  Wrong      Unknown    Unknown
pin with nothing                   Unknown   Unknown  Wrong      Unknown    Unknown
"""
BROUGHT: dict[str, dict[str, Any]] = {
    "cookie and verifier": {"cookie": "cookie", "verifier": "verifier"},
    "cookie": {"cookie": "cookie"},
    "another cookie": {"cookie": "other", "verifier": "verifier"},
    "verifier": {"cookie": None, "verifier": "verifier"},
    "another verifier": {"cookie": None, "verifier": "other"},
    "subject": {"cookie": None, "subject": "é7"},
    "another subject": {"cookie": None, "subject": "é8"},
    "nothing": {"cookie": None},
}
ERRORS = {"Unknown": errors.UnknownAuthorization, "Wrong": errors.WrongBrowser, "Expired": errors.Expired}


def told(found: Authorization | None, caller: str, now: float = T) -> str:
    """Return the word for what a caller is told."""
    how, _, brought = caller.partition(" with ")
    try:
        asked: dict[str, Any] = {"pin": True} if how == "pin" else {}
        assert authorization.check_access(found, now=now, **asked, **BROUGHT[brought]) is found
    except errors.FlowError as error:
        return next(word for word, kind in ERRORS.items() if type(error) is kind)
    return "."


@pytest.mark.parametrize(("caller", "kind", "expected"), cells(BROWSERS))
@pytest.mark.parametrize("state", ["pending", "granted"])
def test_who_is_answered(caller: str, kind: str, expected: str, state: str) -> None:
    assert told(of(state, kind), caller) == expected
    assert told(None, caller) == "Unknown"


# Begun by direct invocation there is no browser: the result is for who brings the same verifier, a denial for who brings none.
UNBOUND = """
                                pending  exchanging  exchanged  consented  granted  denied   failed
callback with verifier          .        .           .          .          .        Unknown  .
callback with another verifier  .        .           Unknown    Unknown    Unknown  Unknown  Unknown
callback with nothing           .        .           Unknown    Unknown    Unknown  .        Unknown
"""


@pytest.mark.parametrize(("caller", "state", "expected"), cells(UNBOUND))
def test_without_a_browser_a_result_is_for_the_same_verifier(caller: str, state: str, expected: str) -> None:
    assert told(of(state, "unbound"), caller) == expected


def test_a_result_without_a_verifier_is_for_nobody() -> None:
    assert told(of("failed", "unbound", None), "callback with verifier") == "Unknown"


# Ten minutes after the start, without a lease and with one that is live.
LATE = """
                   pending  exchanging  exchanged  consented  granted  denied  failed
in time            .        .           .          .          .        .       .
late               Expired  Expired     .          .          .        .       .
late, leased       .        .           .          .          .        .       .
late, lease ended  Expired  Expired     .          .          .        .       .
"""


@pytest.mark.parametrize(("when", "state", "expected"), cells(LATE))
def test_an_unfinished_authorization_expires_unless_it_is_being_exchanged(when: str, state: str, expected: str) -> None:
    now = T + (599.999 if when == "in time" else 600)
    lease = {"late, leased": now + 0.001, "late, lease ended": now}.get(when)
    assert told(replace(of(state), lease_until=lease), "callback with cookie", now) == expected


def test_it_is_unknown_before_it_is_anothers_and_anothers_before_it_is_expired() -> None:
    assert told(of("pending", "bound pin"), "callback with nothing", T + 999) == "Unknown"
    assert told(of("pending"), "callback with nothing", T + 999) == "Wrong"
    with pytest.raises(errors.Expired) as expired:
        authorization.check_access(of("pending"), cookie="cookie", now=T + 600)
    assert expired.value.restart_query == "a=b"


def test_where_no_browser_is_bound_nobody_is_told_how_it_was_begun() -> None:
    with pytest.raises(errors.Expired) as expired:
        authorization.check_access(of("pending", "unbound"), cookie=None, now=T + 600)
    failed = authorization.outcome_error(of("denied", "unbound"))
    assert failed
    assert (expired.value.restart_query, failed.restart_query) == ("", "")


def test_a_lease_counts_from_the_epoch_where_there_is_none() -> None:
    early = replace(of("exchanging"), created_at=0, expires_at=0, lease_until=None)
    assert told(early, "callback with cookie", 0) == "Expired"
    assert told(early, "callback with cookie", 0.5) == "Expired"


OUTCOMES = """
            pending  exchanging  exchanged  consented  granted  denied  failed
decided     .        .           .          .          yes      yes     yes
answerable  .        .           .          yes        yes      yes     yes
"""


@pytest.mark.parametrize(("what", "state", "expected"), cells(OUTCOMES))
def test_which_states_are_an_outcome_or_can_be_told(what: str, state: str, expected: str) -> None:
    record = of(state)
    assert (record.is_decided if what == "decided" else record.is_answerable) is (expected == "yes")


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        ("granted", None, None),
        ("consented", None, None),
        ("denied", None, errors.Denied),
        ("failed", "expired", errors.Expired),
        ("failed", "verifier_rejected", errors.VerifierRejected),
        ("failed", "interrupted", errors.Interrupted),
        ("failed", "provider_rejected", errors.ProviderRejected),
    ],
)
def test_the_error_that_an_authorization_ended_in(state: str, code: str | None, expected: type[errors.FlowError] | None) -> None:
    for cause in (None, Cause.CLOCK_OFF):
        error = authorization.outcome_error(replace(of(state), error=code, cause=cause))
        assert (type(error) if error else None) is expected
        if error:
            assert error.restart_query == "a=b"
        if isinstance(error, errors.ProviderRejected):
            assert error.cause == (cause or Cause.UNKNOWN)


@pytest.mark.parametrize(
    ("state", "kind", "seconds", "expected"),
    [
        ("pending", "bound", 599.999, True),
        ("pending", "bound", 600, False),
        ("pending", "bound pin", 0, False),
        ("denied", "bound", 0, False),
        ("exchanging", "bound", 0, False),
    ],
)
def test_a_browser_may_come_back_while_it_is_pending_and_in_time(state: str, kind: str, seconds: float, expected: bool) -> None:
    assert of(state, kind).awaits_return(T + seconds) is expected


@pytest.mark.parametrize(
    ("code", "failed", "kind"),
    [
        ("verifier_rejected", 4, errors.NoPinLeft),
        ("verifier_rejected", 3, errors.VerifierRejected),
        ("verifier_rejected", 5, errors.VerifierRejected),
        ("verifier_rejected", 0, errors.VerifierRejected),
        ("interrupted", 4, errors.Interrupted),
    ],
)
def test_the_last_pin_that_was_wrong_is_told_apart(code: str, failed: int, kind: type[errors.FlowError]) -> None:
    error = authorization.outcome_error(replace(of("failed", "bound pin"), error=code, failed_pins=failed))
    assert type(error) is kind
    assert error.restart_query == "a=b"


def test_the_tokens_of_a_grant_are_pending_until_they_are_stored() -> None:
    token = AccessToken(oauth_token="t", oauth_token_secret="ts", consumer_key="k")
    granted = replace(of("granted"), pending_tokens=token, user_id="42", screen_name="ada")
    assert granted.user_tokens() == UserTokens(
        provider="x", user_id="42", screen_name="ada", oauth_token="t", oauth_token_secret="ts", consumer_key="k"
    )

    for lacking in (replace(granted, pending_tokens=None), replace(granted, user_id=None)):
        with pytest.raises(ValueError, match=r"^no tokens are pending$"):
            lacking.user_tokens()


def test_a_log_names_an_authorization_without_its_token() -> None:
    record = of("pending")
    assert record.log_id == authorization.log_id("authorization#x#token") == "e220a9c4bbf08b9a"
    assert record.pk == authorization.key("x", "token") == "authorization#x#token"


def test_a_verifier_is_kept_as_its_sha256() -> None:
    assert authorization.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_record_hides_every_secret() -> None:
    names = ("request_token", "request_secret", "cookie_digest", "verifier_digest", "ticket_digest")
    hidden: dict[str, Any] = dict.fromkeys(names, "S3CRET")
    token = AccessToken(oauth_token="S3CRET", oauth_token_secret="S3CRET", consumer_key="k")
    assert "S3CRET" not in repr(replace(of("granted"), pending_tokens=token, **hidden))
