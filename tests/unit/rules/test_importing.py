"""The rules of an import: the grant that a row becomes, and what stands against it."""

import re
from collections.abc import Callable
from dataclasses import fields, replace

import pytest

from tests.support.conditions import apply, create
from tests.support.connections import TOKEN, T, connected, grant, revoked
from tripod.credentials import UserTokens
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules import authorization, connection, errors, importing, outbox, transitions
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.importing import ImportResult

NOW = T + 1000
TOKENS = UserTokens(
    provider="x", user_id="42", screen_name="ada", oauth_token="access", oauth_token_secret="access-secret", consumer_key="key"
)
MINE = importing.grant_id(TOKENS, T + 5)


def made(at: float = T + 5, tokens: UserTokens = TOKENS, *, is_told: bool = False) -> Authorization:
    kept = replace(TOKEN, oauth_token=tokens.oauth_token)
    return importing.grant(tokens, kept, granted_at=at, subject="7", labels=("a",), is_told=is_told, now=NOW)


def applied(at: float = T + 5, found: ConnectionRecord | None = None) -> ConnectionRecord | None:
    transition = connection.connect(made(at), "version")
    return apply(found, transition) if found else create(transition)


def ended_again(at: float) -> ConnectionRecord:
    """Return a connection whose user disconnected at ``at``, and signed in again a second after."""
    again = apply(revoked(at=at), connection.connect(grant("again", at + 1), "again"))
    assert again
    return again


def imported() -> ConnectionRecord:
    mine = applied()
    assert mine
    return mine


FOUND: dict[str, Callable[[], ConnectionRecord | None]] = {
    "nobody": lambda: None,
    "granted before": connected,
    "granted at that time": lambda: replace(connected(), granted_at=T + 5),
    "granted since": lambda: replace(connected(), granted_at=T + 6),
    "this grant": imported,
    "disconnected before": lambda: revoked(at=T + 4),
    "disconnected at that time": lambda: revoked(at=T + 5),
    "disconnected since": lambda: revoked(at=T + 6),
    "this grant, disconnected": lambda: revoked(imported(), at=T + 9),
    "disconnected before, and back before": lambda: ended_again(T + 2),
    "being disconnected": lambda: replace(connected(), ended_at=T + 9),
    "a wish to disconnect, before": lambda: replace(revoked(at=T + 4), ttl=1),
}

TAKEN, THERE, KEPT, GONE = "taken", "already there", "kept", "disconnected"

STANDING = {  # where somebody has said when the row was granted, and where nobody has
    "nobody": (TAKEN, TAKEN),
    "granted before": (TAKEN, KEPT),
    "granted at that time": (KEPT, KEPT),
    "granted since": (KEPT, KEPT),
    "this grant": (THERE, THERE),
    "disconnected before": (TAKEN, GONE),
    "disconnected at that time": (GONE, GONE),
    "disconnected since": (GONE, GONE),
    "this grant, disconnected": (GONE, GONE),
    "disconnected before, and back before": (TAKEN, KEPT),
    "being disconnected": (GONE, KEPT),
    "a wish to disconnect, before": (TAKEN, GONE),
}


@pytest.mark.parametrize(("name", "is_dated"), [(name, is_dated) for name in FOUND for is_dated in (True, False)])
def test_what_stands_against_a_row(name: str, *, is_dated: bool) -> None:
    found = FOUND[name]()
    standing = importing.standing(found, MINE, T + 5, is_dated=is_dated)
    assert (standing.result if standing else "taken") == STANDING[name][0 if is_dated else 1]


REASONS = {
    "granted before": ("", importing.UNDATED),
    "granted at that time": (importing.SAME_TIME, importing.SAME_TIME),
    "granted since": (importing.NEWER, importing.NEWER),
    "disconnected since": ("", ""),
}


@pytest.mark.parametrize(("name", "is_dated"), [(name, is_dated) for name in REASONS for is_dated in (True, False)])
def test_why_what_is_here_is_kept(name: str, *, is_dated: bool) -> None:
    standing = importing.standing(FOUND[name](), MINE, T + 5, is_dated=is_dated)
    assert (standing.reason if standing else "") == REASONS[name][0 if is_dated else 1]


@pytest.mark.parametrize("name", [name for name in FOUND if name != "this grant"])
def test_what_is_said_before_is_what_the_connections_own_rule_decides(name: str) -> None:
    found = FOUND[name]()
    standing = importing.standing(found, MINE, T + 5, is_dated=True)
    assert (applied(found=found) is not None) is (standing is None)


