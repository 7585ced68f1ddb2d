"""A connection: the lasting fact that this user of this provider has granted access. The record, and the rules of its changes.

It says what the user's secret must contain: the tokens of ``secret_version``, or, once revoked or sealed here, nothing. Every write to
the secret is followed by another look at this record; see ``flows.token_store``. ``rules.moving`` has the changes of a move.
"""

import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod.credentials import AccessToken
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules import outbox
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.conditions import equals
from tripod_flow.rules.transitions import Transition

PREFIX = "connection#"
WRITING = 90.0  # seconds; longer than any function may run: whoever began to write the secret has ended by then, or is dead
INVALIDATING = 20.0  # seconds; longer than a request's calls to a provider may take (edges.transport.Timeouts)
INVALIDATION_PATIENCE = 86_400  # seconds in which a provider that can't be reached is asked to invalidate a token
INVALIDATION_TRIES = 3  # failed tries at least, before that is given up: a relay that did not run has not tried
MOST_EVENTS = 100  # that wait to be published: of more, the oldest are dropped before the item is too large to be written
WISH_LIFETIME = 8 * 86_400  # seconds; longer than anything on its way can take (outbox.PATIENCE)

_PENDING = ("deletion_pending", "pending_events", "pending_invalidation")


@dataclass(frozen=True, slots=True)
class PendingRevocation:
    """A revocation whose event is still to be published: its time, whom it disconnected, whether the provider has invalidated."""

    at: float
    subject: str | None = None
    invalidated: bool | None = None  # None: still pending


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """The record as it is in the table; times in epoch seconds."""

    pk: str
    provider: str
    user_id: str
    grant_id: str | None = None  # the claim id of the authorization that made the current grant
    secret_version: str | None = None  # the version of the user's secret that holds this grant's tokens
    stored_grant_id: str | None = None  # the grant whose tokens are in the secret, or sealed here, for certain
    # The current grant's, where the table keeps them; beside a ``secret_version`` an earlier grant's, until that secret is written.
    sealed_tokens: bytes | None = field(default=None, repr=False)
    granted_at: float | None = None
    token_expires_at: int | None = None  # of the current grant's token; None: the provider sets no end
    extra: Mapping[str, str] | None = field(default=None, repr=False)  # what the provider's definition keeps of its answers
    screen_name: str | None = None
    subject: str | None = None
    revoked_subject: str | None = None  # the subject of the connection that was revoked last, for its events
    connected_to: str | None = None  # the provider, while connected: the key of the index that lists users
    revoked_at: float | None = None
    # The latest disconnect, which no sign-in erases: nothing agreed to before it counts. In the future while a provider is asked.
    ended_at: float | None = None
    deletion_pending: bool | None = None  # a deletion was begun: the secret may differ from what this record says
    deletion_until: float | None = None  # until then somebody may be at it, and nobody else calls it done
    pending_invalidation: AccessToken | SealedTokens | None = field(
        default=None, repr=False
    )  # the token that the provider is to invalidate
    invalidation_since: float | None = None
    pending_events: tuple[PendingRevocation, ...] | None = None
    outbox: str | None = None  # the shard of the outbox index; None: nothing is pending
    outbox_since: float | None = None
    outbox_due: float | None = None  # not before: the relay's next try
    outbox_tries: int = 0  # failed tries since it entered the outbox
    ttl: int | None = None  # of a disconnect that found no connection: it outlives what was on its way

    @property
    def is_connection(self) -> bool:
        """Return True while there is something to disconnect."""
        return self.ttl is None and self.revoked_at is None

    @property
    def is_settled(self) -> bool:
        """Return True if nothing is pending."""
        return all(getattr(self, name) is None for name in _PENDING)


def key(provider: str, user_id: str) -> str:
    """Return the table's key of a connection."""
    return f"{PREFIX}{provider}#{user_id}"


def says_the_same(one: ConnectionRecord, other: ConnectionRecord) -> bool:
    """Return True if two looks at a record say the same about the secret."""
    return (one.grant_id, one.revoked_at, one.secret_version) == (other.grant_id, other.revoked_at, other.secret_version)


