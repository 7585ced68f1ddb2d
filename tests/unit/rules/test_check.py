"""A check's transitions: when it is made, what it may change, and which answers of a provider prove something."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.conditions import apply, create
from tests.support.connections import SHARD, T, changed, connected, grant, revoked
from tripod.provider_errors import Cause, Refusal
from tripod_flow.rules import check, connection, revocation
from tripod_flow.rules.check import Finding, Health
from tripod_flow.rules.connection import REFUSED, RESTORED, ConnectionRecord, PendingEvent

REVOKED_THERE = Finding(Health.REFUSED, Cause.TOKEN_REVOKED)
WORKS = Finding(Health.CONNECTED)
OWING: dict[str, Any] = {"outbox": SHARD, "outbox_since": T + 5, "outbox_due": T + 5}


def stored() -> ConnectionRecord:
    found = apply(connected(), connection.mark_stored(grant(), "version"))
    assert found
    return found


def refused(found: ConnectionRecord | None = None, at: float = T + 5) -> ConnectionRecord:
    found = found or stored()
    after = apply(found, check.record(found, REVOKED_THERE, since=at, now=at))
    assert after
    return after


def told(kind: str, at: float, cause: str | None = None) -> PendingEvent:
    return PendingEvent(at, "7", None, kind, (), cause)


def test_a_refusal_is_recorded_and_told() -> None:
    assert changed(stored(), refused()) == {
        "checked_at": T + 5, "refused_by": "x", "refused_at": T + 5, "cause": Cause.TOKEN_REVOKED,
        "pending_events": (told(REFUSED, T + 5, "token_revoked"),), **OWING,
    }  # fmt: skip


def test_that_it_works_is_recorded_and_not_told() -> None:
    after = apply(stored(), check.record(stored(), WORKS, since=T + 4, now=T + 5))
    assert changed(stored(), after) == {"checked_at": T + 4}


def test_a_refusal_again_is_not_told_again() -> None:
    finding = Finding(Health.REFUSED, Cause.USER_SUSPENDED)
    after = apply(refused(), check.record(refused(), finding, since=T + 9, now=T + 9))
    assert changed(refused(), after) == {"checked_at": T + 9, "cause": Cause.USER_SUSPENDED}


def test_a_connection_that_works_again_is_restored_and_told() -> None:
    published = replace(refused(), pending_events=None, outbox=None, outbox_since=None, outbox_due=None)
    after = apply(published, check.record(published, WORKS, since=T + 8, now=T + 9))
    assert changed(published, after) == {
        "checked_at": T + 8, "refused_by": None, "refused_at": None, "cause": None,
        "pending_events": (told(RESTORED, T + 9),), "outbox": SHARD, "outbox_since": T + 9, "outbox_due": T + 9,
    }  # fmt: skip


def test_both_are_told_where_the_first_has_not_been() -> None:
    after = apply(refused(), check.record(refused(), WORKS, since=T + 8, now=T + 9))
    assert after
    assert after.pending_events == (told(REFUSED, T + 5, "token_revoked"), told(RESTORED, T + 9))
    assert (after.outbox_since, after.outbox_due) == (T + 5, T + 9)


def test_labels_and_subject_are_told() -> None:
    labelled = replace(stored(), labels=("beta",), subject=None)
    after = refused(labelled)
    assert after.pending_events == (PendingEvent(T + 5, None, None, REFUSED, ("beta",), "token_revoked"),)
    again = apply(after, check.record(after, WORKS, since=T + 8, now=T + 9))
    assert again
    assert again.pending_events
    assert again.pending_events[1] == PendingEvent(T + 9, None, None, RESTORED, ("beta",))


OTHERS: dict[str, Callable[[], ConnectionRecord | None]] = {
    "another grant": lambda: apply(stored(), connection.connect(grant("second", T + 1), "version 2")),
    "a disconnect": lambda: apply(stored(), revocation.revoke("x", "42", stored(), now=T + 1)),
    "a later check": lambda: replace(stored(), checked_at=T + 5.001),
    "a check at that time": lambda: replace(stored(), checked_at=T + 5),
    "a refusal": lambda: replace(stored(), checked_at=T + 1, refused_by="x"),
}


@pytest.mark.parametrize("finding", [REVOKED_THERE, WORKS], ids=["refused", "works"])
@pytest.mark.parametrize("other", OTHERS)
def test_a_check_that_is_overtaken_changes_nothing(other: str, finding: Finding) -> None:
    now = OTHERS[other]()
    assert now
    assert apply(now, check.record(stored(), finding, since=T + 5, now=T + 6)) is None
    assert create(replace(check.record(stored(), finding, since=T + 5, now=T + 6))) is None


@pytest.mark.parametrize(
    "changes", [{"pending_events": (told(REFUSED, T),)}, {"outbox": SHARD}], ids=["another event", "something owed"]
)
def test_what_is_told_is_added_to_what_was_read(changes: dict[str, Any]) -> None:
    assert apply(replace(stored(), **changes), check.record(stored(), REVOKED_THERE, since=T + 5, now=T + 5)) is None
    assert apply(replace(stored(), **changes), check.record(stored(), WORKS, since=T + 5, now=T + 5)) is not None


def test_an_earlier_check_is_followed_by_a_later() -> None:
    checked = replace(stored(), checked_at=T + 4.999)
    assert apply(checked, check.record(checked, WORKS, since=T + 5, now=T + 5)) is not None


@pytest.mark.parametrize(
    ("other", "overtaken"),
    [
        (None, True),
        (stored(), False),
        (replace(stored(), checked_at=T + 4), False),
        (replace(stored(), checked_at=T + 5), True),
        (replace(stored(), grant_id="second"), True),
        (replace(stored(), revoked_at=T + 4), True),
    ],
)
def test_what_was_found_is_no_longer_news(other: ConnectionRecord | None, overtaken: bool) -> None:
    assert check.is_overtaken(other, stored(), since=T + 5) is overtaken


@pytest.mark.parametrize(("after", "free"), [(None, True), (T + 4, True), (T + 5, True), (T + 5.001, False)])
def test_one_at_a_time_asks(after: float | None, free: bool) -> None:
    found = replace(stored(), check_after=after)
    leased = apply(found, check.lease_check(found, now=T + 5))
    assert (leased and leased.check_after) == (T + 65 if free else None)


@pytest.mark.parametrize(
    ("changes", "answered"),
    [
        ({"check_after": T + 60}, False),
        ({"check_after": T + 60, "checked_at": T}, True),
        ({"check_after": T + 60, "checked_at": T - 0.001}, False),
        ({"check_after": T + 60, "checked_at": T + 1}, True),
        ({"check_after": T + 60, "refused_by": "x"}, True),
        ({"checked_at": T}, True),
        ({"checked_at": 0.0}, True),
    ],
)
def test_what_is_on_record_is_an_answer_if_the_last_question_had_one(changes: dict[str, Any], answered: bool) -> None:
    assert check.is_answered(replace(stored(), **changes)) is answered


@pytest.mark.parametrize("other", ["another grant", "a disconnect"])
def test_nobody_is_asked_about_what_has_changed(other: str) -> None:
    now = OTHERS[other]()
    assert now
    assert apply(now, check.lease_check(stored(), now=T + 5)) is None


@pytest.mark.parametrize(
    ("changes", "news"),
    [
        ({}, True),
        ({"checked_at": T - 895}, True),
        ({"checked_at": T - 894.999}, False),
        ({"refused_by": "x"}, False),
        ({"refused_by": "x", "checked_at": T - 5000}, False),
    ],
)
def test_a_report_is_news(changes: dict[str, Any], news: bool) -> None:
    assert check.is_news(replace(stored(), **changes), now=T + 5) is news


@pytest.mark.parametrize(("ends", "expired"), [(None, False), (int(T) + 6, False), (int(T) + 5, True), (int(T), True)])
def test_a_token_that_has_ended(ends: int | None, expired: bool) -> None:
    assert check.has_expired(replace(stored(), token_expires_at=ends), now=T + 5) is expired


def test_the_current_grants_tokens_alone_are_asked_about() -> None:
    assert check.has_its_tokens(stored())
    assert not check.has_its_tokens(connected())
    assert not check.has_its_tokens(replace(stored(), grant_id="second"))
    assert not check.has_its_tokens(ConnectionRecord(pk="connection#x#42", provider="x", user_id="42"))


def test_what_is_recorded() -> None:
    assert check.recorded(stored()) == Finding(Health.CONNECTED)
    assert check.recorded(replace(stored(), checked_at=T)) == Finding(Health.CONNECTED, None, T)
    assert check.recorded(refused()) == Finding(Health.REFUSED, Cause.TOKEN_REVOKED, T + 5)
    again = apply(refused(), connection.connect(grant("second", T + 10), "version 2"))
    assert again
    assert check.recorded(again) == Finding(Health.CONNECTED)


def test_a_grant_restores_a_connection_and_the_one_who_tells_of_it_says_so() -> None:
    again = apply(refused(), connection.connect(grant("second", T + 10), "version 2"))
    assert again
    assert (again.refused_by, again.refused_at, again.checked_at, again.check_after) == (None, T + 5, None, None)
    assert check.is_restored_by_grant(again)
    assert not check.is_restored_by_grant(refused())
    assert not check.is_restored_by_grant(stored())
    assert changed(again, apply(again, check.mark_restored(again))) == {"refused_at": None, "cause": None}
    refused_again = replace(again, refused_by="x", refused_at=T + 12)
    assert apply(refused_again, check.mark_restored(again)) is None
    assert apply(replace(refused_again, refused_by=None), check.mark_restored(again)) is None
    assert apply(replace(refused_again, refused_at=T + 5), check.mark_restored(again)) is None


def restored(at: float, of: float, **told: Any) -> PendingEvent:
    return PendingEvent(at, kind=RESTORED, of=of, **told)


@pytest.mark.parametrize(
    ("granted_at", "refused_at", "at"),
    [(T + 10, T + 5, T + 10), (T + 5, T + 5, T + 5.001), (T + 4, T + 5, T + 5.001), (None, T, T + 0.001), (T, None, T)],
)
def test_a_restoration_is_later_than_its_refusal(granted_at: float | None, refused_at: float | None, at: float) -> None:
    found = replace(stored(), granted_at=granted_at, refused_at=refused_at, labels=("beta",))
    assert check.restoration(found) == restored(at, refused_at or 0.0, subject="7", labels=("beta",))
    assert check.restoration(replace(found, labels=None)).labels == ()


def test_a_restoration_that_is_not_told_yet_is_told_before_the_next_refusal() -> None:
    again = replace(refused(), refused_by=None, granted_at=T + 10, pending_events=None)
    after = refused(again, at=T + 20)
    assert after.pending_events == (restored(T + 10, T + 5, subject="7"), told(REFUSED, T + 20, "token_revoked"))
    assert (after.refused_by, after.refused_at) == ("x", T + 20)
    works = apply(again, check.record(again, WORKS, since=T + 20, now=T + 20))
    assert changed(again, works) == {"checked_at": T + 20}


def test_events_that_nobody_takes_are_bounded() -> None:
    waiting = tuple(told(RESTORED, T + at) for at in range(connection.MOST_EVENTS))
    after = refused(replace(stored(), pending_events=waiting), at=T + 500)
    assert after.pending_events == (*waiting[1:], told(REFUSED, T + 500, "token_revoked"))


def test_a_disconnect_ends_a_refusal_without_a_word() -> None:
    after = apply(refused(), revocation.revoke("x", "42", refused(), now=T + 9))
    assert after
    assert (after.refused_by, after.refused_at, after.cause) == (None, None, None)
    assert not check.is_restored_by_grant(after)
    assert apply(stored(), revocation.revoke("x", "42", refused(), now=T + 9)) is None
    assert apply(refused(), revocation.revoke("x", "42", stored(), now=T + 9)) is None


def test_a_restoration_that_is_not_told_yet_outlives_a_disconnect() -> None:
    again = apply(refused(), connection.connect(grant("second", T + 10), "version 2"))
    assert again
    assert check.is_restored_by_grant(revoked(again, T + 20))


@pytest.mark.parametrize("invalidated", [True, False])
def test_what_a_provider_says_of_an_invalidation_changes_no_other_event(invalidated: bool) -> None:
    found = refused()
    ended = revoked(found, T + 9, token=None)
    events = revocation._with(ended.pending_events or (), invalidated)
    assert events[0] == told(REFUSED, T + 5, "token_revoked")


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("word", ["89", "token_revoked", "token_rejected", "token_expired"])
def test_what_can_mean_nothing_else_is_a_revoked_token(status: int, word: str) -> None:
    assert check.meaning(Refusal(status, Cause.TOKEN_REVOKED, word)) == REVOKED_THERE


@pytest.mark.parametrize("cause", [Cause.PERMISSIONS, Cause.USER_SUSPENDED, Cause.USER_LOCKED])
def test_what_is_said_of_the_user_or_the_apps_permission(cause: Cause) -> None:
    assert check.meaning(Refusal(403, cause)) == Finding(Health.REFUSED, cause)
    assert check.meaning(Refusal(401, cause)) == check.NOTHING


@pytest.mark.parametrize(
    "cause", [one for one in Cause if one not in {Cause.PERMISSIONS, Cause.USER_SUSPENDED, Cause.USER_LOCKED}]
)
@pytest.mark.parametrize("status", [200, 401, 403, 500])
def test_anything_else_proves_nothing(cause: Cause, status: int) -> None:
    assert check.meaning(Refusal(status, cause)) == check.NOTHING
    assert check.NOTHING.health is Health.UNKNOWN


def test_a_code_in_an_answer_of_another_status_proves_nothing() -> None:
    assert check.meaning(Refusal(500, Cause.TOKEN_REVOKED, "89")) == check.NOTHING
    assert check.meaning(Refusal(200, Cause.TOKEN_REVOKED, "89")) == check.NOTHING
