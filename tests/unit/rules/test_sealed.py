"""Tokens that the table keeps, sealed: what a grant and a connection say of them."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.authorizations import ADA, SHARD, TOKEN, T, changed, done, exchanging, of
from tests.support.conditions import apply, create
from tests.support.connections import changed as changed_connection
from tests.support.connections import connected, grant, revoked
from tripod.credentials import AccessToken
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules import connection, revocation, transitions
from tripod_flow.rules.authorization import State

SEALED = SealedTokens(b"ciphertext", 1_900_000_000, {"shard": "s1"})


def test_a_consent_keeps_its_tokens_sealed_until_the_app_confirms_it() -> None:
    held = exchanging("unbound")
    after = done(held, transitions.grant(held, SEALED, ADA, store=True, sent_at=T, now=T))
    assert (after.state, after.pending_tokens, after.token_expires_at, after.to_seal) == (
        State.CONSENTED,
        SEALED,
        1_900_000_000,
        None,
    )
    with pytest.raises(ValueError, match="no tokens are pending"):
        after.user_tokens()


def test_tokens_for_a_secret_bring_their_end_and_what_is_kept() -> None:
    held = exchanging()
    token = replace(TOKEN, expires_at=1_900_000_000, extra={"a": "b"})
    tokens = done(held, transitions.grant(held, token, ADA, store=True, sent_at=T, now=T)).user_tokens()
    assert (tokens.expires_at, tokens.extra) == (1_900_000_000, {"a": "b"})


def test_what_could_not_be_sealed_says_so() -> None:
    held = exchanging()
    after = done(held, transitions.grant(held, TOKEN, ADA, store=True, to_seal=True, sent_at=T, now=T))
    assert (after.pending_tokens, after.to_seal) == (TOKEN, True)


def test_a_grant_that_is_committed_with_its_connection_keeps_nothing() -> None:
    held = exchanging()
    after = done(held, transitions.grant(held, SEALED, ADA, store=False, sent_at=T, now=T))
    assert (after.state, after.pending_tokens, after.token_expires_at) == (State.GRANTED, None, 1_900_000_000)


@pytest.mark.parametrize(("kind", "expected"), [("bound", False), ("unbound", True), ("bound pin", False), ("app's pin", False)])
def test_who_needs_the_apps_confirmation(kind: str, expected: bool) -> None:
    assert transitions.needs_confirmation(exchanging(kind)) is expected


def test_a_connection_has_the_sealed_tokens_and_no_secret() -> None:
    made = create(connection.connect(grant(), None, SEALED))
    assert made
    assert (made.sealed_tokens, made.secret_version, made.stored_grant_id) == (b"ciphertext", None, "first")
    assert (made.token_expires_at, made.extra) == (1_900_000_000, {"shard": "s1"})


def test_a_newer_grant_to_secrets_manager_leaves_the_sealed_tokens_until_its_secret_is_written() -> None:
    sealed = create(connection.connect(grant(), None, SEALED))
    assert sealed
    token = AccessToken(oauth_token="t", oauth_token_secret="s", consumer_key="k", expires_at=5, extra={"a": "b"})
    newer = replace(grant("second", T + 1), pending_tokens=token)
    assert changed_connection(sealed, apply(sealed, connection.connect(newer, "version"))) == {
        "grant_id": "second", "granted_at": T + 1, "secret_version": "version", "token_expires_at": 5, "extra": {"a": "b"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("claim_id", "at", "expected"),
    [("first", T - 1, False), ("old", T - 1, True), ("old", T, True), ("new", T + 1, False)],
)
def test_what_connect_would_refuse_is_known_beforehand(claim_id: str, at: float, expected: bool) -> None:
    found = connected()
    assert connection.is_newer(found, grant(claim_id, at)) is expected
    assert (apply(found, connection.connect(grant(claim_id, at), "v")) is None) is expected


@pytest.mark.parametrize(("at", "expected"), [(T + 8, True), (T + 9, True), (T + 10, False)])
def test_what_a_disconnect_has_overtaken_is_known_beforehand(at: float, expected: bool) -> None:
    assert connection.is_newer(revoked(connected()), grant("new", at)) is expected
    nobody = connection.ConnectionRecord(pk="connection#x#42", provider="x", user_id="42")
    assert connection.is_newer(nobody, grant("new", at)) is False


def test_a_newer_sealed_grant_takes_the_secrets_version_away() -> None:
    after = apply(connected(), connection.connect(grant("second", T + 1), None, SEALED))
    assert after
    assert (after.secret_version, after.sealed_tokens, after.stored_grant_id) == (None, b"ciphertext", "second")


def test_a_token_without_an_end_and_extras_leaves_none_of_an_earlier_ones() -> None:
    sealed = create(connection.connect(grant(), None, SEALED))
    assert sealed
    plain = replace(grant("second", T + 1), pending_tokens=TOKEN)
    after = apply(sealed, connection.connect(plain, "version"))
    assert after
    assert (after.token_expires_at, after.extra) == (None, None)


def test_a_disconnect_takes_the_sealed_tokens_away_in_its_first_write() -> None:
    sealed = create(connection.connect(grant(), None, SEALED))
    assert sealed
    after = apply(sealed, revocation.revoke("x", "42", sealed, now=T + 9, token=SEALED))
    assert after
    assert (after.sealed_tokens, after.pending_invalidation) == (None, SEALED)


@pytest.mark.parametrize(
    ("cookie", "applied"), [("browser", {"state": State.FAILED, "error": "verifier_rejected"}), ("another", None)]
)
def test_a_forwarded_authorization_ends_while_it_is_pending(cookie: str, applied: dict[str, Any] | None) -> None:
    pending = of(State.PENDING)
    after = apply(replace(pending, cookie_digest=cookie), transitions.end_forwarded(pending, now=T + 5))
    if applied is None:
        assert after is None
        return
    assert after
    assert changed(pending, after) == {
        **applied, "request_secret": None, "decided_at": T + 5, "pending_event": "authorization.failed", "outbox": SHARD,
        "outbox_since": T + 5, "outbox_due": T + 5, "ttl": None,
    }  # fmt: skip


def test_a_revoked_connection_is_not_connected_by_an_older_sealed_grant() -> None:
    assert apply(revoked(connected()), connection.connect(grant("old", T - 1), None, SEALED)) is None
