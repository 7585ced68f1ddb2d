"""The invalidation of a disconnected user's token: pending, asked for by one process at a time, and ended."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.conditions import apply
from tests.support.connections import LEFT, OUTBOX, TOKEN, T, changed, connected, grant, revoked, told
from tripod.credentials import AccessToken
from tripod_flow.rules import connection
from tripod_flow.rules.connection import ConnectionRecord

OTHER = AccessToken(oauth_token="other", oauth_token_secret="other-secret", consumer_key="key")
DUE = {"outbox_due": T + 31}


def owing() -> ConnectionRecord:
    """Return a disconnected user whose token the provider is to invalidate."""
    return revoked(connected(), token=TOKEN)


def asking(found: ConnectionRecord | None = None, at: float = T + 30) -> ConnectionRecord:
    found = found or owing()
    leased = apply(found, connection.lease_invalidation(found, now=at))
    assert leased
    return leased


def test_a_revocation_keeps_the_token_and_its_event_waits_for_the_provider() -> None:
    assert changed(revoked(connected()), owing()) == {
        "pending_invalidation": TOKEN,
        "pending_events": told(T + 9, invalidated=None),
    }
    assert "access-secret" not in repr(owing())
    again = revoked(owing(), T + 20)  # without a token of its own
    assert (again.pending_invalidation, again.pending_events) == (TOKEN, told(T + 9, T + 20, invalidated=None))
    other = revoked(owing(), T + 20, OTHER)
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
    ended = apply(asking(), connection.end_invalidation(asking(), since=T + 30, now=T + 31, invalidated=True))
    assert ended
    for at, connects in ((T + 31, False), (T + 31.001, True)):
        assert (apply(ended, connection.connect(grant("new", at), "v")) is not None) is connects


def test_one_process_at_a_time_asks() -> None:
    assert apply(asking(), connection.lease_invalidation(asking(), now=T + 49.999)) is None
    assert changed(asking(), apply(asking(), connection.lease_invalidation(asking(), now=T + 50))) == {"ended_at": T + 70}
    for meanwhile in (
        {"pending_invalidation": None},
        {"pending_invalidation": OTHER},
        {"grant_id": "second"},
        {"revoked_at": T + 20},
        {"revoked_at": None},
    ):
        found: Any = replace(owing(), **meanwhile)
        assert apply(found, connection.lease_invalidation(owing(), now=T + 30)) is None
    back = replace(owing(), revoked_at=None)
    assert apply(back, connection.lease_invalidation(back, now=T + 30)) is None


@pytest.mark.parametrize("invalidated", [True, False])
def test_what_the_provider_says_ends_it_and_is_told(invalidated: bool) -> None:
    transition = connection.end_invalidation(asking(), since=T + 30, now=T + 31, invalidated=invalidated)
    done = {"pending_invalidation": None, "ended_at": T + 31}
    events = told(T + 9, invalidated=invalidated)
    assert changed(asking(), apply(asking(), transition)) == {**done, **DUE, "pending_events": events}
    earlier = replace(asking(), pending_events=(*told(T + 1, T + 2, invalidated=not invalidated), *told(T + 9, invalidated=None)))
    after = apply(earlier, connection.end_invalidation(earlier, since=T + 30, now=T + 31, invalidated=invalidated))
    assert after
    assert after.pending_events == (*told(T + 1, T + 2, invalidated=not invalidated), *events)
    published = replace(asking(), pending_events=None)
    for found, left in ((published, DUE), (replace(published, deletion_pending=None), LEFT)):
        ended = connection.end_invalidation(found, since=T + 30, now=T + 31, invalidated=invalidated)
        assert changed(found, apply(found, ended)) == {**done, **left}
        other = replace(found, deletion_pending=None if found.deletion_pending else True)
        assert apply(other, ended) is None


def test_a_provider_that_cant_be_reached_leaves_it_pending() -> None:
    transition = connection.end_invalidation(asking(), since=T + 30, now=T + 31, invalidated=None)
    assert changed(asking(), apply(asking(), transition)) == {"ended_at": T + 31, **DUE}
    assert apply(replace(asking(), outbox=None), transition) is None


@pytest.mark.parametrize("invalidated", [True, None])
def test_the_end_is_recorded_only_on_the_record_that_was_read(invalidated: bool | None) -> None:
    transition = connection.end_invalidation(asking(), since=T + 30, now=T + 31, invalidated=invalidated)
    assert apply(replace(asking(), ended_at=T + 70), transition) is None
    assert apply(replace(asking(), pending_events=told(T + 9, T + 20)), transition) is None
    slow = connection.end_invalidation(asking(at=T + 50), since=T + 30, now=T + 51, invalidated=invalidated)
    after = apply(asking(at=T + 50), slow)
    assert after
    assert after.ended_at == T + 70  # another process is asking by now


def test_the_token_of_a_grant_that_was_overtaken_is_added() -> None:
    overtaken = replace(grant("slow", T + 9), pending_tokens=OTHER)
    found = revoked(connected())
    added = {"pending_invalidation": OTHER, "outbox_since": T + 30, "outbox_due": T + 30}
    after = apply(found, connection.add_invalidation(found, overtaken, now=T + 30))
    assert changed(found, after) == added
    assert after
    assert apply(after, connection.add_invalidation(after, overtaken, now=T + 31))  # the same again
    newer = replace(overtaken, granted_at=T + 9.001)  # of the events about one user the latest counts
    newest = apply(found, connection.add_invalidation(found, newer, now=T + 30))
    assert changed(found, newest) == {**added, "pending_events": (*told(T + 9), *told(T + 30, invalidated=None))}
    published = replace(found, pending_events=None)
    again = apply(published, connection.add_invalidation(published, newer, now=T + 30))
    assert changed(published, again) == {**added, "pending_events": told(T + 30, invalidated=None)}
    unknown = revoked()
    lapsing = apply(unknown, connection.add_invalidation(unknown, overtaken, now=T + 30))
    assert changed(unknown, lapsing) == {**added, "ttl": int(T + 30) + connection.WISH_LIFETIME}
    timeless = replace(overtaken, granted_at=None)
    assert changed(found, apply(found, connection.add_invalidation(found, timeless, now=T + 30))) == added


def test_the_token_of_a_grant_that_was_overtaken_waits_for_another() -> None:
    overtaken = replace(grant("slow", T + 9), pending_tokens=OTHER)
    assert apply(owing(), connection.add_invalidation(owing(), overtaken, now=T + 30)) is None
    found = revoked(connected())
    meanwhile: list[dict[str, Any]] = [
        {"revoked_at": None},
        {"revoked_at": T + 20},
        {"grant_id": "second"},
        {"pending_events": None},
        {"pending_events": told(T + 9, T + 20)},
    ]
    for change in meanwhile:
        assert apply(replace(found, **change), connection.add_invalidation(found, overtaken, now=T + 30)) is None
    assert apply(connected(), connection.add_invalidation(connected(), overtaken, now=T + 30)) is None


@pytest.mark.parametrize(("seconds", "overdue"), [(86_399.999, False), (86_400, True)])
def test_it_is_given_up_after_a_day(seconds: float, overdue: bool) -> None:
    assert connection.is_invalidation_overdue(owing(), now=T + 9 + seconds) is overdue
    assert not connection.is_invalidation_overdue(revoked(connected()), now=T + 9 + seconds)
    assert not connection.is_invalidation_overdue(replace(owing(), outbox_since=None), now=T + 9 + seconds)
    assert OUTBOX["outbox_since"] == T + 9
