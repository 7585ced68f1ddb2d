"""What the outbox has, from when and until when: leases to store, pauses, limits, and what leaves it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.authorizations import ADA, SHARD, TOKEN, TTL, T, changed, done, exchanging, of
from tests.support.conditions import apply
from tripod_flow.rules import outbox, transitions
from tripod_flow.rules.authorization import State
from tripod_flow.rules.transitions import Transition


def test_a_confirmed_consent_enters_the_outbox_again() -> None:
    found = replace(of(State.CONSENTED), outbox=None, outbox_since=None, ttl=TTL, decided_at=None)
    after = done(found, transitions.confirm(found, now=T))
    assert (after.outbox, after.outbox_since, after.ttl, after.granted_at) == (SHARD, T, None, T)


def test_a_lapsed_consent_is_erased_without_an_event() -> None:
    found = of(State.CONSENTED)
    assert changed(found, done(found, transitions.lapse(found, now=T + 0.9))) == {
        "state": State.FAILED, "error": "expired", "pending_tokens": None, "outbox": None, "outbox_since": None, "outbox_due": None, "ttl": TTL,
    }  # fmt: skip


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
    assert done(held, transitions.grant(held, TOKEN, ADA, store=True, sent_at=T, now=T)).lease_until == T + expected


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
    assert {outbox.shard(f"authorization#x#{number}") for number in range(100)} == set("01234567")
    assert outbox.shard("authorization#x#token") == SHARD


def test_what_enters_the_outbox_is_due_at_once_and_has_not_been_tried() -> None:
    assert outbox.entered("authorization#x#token", T) == {"outbox": SHARD, "outbox_since": T, "outbox_due": T, "outbox_tries": 0}


@pytest.mark.parametrize(
    ("shard", "due", "expected"),
    [(SHARD, T + 1, False), (SHARD, T, True), (SHARD, T - 1, True), (SHARD, None, True), (None, T - 1, False)],
)
def test_an_item_is_due_after_its_pause(shard: str | None, due: float | None, expected: bool) -> None:
    assert outbox.is_due(replace(of(State.GRANTED), outbox=shard, outbox_due=due), now=T) is expected


@pytest.mark.parametrize(
    ("since", "expected"),
    [(T, True), (T - 1, True), (T + 0.1, False), (None, False)],
    ids=["a week", "more", "less", "not in the outbox"],
)
def test_an_item_is_overdue_after_a_week(since: float | None, expected: bool) -> None:
    assert outbox.is_overdue(replace(of(State.GRANTED), outbox_since=since), now=T + 7 * 86_400) is expected
