"""The rules of a move: whose tokens are where, and which update of it holds on which record."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.conditions import apply, create
from tests.support.connections import SHARD, T, changed, connected, grant, revoked, told
from tests.support.tables import cells
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules import connection, moving
from tripod_flow.rules.connection import WRITING, ConnectionRecord
from tripod_flow.rules.moving import Place
from tripod_flow.rules.transitions import Transition

NOW = T + 1000
UNTIL = NOW + WRITING


def kept() -> ConnectionRecord:
    """Return a connection whose tokens are a secret's."""
    return replace(connected(), stored_grant_id="first")


def sealed() -> ConnectionRecord:
    return replace(kept(), secret_version=None, sealed_tokens=b"sealed")


def anew(found: ConnectionRecord, *, in_table: bool) -> ConnectionRecord:
    """Return the connection after a newer grant."""
    tokens = SealedTokens(b"newer") if in_table else None
    made = apply(found, connection.connect(grant("second", T + 5), None if in_table else "version 2", tokens))
    assert made
    return made


RECORDS: dict[str, Callable[[], ConnectionRecord]] = {
    "secret": kept,
    "secret, being written": lambda: replace(kept(), deletion_pending=True, deletion_until=UNTIL),
    "sealed": sealed,
    "sealed, leased": lambda: replace(sealed(), deletion_pending=True, deletion_until=UNTIL),
    "anew, in the table": lambda: anew(kept(), in_table=True),
    "anew, a secret": lambda: anew(kept(), in_table=False),
    "anew, both": lambda: anew(sealed(), in_table=False),
    "revoked": lambda: revoked(kept()),
    "of another day": lambda: replace(sealed(), outbox=SHARD),
}

# Each row is a function and the record that its caller read; each column the record that is there by now: applied, or ".".
UPDATES = """
                           secret   secret, being written  sealed   sealed, leased  anew, in the table  anew, a secret  anew, both  revoked  of another day
seal of secret             applied  .                      .        .               .                   .               .           .        .
lease of sealed            .        .                      applied  .               .                   .               .           .        .
unseal of sealed, leased   .        .                      .        applied         .                   .               .           .        .
"""

PLACES = {
    "secret": Place.SECRET,
    "secret, being written": Place.SECRET,
    "sealed": Place.TABLE,
    "sealed, leased": Place.TABLE,
    "anew, in the table": Place.TABLE,
    "anew, a secret": Place.ON_THEIR_WAY,
    "anew, both": Place.ON_THEIR_WAY,
    "revoked": Place.NOWHERE,
    "of another day": Place.TABLE,
}


def transition_of(event: str) -> Transition:
    name, _, known = event.partition(" of ")
    found = RECORDS[known]()
    rules: dict[str, Callable[[], Transition]] = {
        "seal": lambda: moving.seal(found, b"new", now=NOW),
        "lease": lambda: moving.lease(found, now=NOW),
        "unseal": lambda: moving.unseal(found, "version"),
    }
    return rules[name]()


@pytest.mark.parametrize(("event", "now", "expected"), cells(UPDATES))
def test_what_is_applied_to_which_record(event: str, now: str, expected: str) -> None:
    found, transition = RECORDS[now](), transition_of(event)
    assert ("applied" if apply(found, transition) else ".") == expected
    assert create(transition) is None


@pytest.mark.parametrize(("name", "place"), PLACES.items())
def test_where_the_tokens_are(name: str, place: Place) -> None:
    assert moving.place(RECORDS[name]()) is place


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (None, Place.NOWHERE),
        (replace(kept(), grant_id=None), Place.NOWHERE),
        (replace(kept(), ttl=1), Place.NOWHERE),
        (replace(kept(), stored_grant_id=None), Place.ON_THEIR_WAY),
        (replace(kept(), secret_version=None), Place.ON_THEIR_WAY),
        (replace(sealed(), secret_version="version"), Place.ON_THEIR_WAY),
    ],
)
def test_what_is_half_a_connection_is_not_moved(found: ConnectionRecord | None, place: Place) -> None:
    assert moving.place(found) is place


def test_what_is_sealed_is_read_at_once_and_the_relay_looks_after_the_secret() -> None:
    assert changed(kept(), apply(kept(), transition_of("seal of secret"))) == {
        "sealed_tokens": b"new", "secret_version": None, "deletion_pending": True, "deletion_until": UNTIL,
        "outbox": SHARD, "outbox_since": NOW, "outbox_due": UNTIL,
    }  # fmt: skip


def test_a_lease_changes_nothing_that_is_read() -> None:
    assert changed(sealed(), apply(sealed(), transition_of("lease of sealed"))) == {
        "deletion_pending": True, "deletion_until": UNTIL, "outbox": SHARD, "outbox_since": NOW, "outbox_due": UNTIL,
    }  # fmt: skip


def test_what_is_written_as_a_secret_is_no_longer_sealed_and_the_relay_still_looks() -> None:
    leased = RECORDS["sealed, leased"]()
    assert changed(leased, apply(leased, transition_of("unseal of sealed, leased"))) == {
        "sealed_tokens": None, "secret_version": "version",
    }  # fmt: skip


def test_what_else_is_owed_is_not_put_off() -> None:
    owing = replace(sealed(), pending_events=told(T), outbox=SHARD, outbox_since=T, outbox_due=T, outbox_tries=2)
    assert changed(owing, apply(owing, moving.lease(owing, now=NOW))) == {"deletion_pending": True, "deletion_until": UNTIL}


@pytest.mark.parametrize(("now", "is_written"), [(UNTIL - 0.001, True), (UNTIL, False)])
def test_a_secret_may_be_being_written_until_its_lease_ends(now: float, is_written: bool) -> None:
    assert moving.is_being_written(RECORDS["sealed, leased"](), now=now) is is_written
    assert not moving.is_being_written(sealed(), now=now)
    assert not moving.is_being_written(replace(sealed(), deletion_pending=True), now=now)
    assert not moving.is_being_written(replace(sealed(), deletion_until=UNTIL), now=now)


@pytest.mark.parametrize(("now", "has_time"), [(UNTIL - moving.RESERVE - 0.001, True), (UNTIL - moving.RESERVE, False)])
def test_who_was_suspended_writes_no_more(now: float, has_time: bool) -> None:
    assert moving.has_time(UNTIL, now=now) is has_time


@pytest.mark.parametrize("name", RECORDS)
def test_a_second_look_is_compared_with_all_that_a_move_depends_on(name: str) -> None:
    assert moving.is_same(RECORDS[name](), RECORDS[name]())
    assert moving.is_same(RECORDS[name](), replace(sealed(), outbox=SHARD)) is (name in ("sealed", "of another day"))
    assert not moving.is_same(RECORDS[name](), None)


def test_a_lease_is_kept_as_the_table_keeps_times() -> None:
    now = NOW + 0.12345
    after = apply(kept(), moving.lease(kept(), now=now))
    assert after
    assert after.deletion_until == round(now + WRITING, 3) != now + WRITING


def test_two_looks_say_the_same_unless_something_about_the_secret_differs() -> None:
    assert connection.says_the_same(kept(), replace(kept(), screen_name="other"))
    for other in (replace(kept(), secret_version="v2"), replace(kept(), revoked_at=T), replace(kept(), grant_id="second")):
        assert not connection.says_the_same(kept(), other)
