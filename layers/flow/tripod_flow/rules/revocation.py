"""A revocation: a user has disconnected, and the provider invalidates the token where it can.

A connection's record keeps it. One process at a time asks the provider, and what the user agrees to meanwhile does not count: it may be
the same token again. ``flows.revocation`` does what is recorded here.
"""

from dataclasses import replace
from typing import Any

from boto3.dynamodb.conditions import Attr

from tripod import names
from tripod.credentials import AccessToken
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules import outbox
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.conditions import equals
from tripod_flow.rules.connection import MOST_EVENTS, REVOKED, WRITING, ConnectionRecord, PendingEvent, clear, unchanged_condition
from tripod_flow.rules.transitions import Transition

INVALIDATING = 20.0  # seconds; longer than a request's calls to a provider may take (edges.transport.Timeouts)
INVALIDATION_PATIENCE = 86_400  # seconds in which a provider that can't be reached is asked to invalidate a token
INVALIDATION_TRIES = 3  # failed tries at least, before that is given up: a relay that did not run has not tried
WISH_LIFETIME = 8 * 86_400  # seconds; longer than anything on its way can take (outbox.PATIENCE)


def revoke(
    provider: str,
    user_id: str,
    found: ConnectionRecord | None,
    *,
    now: float,
    since: float | None = None,
    token: AccessToken | SealedTokens | None = None,
    wait: float = 0.0,
) -> Transition:
    """Record that the user has disconnected (or is, ``since`` an earlier time), if the record is still as ``found`` (None: none).

    Sealed tokens are gone with it. ``token`` is what the provider is to invalidate. The caller does what follows itself: the relay may
    ``wait`` so many seconds. A revoked connection is revoked anew, with an event of its own: what the user has consented to since ends as
    well. Where there is no connection, the record ends what is on its way, and lapses after ``WISH_LIFETIME``.
    """
    pk = names.connection_key(provider, user_id)
    at = now if since is None else since
    ended_at = max(at, (found.ended_at if found else None) or at)
    changes: dict[str, Any] = {
        "revoked_at": at,
        "ended_at": ended_at,
        "deletion_pending": True,
        "deletion_until": now + WRITING,
        "sealed_tokens": None,
        **outbox.entered(pk, now),
        "outbox_due": now + wait,
    }
    pending = token or (found and found.pending_invalidation)
    event = PendingEvent(now, invalidated=None if pending else False)
    if token is not None and not (found and found.pending_invalidation == token):
        changes |= {"pending_invalidation": token, "invalidation_since": now}
    if found is None or found.ttl is not None:
        changes["ttl"] = int(now) + WISH_LIFETIME
    if found is None:
        new = {**changes, "provider": provider, "user_id": user_id, "pending_events": (event,)}
        return Transition(pk, Attr("pk").not_exists(), new)
    subject = found.revoked_subject if found.revoked_at is not None and found.subject is None else found.subject
    earlier = found.pending_events or ()
    if token is not None and token != found.pending_invalidation:
        earlier = _with(earlier, False)
    added = {
        "connected_to": None,
        "pending_events": (*earlier, replace(event, subject=subject, labels=found.labels or ()))[-MOST_EVENTS:],
        "subject": None,
        "labels": None,
        "subject_of": None,
        "check_after": None,
        **({"refused_by": None, "refused_at": None, "cause": None} if found.refused_by else {}),
        "revoked_subject": subject,
    }
    unchanged = (
        unchanged_condition(found) & equals("pending_events", found.pending_events) & equals("refused_by", found.refused_by)
    )
    return Transition(pk, unchanged & equals("stored_grant_id", found.stored_grant_id), {**changes, **added})


def add_invalidation(found: ConnectionRecord, overtaken: Authorization, *, now: float, ask: bool) -> Transition:
    """Tell of a grant that a revocation has overtaken, and where ``ask`` have the provider invalidate its token.

    Not while another token is pending. Where the grant is newer than the revocation, that has another event, right after the grant: of
    those about one user the latest counts.
    """
    token, granted_at = overtaken.pending_tokens, overtaken.granted_at or 0.0
    changes: dict[str, Any] = outbox.entered(found.pk, now)
    if ask and found.pending_invalidation is None:
        changes |= {"pending_invalidation": token, "invalidation_since": now}
    events = found.pending_events or ()
    if granted_at > (found.revoked_at or 0.0) and not any(one.kind == REVOKED and one.at > granted_at for one in events):
        event = PendingEvent(
            round(granted_at + 0.001, 3), overtaken.subject, None if ask else False, labels=overtaken.labels or ()
        )
        changes["pending_events"] = (*events, event)[-MOST_EVENTS:]
    if found.ttl is not None:
        changes["ttl"] = int(now) + WISH_LIFETIME
    unchanged = unchanged_condition(found) & equals("pending_events", found.pending_events) & Attr("revoked_at").exists()
    free = Attr("pending_invalidation").not_exists() | Attr("pending_invalidation").eq(token)
    return Transition(found.pk, unchanged & free, changes)


def until(now: float) -> float:
    """Return until when a provider that is asked at ``now`` may be at it, as the table keeps it."""
    return round(now + INVALIDATING, 3)


def lease_invalidation(found: ConnectionRecord, *, now: float) -> Transition:
    """Let the caller ask the provider to invalidate the pending token, unless somebody else is at it."""
    same = equals("pending_invalidation", found.pending_invalidation) & Attr("revoked_at").exists()
    return Transition(found.pk, unchanged_condition(found) & same & Attr("ended_at").lte(now), {"ended_at": until(now)})


def end_invalidation(
    found: ConnectionRecord, asked: ConnectionRecord, *, since: float, now: float, invalidated: bool
) -> Transition:
    """Record what the provider, asked ``since`` then about the token of ``asked``, has said.

    What the user agrees to from now on counts again, and the relay may tell of the disconnect.
    """
    unchanged = equals("ended_at", found.ended_at) & equals("pending_events", found.pending_events)
    same = equals("pending_invalidation", asked.pending_invalidation)
    left = clear(found, {"pending_invalidation"})
    changes: dict[str, Any] = {"pending_invalidation": None, "invalidation_since": None, **(left.changes or {"outbox_due": now})}
    if found.ended_at == until(since):  # if not, another process is asking by now
        changes["ended_at"] = now
    if found.pending_events:
        changes["pending_events"] = _with(found.pending_events, invalidated)
    return Transition(found.pk, unchanged & same & left.condition, changes)


def release_invalidation(asked: ConnectionRecord, *, since: float, now: float) -> Transition:
    """Give the lease back, because the provider has not got the request: what was agreed to counts as it did for ``asked``."""
    leased = Attr("ended_at").eq(until(since)) & Attr("outbox").exists()
    return Transition(asked.pk, leased, {"ended_at": asked.ended_at, "outbox_due": now})


def is_invalidation_overdue(found: ConnectionRecord, *, now: float) -> bool:
    """Return True if a provider could not be reached for ``INVALIDATION_PATIENCE``."""
    overdue = (found.invalidation_since or now) + INVALIDATION_PATIENCE <= now
    return found.pending_invalidation is not None and overdue and found.outbox_tries >= INVALIDATION_TRIES


def _with(events: tuple[PendingEvent, ...], invalidated: bool) -> tuple[PendingEvent, ...]:
    """Return the events, those that waited for it with what the provider has said."""
    return tuple(
        replace(one, invalidated=invalidated) if one.kind == REVOKED and one.invalidated is None else one for one in events
    )
