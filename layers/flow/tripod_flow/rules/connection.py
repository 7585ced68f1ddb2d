"""A connection: the lasting fact that this user of this provider has granted access. The record, and the rules of its changes.

It says what the user's secret must contain: the tokens of ``secret_version``, or, once revoked, nothing. Every write to the secret is
followed by another look at this record; see ``flows.token_store``.
"""

from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod_flow.rules import outbox
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.transitions import Transition

PREFIX = "connection#"
WRITING = 90.0  # seconds; longer than any function may run: whoever began to write the secret has ended by then, or is dead
WISH_LIFETIME = 8 * 86_400  # seconds; longer than anything on its way can take (outbox.PATIENCE)


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """The record as it is in the table; times in epoch seconds."""

    pk: str
    provider: str
    user_id: str
    grant_id: str | None = None  # the claim id of the authorization that made the current grant
    secret_version: str | None = None  # the version of the user's secret that holds this grant's tokens
    granted_at: float | None = None
    screen_name: str | None = None
    subject: str | None = None
    revoked_subject: str | None = None  # the subject of the connection that was revoked last, for its events
    connected_to: str | None = None  # the provider, while connected: the key of the index that lists users
    revoked_at: float | None = None
    ended_at: float | None = (
        None  # the latest disconnect, which a later sign-in does not erase: nothing agreed to before it counts
    )
    deletion_pending: bool | None = None  # a deletion was begun: the secret may differ from what this record says
    deletion_until: float | None = None  # until then somebody may be at it, and nobody else calls it done
    pending_events: tuple[float, ...] | None = None  # the times of the revocations whose events are still to be published
    outbox: str | None = None  # the shard of the outbox index; None: nothing is pending
    outbox_since: float | None = None
    outbox_due: float | None = None  # not before: the relay's next try
    outbox_tries: int = 0  # failed tries since it entered the outbox
    ttl: int | None = None  # of a disconnect that found no connection: it outlives what was on its way

    @property
    def is_connection(self) -> bool:
        """Return True while there is something to disconnect."""
        return self.ttl is None and self.revoked_at is None


def key(provider: str, user_id: str) -> str:
    """Return the table's key of a connection."""
    return f"{PREFIX}{provider}#{user_id}"


def connect(grant: Authorization, secret_version: str) -> Transition:
    """Record ``grant`` as current unless a newer grant or a later revocation exists.

    The same grant may be recorded again, by whichever process completes it. A pending deletion stays pending.
    """
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
            "granted_at": grant.granted_at,
            "revoked_at": None,
            "ttl": None,
        },
    )


def current_condition(grant: Authorization) -> ConditionBase:
    """Return the condition that ``grant`` is the connection's current one, unrevoked."""
    return Attr("grant_id").eq(grant.claim_id) & Attr("revoked_at").not_exists()


def revoke(provider: str, user_id: str, found: ConnectionRecord | None, *, now: float, since: float | None = None) -> Transition:
    """Record that the user has disconnected (or is, ``since`` an earlier time), if the record is still as ``found`` (None: none).

    A revoked connection is revoked anew, with an event of its own: what the user has consented to since ends as well. Where there is
    no connection, the record ends what is on its way, and lapses after ``WISH_LIFETIME``.
    """
    pk = key(provider, user_id)
    at = now if since is None else since
    ended_at = max(at, (found.ended_at if found else None) or at)
    changes: dict[str, Any] = {
        "revoked_at": at,
        "ended_at": ended_at,
        "deletion_pending": True,
        "deletion_until": now + WRITING,
        **outbox.entered(pk, now),
    }
    if found is None or found.ttl is not None:
        changes["ttl"] = int(now) + WISH_LIFETIME
    if found is None:
        new = {**changes, "provider": provider, "user_id": user_id, "pending_events": (now,)}
        return Transition(pk, Attr("pk").not_exists(), new)
    subject = found.revoked_subject if found.subject is None else found.subject
    added = {
        "connected_to": None,
        "pending_events": (*(found.pending_events or ()), now),
        "subject": None,
        "revoked_subject": subject,
    }
    return Transition(pk, _unchanged_condition(found) & _equals("pending_events", found.pending_events), {**changes, **added})


def extend_revocation(found: ConnectionRecord, *, now: float, granted_at: float) -> Transition:
    """Let a revocation count from ``now`` on, before a token is invalidated that the provider may have given out again since.

    Where that token's grant, whose event has the time ``granted_at``, is newer than the revocation, it has another event: of those about
    one user the latest counts.
    """
    changes: dict[str, Any] = {"revoked_at": now, "ended_at": now}
    if granted_at > (found.revoked_at or 0.0):
        changes |= {"pending_events": (*(found.pending_events or ()), now), **outbox.entered(found.pk, now)}
    if found.ttl is not None:
        changes["ttl"] = int(now) + WISH_LIFETIME
    unchanged = _unchanged_condition(found) & _equals("pending_events", found.pending_events)
    return Transition(found.pk, unchanged & Attr("revoked_at").exists(), changes)


def lease_deletion(found: ConnectionRecord, *, now: float) -> Transition:
    """Let the caller write the secret; until ``WRITING`` has passed, nobody calls the deletion done."""
    unchanged = _unchanged_condition(found) & _equals("deletion_until", found.deletion_until)
    return Transition(found.pk, unchanged & Attr("deletion_pending").exists(), {"deletion_until": now + WRITING})


def await_deletion(found: ConnectionRecord) -> Transition:
    """Let the relay look again when nobody can be writing the secret any more."""
    same = _equals("deletion_until", found.deletion_until) & Attr("deletion_pending").exists() & Attr("outbox").exists()
    return Transition(found.pk, same, {"outbox_due": found.deletion_until})


def mark_deletion_done(found: ConnectionRecord) -> Transition:
    """Record that the secret is what this record says, if the record is still the same."""
    done = {"deletion_pending": None, "deletion_until": None}
    unchanged = _unchanged_condition(found) & _equals("deletion_until", found.deletion_until)
    if found.pending_events:
        return Transition(found.pk, unchanged & Attr("pending_events").exists(), done)
    return Transition(found.pk, unchanged & Attr("pending_events").not_exists(), {**done, **outbox.LEFT})


def mark_published(published: ConnectionRecord) -> Transition:
    """Remove the events from the record: these, and no others, were published."""
    same = _equals("pending_events", published.pending_events)
    if published.deletion_pending:
        return Transition(published.pk, same & Attr("deletion_pending").exists(), {"pending_events": None})
    return Transition(published.pk, same & Attr("deletion_pending").not_exists(), {"pending_events": None, **outbox.LEFT})


def postpone(found: ConnectionRecord, *, due: float) -> Transition:
    """Let the relay try the record again at ``due``, after a failure."""
    unchanged = _equals("outbox_due", found.outbox_due) & Attr("outbox").exists()
    return Transition(found.pk, unchanged, {"outbox_due": due, "outbox_tries": found.outbox_tries + 1})


def abandon(found: ConnectionRecord) -> Transition:
    """Leave the outbox with what can't be done: events are dropped, a pending deletion stays on record."""
    return Transition(found.pk, _equals("outbox_due", found.outbox_due), {"pending_events": None, **outbox.LEFT})


def _unchanged_condition(found: ConnectionRecord) -> ConditionBase:
    """Return the condition that the record still says the same about the secret."""
    return _equals("grant_id", found.grant_id) & _equals("revoked_at", found.revoked_at)


def _equals(name: str, value: Any) -> ConditionBase:
    return Attr(name).not_exists() if value is None else Attr(name).eq(value)
