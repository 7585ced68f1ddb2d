"""A connection's transitions: which grant, revocation and clean-up is applied to which record, and what it changes."""

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.support.conditions import apply, create, holds, item
from tests.support.tables import arrows, cells
from tripod_flow.rules import connection, transitions
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.transitions import Transition

T = 1_800_000_000.0
PK = "connection#x#42"
SHARD = "1"  # of this key
OUTBOX = {"outbox": SHARD, "outbox_since": T + 9, "outbox_due": T + 9}
UNTIL = T + 9 + 90


def grant(claim_id: str = "first", at: float | None = T) -> Authorization:
    begun = transitions.begin("x", "token", "s", cookie_digest="browser", subject="7", now=T)
    return replace(begun, claim_id=claim_id, granted_at=at, user_id="42", screen_name="ada")


def connected() -> ConnectionRecord:
    made = create(connection.connect(grant(), "version"))
    assert made
    return made


def revoked(found: ConnectionRecord | None = None, at: float = T + 9) -> ConnectionRecord:
    transition = connection.revoke("x", "42", found, now=at)
    made = apply(found, transition) if found else create(transition)
    assert made
    return made


def state(record: ConnectionRecord | None) -> str:
    return "[*]" if record is None else "connected" if record.revoked_at is None else "revoked"


def changed(before: ConnectionRecord, after: ConnectionRecord | None) -> dict[str, Any]:
    """Return the attributes that differ, as they are after."""
    assert after
    names = [one.name for one in fields(ConnectionRecord)]
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


RECORDS: dict[str, Callable[[], ConnectionRecord | None]] = {
    "[*]": lambda: None,
    "connected": connected,
    "revoked": lambda: revoked(connected()),
    "revoked, unknown before": revoked,  # the tokens are still on their way
    "connected anew": lambda: apply(revoked(connected()), connection.connect(grant("second", T + 10), "version 2")),
}

# Each row is a function and the record that its caller read; each column the record that is there by now.
# A cell is the state it leads to, or "." where it is refused.
STATES = """
                                            [*]        connected  revoked    revoked, unknown before  connected anew
connect at T, the same grant                connected  connected  .          .                        .
connect at T + 1                            connected  connected  .          .                        .
connect at T + 9, as the revocation         connected  connected  .          .                        .
connect at T + 10                           connected  connected  connected  connected                .
connect at T + 10, the same grant           connected  connected  connected  connected                connected
connect at T + 11                           connected  connected  connected  connected                connected
connect at T - 1                            connected  .          .          .                        .
revoke of [*]                               revoked    .          .          .                        .
revoke of connected                         .          revoked    .          .                        .
revoke of revoked                           .          .          revoked    .                        .
revoke of revoked, unknown before           .          .          .          revoked                  .
revoke of connected anew                    .          .          .          .                        revoked
mark_deletion_done of revoked               .          .          revoked    .                        .
mark_deletion_done of connected anew        .          .          .          .                        connected
lease_deletion of revoked                   .          .          revoked    .                        .
lease_deletion of connected anew            .          .          .          .                        connected
await_deletion of revoked                   .          .          revoked    revoked                  connected
await_deletion of connected anew            .          .          revoked    revoked                  connected
mark_published of revoked                   .          .          revoked    revoked                  connected
mark_published of connected anew            .          .          revoked    revoked                  connected
extend_revocation of revoked                .          .          revoked    .                        .
extend_revocation of connected              .          .          .          .                        .
postpone of revoked                         .          .          revoked    revoked                  connected
abandon of revoked                          .          .          revoked    revoked                  connected
"""

CONNECTS = {
    "connect at T, the same grant": grant(),
    "connect at T + 1": grant("new", T + 1),
    "connect at T + 9, as the revocation": grant("new", T + 9),
    "connect at T + 10": grant("new", T + 10),
    "connect at T + 10, the same grant": grant("second", T + 10),
    "connect at T + 11": grant("new", T + 11),
    "connect at T - 1": grant("old", T - 1),
}


def transition_of(event: str) -> Transition:
    name, _, known = event.partition(" of ")
    if not known:
        return connection.connect(CONNECTS[event], "new version")
    found = RECORDS[known]()
    if name == "revoke":
        return connection.revoke("x", "42", found, now=T + 20)
    assert found
    if name == "postpone":
        return connection.postpone(found, due=T + 30)
    if name == "extend_revocation":
        return connection.extend_revocation(found, now=T + 30, granted_at=T)
    if name == "lease_deletion":
        return connection.lease_deletion(found, now=T + 30)
    rules: dict[str, Callable[[ConnectionRecord], Transition]] = {
        "mark_deletion_done": connection.mark_deletion_done,
        "mark_published": connection.mark_published,
        "await_deletion": connection.await_deletion,
        "abandon": connection.abandon,
    }
    return rules[name](found)


