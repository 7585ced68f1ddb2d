"""Authorizations in each state, made by the rules themselves, for the tables of the rules."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from tests.support.conditions import apply
from tripod.credentials import AccessToken
from tripod_flow.rules import errors, transitions
from tripod_flow.rules.authorization import Authorization, Identity, State
from tripod_flow.rules.transitions import Transition

T = 1_800_000_000.0
TTL = 1_800_003_600  # an hour after
TOKEN = AccessToken(oauth_token="access", oauth_token_secret="access-secret", consumer_key="key")
ADA = Identity("42", "ada")
SHARD = "2"  # of the key below
OUTBOX = {"outbox": SHARD, "outbox_since": T, "outbox_due": T, "ttl": None}

KINDS: dict[str, dict[str, Any]] = {
    "bound": {"cookie_digest": "browser"},
    "unbound": {"cookie_digest": None, "subject": "7"},
    "bound pin": {"cookie_digest": "browser", "pin": True},
    "app's pin": {"cookie_digest": None, "pin": True, "subject": "7"},
    "bound pin of 7": {"cookie_digest": "browser", "pin": True, "subject": "7"},
}


def begun(kind: str = "bound") -> Authorization:
    return transitions.begin("x", "token", "request-secret", **KINDS[kind], now=T)


def claim(*, cookie: str = "browser", claim_id: str = "first", now: float = T, **named: Any) -> Transition:
    digests: dict[str, Any] = {"verifier_digest": "verifier", "ticket_digest": "ticket", "ticket_salt": "salt"}
    return transitions.claim("authorization#x#token", cookie_digest=cookie, claim_id=claim_id, now=now, **digests, **named)


def deny(*, cookie: str = "browser", now: float = T) -> Transition:
    return transitions.deny("authorization#x#token", cookie_digest=cookie, now=now)


def done(record: Authorization, transition: Transition | None) -> Authorization:
    """Return the record after a transition that must be applied."""
    after = apply(record, transition) if transition else None
    assert after is not None
    return after


def exchanging(kind: str = "bound") -> Authorization:
    """Return a claimed record. All of ``T``, so that only what a row is about differs."""
    return replace(
        begun(kind),
        state=State.EXCHANGING,
        claim_id="first",
        lease_until=T + 30,
        verifier_digest="v",
        ticket_digest="t",
        ticket_salt="s",
    )


def of(state: State, kind: str = "bound") -> Authorization:
    """Return a record in this state, which has been there by way of the rules."""
    match state:
        case State.PENDING:
            return begun(kind)
        case State.EXCHANGING:
            return exchanging(kind)
        case State.EXCHANGED:
            return done(exchanging(kind), transitions.save_exchange(exchanging(kind), TOKEN, sent_at=T, now=T))
        case State.CONSENTED | State.GRANTED:
            held = exchanging("unbound" if state is State.CONSENTED else kind)
            return done(held, transitions.grant(held, TOKEN, ADA, store=True, sent_at=T, now=T))
        case State.DENIED:
            return done(begun(kind), deny())
        case State.FAILED:
            return done(exchanging(kind), transitions.fail(exchanging(kind), errors.Interrupted(), now=T))


def changed(before: Authorization, after: Authorization) -> dict[str, Any]:
    """Return the attributes that differ, as they are after."""
    names = [one.name for one in fields(Authorization)]
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


# Each transition, of a record in the state that it is for.
EVENTS: dict[str, Callable[[Authorization], Transition | None]] = {
    "take_over": lambda found: transitions.take_over(found, claim_id="second", now=T + 30),
    "end_forwarded": lambda pending: transitions.end_forwarded(pending, now=T),
    "release": lambda held: transitions.release(held, due=T + 5),
    "count_wrong_pin": transitions.count_wrong_pin,
    "save_exchange": lambda held: transitions.save_exchange(held, TOKEN, sent_at=T, now=T),
    "grant": lambda held: transitions.grant(held, TOKEN, ADA, store=True, sent_at=T, now=T),
    "fail": lambda held: transitions.fail(held, errors.Interrupted(), now=T),
    "confirm": lambda consented: transitions.confirm(consented, now=T),
    "lapse": lambda consented: transitions.lapse(consented, now=T),
    "lease_storing": lambda granted: transitions.lease_storing(granted, now=T + 30),
    "release_storing": lambda granted: transitions.release_storing(granted, due=T + 5),
    "postpone": lambda record: transitions.postpone(record, due=T + 5),
    "mark_stored": lambda granted: transitions.mark_stored(granted, now=T),
    "mark_redeemed": lambda granted: transitions.mark_redeemed(granted, now=T),
    "mark_published": lambda decided: transitions.mark_published(decided, now=T),
}
