"""What a connection owes after a revocation: its deletion and its events, done, postponed and given up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.conditions import apply
from tests.support.connections import LEFT, TOKEN, T, changed, connected, revoked, told
from tripod_flow.rules import connection
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.transitions import Transition


def test_what_failed_is_due_later_and_what_is_given_up_leaves_the_outbox() -> None:
    found = revoked(connected())
    assert changed(found, apply(found, connection.postpone(found, due=T + 30))) == {"outbox_due": T + 30, "outbox_tries": 1}
    assert apply(replace(found, outbox_due=T + 30), connection.postpone(found, due=T + 60)) is None
    assert changed(found, apply(found, connection.abandon(found))) == {"pending_events": None, **LEFT}
    owing = replace(found, pending_invalidation=TOKEN)
    assert changed(owing, apply(owing, connection.abandon(owing))) == {
        "pending_events": None,
        "pending_invalidation": None,
        **LEFT,
    }
    assert apply(replace(found, outbox_due=T + 30), connection.abandon(found)) is None


PENDING: dict[str, Any] = {"deletion_pending": True, "pending_events": told(T + 9), "pending_invalidation": TOKEN}
CLEARED: dict[str, dict[str, Any]] = {
    "deletion_pending": {"deletion_pending": None, "deletion_until": None},
    "pending_events": {"pending_events": None},
}
RULES: dict[str, Callable[[ConnectionRecord], Transition]] = {
    "deletion_pending": connection.mark_deletion_done,
    "pending_events": connection.mark_published,
}


@pytest.mark.parametrize("cleared", RULES)
@pytest.mark.parametrize("others", [0, 1, 2])
def test_the_outbox_is_left_with_the_last_of_what_is_owed(cleared: str, others: int) -> None:
    rest = {name: value for name, value in PENDING.items() if name != cleared}
    owed = dict(list(rest.items())[:others])
    attributes: dict[str, Any] = {**dict.fromkeys(rest), **owed}
    owing = replace(revoked(connected()), **attributes)
    left = LEFT if not owed else {}
    assert changed(owing, apply(owing, RULES[cleared](owing))) == {**CLEARED[cleared], **left}
    for name, value in rest.items():  # what has changed meanwhile is looked at again
        other: dict[str, Any] = {name: None if name in owed else value}
        assert apply(replace(owing, **other), RULES[cleared](owing)) is None


def test_what_a_new_grant_has_ended_leaves_the_outbox() -> None:
    nothing: dict[str, Any] = dict.fromkeys(PENDING)
    settled = replace(revoked(connected()), **nothing)
    assert changed(settled, apply(settled, connection.leave_outbox(settled))) == LEFT
    for name, value in PENDING.items():
        assert not replace(settled, **{name: value}).is_settled
        assert apply(replace(settled, **{name: value}), connection.leave_outbox(settled)) is None
    assert apply(replace(settled, outbox=None), connection.leave_outbox(settled)) is None


def test_who_writes_the_secret_has_time_in_which_nobody_calls_it_done() -> None:
    found = revoked(connected())
    leased = apply(found, connection.lease_deletion(found, now=T + 200))
    assert changed(found, leased) == {"deletion_until": T + 290}
    assert leased
    assert apply(leased, connection.lease_deletion(found, now=T + 200)) is None  # one at a time
    assert apply(leased, connection.mark_deletion_done(found)) is None
    assert apply(replace(found, deletion_pending=None), connection.lease_deletion(found, now=T + 200)) is None
    awaited = apply(leased, connection.await_deletion(leased))
    assert changed(leased, awaited) == {"outbox_due": T + 290}  # no failure, and no longer in the outbox than before
    for gone in ("deletion_pending", "outbox"):
        assert apply(replace(leased, **{gone: None}), connection.await_deletion(leased)) is None  # type: ignore[arg-type]  # attributes
    assert apply(found, connection.await_deletion(leased)) is None


@pytest.mark.parametrize(
    "meanwhile", [{"grant_id": "second"}, {"revoked_at": T + 20}, {"revoked_at": None}, {"deletion_until": T}]
)
def test_a_deletion_is_done_only_if_the_record_still_says_the_same(meanwhile: dict[str, Any]) -> None:
    for found in (revoked(connected()), replace(revoked(connected()), pending_events=None)):
        assert apply(replace(found, **meanwhile), connection.mark_deletion_done(found)) is None


@pytest.mark.parametrize("deletion", [True, None])
def test_only_the_events_that_were_published_are_removed(deletion: bool | None) -> None:
    published = replace(revoked(connected()), deletion_pending=deletion)
    for events in (told(T + 9, T + 20), told(T + 20), None):
        assert apply(replace(published, pending_events=events), connection.mark_published(published)) is None
