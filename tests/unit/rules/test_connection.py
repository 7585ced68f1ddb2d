"""A connection's transitions: which grant, revocation and clean-up is applied to which record, and what a grant changes."""

import inspect
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.conditions import apply, create
from tests.support.connections import PK, TOKEN, T, changed, connected, grant, revoked
from tests.support.tables import arrows, cells
from tripod import names
from tripod_flow.rules import connection, revocation
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.transitions import Transition


def state(record: ConnectionRecord | None) -> str:
    return "[*]" if record is None else "connected" if record.revoked_at is None else "revoked"


RECORDS: dict[str, Callable[[], ConnectionRecord | None]] = {
    "[*]": lambda: None,
    "connected": connected,
    "revoked": lambda: revoked(connected(), token=TOKEN),
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
mark_published of revoked                   .          .          revoked    .                        .
mark_published of connected anew            .          .          .          .                        connected
leave_outbox of connected anew              .          .          .          .                        .
mark_stored of connected                    .          connected  .          .                        .
mark_stored of connected anew               .          .          .          .                        connected
add_invalidation of revoked                 .          .          revoked    .                        .
add_invalidation of connected               .          .          .          .                        .
lease_invalidation of revoked               .          .          revoked    .                        .
lease_invalidation of connected             .          .          .          .                        .
end_invalidation of revoked                 .          .          revoked    .                        .
release_invalidation of revoked             .          .          .          .                        .
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
        return revocation.revoke("x", "42", found, now=T + 20)
    assert found
    if name == "postpone":
        return connection.postpone(found, due=T + 30)
    if name == "mark_stored":
        return connection.mark_stored(grant(str(found.grant_id)), str(found.secret_version))
    if name == "add_invalidation":
        return revocation.add_invalidation(found, replace(grant(), pending_tokens=TOKEN), now=T + 30, ask=True)
    if name == "lease_invalidation":
        return revocation.lease_invalidation(found, now=T + 30)
    if name == "end_invalidation":
        return revocation.end_invalidation(found, found, since=T + 30, now=T + 31, invalidated=True)
    if name == "release_invalidation":
        return revocation.release_invalidation(found, since=T + 30, now=T + 31)
    if name == "lease_deletion":
        return connection.lease_deletion(found, now=T + 30)
    rules: dict[str, Callable[[ConnectionRecord], Transition]] = {
        "mark_deletion_done": connection.mark_deletion_done,
        "mark_published": connection.mark_published,
        "leave_outbox": connection.leave_outbox,
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
    rules = [*inspect.getmembers(connection, inspect.isfunction), *inspect.getmembers(revocation, inspect.isfunction)]
    making = {name for name, rule in rules if not name.startswith("_") and rule.__annotations__.get("return") is Transition}
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
        pk=PK, provider="x", user_id="42", screen_name="ada", subject="7", subject_of="x#7", connected_to="x",
        grant_id="first", secret_version="version", granted_at=T, first_granted_at=T,
    )  # fmt: skip


def test_a_new_grant_ends_a_revocation_whose_deletion_and_event_stay_pending() -> None:
    before = revoked(connected())
    assert changed(before, apply(before, connection.connect(grant("second", T + 10), "version 2"))) == {
        "connected_to": "x", "grant_id": "second", "secret_version": "version 2", "granted_at": T + 10, "subject": "7",
        "subject_of": "x#7", "revoked_at": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "record", "current"),
    [("first", connected, True), ("new", connected, False), ("first", lambda: revoked(connected()), False)],
)
def test_a_grant_is_stored_while_no_other_and_no_revocation_is_current(
    claim_id: str, record: Callable[[], ConnectionRecord], current: bool
) -> None:
    after = apply(record(), connection.mark_stored(grant(claim_id), "version"))
    assert (after and changed(record(), after)) == ({"stored_grant_id": claim_id} if current else None)
    assert create(connection.mark_stored(grant(claim_id), "version")) is None
    assert connection.mark_stored(replace(grant(claim_id), user_id=None), "version").pk == names.connection_key("x", "")


def test_sealed_tokens_are_read_until_a_newer_grants_secret_is_written() -> None:
    before = replace(connected(), secret_version=None, sealed_tokens=b"sealed")
    being_stored = apply(before, connection.connect(grant("second", T + 1), "version 2"))
    assert being_stored
    assert (being_stored.sealed_tokens, being_stored.secret_version) == (b"sealed", "version 2")
    stored = apply(being_stored, connection.mark_stored(grant("second", T + 1), "version 2"))
    assert stored
    assert (stored.sealed_tokens, stored.stored_grant_id) == (None, "second")


def test_a_slow_writer_does_not_take_away_what_was_moved_to_the_table_meanwhile() -> None:
    moved = replace(connected(), secret_version=None, stored_grant_id="first", sealed_tokens=b"sealed")
    assert apply(moved, connection.mark_stored(grant(), "version")) is None


def test_a_disconnect_looks_again_where_the_tokens_have_been_moved_meanwhile() -> None:
    moved = replace(connected(), secret_version=None, sealed_tokens=b"sealed")
    for found, now in ((connected(), moved), (moved, connected())):
        assert apply(now, revocation.revoke("x", "42", found, now=T + 20)) is None


def test_what_the_app_says_of_a_user_is_kept_until_it_says_something_else() -> None:
    made = create(connection.connect(replace(grant(), labels=("beta",)), "version"))
    assert made
    assert (made.subject, made.subject_of, made.labels) == ("7", names.subject_key("x", "7"), ("beta",))
    for said, labels in ((None, ("beta",)), ((), ()), (("a", "b"), ("a", "b"))):
        again = apply(made, connection.connect(replace(grant("new", T + 1), subject=None, labels=said), "new version"))
        assert again
        assert (again.subject, again.labels) == ("7", labels)


def test_a_sign_in_without_a_subject_keeps_the_one_that_is_known() -> None:
    again = apply(connected(), connection.connect(replace(grant("new", T + 1), subject=None), "new version"))
    assert again
    assert (again.subject, again.grant_id) == ("7", "new")
