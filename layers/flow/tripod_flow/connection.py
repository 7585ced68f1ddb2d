"""A connection: the lasting fact that this user of this provider has granted access. The record, and the rules of its changes."""

from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod_flow.authorization import Authorization
from tripod_flow.progress import shard
from tripod_flow.transition import Transition


@dataclass(frozen=True, slots=True)
class Connection:
    """The record, as it stands in the table; times in epoch seconds."""

    pk: str
    provider: str
    user_id: str
    grant: str | None = None  # which grant it speaks of: the claim id of the authorization that made it
    version: str | None = None  # the version of the user's secret that holds this grant's tokens
    granted_at: float | None = None
    screen_name: str | None = None
    subject: str | None = None
    connected_to: str | None = None  # the provider, while connected: the key of the index that lists users
    revoked_at: float | None = None
    unerased: bool = False  # revoked, and the secret may still be there
    unsent: str | None = None  # the event that is still to be published
    unsent_at: float | None = None  # when what it tells of happened
    owed: str | None = None  # the shard of the owed index
    owed_since: float | None = None


PREFIX = "connection#"


def key(provider: str, user_id: str) -> str:
    """Return the table's key of a connection."""
    return f"{PREFIX}{provider}#{user_id}"


def connect(grant: Authorization, version: str) -> Transition:
    """Say that ``grant`` is the user's newest, unless the record knows of a newer one or of a later revocation.

    The same grant may be said again: whoever finishes what another began repeats it.
    """
    newest = Attr("granted_at").not_exists() | Attr("granted_at").lt(grant.granted_at) | Attr("grant").eq(grant.claim_id)
    unrevoked = Attr("revoked_at").not_exists() | Attr("revoked_at").lt(grant.granted_at)
    return Transition(
        key(grant.provider, grant.user_id or ""),
        Attr("pk").not_exists() | (newest & unrevoked),
        {
            "provider": grant.provider,
            "user_id": grant.user_id,
            "screen_name": grant.screen_name,
            "subject": grant.subject,
            "connected_to": grant.provider,
            "grant": grant.claim_id,
            "version": version,
            "granted_at": grant.granted_at,
            "revoked_at": None,
            "unerased": None,
        },
    )


def names(grant: Authorization) -> ConditionBase:
    """Return the condition that the connection still speaks of ``grant``, unrevoked."""
    return Attr("grant").eq(grant.claim_id) & Attr("revoked_at").not_exists()


def revoke(provider: str, user_id: str, version: str | None, *, now: float) -> Transition:
    """Say that the tokens of ``version`` are void; the record may be missing, and must not speak of newer tokens.

    ``version`` None: there were no tokens any more.
    """
    ours = Attr("version").not_exists() if version is None else Attr("version").not_exists() | Attr("version").eq(version)
    return Transition(
        key(provider, user_id),
        Attr("pk").not_exists() | (ours & Attr("revoked_at").not_exists()),
        {
            "provider": provider,
            "user_id": user_id,
            "connected_to": None,
            "revoked_at": now,
            "unerased": True,
            "unsent": "connection.revoked",
            "unsent_at": now,
            **_owed(key(provider, user_id), now),
        },
    )


def erased(revoked: Connection) -> Transition:
    """Note that the secret of a revoked connection is gone, if it is still revoked."""
    standing = Attr("revoked_at").eq(revoked.revoked_at)
    if revoked.unsent is None:
        return Transition(revoked.pk, standing & Attr("unsent").not_exists(), {"unerased": None, **_CLEAR})
    return Transition(revoked.pk, standing & Attr("unsent").exists(), {"unerased": None})


def sent(published: Connection) -> Transition:
    """Take the event out of the record: it was published."""
    same = Attr("unsent_at").eq(published.unsent_at)
    taken = {"unsent": None, "unsent_at": None}
    if published.unerased:
        return Transition(published.pk, same & Attr("unerased").exists(), taken)
    return Transition(published.pk, same & Attr("unerased").not_exists(), {**taken, **_CLEAR})


_CLEAR: dict[str, Any] = {"owed": None, "owed_since": None}


def _owed(pk: str, now: float) -> dict[str, Any]:
    return {"owed": shard(pk), "owed_since": now}
