"""The invalidation of a disconnected user's token: pending, asked for by one process at a time, and ended."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.conditions import apply
from tests.support.connections import LEFT, TOKEN, T, changed, connected, grant, revoked, told
from tripod.credentials import AccessToken
from tripod_flow.rules import connection, revocation
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.transitions import Transition

OTHER = AccessToken(oauth_token="other", oauth_token_secret="other-secret", consumer_key="key")
DUE = {"outbox_due": T + 31}


def owing() -> ConnectionRecord:
    """Return a disconnected user whose token the provider is to invalidate."""
    return revoked(connected(), token=TOKEN)


def asking(found: ConnectionRecord | None = None, at: float = T + 30) -> ConnectionRecord:
    found = found or owing()
    leased = apply(found, revocation.lease_invalidation(found, now=at))
    assert leased
    return leased


def test_a_revocation_keeps_the_token_and_its_event_waits_for_the_provider() -> None:
    kept = {"pending_invalidation": TOKEN, "invalidation_since": T + 9, "pending_events": told(T + 9, invalidated=None)}
    assert changed(revoked(connected()), owing()) == kept
    assert "access-secret" not in repr(owing())
    again = revoked(owing(), T + 20)  # without a token of its own
    assert (again.pending_invalidation, again.pending_events) == (TOKEN, told(T + 9, T + 20, invalidated=None))
    same = revoked(owing(), T + 20, TOKEN)
    assert (same.pending_events, same.invalidation_since) == (told(T + 9, T + 20, invalidated=None), T + 9)
    other = revoked(owing(), T + 20, OTHER)
    assert other.invalidation_since == T + 20
    assert other.pending_invalidation == OTHER
    assert other.pending_events == (*told(T + 9), *told(T + 20, invalidated=None))
    assert revoked(token=TOKEN).pending_events == told(T + 9, subject=None, invalidated=None)


def test_a_new_grant_ends_it() -> None:
    back = apply(owing(), connection.connect(grant("second", T + 10), "version 2"))
    assert back
    assert back.pending_invalidation is None


def test_what_is_agreed_to_while_the_provider_is_asked_does_not_count() -> None:
    assert changed(owing(), asking()) == {"ended_at": T + 50}
    for at, connects in ((T + 31, False), (T + 50, False), (T + 50.001, True)):
        assert (apply(asking(), connection.connect(grant("new", at), "v")) is not None) is connects
    ended = apply(asking(), end(asking()))
    assert ended
    for at, connects in ((T + 31, False), (T + 31.001, True)):
        assert (apply(ended, connection.connect(grant("new", at), "v")) is not None) is connects


def test_one_process_at_a_time_asks() -> None:
    assert apply(asking(), revocation.lease_invalidation(asking(), now=T + 49.999)) is None
    assert changed(asking(), apply(asking(), revocation.lease_invalidation(asking(), now=T + 50))) == {"ended_at": T + 70}
    for meanwhile in (
        {"pending_invalidation": None},
        {"pending_invalidation": OTHER},
        {"grant_id": "second"},
        {"revoked_at": T + 20},
        {"revoked_at": None},
    ):
        found: Any = replace(owing(), **meanwhile)
        assert apply(found, revocation.lease_invalidation(owing(), now=T + 30)) is None
    back = replace(owing(), revoked_at=None)
    assert apply(back, revocation.lease_invalidation(back, now=T + 30)) is None


def end(found: ConnectionRecord, invalidated: bool = True) -> Transition:
    return revocation.end_invalidation(found, owing(), since=T + 30, now=T + 31, invalidated=invalidated)


@pytest.mark.parametrize("invalidated", [True, False])
def test_what_the_provider_says_ends_it_and_is_told(invalidated: bool) -> None:
    transition = end(asking(), invalidated)
    done = {"pending_invalidation": None, "invalidation_since": None, "ended_at": T + 31}
    events = told(T + 9, invalidated=invalidated)
    assert changed(asking(), apply(asking(), transition)) == {**done, **DUE, "pending_events": events}
    earlier = replace(asking(), pending_events=(*told(T + 1, T + 2, invalidated=not invalidated), *told(T + 9, invalidated=None)))
    after = apply(earlier, end(earlier, invalidated))
    assert after
    assert after.pending_events == (*told(T + 1, T + 2, invalidated=not invalidated), *events)
    published = replace(asking(), pending_events=None)
    for found, left in ((published, DUE), (replace(published, deletion_pending=None), LEFT)):
        ended = end(found, invalidated)
        assert changed(found, apply(found, ended)) == {**done, **left}
        other = replace(found, deletion_pending=None if found.deletion_pending else True)
        assert apply(other, ended) is None


def test_a_provider_that_has_not_got_the_request_leaves_it_pending_and_nothing_else_changed() -> None:
    released = revocation.release_invalidation(owing(), since=T + 30, now=T + 31)
    assert changed(asking(), apply(asking(), released)) == {"ended_at": T + 9, **DUE}
    assert changed(owing(), apply(asking(), released)) == DUE
    assert apply(replace(asking(), outbox=None), released) is None
    assert apply(asking(at=T + 50), released) is None  # another process is asking by now


def test_the_end_is_recorded_only_on_the_record_that_was_read_and_of_the_token_that_was_asked_about() -> None:
    transition = end(asking())
    assert apply(replace(asking(), ended_at=T + 70), transition) is None
    assert apply(replace(asking(), pending_events=told(T + 9, T + 20)), transition) is None
    assert apply(replace(asking(), pending_invalidation=OTHER), transition) is None
    slow = end(asking(at=T + 50))
    after = apply(asking(at=T + 50), slow)
    assert after
    assert after.ended_at == T + 70  # another process is asking by now


def add(found: ConnectionRecord, overtaken: Authorization, *, ask: bool = True) -> Transition:
    return revocation.add_invalidation(found, overtaken, now=T + 30, ask=ask)


def test_the_token_of_a_grant_that_was_overtaken_is_added() -> None:
    overtaken = replace(grant("slow", T + 9), pending_tokens=OTHER, subject="8")
    found = revoked(connected())
    entered = {"outbox_since": T + 30, "outbox_due": T + 30}
    added = {**entered, "pending_invalidation": OTHER, "invalidation_since": T + 30}
    after = apply(found, add(found, overtaken))
    assert changed(found, after) == added
    assert changed(found, apply(found, add(found, overtaken, ask=False))) == entered
    assert after
    assert changed(after, apply(after, revocation.add_invalidation(after, overtaken, now=T + 99, ask=True))) == {  # the same again
        "outbox_since": T + 99, "outbox_due": T + 99,
    }  # fmt: skip
    newer = replace(overtaken, granted_at=T + 9.001)  # of the events about one user the latest counts
    event = told(T + 9.002, subject="8", invalidated=None)
    newest = apply(found, add(found, newer))
    assert changed(found, newest) == {**added, "pending_events": (*told(T + 9), *event)}
    assert newest
    again = apply(newest, add(newest, newer))
    assert again
    assert again.pending_events == (*told(T + 9), *event)  # told once
    unasked = apply(found, add(found, newer, ask=False))
    assert changed(found, unasked) == {**entered, "pending_events": (*told(T + 9), *told(T + 9.002, subject="8"))}
    labelled = apply(found, add(found, replace(newer, labels=("beta",)), ask=False))
    assert labelled
    assert [one.labels for one in labelled.pending_events or ()] == [(), ("beta",)]
    published = replace(found, pending_events=None)
    assert changed(published, apply(published, add(published, newer))) == {**added, "pending_events": event}
    unknown = revoked()
    lapsing = apply(unknown, add(unknown, overtaken))
    assert changed(unknown, lapsing) == {**added, "ttl": int(T + 30) + revocation.WISH_LIFETIME}
    assert changed(found, apply(found, add(found, replace(overtaken, granted_at=None)))) == added


def test_the_token_of_a_grant_that_was_overtaken_waits_for_another() -> None:
    overtaken = replace(grant("slow", T + 9), pending_tokens=OTHER)
    assert apply(owing(), add(owing(), overtaken)) is None
    found = revoked(connected())
    meanwhile: list[dict[str, Any]] = [
        {"revoked_at": None},
        {"revoked_at": T + 20},
        {"grant_id": "second"},
        {"pending_events": None},
        {"pending_events": told(T + 9, T + 20)},
    ]
    for change in meanwhile:
        assert apply(replace(found, **change), add(found, overtaken)) is None
    assert apply(connected(), add(connected(), overtaken)) is None


def test_a_grant_of_the_moment_of_a_revocation_has_its_event_after_it() -> None:
    found = replace(revoked(connected()), pending_events=told(T + 9.5))
    added = apply(found, add(found, replace(grant("slow", T + 9.5), pending_tokens=OTHER)))
    assert added
    assert [one.at for one in added.pending_events or ()] == [T + 9.5, T + 9.501]


def test_how_long_a_provider_may_be_at_it_is_kept_to_the_millisecond() -> None:
    assert revocation.until(1.23456) == 21.235


def test_no_more_events_wait_than_an_item_can_hold() -> None:
    found = replace(revoked(connected()), pending_events=told(*(T + number for number in range(100))))
    events = revoked(found, T + 200).pending_events
    assert events == told(*(T + number for number in range(1, 100)), T + 200)
    newer = apply(found, add(found, replace(grant("slow", T + 300), pending_tokens=OTHER)))
    assert newer
    assert newer.pending_events
    assert (len(newer.pending_events), newer.pending_events[0].at) == (100, T + 1)


@pytest.mark.parametrize(
    ("seconds", "tries", "overdue"), [(86_399.999, 3, False), (86_400, 3, True), (86_400, 2, False), (86_400, 4, True)]
)
def test_it_is_given_up_after_a_day_in_which_it_was_tried(seconds: float, tries: int, overdue: bool) -> None:
    tried = replace(owing(), outbox_tries=tries, outbox_since=T + 50_000)  # disconnected again meanwhile
    assert revocation.is_invalidation_overdue(tried, now=T + 9 + seconds) is overdue
    assert not revocation.is_invalidation_overdue(revoked(connected()), now=T + 9 + seconds)
    assert not revocation.is_invalidation_overdue(replace(tried, invalidation_since=None), now=T + 9 + seconds)
