"""Revocations: what each writes and owes, from when it counts, and what a later sign-in leaves of it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.conditions import apply
from tests.support.connections import OUTBOX, PK, T, changed, connected, grant, revoked, told
from tripod_flow.rules import connection, revocation
from tripod_flow.rules.connection import ConnectionRecord

UNTIL = T + 9 + 90


def test_a_revocation_owes_a_deletion_and_its_event() -> None:
    owed: dict[str, Any] = {
        "revoked_at": T + 9,
        "ended_at": T + 9,
        "deletion_pending": True,
        "deletion_until": UNTIL,
        **OUTBOX,
    }
    unknown = {**owed, "pending_events": told(T + 9, subject=None), "ttl": int(T + 9) + 8 * 86_400}
    assert revoked() == ConnectionRecord(pk=PK, provider="x", user_id="42", **unknown)
    assert changed(connected(), revoked(connected())) == {
        "connected_to": None, "subject": None, "subject_of": None, "revoked_subject": "7", "pending_events": told(T + 9), **owed,
    }  # fmt: skip
    transition = revocation.revoke("x", "42", connected(), now=T + 9, wait=20.0)
    assert changed(revoked(connected()), apply(connected(), transition)) == {"outbox_due": T + 29}


def test_a_revocation_says_the_users_labels() -> None:
    found = revoked(replace(connected(), labels=("beta",)))
    assert [one.labels for one in found.pending_events or ()] == [("beta",)]


def test_a_revocation_of_what_is_revoked_has_an_event_of_its_own() -> None:
    first = revoked(connected())
    again = {
        "revoked_at": T + 20,
        "ended_at": T + 20,
        "pending_events": told(T + 9, T + 20),
        "outbox_since": T + 20,
        "outbox_due": T + 20,
    }
    assert changed(first, revoked(first, T + 20)) == {**again, "deletion_until": T + 20 + 90}
    published = apply(first, connection.mark_published(first))
    assert published
    assert revoked(published, T + 20).pending_events == told(T + 20)


def test_who_agreed_before_the_revocation_is_not_connected_by_an_exchange_after_it() -> None:
    before, after = (replace(grant("new", T + 20), claimed_at=T + at) for at in (9, 9.001))
    assert apply(revoked(connected()), connection.connect(before, "v")) is None
    assert apply(revoked(connected()), connection.connect(after, "v"))


def test_a_revocation_may_count_from_an_earlier_time_than_its_event() -> None:
    after = apply(connected(), revocation.revoke("x", "42", connected(), now=T + 9, since=T + 1))
    assert after
    assert (after.revoked_at, after.ended_at, after.pending_events, after.outbox_since) == (T + 1, T + 1, told(T + 9), T + 9)
    later = replace(connected(), ended_at=T + 5)
    ended = apply(later, revocation.revoke("x", "42", later, now=T + 9, since=T + 1))
    assert ended
    assert (ended.revoked_at, ended.ended_at) == (T + 1, T + 5)


def test_a_sign_in_does_not_erase_that_the_user_had_disconnected() -> None:
    anew = apply(revoked(connected()), connection.connect(grant("second", T + 20), "v"))
    assert anew
    assert (anew.revoked_at, anew.ended_at) == (None, T + 9)
    slow = replace(
        grant("slow", T + 30), claimed_at=T + 9
    )  # agreed to before the disconnect, and exchanged after the next sign-in
    assert apply(anew, connection.connect(slow, "v")) is None
    assert apply(anew, connection.connect(replace(slow, claimed_at=T + 10), "v"))


def test_whose_subject_it_was_is_known_until_the_next_is_revoked() -> None:
    anew = apply(revoked(connected()), connection.connect(replace(grant("second", T + 10), subject="8"), "v"))
    assert anew
    assert revoked(anew, T + 20).revoked_subject == "8"
    assert revoked(revoked(connected()), T + 20).revoked_subject == "7"
    unnamed = apply(revoked(connected()), connection.connect(replace(grant("second", T + 10), subject=None), "v"))
    assert unnamed
    assert unnamed.subject is None  # the one before has disconnected: this may be another
    assert revoked(anew, T + 20).pending_events == (*told(T + 9), *told(T + 20, subject="8"))
    assert revoked(unnamed, T + 20).pending_events == (*told(T + 9), *told(T + 20, subject=None))
    assert revoked(revoked(connected()), T + 20).pending_events == told(T + 9, T + 20)  # the same user again


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"grant_id": "second"},
        {"revoked_at": T + 8},
        {"revoked_at": None},
        {"pending_events": told(T + 9, T + 10)},
        {"pending_events": None},
        {"stored_grant_id": "first"},
    ],
)
def test_a_record_that_has_changed_is_revoked_only_after_another_look(meanwhile: dict[str, Any]) -> None:
    found = revoked(connected())
    assert apply(replace(found, **meanwhile), revocation.revoke("x", "42", found, now=T + 20)) is None


def test_what_was_stored_when_the_tokens_were_looked_for_is_revoked() -> None:
    stored = replace(connected(), stored_grant_id="first")
    assert apply(stored, revocation.revoke("x", "42", stored, now=T + 9))
    assert apply(connected(), revocation.revoke("x", "42", stored, now=T + 9)) is None


def test_a_disconnect_that_found_nothing_lapses_unless_the_user_connects() -> None:
    unknown = revoked()
    assert unknown.ttl == int(T + 9) + revocation.WISH_LIFETIME
    assert revoked(unknown, T + 20).ttl == int(T + 20) + revocation.WISH_LIFETIME
    back = apply(unknown, connection.connect(grant("second", T + 10), "version"))
    assert back
    assert back.ttl is None
    assert revoked(connected()).ttl is None
