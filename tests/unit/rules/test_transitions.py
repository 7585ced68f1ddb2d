"""An authorization's transitions: which are applied in which state, by whom and when, and what they change."""

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.support.conditions import apply
from tests.support.tables import arrows, cells
from tripod.credentials import AccessToken
from tripod.provider_errors import Cause
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
            return done(exchanging(kind), transitions.save_exchange(exchanging(kind), TOKEN, now=T))
        case State.CONSENTED | State.GRANTED:
            held = exchanging("unbound" if state is State.CONSENTED else kind)
            return done(held, transitions.grant(held, TOKEN, ADA, store=True, now=T))
        case State.DENIED:
            return done(begun(kind), deny())
        case State.FAILED:
            return done(exchanging(kind), transitions.fail(exchanging(kind), errors.Interrupted(), now=T))


def changed(before: Authorization, after: Authorization) -> dict[str, Any]:
    """Return the attributes that differ, as they are after."""
    names = [one.name for one in fields(Authorization)]
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


# Each row is a function and the state that its caller read the record in; each column the state that the record is in by now.
# A cell is the state it leads to, or "." where it is refused. The claim is the caller's throughout: the state alone decides.
STATES = """
                                pending     exchanging  exchanged  consented  granted  denied  failed
claim                           exchanging  .           .          .          .        .       .
deny                            denied      .           .          .          .        .       .
take_over of exchanging         .           exchanging  .          .          .        .       .
take_over of exchanged          .           .           exchanged  .          .        .       .
release of exchanging           .           pending     .          .          .        .       .
release of exchanged            .           .           exchanged  .          .        .       .
count_wrong_pin of exchanging   .           pending     .          .          .        .       .
save_exchange of exchanging     .           exchanged   .          .          .        .       .
grant of exchanging             .           granted     .          .          .        .       .
grant of exchanged              .           .           granted    .          .        .       .
grant of exchanging unbound     .           consented   .          .          .        .       .
grant of exchanged unbound      .           .           consented  .          .        .       .
fail of exchanging              .           failed      .          .          .        .       .
fail of exchanged               .           .           failed     .          .        .       .
confirm of consented            .           .           .          granted    .        .       .
lapse of consented              .           .           .          failed     .        .       .
lease_storing of granted        .           .           .          .          granted  .       .
release_storing of granted      .           .           .          .          granted  .       .
mark_stored of granted          .           .           .          .          granted  .       .
mark_redeemed of granted        .           .           .          .          granted  .       .
mark_published of granted       .           .           .          .          granted  .       .
mark_published of denied        .           .           .          .          .        denied  .
mark_published of failed        .           .           .          .          .        .       failed
postpone of exchanged           .           .           exchanged  .          .        .       .
postpone of consented           .           .           .          consented  .        .       .
postpone of granted             .           .           .          .          granted  .       .
postpone of denied              .           .           .          .          .        denied  .
postpone of failed              .           .           .          .          .        .       failed
"""