@pytest.mark.parametrize(("event", "now", "expected"), cells(STATES))
def test_what_is_applied_to_which_record(event: str, now: str, expected: str) -> None:
    found, transition = RECORDS[now](), transition_of(event)
    after = apply(found, transition) if found else create(transition)
    assert (state(after) if after else ".") == expected


def test_the_diagram_of_the_states_is_what_the_rules_do() -> None:
    assert arrows("connection") == {
        (state(RECORDS[now]()), expected, event.partition(" ")[0]) for event, now, expected in cells(STATES) if expected != "."
    }


def test_each_transition_has_its_row() -> None:
    rules = {name: rule for name, rule in inspect.getmembers(connection, inspect.isfunction) if not name.startswith("_")}
    making = {name for name, rule in rules.items() if rule.__annotations__.get("return") is Transition}
    assert making == {event.partition(" ")[0] for event, _, _ in cells(STATES)}


@pytest.mark.parametrize(
    ("claim_id", "at", "expected"),
    [
        ("first", T, "version 2"),
        ("new", T, None),
        ("new", T - 0.001, None),
        ("new", T + 0.001, "version 2"),
        ("first", T - 5, "version 2"),
    ],
)
def test_the_newest_grant_is_current_and_of_equal_times_the_first(claim_id: str, at: float, expected: str | None) -> None:
    after = apply(connected(), connection.connect(grant(claim_id, at), "version 2"))
    assert (after and after.secret_version) == expected


@pytest.mark.parametrize(("seconds", "connects"), [(8.999, False), (9, False), (9.001, True)])
def test_a_grant_counts_only_after_the_last_revocation(seconds: float, connects: bool) -> None:
    for record in (revoked(), revoked(connected()), replace(revoked(), grant_id="new")):
        assert (apply(record, connection.connect(grant("new", T + seconds), "v")) is not None) is connects


def test_a_new_connection_names_the_grant_and_the_secrets_version() -> None:
    assert connected() == ConnectionRecord(
        pk=PK, provider="x", user_id="42", screen_name="ada", subject="7", connected_to="x",
        grant_id="first", secret_version="version", granted_at=T,
    )  # fmt: skip


def test_a_new_grant_ends_a_revocation_whose_deletion_and_event_stay_pending() -> None:
    before = revoked(connected())
    assert changed(before, apply(before, connection.connect(grant("second", T + 10), "version 2"))) == {
        "connected_to": "x", "grant_id": "second", "secret_version": "version 2", "granted_at": T + 10, "subject": "7",
        "revoked_at": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "record", "current"),
    [("first", connected, True), ("new", connected, False), ("first", lambda: revoked(connected()), False)],
)
def test_a_grant_is_current_while_no_other_and_no_revocation_is(
    claim_id: str, record: Callable[[], ConnectionRecord], current: bool
) -> None:
    assert holds(connection.current_condition(grant(claim_id)), item(record())) is current
    assert not holds(connection.current_condition(grant(claim_id)), {})


def test_a_revocation_owes_a_deletion_and_its_event() -> None:
    owed: dict[str, Any] = {
        "revoked_at": T + 9,
        "ended_at": T + 9,
        "deletion_pending": True,
        "deletion_until": UNTIL,
        "pending_events": (T + 9,),
        **OUTBOX,
    }
    assert revoked() == ConnectionRecord(pk=PK, provider="x", user_id="42", ttl=int(T + 9) + 8 * 86_400, **owed)
    assert changed(connected(), revoked(connected())) == {"connected_to": None, "subject": None, "revoked_subject": "7", **owed}


def test_a_revocation_of_what_is_revoked_has_an_event_of_its_own() -> None:
    first = revoked(connected())
    again = {
        "revoked_at": T + 20,
        "ended_at": T + 20,
        "pending_events": (T + 9, T + 20),
        "outbox_since": T + 20,
        "outbox_due": T + 20,
    }
    assert changed(first, revoked(first, T + 20)) == {**again, "deletion_until": T + 20 + 90}
    published = apply(first, connection.mark_published(first))
    assert published
    assert revoked(published, T + 20).pending_events == (T + 20,)


def test_who_agreed_before_the_revocation_is_not_connected_by_an_exchange_after_it() -> None:
    before, after = (replace(grant("new", T + 20), claimed_at=T + at) for at in (9, 9.001))
    assert apply(revoked(connected()), connection.connect(before, "v")) is None
    assert apply(revoked(connected()), connection.connect(after, "v"))


def test_a_revocation_may_count_from_an_earlier_time_than_its_event() -> None:
    after = apply(connected(), connection.revoke("x", "42", connected(), now=T + 9, since=T + 1))
    assert after
    assert (after.revoked_at, after.ended_at, after.pending_events, after.outbox_since) == (T + 1, T + 1, (T + 9,), T + 9)
    later = replace(connected(), ended_at=T + 5)
    ended = apply(later, connection.revoke("x", "42", later, now=T + 9, since=T + 1))
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


