"""A connection: the lasting fact that this user of this provider has granted access. The record, and the rules of its changes.

It says what the user's secret must contain: the tokens of ``secret_version``, or, once revoked or sealed here, nothing. Every write to
the secret is followed by another look at this record; see ``flows.token_store``. ``rules.revocation`` has the changes of a
disconnect, ``rules.check`` those of a check, ``rules.moving`` those of a move.
"""

import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod import names
from tripod.credentials import AccessToken
from tripod.provider_errors import Cause
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules import outbox
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.conditions import equals
from tripod_flow.rules.transitions import IfAbsent, Transition

WRITING = 90.0  # seconds; longer than any function may run: whoever began to write the secret has ended by then, or is dead

_PENDING = ("deletion_pending", "pending_events", "pending_invalidation")

MOST_EVENTS = 100  # that wait to be published: of more, the oldest are dropped before the item is too large to be written

REVOKED = "connection.revoked"
REFUSED = "connection.refused"
RESTORED = "connection.restored"


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event about a connection that is still to be published: when it happened, and whose connection it was."""

    at: float
    subject: str | None = None
    invalidated: bool | None = None  # of a revocation: whether the provider has; None: still pending
    kind: str = REVOKED  # the detail-type
    labels: tuple[str, ...] = ()
    cause: str | None = None  # of a refusal
    of: float | None = None  # what its id is made of, where that is not ``at``


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
    first_granted_at: float | None = None  # when this user granted access for the first time; no disconnect erases it
    token_expires_at: int | None = None  # of the current grant's token; None: the provider sets no end
    extra: Mapping[str, str] | None = field(default=None, repr=False)  # what the provider's definition keeps of its answers
    screen_name: str | None = None
    subject: str | None = None
    labels: tuple[str, ...] | None = None  # the app's own
    subject_of: str | None = (
        None  # provider and subject, while connected: the key of the index that finds a user by the app's own id
    )
    revoked_subject: str | None = None  # the subject of the connection that was revoked last, for its events
    connected_to: str | None = None  # the provider, while connected: the key of the index that lists users
    checked_at: float | None = (
        None  # when the provider, asked whether it takes the current grant's token, has said so or denied it
    )
    check_after: float | None = None  # until then nobody else asks
    refused_by: str | None = None  # the provider, while it refuses the current grant's token: the key of the index of the refused
    refused_at: float | None = None  # after ``refused_by`` is gone, until the connection's restoration has been told
    cause: Cause | None = None  # of the refusal
    revoked_at: float | None = None
    # The latest disconnect, which no sign-in erases: nothing agreed to before it counts. In the future while a provider is asked.
    ended_at: float | None = None
    deletion_pending: bool | None = None  # a deletion was begun: the secret may differ from what this record says
    deletion_until: float | None = None  # until then somebody may be at it, and nobody else calls it done
    pending_invalidation: AccessToken | SealedTokens | None = field(
        default=None, repr=False
    )  # the token that the provider is to invalidate
    invalidation_since: float | None = None
    pending_events: tuple[PendingEvent, ...] | None = None
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
        names.connection_key(grant.provider, grant.user_id or ""),
        Attr("pk").not_exists() | (newest & unrevoked),
        {
            "provider": grant.provider,
            "user_id": grant.user_id,
            "screen_name": grant.screen_name,
            **_named(grant),
            "connected_to": grant.provider,
            "grant_id": grant.claim_id,
            "secret_version": secret_version,
            **({"sealed_tokens": sealed.ciphertext, "stored_grant_id": grant.claim_id} if sealed else {}),
            "granted_at": grant.granted_at,
            "first_granted_at": IfAbsent(grant.granted_at),
            "token_expires_at": token.expires_at if token else None,
            "extra": (token.extra or None) if token else None,
            "revoked_at": None,
            "checked_at": None,
            "check_after": None,
            "refused_by": None,  # ``refused_at`` stays: whoever tells of this grant tells that it has restored the connection
            "pending_invalidation": None,  # the provider may have given the same token again
            "invalidation_since": None,
            "ttl": None,
        },
    )


def _named(grant: Authorization) -> dict[str, Any]:
    """Return what the app has said of the user; a sign-in in a browser says nothing, and keeps what is there."""
    said: dict[str, Any] = {} if grant.labels is None else {"labels": grant.labels}
    if grant.subject is not None:
        said |= {"subject": grant.subject, "subject_of": names.subject_key(grant.provider, grant.subject)}
    return said


def is_newer(found: ConnectionRecord, grant: Authorization) -> bool:
    """Return True if ``connect`` would refuse ``grant``: another grant is newer, or the user has disconnected since."""
    if found.grant_id != grant.claim_id and found.granted_at is not None and found.granted_at >= (grant.granted_at or 0.0):
        return True
    return found.ended_at is not None and found.ended_at >= grant.agreed_at


def mark_stored(grant: Authorization, secret_version: str) -> Transition:
    """Record that the secret holds ``grant``'s tokens, if it is the current one, unrevoked, and has not been moved to the table since."""
    current = Attr("grant_id").eq(grant.claim_id) & Attr("revoked_at").not_exists()
    changes = {"stored_grant_id": grant.claim_id, "sealed_tokens": None}
    unmoved = current & Attr("secret_version").eq(secret_version)
    return Transition(names.connection_key(grant.provider, grant.user_id or ""), unmoved, changes)


def lease_deletion(found: ConnectionRecord, *, now: float) -> Transition:
    """Let the caller write the secret; until ``WRITING`` has passed, nobody calls the deletion done."""
    unchanged = unchanged_condition(found) & equals("deletion_until", found.deletion_until)
    return Transition(found.pk, unchanged & Attr("deletion_pending").exists(), {"deletion_until": now + WRITING})


def await_deletion(found: ConnectionRecord) -> Transition:
    """Let the relay look again when nobody can be writing the secret any more."""
    same = equals("deletion_until", found.deletion_until) & Attr("deletion_pending").exists() & Attr("outbox").exists()
    return Transition(found.pk, same, {"outbox_due": found.deletion_until})


def mark_deletion_done(found: ConnectionRecord) -> Transition:
    """Record that the secret is what this record says, if the record is still the same."""
    unchanged = unchanged_condition(found) & equals("deletion_until", found.deletion_until)
    left = clear(found, {"deletion_pending"})
    return Transition(found.pk, unchanged & left.condition, {"deletion_pending": None, "deletion_until": None, **left.changes})


def mark_published(published: ConnectionRecord) -> Transition:
    """Remove the events from the record: these, and no others, were published."""
    left, same = clear(published, {"pending_events"}), equals("pending_events", published.pending_events)
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


@dataclass(frozen=True, slots=True)
class Cleared:
    """What clearing pending fields takes: the condition that the others are still as found, and what leaves the outbox."""

    condition: ConditionBase
    changes: dict[str, Any]


def clear(found: ConnectionRecord, cleared: set[str]) -> Cleared:
    """Return the condition that what else is pending is still as found, and the changes that leave the outbox if nothing is."""
    others = [name for name in _PENDING if name not in cleared]
    pending = [name for name in others if getattr(found, name) is not None]
    conditions = [Attr(name).exists() if name in pending else Attr(name).not_exists() for name in others]
    return Cleared(functools.reduce(operator.and_, conditions), {} if pending else outbox.LEFT)


def unchanged_condition(found: ConnectionRecord) -> ConditionBase:
    """Return the condition that the record still says the same about the secret: a move changes ``secret_version`` alone."""
    same = equals("grant_id", found.grant_id) & equals("revoked_at", found.revoked_at)
    return same & equals("secret_version", found.secret_version)