EVENTS: dict[str, Callable[[Authorization], Transition | None]] = {
    "take_over": lambda found: transitions.take_over(found, claim_id="second", now=T + 30),
    "release": transitions.release,
    "count_wrong_pin": transitions.count_wrong_pin,
    "save_exchange": lambda held: transitions.save_exchange(held, TOKEN, now=T),
    "grant": lambda held: transitions.grant(held, TOKEN, ADA, store=True, now=T),
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


@pytest.mark.parametrize(("event", "state", "expected"), cells(STATES))
def test_in_each_state_only_its_own_transitions_are_applied(event: str, state: str, expected: str) -> None:
    name, _, known = event.partition(" of ")
    caller_state, _, kind = known.partition(" ")
    read = of(State(caller_state or "pending"), kind or "bound")
    transition = {"claim": claim(), "deny": deny()}.get(name) or EVENTS[name](read)
    assert transition
    after = apply(replace(read, state=State(state)), transition)
    assert (after.state if after else ".") == expected


def test_the_diagram_of_the_states_is_what_the_rules_do() -> None:
    assert arrows("transitions") == {("[*]", "pending", "begin")} | {
        (state, expected, event.partition(" ")[0]) for event, state, expected in cells(STATES) if expected != "."
    }


def test_each_transition_has_its_row() -> None:
    rules = {name: rule for name, rule in inspect.getmembers(transitions, inspect.isfunction) if not name.startswith("_")}
    making = {name for name, rule in rules.items() if rule.__annotations__.get("return") in (Transition, Transition | None)}
    assert making == {event.partition(" ")[0] for event, _, _ in cells(STATES)}


def test_without_a_lease_it_may_be_taken_at_any_time() -> None:
    assert transitions.take_over(replace(of(State.EXCHANGED), lease_until=None), claim_id="second", now=0)
    assert transitions.lease_storing(replace(of(State.GRANTED), lease_until=None), now=0)


@pytest.mark.parametrize("state", [each for each in State if each not in (State.EXCHANGING, State.EXCHANGED)])
def test_there_is_nothing_to_take_over_but_an_exchange(state: State) -> None:
    assert transitions.take_over(replace(of(state), lease_until=None), claim_id="second", now=T) is None


@pytest.mark.parametrize("state", [each for each in State if each is not State.GRANTED])
def test_there_is_nothing_to_store_but_a_grants_tokens(state: State) -> None:
    assert transitions.lease_storing(replace(of(state), pending_tokens=TOKEN, lease_until=None), now=T) is None
    assert transitions.lease_storing(replace(of(State.GRANTED), pending_tokens=None), now=T + 30) is None


# Each row is a caller, each column how the authorization was begun.
CALLERS = """
                                 bound  unbound  bound pin  app's pin  bound pin of 7
callback, its cookie             yes    yes      .          .          .
callback, another cookie         .      yes      .          .          .
callback, another, subject 7     .      yes      .          .          .
pin, its cookie                  .      .        yes        .          yes
pin, another cookie              .      .        .          .          .
pin, its cookie, subject 7       .      .        .          yes        .
pin, another, subject 7          .      .        .          yes        .
pin, another, subject 8          .      .        .          .          .
denial, its cookie               yes    yes      .          .          .
denial, another cookie           .      yes      .          .          .
"""


@pytest.mark.parametrize(("caller", "kind", "expected"), cells(CALLERS))
def test_who_may_finish_an_authorization(caller: str, kind: str, expected: str) -> None:
    how, whose, *subject = caller.split(", ")
    cookie = "browser" if whose == "its cookie" else "other"
    asked: dict[str, Any] = {"pin": True} if how == "pin" else {}
    if subject:
        asked["subject"] = subject[0].removeprefix("subject ")
    transition = deny(cookie=cookie) if how == "denial" else claim(cookie=cookie, **asked)
    assert ("yes" if apply(begun(kind), transition) else ".") == expected


@pytest.mark.parametrize(("seconds", "in_time"), [(0, True), (599.999, True), (600, False), (600.001, False), (9999, False)])
def test_a_request_token_is_finished_within_ten_minutes(seconds: float, in_time: bool) -> None:
    for transition in (claim(now=T + seconds), deny(now=T + seconds)):
        assert (apply(begun(), transition) is not None) is in_time


def test_a_new_authorization_is_pending_for_ten_minutes_and_kept_for_an_hour() -> None:
    asked: dict[str, Any] = {"subject": "7", "challenge": "c", "return_to": "https://app.example/", "restart_query": "a=b"}
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
    released = done(held, transitions.release(held, maybe_exchanged=told))
    assert (released.claim_id, released.lease_until, released.maybe_exchanged) == (None, None, after)


def test_a_claim_given_back_is_not_said_to_be_exchanged_unless_told() -> None:
    held = of(State.EXCHANGING)
    assert changed(held, done(held, transitions.release(held))) == {"state": State.PENDING, "claim_id": None, "lease_until": None}


def test_a_wrong_pin_is_counted_and_gives_the_claim_back() -> None:
    held = replace(exchanging("bound pin"), failed_pins=2)
    counted = {"state": State.PENDING, "claim_id": None, "lease_until": None, "failed_pins": 3}
    assert changed(held, done(held, transitions.count_wrong_pin(held))) == counted
    assert transitions.PIN_ATTEMPTS == 5


def test_a_saved_exchange_keeps_the_tokens_and_owes_the_rest() -> None:
    assert changed(exchanging(), of(State.EXCHANGED)) == {
        "state": State.EXCHANGED, "pending_tokens": TOKEN, "exchanged_at": T, "request_secret": None, **OUTBOX,
    }  # fmt: skip


GRANTED = {"state": State.GRANTED, "granted_at": T + 5, "pending_event": "authorization.granted", "outbox_due": T + 5}
CONSENT = {"state": State.CONSENTED, "outbox_due": T + 5 + 600}  # until the app's time is over there is nothing to do


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("bound", GRANTED), ("unbound", CONSENT), ("bound pin", GRANTED), ("app's pin", GRANTED)],
)
def test_a_grant_is_the_outcome_unless_the_app_must_confirm_it(kind: str, outcome: dict[str, Any], store: bool) -> None:
    held = exchanging(kind)
    after = done(held, transitions.grant(held, TOKEN, ADA, store=store, now=T + 5))
    assert changed(held, after) == {
        **outcome, **({"pending_tokens": TOKEN} if store else {}), "user_id": "42", "screen_name": "ada", "request_secret": None,
        "lease_until": T + 35, "decided_at": T + 5, "outbox": SHARD, "outbox_since": T + 5, "ttl": None,
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


def test_a_confirmed_consent_enters_the_outbox_again() -> None:
    found = replace(of(State.CONSENTED), outbox=None, outbox_since=None, ttl=TTL, decided_at=None)
    after = done(found, transitions.confirm(found, now=T))
    assert (after.outbox, after.outbox_since, after.ttl, after.granted_at) == (SHARD, T, None, T)


def test_a_lapsed_consent_is_erased_without_an_event() -> None:
    found = of(State.CONSENTED)
    assert changed(found, done(found, transitions.lapse(found, now=T + 0.9))) == {
        "state": State.FAILED, "error": "expired", "pending_tokens": None, "outbox": None, "outbox_since": None, "outbox_due": None, "ttl": TTL,
    }  # fmt: skip


def test_a_ticket_is_marked_as_redeemed_once() -> None:
    found = of(State.GRANTED)
    assert changed(found, done(found, transitions.mark_redeemed(found, now=T + 1))) == {"redeemed_at": T + 1}
    for state, event in ((State.GRANTED, "mark_redeemed"), (State.CONSENTED, "confirm"), (State.CONSENTED, "lapse")):
        transition = EVENTS[event](of(state))
        assert transition
        assert apply(replace(of(state), redeemed_at=T), transition) is None


@pytest.mark.parametrize(("seconds", "lapsed"), [(0, False), (599.999, False), (600, True), (601, True)])
def test_a_consent_lapses_after_ten_minutes_and_nothing_else_does(seconds: float, lapsed: bool) -> None:
    for state in State:
        record = replace(of(state), decided_at=T)
        assert transitions.has_lapsed(record, now=T + seconds) is (lapsed and state is State.CONSENTED)
    assert transitions.has_lapsed(replace(of(State.CONSENTED), decided_at=None), now=600)
    assert not transitions.has_lapsed(replace(of(State.CONSENTED), decided_at=None), now=599)


@pytest.mark.parametrize(
    ("lease", "seconds", "expected"),
    [(T + 30, 0, False), (T + 30, 29.999, False), (T + 30, 30, True), (T + 30, 31, True), (None, 0, True)],
)
def test_tokens_are_stored_by_one_at_a_time(lease: float | None, seconds: float, expected: bool) -> None:
    found = replace(of(State.GRANTED), lease_until=lease)
    transition = transitions.lease_storing(found, now=T + seconds)
    assert (transition is not None) is expected
    if transition:
        assert changed(found, done(found, transition)) == {"lease_until": T + seconds + 30}
        assert apply(replace(found, lease_until=T + 60), transition) is None
        assert apply(replace(found, lease_until=None if lease else T), transition) is None
        assert apply(replace(found, pending_tokens=None), transition) is None


def test_the_lease_to_store_may_be_longer_and_is_given_back() -> None:
    found = replace(of(State.GRANTED), lease_until=None)
    leased = done(found, transitions.lease_storing(found, now=T, lease=90))
    assert leased.lease_until == T + 90
    released = transitions.release_storing(leased, due=T + 5)
    assert done(leased, released) == replace(found, outbox_due=T + 5, outbox_tries=found.outbox_tries + 1)
    assert apply(replace(leased, pending_tokens=None), released) is None
    late = done(leased, transitions.release_storing(leased, due=T + 8 * 86_400))
    assert late.outbox_due == T + 7 * 86_400


@pytest.mark.parametrize(("lease", "expected"), [(None, 30), (20, 30), (90, 90)])
def test_who_holds_a_longer_lease_keeps_it_for_storing(lease: float | None, expected: float) -> None:
    held = replace(of(State.EXCHANGED), lease_until=lease and T + lease)
    assert done(held, transitions.grant(held, TOKEN, ADA, store=True, now=T)).lease_until == T + expected


def test_what_failed_is_due_later_and_a_passing_failure_of_an_exchange_too() -> None:
    found = of(State.GRANTED)
    assert changed(found, done(found, transitions.postpone(found, due=T + 5))) == {"outbox_due": T + 5, "outbox_tries": 1}
    assert apply(replace(found, outbox_due=T + 5), transitions.postpone(found, due=T + 9)) is None  # another has postponed it
    saved = of(State.EXCHANGED)
    released = done(saved, transitions.release(saved, due=T + 5))
    assert (released.outbox_due, released.outbox_tries) == (T + 5, 1)
    unbound = of(State.EXCHANGED, "unbound")
    for due in (T + 599, T + 601):
        assert done(unbound, transitions.release(unbound, due=due)).outbox_due == min(due, T + 600)
    pin = of(State.EXCHANGED, "app's pin")
    assert done(pin, transitions.release(pin, due=T + 601)).outbox_due == T + 601
    assert done(pin, transitions.release(pin, due=T + 86_401)).outbox_due == T + 86_400
    assert (released.claim_id, released.lease_until) == (None, None)
    pending = done(exchanging(), transitions.release(exchanging(), due=T + 5))
    assert (pending.outbox_due, pending.outbox_tries) == (None, 0)


def test_an_exchange_that_was_saved_counts_from_then() -> None:
    saved = replace(of(State.EXCHANGED), exchanged_at=T - 100)
    granted = done(saved, transitions.grant(saved, TOKEN, ADA, store=True, now=T))
    assert (granted.granted_at, granted.decided_at) == (T - 100, T)
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


LATER = {"outbox": None, "outbox_since": None, "outbox_due": None, "ttl": TTL + 1}
MARKS: dict[str, Callable[..., Transition]] = {"stored": transitions.mark_stored, "published": transitions.mark_published}


@pytest.mark.parametrize(
    ("mark", "tokens", "event", "left"),
    [
        ("stored", TOKEN, "authorization.granted", {"pending_tokens": None}),
        ("stored", TOKEN, None, {"pending_tokens": None, **LATER}),
        ("published", TOKEN, "authorization.granted", {"pending_event": None}),
        ("published", None, "authorization.granted", {"pending_event": None, **LATER}),
    ],
)
def test_the_outbox_is_left_with_the_last_of_what_is_owed(
    mark: str, tokens: Any, event: str | None, left: dict[str, Any]
) -> None:
    owing = replace(of(State.GRANTED), pending_tokens=tokens, pending_event=event)
    transition = MARKS[mark](owing, now=T + 1.9)
    assert changed(owing, done(owing, transition)) == left
    other, value = ("pending_event", "authorization.granted") if mark == "stored" else ("pending_tokens", TOKEN)
    meanwhile = replace(owing, **{other: None if getattr(owing, other) else value})  # type: ignore[arg-type]  # named above
    assert apply(meanwhile, transition) is None


def test_a_published_denial_has_no_claim_and_leaves_the_outbox() -> None:
    denied = of(State.DENIED)
    assert changed(denied, done(denied, transitions.mark_published(denied, now=T + 1))) == {"pending_event": None, **LATER}


def test_the_outbox_has_eight_shards_that_are_all_used() -> None:
    assert {transitions.outbox_shard(f"authorization#x#{number}") for number in range(100)} == set("01234567")
    assert transitions.outbox_shard("authorization#x#token") == SHARD


def test_a_transition_hides_what_it_writes() -> None:
    assert "access-secret" not in repr(transitions.save_exchange(exchanging(), TOKEN, now=T))
