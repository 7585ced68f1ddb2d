"""OAuth 1.0 without a verifier: only the browser that began an authorization may finish it."""

import pytest

from tests.support.authorizations import T, begun, of
from tests.support.conditions import apply
from tripod_flow.rules import authorization, binding, errors, transitions
from tripod_flow.rules.authorization import State
from tripod_flow.rules.transitions import Transition


def claim(cookie: str) -> Transition:
    return transitions.claim(
        "authorization#x#token",
        cookie_digest=cookie,
        verifier_digest=None,
        ticket_digest="t",
        ticket_salt="s",
        claim_id="c",
        now=T,
    )


@pytest.mark.parametrize(
    ("kind", "cookie", "applied"), [("bound", "browser", True), ("bound", "", False), ("unbound", "", False)]
)
def test_only_the_bound_browser_claims_without_a_verifier(kind: str, cookie: str, applied: bool) -> None:
    after = apply(begun(kind), claim(cookie))
    assert (after is not None) is applied
    if after:
        assert (after.state, after.verifier_digest) == (State.EXCHANGING, None)


@pytest.mark.parametrize("state", [State.PENDING, State.EXCHANGING, State.CONSENTED])
def test_an_empty_verifier_shows_nobody_an_unbound_authorization(state: State) -> None:
    with pytest.raises(errors.UnknownAuthorization):
        authorization.check_access(of(state, "unbound"), cookie=None, now=T, verifier="")


def test_the_bound_browser_sees_its_authorization_without_a_verifier() -> None:
    found = transitions.begin("x", "token", "s", cookie_digest=binding.digest("cookie"), now=T)
    assert authorization.check_access(found, cookie="cookie", now=T, verifier="") is found
