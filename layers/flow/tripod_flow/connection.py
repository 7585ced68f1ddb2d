"""A connection: the lasting fact that this user of this provider has granted access. The record, and the rules of its changes."""

from dataclasses import dataclass

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod_flow.authorization import Authorization
from tripod_flow.transition import Transition


@dataclass(frozen=True, slots=True)
class Connection:
    """The record, as it stands in the table; times in epoch seconds."""

    pk: str
    provider: str
    user_id: str
    grant: str  # which grant it speaks of: the claim id of the authorization that made it
    version: str  # the version of the user's secret that holds this grant's tokens
    granted_at: float
    screen_name: str | None = None
    connected_to: str | None = None  # the provider, while connected: the key of the index that lists users
    revoked_at: float | None = None


def key(provider: str, user_id: str) -> str:
    """Return the table's key of a connection."""
    return f"connection#{provider}#{user_id}"


def connect(grant: Authorization, version: str) -> Transition:
    """Say that ``grant`` is the user's newest, unless the record knows of a newer one or of a later revocation.

    The same grant may be said again: whoever finishes what another began repeats it.
    """
    newest = Attr("granted_at").lt(grant.granted_at) | Attr("grant").eq(grant.claim_id)
    unrevoked = Attr("revoked_at").not_exists() | Attr("revoked_at").lt(grant.granted_at)
    return Transition(
        key(grant.provider, grant.user_id or ""),
        Attr("pk").not_exists() | (newest & unrevoked),
        {
            "provider": grant.provider,
            "user_id": grant.user_id,
            "screen_name": grant.screen_name,
            "connected_to": grant.provider,
            "grant": grant.claim_id,
            "version": version,
            "granted_at": grant.granted_at,
            "revoked_at": None,
        },
    )


def names(grant: Authorization) -> ConditionBase:
    """Return the condition that the connection still speaks of ``grant``, unrevoked."""
    return Attr("grant").eq(grant.claim_id) & Attr("revoked_at").not_exists()
