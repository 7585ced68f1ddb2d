"""A connection: the lasting fact that this user of this provider has granted access. The record, and the rules of its changes.

It says what the user's secret must be: the tokens of ``version``, or, once revoked, nothing. Whoever changes the secret looks here
again afterwards; see ``custody``.
"""

from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod_flow.authorization import Authorization
from tripod_flow.progress import shard
from tripod_flow.transition import Transition

PREFIX = "connection#"


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
    unerased: bool | None = None  # a deletion was begun: the secret may not be what this record says
    unsent_at: tuple[float, ...] | None = None  # the revocations whose events are still to be published
    owed: str | None = None  # the shard of the owed index
    owed_since: float | None = None


def key(provider: str, user_id: str) -> str:
    """Return the table's key of a connection."""
    return f"{PREFIX}{provider}#{user_id}"


def connect(grant: Authorization, version: str) -> Transition:
    """Say that ``grant`` is the user's newest, unless the record knows of a newer one or of a later revocation.

    The same grant may be said again: whoever finishes what another began repeats it. A deletion that was begun stays noted.
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
        },
    )


def names(grant: Authorization) -> ConditionBase:
    """Return the condition that the connection still speaks of ``grant``, unrevoked."""
    return Attr("grant").eq(grant.claim_id) & Attr("revoked_at").not_exists()


def revoke(provider: str, user_id: str, standing: Connection | None, *, now: float) -> Transition:
    """Say that the user has disconnected, if the record is still as ``standing`` (None: there is none).

    Revoked already, it is said and told anew: what the user has consented to since is revoked as well.
    """
    pk = key(provider, user_id)
    changes: dict[str, Any] = {"revoked_at": now, "unerased": True, "owed": shard(pk), "owed_since": now}
    if standing is None:
        return Transition(pk, Attr("pk").not_exists(), {**changes, "provider": provider, "user_id": user_id, "unsent_at": (now,)})
    told = {"connected_to": None, "unsent_at": (*(standing.unsent_at or ()), now)}
    return Transition(pk, _unchanged(standing) & _is("unsent_at", standing.unsent_at), {**changes, **told})


def reconciled(standing: Connection) -> Transition:
    """Note that the secret is what this record says, if the record is still the same."""
    if standing.unsent_at:
        return Transition(standing.pk, _unchanged(standing) & Attr("unsent_at").exists(), {"unerased": None})
    return Transition(standing.pk, _unchanged(standing) & Attr("unsent_at").not_exists(), {"unerased": None, **_CLEAR})


def sent(published: Connection) -> Transition:
    """Take the events out of the record: these, and no others, were published."""
    same = _is("unsent_at", published.unsent_at)
    if published.unerased:
        return Transition(published.pk, same & Attr("unerased").exists(), {"unsent_at": None})
    return Transition(published.pk, same & Attr("unerased").not_exists(), {"unsent_at": None, **_CLEAR})


_CLEAR: dict[str, Any] = {"owed": None, "owed_since": None}


def _unchanged(standing: Connection) -> ConditionBase:
    """Return the condition that the record still says the same of the secret."""
    return _is("grant", standing.grant) & _is("revoked_at", standing.revoked_at)


def _is(name: str, value: Any) -> ConditionBase:
    return Attr(name).not_exists() if value is None else Attr(name).eq(value)
