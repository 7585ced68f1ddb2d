"""Connections in each state, made by the rules themselves."""

from dataclasses import fields, replace
from typing import Any

from tests.support.conditions import apply, create
from tripod.credentials import AccessToken
from tripod_flow.rules import connection, revocation, transitions
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord, PendingEvent

T = 1_800_000_000.0
TOKEN = AccessToken(oauth_token="access", oauth_token_secret="access-secret", consumer_key="key")
PK = "connection#x#42"
SHARD = "1"  # of this key
OUTBOX = {"outbox": SHARD, "outbox_since": T + 9, "outbox_due": T + 9}
LEFT = {"outbox": None, "outbox_since": None, "outbox_due": None}


def grant(claim_id: str = "first", at: float | None = T) -> Authorization:
    begun = transitions.begin("x", "token", "s", cookie_digest="browser", subject="7", now=T)
    return replace(begun, claim_id=claim_id, granted_at=at, user_id="42", screen_name="ada")


def told(*ats: float, subject: str | None = "7", invalidated: bool | None = False) -> tuple[PendingEvent, ...]:
    """Return the pending events of revocations at these times."""
    return tuple(PendingEvent(at, subject, invalidated) for at in ats)


def connected() -> ConnectionRecord:
    made = create(connection.connect(grant(), "version"))
    assert made
    return made


def revoked(found: ConnectionRecord | None = None, at: float = T + 9, token: AccessToken | None = None) -> ConnectionRecord:
    transition = revocation.revoke("x", "42", found, now=at, token=token)
    made = apply(found, transition) if found else create(transition)
    assert made
    return made


def changed(before: ConnectionRecord, after: ConnectionRecord | None) -> dict[str, Any]:
    """Return the attributes that differ, as they are after."""
    assert after
    names = [one.name for one in fields(ConnectionRecord)]
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