def connect(grant: Authorization, secret_version: str | None, sealed: SealedTokens | None = None) -> Transition:
    """Record ``grant`` as current unless a newer grant or a later revocation exists.

    Its tokens are those of ``secret_version``, or ``sealed``. The same grant may be recorded again, by whichever process completes it. A
    pending deletion stays pending, and so do an earlier grant's sealed tokens until the secret is written: there is always one to read.
    """
    token = sealed or grant.pending_tokens
    newest = Attr("granted_at").not_exists() | Attr("granted_at").lt(grant.granted_at) | Attr("grant_id").eq(grant.claim_id)
    unrevoked = Attr("ended_at").not_exists() | Attr("ended_at").lt(grant.agreed_at)
    return Transition(
        key(grant.provider, grant.user_id or ""),
        Attr("pk").not_exists() | (newest & unrevoked),
        {
            "provider": grant.provider,
            "user_id": grant.user_id,
            "screen_name": grant.screen_name,
            **({} if grant.subject is None else {"subject": grant.subject}),  # a sign-in in a browser has none, and keeps it
            "connected_to": grant.provider,
            "grant_id": grant.claim_id,
            "secret_version": secret_version,
            **({"sealed_tokens": sealed.ciphertext, "stored_grant_id": grant.claim_id} if sealed else {}),
            "granted_at": grant.granted_at,
            "token_expires_at": token.expires_at if token else None,
            "extra": (token.extra or None) if token else None,
            "revoked_at": None,
            "pending_invalidation": None,  # the provider may have given the same token again
            "invalidation_since": None,
            "ttl": None,
        },
    )


def is_newer(found: ConnectionRecord, grant: Authorization) -> bool:
    """Return True if ``connect`` would refuse ``grant``: another grant is newer, or the user has disconnected since."""
    if found.grant_id != grant.claim_id and found.granted_at is not None and found.granted_at >= (grant.granted_at or 0.0):
        return True
    return found.ended_at is not None and found.ended_at >= grant.agreed_at


def mark_stored(grant: Authorization, secret_version: str) -> Transition:
    """Record that the secret holds ``grant``'s tokens, if it is the current one, unrevoked, and has not been moved to the table since."""
    current = Attr("grant_id").eq(grant.claim_id) & Attr("revoked_at").not_exists()
    changes = {"stored_grant_id": grant.claim_id, "sealed_tokens": None}
    return Transition(key(grant.provider, grant.user_id or ""), current & Attr("secret_version").eq(secret_version), changes)


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
    pk = key(provider, user_id)
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
    event = PendingRevocation(now, invalidated=None if pending else False)
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
        "pending_events": (*earlier, replace(event, subject=subject))[-MOST_EVENTS:],
        "subject": None,
        "revoked_subject": subject,
    }
    unchanged = _unchanged_condition(found) & equals("pending_events", found.pending_events)
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
    if granted_at > (found.revoked_at or 0.0) and not any(one.at > granted_at for one in events):
        event = PendingRevocation(round(granted_at + 0.001, 3), overtaken.subject, None if ask else False)
        changes["pending_events"] = (*events, event)[-MOST_EVENTS:]
    if found.ttl is not None:
        changes["ttl"] = int(now) + WISH_LIFETIME
    unchanged = _unchanged_condition(found) & equals("pending_events", found.pending_events) & Attr("revoked_at").exists()
    free = Attr("pending_invalidation").not_exists() | Attr("pending_invalidation").eq(token)
    return Transition(found.pk, unchanged & free, changes)


def until(now: float) -> float:
    """Return until when a provider that is asked at ``now`` may be at it, as the table keeps it."""
    return round(now + INVALIDATING, 3)


def lease_invalidation(found: ConnectionRecord, *, now: float) -> Transition:
    """Let the caller ask the provider to invalidate the pending token, unless somebody else is at it."""
    same = equals("pending_invalidation", found.pending_invalidation) & Attr("revoked_at").exists()
    return Transition(found.pk, _unchanged_condition(found) & same & Attr("ended_at").lte(now), {"ended_at": until(now)})


