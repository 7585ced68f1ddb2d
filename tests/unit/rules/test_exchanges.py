"""What each transition of an exchange writes: claim, take over, give back, save, grant, fail, confirm."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.authorizations import ADA, EVENTS, OUTBOX, SHARD, TOKEN, TTL, T, begun, changed, claim, done, exchanging, of
from tests.support.conditions import apply
from tripod.provider_errors import Cause
from tripod_flow.rules import errors, transitions
from tripod_flow.rules.authorization import PIN_ATTEMPTS, Authorization, State


def test_a_new_authorization_is_pending_for_ten_minutes_and_kept_for_an_hour() -> None:
    asked: dict[str, Any] = {"subject": "7", "labels": ("beta",), "challenge": "c", "return_to": "https://app.example/"}
    asked["restart_query"] = "a=b"
    assert transitions.begin("x", "token", "request-secret", cookie_digest="browser", pin=True, **asked, now=T + 0.5) == Authorization(
        pk="authorization#x#token", provider="x", request_token="token", request_secret="request-secret", state=State.PENDING,
        cookie_digest="browser", pin=True, created_at=T + 0.5, expires_at=T + 600.5, ttl=TTL, **asked,
    )  # fmt: skip
    assert begun() == Authorization(
        pk="authorization#x#token", provider="x", request_token="token", request_secret="request-secret", state=State.PENDING,
        cookie_digest="browser", created_at=T, expires_at=T + 600, ttl=TTL,
    )  # fmt: skip


def test_a_claim_has_a_lease_and_the_digests_of_what_was_brought() -> None:
    assert changed(begun(), done(begun(), claim())) == {
        "state": State.EXCHANGING, "claim_id": "first", "claimed_at": T, "lease_until": T + 30,
        "verifier_digest": "verifier", "ticket_digest": "ticket", "ticket_salt": "salt",
    }  # fmt: skip


def test_a_denial_removes_the_secret_and_owes_its_event() -> None:
    assert changed(begun(), of(State.DENIED)) == {
        "state": State.DENIED, "request_secret": None, "decided_at": T, "pending_event": "authorization.denied", **OUTBOX,
    }  # fmt: skip


@pytest.mark.parametrize("state", [State.EXCHANGING, State.EXCHANGED])
@pytest.mark.parametrize(
    ("lease", "seconds", "expected"),
    [(30, 0, None), (30, 29.999, None), (30, 30, "second"), (30, 31, "second"), (None, 0, "second")],
)
def test_an_exchange_is_taken_over_when_its_lease_ends(
    state: State, lease: float | None, seconds: float, expected: str | None
) -> None:
    found = replace(of(state), lease_until=lease and T + lease)
    transition = transitions.take_over(found, claim_id="second", now=T + seconds)
    after = apply(found, transition) if transition else None
    assert (after and (after.claim_id, after.lease_until)) == (expected and (expected, T + seconds + 30))


@pytest.mark.parametrize(("known", "now"), [("first", "other"), ("first", None), (None, "other")])
def test_of_two_who_take_over_one_does(known: str | None, now: str | None) -> None:
    for state in (State.EXCHANGING, State.EXCHANGED):
        found = replace(of(state), claim_id=known, lease_until=None)
        transition = transitions.take_over(found, claim_id="second", now=T)
        assert transition
        assert apply(found, transition)
        assert not apply(replace(found, claim_id=now), transition)


def test_taken_over_an_exchange_may_have_been_made_with_the_verifier_that_is_brought_now() -> None:
    held = of(State.EXCHANGING)
    transition = transitions.take_over(
        held, claim_id="second", now=T + 30, verifier_digest="v2", ticket_digest="t2", ticket_salt="s2"
    )
    new = {
        "claim_id": "second",
        "lease_until": T + 60,
        "maybe_exchanged": True,
        "verifier_digest": "v2",
        "ticket_digest": "t2",
        "ticket_salt": "s2",
    }
    assert changed(held, done(held, transition)) == new


def test_taken_over_a_saved_exchange_keeps_the_digests_of_its_own_verifier() -> None:
    held = of(State.EXCHANGED)
    transition = transitions.take_over(
        held, claim_id="second", now=T + 30, verifier_digest="v2", ticket_digest="t2", ticket_salt="s2"
    )
    assert changed(held, done(held, transition)) == {"claim_id": "second", "lease_until": T + 60}


@pytest.mark.parametrize(
    ("state", "before", "told", "after"),
    [
        (State.EXCHANGING, False, False, False),
        (State.EXCHANGING, False, True, True),
        (State.EXCHANGING, True, False, True),
        (State.EXCHANGING, True, True, True),
        (State.EXCHANGED, False, False, False),
        (State.EXCHANGED, False, True, False),
        (State.EXCHANGED, True, False, True),
    ],
)
def test_a_claim_given_back_keeps_whether_the_exchange_may_have_been_made(
    state: State, before: bool, told: bool, after: bool
) -> None:
    held = replace(of(state), maybe_exchanged=before)
    released = done(held, transitions.release(held, due=T + 5, maybe_exchanged=told))
    assert (released.claim_id, released.lease_until, released.maybe_exchanged) == (None, None, after)


def test_a_claim_given_back_is_not_said_to_be_exchanged_unless_told() -> None:
    held = replace(exchanging(), claimed_at=T + 3)
    given_back = {"state": State.PENDING, "claim_id": None, "lease_until": None}
    assert changed(held, done(held, transitions.release(held, due=T + 5))) == {**given_back, "back_at": held.claimed_at}
    pin = exchanging("bound pin")
    assert changed(pin, done(pin, transitions.release(pin, due=T + 5))) == given_back


def test_what_a_user_has_agreed_to_is_as_old_as_their_first_way_back() -> None:
    held = replace(exchanging(), claimed_at=T + 3)
    released = done(held, transitions.release(held, due=T + 5))
    assert released.agreed_at == held.agreed_at
    again = replace(released, state=State.EXCHANGING, claim_id="claim", claimed_at=T + 60, lease_until=T + 90)
    assert again.agreed_at == released.agreed_at
    assert done(again, transitions.release(again, due=T + 65)).agreed_at == released.agreed_at


def test_a_wrong_pin_is_counted_and_gives_the_claim_back() -> None:
    held = replace(exchanging("bound pin"), failed_pins=2)
    counted = {"state": State.PENDING, "claim_id": None, "lease_until": None, "failed_pins": 3}
    assert changed(held, done(held, transitions.count_wrong_pin(held))) == counted
    assert PIN_ATTEMPTS == 5


def test_a_saved_exchange_keeps_the_tokens_and_owes_the_rest() -> None:
    assert changed(exchanging(), of(State.EXCHANGED)) == {
        "state": State.EXCHANGED, "pending_tokens": TOKEN, "exchanged_at": T, "request_secret": None, **OUTBOX,
    }  # fmt: skip


GRANTED = {"state": State.GRANTED, "granted_at": T + 1, "pending_event": "authorization.granted", "outbox_due": T + 5}


CONSENT = {"state": State.CONSENTED, "outbox_due": T + 5 + 600}  # until the app's time is over there is nothing to do


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("bound", GRANTED), ("unbound", CONSENT), ("bound pin", GRANTED), ("app's pin", GRANTED)],
)
def test_a_grant_is_the_outcome_unless_the_app_must_confirm_it(kind: str, outcome: dict[str, Any], store: bool) -> None:
    held = exchanging(kind)
    after = done(held, transitions.grant(held, TOKEN, ADA, store=store, sent_at=T + 1, now=T + 5))
    assert changed(held, after) == {
        **outcome, **({"pending_tokens": TOKEN} if store else {}), "user_id": "42", "screen_name": "ada", "request_secret": None,
        "lease_until": T + 35, "decided_at": T + 5, "exchanged_at": T + 1, "outbox": SHARD, "outbox_since": T + 5, "ttl": None,
    }  # fmt: skip


def test_a_grant_without_storing_drops_saved_tokens() -> None:
    held = of(State.EXCHANGED)
    assert done(held, transitions.grant(held, TOKEN, ADA, store=False, now=T)).pending_tokens is None


@pytest.mark.parametrize("event", ["release", "count_wrong_pin", "save_exchange", "grant", "fail"])
def test_a_holder_whose_claim_is_anothers_changes_nothing(event: str) -> None:
    transition = EVENTS[event](exchanging())
    assert transition
    assert apply(replace(exchanging(), claim_id="second"), transition) is None


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (State.CONSENTED, "confirm"),
        (State.CONSENTED, "lapse"),
        (State.GRANTED, "mark_redeemed"),
        (State.GRANTED, "lease_storing"),
        (State.GRANTED, "release_storing"),
        (State.GRANTED, "mark_stored"),
        (State.GRANTED, "mark_published"),
        (State.FAILED, "mark_published"),
    ],
)
def test_what_follows_belongs_to_the_same_claim(state: State, event: str) -> None:
    transition = EVENTS[event](of(state))
    assert transition
    assert apply(replace(of(state), claim_id="second"), transition) is None


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (errors.Interrupted(), "interrupted", None),
        (errors.VerifierRejected(), "verifier_rejected", None),
        (errors.ProviderRejected(Cause.CLOCK_OFF), "provider_rejected", Cause.CLOCK_OFF),
    ],
)
def test_a_failure_removes_every_secret_and_owes_its_event(error: errors.FlowError, code: str, cause: Cause | None) -> None:
    held = replace(exchanging(), pending_tokens=TOKEN, cause=None if cause else Cause.UNKNOWN)
    assert changed(held, done(held, transitions.fail(held, error, now=T))) == {
        "state": State.FAILED, "error": code, "cause": cause, "pending_tokens": None, "request_secret": None, "lease_until": None,
        "decided_at": T, "pending_event": "authorization.failed", **OUTBOX,
    }  # fmt: skip


def test_a_confirmed_consent_counts_from_the_consent() -> None:
    found = of(State.CONSENTED)
    assert changed(found, done(found, transitions.confirm(found, now=T + 60))) == {
        "state": State.GRANTED, "granted_at": T, "pending_event": "authorization.granted", "redeemed_at": T + 60,
        "lease_until": T + 90, "outbox_since": T + 60, "outbox_due": T + 60,
    }  # fmt: skip


def test_a_ticket_is_marked_as_redeemed_once() -> None:
    found = of(State.GRANTED)
    assert changed(found, done(found, transitions.mark_redeemed(found, now=T + 1))) == {"redeemed_at": T + 1}
    for state, event in ((State.GRANTED, "mark_redeemed"), (State.CONSENTED, "confirm"), (State.CONSENTED, "lapse")):
        transition = EVENTS[event](of(state))
        assert transition
        assert apply(replace(of(state), redeemed_at=T), transition) is None


def test_an_exchange_counts_from_when_it_was_sent() -> None:
    saved = replace(of(State.EXCHANGED), exchanged_at=T - 100)
    granted = done(saved, transitions.grant(saved, TOKEN, ADA, store=True, now=T))
    assert (granted.granted_at, granted.decided_at) == (T - 100, T)
    at_once = done(exchanging(), transitions.grant(exchanging(), TOKEN, ADA, store=True, sent_at=T - 3, now=T))
    assert (at_once.granted_at, at_once.exchanged_at, at_once.decided_at) == (T - 3, T - 3, T)
    unbound = replace(of(State.EXCHANGED, "unbound"), exchanged_at=T - 100)
    consented = done(unbound, transitions.grant(unbound, TOKEN, ADA, store=True, now=T))
    assert done(consented, transitions.confirm(consented, now=T + 9)).granted_at == T - 100


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"claimed_at": T, "granted_at": T + 1, "decided_at": T + 2}, T),
        ({"granted_at": T + 1, "decided_at": T + 2}, T + 1),  # of before the claim's time was kept
        ({"decided_at": T + 2}, T + 2),
        ({}, 0.0),
    ],
)
def test_the_user_had_agreed_when_they_were_back(times: dict[str, Any], expected: float) -> None:
    assert replace(begun(), **times).agreed_at == expected


def test_a_transition_hides_what_it_writes() -> None:
    assert "access-secret" not in repr(transitions.save_exchange(exchanging(), TOKEN, sent_at=T, now=T))