def test_a_revocation_that_is_extended_counts_from_then() -> None:
    found = revoked(connected())
    extended = {"revoked_at": T + 30, "ended_at": T + 30, "outbox_since": T + 30, "outbox_due": T + 30}
    told_before = apply(found, connection.mark_published(found))
    assert told_before
    for record, events in ((found, (T + 9, T + 30)), (told_before, (T + 30,))):
        after = apply(record, connection.extend_revocation(record, now=T + 30, granted_at=T + 9.001))
        assert changed(record, after) == {**extended, "pending_events": events}
        again = apply(record, connection.extend_revocation(record, now=T + 30, granted_at=T + 9))  # told before the revocation
        assert changed(record, again) == {"revoked_at": T + 30, "ended_at": T + 30}
    extension = connection.extend_revocation(found, now=T + 30, granted_at=T)
    assert apply(replace(found, revoked_at=T + 10), extension) is None
    assert apply(replace(found, pending_events=(T + 9, T + 10)), extension) is None
    unknown = revoked()
    assert changed(unknown, apply(unknown, connection.extend_revocation(unknown, now=T + 30, granted_at=T + 20))) == {
        **extended, "pending_events": (T + 9, T + 30), "ttl": int(T + 30) + connection.WISH_LIFETIME,
    }  # fmt: skip


def test_whose_subject_it_was_is_known_until_the_next_is_revoked() -> None:
    anew = apply(revoked(connected()), connection.connect(replace(grant("second", T + 10), subject="8"), "v"))
    assert anew
    assert revoked(anew, T + 20).revoked_subject == "8"
    assert revoked(revoked(connected()), T + 20).revoked_subject == "7"
    unnamed = apply(revoked(connected()), connection.connect(replace(grant("second", T + 10), subject=None), "v"))
    assert unnamed
    assert unnamed.subject is None  # the one before has disconnected: this may be another


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"grant_id": "second"},
        {"revoked_at": T + 8},
        {"revoked_at": None},
        {"pending_events": (T + 9, T + 10)},
        {"pending_events": None},
    ],
)
def test_a_record_that_has_changed_is_revoked_only_after_another_look(meanwhile: dict[str, Any]) -> None:
    found = revoked(connected())
    assert apply(replace(found, **meanwhile), connection.revoke("x", "42", found, now=T + 20)) is None


def test_what_failed_is_due_later_and_what_is_given_up_leaves_the_outbox() -> None:
    found = revoked(connected())
    assert changed(found, apply(found, connection.postpone(found, due=T + 30))) == {"outbox_due": T + 30, "outbox_tries": 1}
    assert apply(replace(found, outbox_due=T + 30), connection.postpone(found, due=T + 60)) is None
    assert changed(found, apply(found, connection.abandon(found))) == {"pending_events": None, **LEFT}
    assert apply(replace(found, outbox_due=T + 30), connection.abandon(found)) is None


def test_a_sign_in_without_a_subject_keeps_the_one_that_is_known() -> None:
    again = apply(connected(), connection.connect(replace(grant("new", T + 1), subject=None), "new version"))
    assert again
    assert (again.subject, again.grant_id) == ("7", "new")


def test_a_disconnect_that_found_nothing_lapses_unless_the_user_connects() -> None:
    unknown = revoked()
    assert unknown.ttl == int(T + 9) + connection.WISH_LIFETIME
    assert revoked(unknown, T + 20).ttl == int(T + 20) + connection.WISH_LIFETIME
    back = apply(unknown, connection.connect(grant("second", T + 10), "version"))
    assert back
    assert back.ttl is None
    assert revoked(connected()).ttl is None


LEFT = {"outbox": None, "outbox_since": None, "outbox_due": None}


@pytest.mark.parametrize(
    ("rule", "deletion", "events", "left"),
    [
        (connection.mark_deletion_done, True, (T + 9,), {"deletion_pending": None, "deletion_until": None}),
        (connection.mark_deletion_done, True, None, {"deletion_pending": None, "deletion_until": None, **LEFT}),
        (connection.mark_published, True, (T + 9,), {"pending_events": None}),
        (connection.mark_published, None, (T + 9,), {"pending_events": None, **LEFT}),
    ],
)
def test_the_outbox_is_left_with_the_last_of_what_is_owed(
    rule: Callable[[ConnectionRecord], Transition], deletion: bool | None, events: tuple[float, ...] | None, left: dict[str, Any]
) -> None:
    owing = replace(revoked(connected()), deletion_pending=deletion, pending_events=events)
    assert changed(owing, apply(owing, rule(owing))) == left
    other: dict[str, Any] = (
        {"pending_events": None if events else (T + 9,)}
        if "deletion_pending" in left
        else {"deletion_pending": None if deletion else True}
    )
    assert apply(replace(owing, **other), rule(owing)) is None


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
    for events in ((T + 9, T + 20), (T + 20,), None):
        assert apply(replace(published, pending_events=events), connection.mark_published(published)) is None