def end_invalidation(
    found: ConnectionRecord, asked: ConnectionRecord, *, since: float, now: float, invalidated: bool
) -> Transition:
    """Record what the provider, asked ``since`` then about the token of ``asked``, has said.

    What the user agrees to from now on counts again, and the relay may tell of the disconnect.
    """
    unchanged = equals("ended_at", found.ended_at) & equals("pending_events", found.pending_events)
    same = equals("pending_invalidation", asked.pending_invalidation)
    left = _left(found, {"pending_invalidation"})
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


def lease_deletion(found: ConnectionRecord, *, now: float) -> Transition:
    """Let the caller write the secret; until ``WRITING`` has passed, nobody calls the deletion done."""
    unchanged = _unchanged_condition(found) & equals("deletion_until", found.deletion_until)
    return Transition(found.pk, unchanged & Attr("deletion_pending").exists(), {"deletion_until": now + WRITING})


def await_deletion(found: ConnectionRecord) -> Transition:
    """Let the relay look again when nobody can be writing the secret any more."""
    same = equals("deletion_until", found.deletion_until) & Attr("deletion_pending").exists() & Attr("outbox").exists()
    return Transition(found.pk, same, {"outbox_due": found.deletion_until})


def mark_deletion_done(found: ConnectionRecord) -> Transition:
    """Record that the secret is what this record says, if the record is still the same."""
    unchanged = _unchanged_condition(found) & equals("deletion_until", found.deletion_until)
    left = _left(found, {"deletion_pending"})
    return Transition(found.pk, unchanged & left.condition, {"deletion_pending": None, "deletion_until": None, **left.changes})


def mark_published(published: ConnectionRecord) -> Transition:
    """Remove the events from the record: these, and no others, were published."""
    left, same = _left(published, {"pending_events"}), equals("pending_events", published.pending_events)
    return Transition(published.pk, same & left.condition, {"pending_events": None, **left.changes})


def leave_outbox(found: ConnectionRecord) -> Transition:
    """Leave the outbox, where nothing is pending any more: a new grant has ended it."""
    settled = functools.reduce(operator.and_, (Attr(name).not_exists() for name in _PENDING))
    return Transition(found.pk, settled & Attr("outbox").exists(), outbox.LEFT)


def postpone(found: ConnectionRecord, *, due: float) -> Transition:
    """Let the relay try the record again at ``due``, after a failure."""
    unchanged = equals("outbox_due", found.outbox_due) & Attr("outbox").exists()
    return Transition(found.pk, unchanged, {"outbox_due": due, "outbox_tries": found.outbox_tries + 1})


def abandon(found: ConnectionRecord) -> Transition:
    """Leave the outbox with what can't be done: events and the token are dropped, a pending deletion stays on record."""
    dropped = {"pending_events": None, "pending_invalidation": None, "invalidation_since": None}
    return Transition(found.pk, equals("outbox_due", found.outbox_due), {**dropped, **outbox.LEFT})


def _with(events: tuple[PendingRevocation, ...], invalidated: bool) -> tuple[PendingRevocation, ...]:
    """Return the events, those that waited for it with what the provider has said."""
    return tuple(replace(one, invalidated=invalidated) if one.invalidated is None else one for one in events)


@dataclass(frozen=True, slots=True)
class _Left:
    condition: ConditionBase
    changes: dict[str, Any]


def _left(found: ConnectionRecord, cleared: set[str]) -> _Left:
    """Return the condition that what else is pending is still as found, and the changes that leave the outbox if nothing is."""
    others = [name for name in _PENDING if name not in cleared]
    pending = [name for name in others if getattr(found, name) is not None]
    conditions = [Attr(name).exists() if name in pending else Attr(name).not_exists() for name in others]
    return _Left(functools.reduce(operator.and_, conditions), {} if pending else outbox.LEFT)


def _unchanged_condition(found: ConnectionRecord) -> ConditionBase:
    """Return the condition that the record still says the same about the secret: a move changes ``secret_version`` alone."""
    same = equals("grant_id", found.grant_id) & equals("revoked_at", found.revoked_at)
    return same & equals("secret_version", found.secret_version)