def test_a_row_becomes_what_a_sign_in_at_that_time_would_have_left() -> None:
    record = made()
    expected = {
        "provider": "x",
        "state": State.GRANTED,
        "created_at": NOW,
        "expires_at": NOW,
        "subject": "7",
        "labels": ("a",),
        "claim_id": MINE,
        "pending_tokens": TOKEN,
        "user_id": "42",
        "screen_name": "ada",
        "exchanged_at": T + 5,
        "granted_at": T + 5,
        "decided_at": NOW,
        **outbox.entered(record.pk, NOW),
    }
    empty = Authorization(pk="", provider="", request_token="", state=State.GRANTED, created_at=0, expires_at=0)
    names = {one.name for one in fields(Authorization)} - {"pk", "request_token"}
    changed = {name: getattr(record, name) for name in names if getattr(record, name) != getattr(empty, name)}
    assert changed == {name: value for name, value in expected.items() if value != getattr(empty, name)}
    assert record.pk == authorization.key("x", record.request_token)
    assert record.agreed_at == T + 5
    assert made(is_told=True).pending_event == "authorization.granted"
    ending = importing.grant(replace(TOKENS, expires_at=9), SealedTokens(b"c"), granted_at=T, now=NOW)
    assert (ending.token_expires_at, ending.pending_tokens, ending.pending_event) == (9, SealedTokens(b"c"), None)


def test_the_relay_stores_it_and_then_it_owes_nothing() -> None:
    leased = transitions.lease_storing(made(), now=NOW)
    assert leased is not None
    assert transitions.mark_stored(made(), now=NOW).changes["outbox"] is None
    assert transitions.mark_stored(made(), now=NOW).changes["ttl"] is not None


@pytest.mark.parametrize("verifier", [None, "", "v"])
def test_nobody_has_its_outcome(verifier: str | None) -> None:
    with pytest.raises(errors.UnknownAuthorization):
        authorization.check_access(made(), cookie="browser", now=NOW, verifier=verifier)
    with pytest.raises(errors.UnknownAuthorization):
        authorization.check_access(made(), cookie=None, now=NOW, pin=True, verifier=verifier, subject="7")


def test_one_user_and_moment_is_one_record_and_other_tokens_are_another_grant() -> None:
    others = [
        replace(TOKENS, oauth_token="other"),
        replace(TOKENS, oauth_token_secret="other"),
        replace(TOKENS, oauth_token="accessa", oauth_token_secret="ccess-secret"),
    ]
    assert {importing.key(one, T + 5) for one in others} == {importing.key(TOKENS, T + 5)}
    assert len({MINE, *(importing.grant_id(one, T + 5) for one in others)}) == 4
    elsewhere = [
        replace(TOKENS, user_id="43"),
        replace(TOKENS, provider="x-2"),
        replace(TOKENS, user_id="4", oauth_token="2access"),
    ]
    for one in elsewhere:
        assert importing.key(one, T + 5) != importing.key(TOKENS, T + 5)
        assert importing.grant_id(one, T + 5) != MINE
    assert importing.key(TOKENS, T + 5.001) != importing.key(TOKENS, T + 5)
    assert importing.grant_id(TOKENS, T + 5.001) != MINE
    assert importing.grant_id(replace(TOKENS, screen_name="bea", extra={"a": "b"}), T + 5) == MINE


def test_neither_key_nor_id_says_a_token() -> None:
    text = f"{made().pk} {MINE} {made()!r}"
    assert "access" not in text
    assert re.fullmatch("authorization#x#import-[0-9a-f]{32}", made().pk)
    assert re.fullmatch("import-[0-9a-f]{32}", MINE)


def test_a_record_that_is_there_is_the_same_grant_or_another_rows() -> None:
    assert importing.standing_of_record(None, MINE) is None
    same, other = importing.standing_of_record(made(), MINE), importing.standing_of_record(made(), "other")
    assert (same and same.result, other and other.result) == (ImportResult.THERE, ImportResult.KEPT)
    assert other is not None
    assert other.reason == importing.ANOTHER_ROW


def test_an_imported_record_is_told_from_a_sign_ins() -> None:
    assert importing.is_imported(made().pk, "x")
    assert not importing.is_imported(made().pk, "x-2")
    assert not importing.is_imported(authorization.key("x", "token"), "x")
