"""The move of users' tokens between Secrets Manager and the table: whose may be moved, and the conditional updates.

A connection names one place, and each update that changes it holds only while grant, revocation and place are as they were read. While a
move may be writing the secret, the connection's deletion is pending, as after a disconnect: one writer at a time has it
(``deletion_until``), and the relay looks afterwards whether the secret is as the connection says.
"""

import functools
import operator
from enum import StrEnum

from boto3.dynamodb.conditions import ConditionBase

from tripod_flow.rules import outbox
from tripod_flow.rules.conditions import equals
from tripod_flow.rules.connection import WRITING, ConnectionRecord
from tripod_flow.rules.transitions import Transition

_SAME = ("grant_id", "stored_grant_id", "revoked_at", "secret_version", "sealed_tokens", "deletion_until")
RESERVE = 30.0  # seconds of the lease that the last call and its repetitions may take; with less left, nothing is written


class Place(StrEnum):
    """Where a connection's tokens are."""

    NOWHERE = "nowhere"  # the user is not connected
    ON_THEIR_WAY = "on their way"  # a grant that is being stored
    SECRET = "secret"  # noqa: S105  # a place, not what is kept there
    TABLE = "table"


def place(found: ConnectionRecord | None) -> Place:
    """Return where the tokens of a connection are."""
    if found is None or found.grant_id is None or not found.is_connection:
        return Place.NOWHERE
    if found.stored_grant_id != found.grant_id or (found.sealed_tokens is None) is (found.secret_version is None):
        return Place.ON_THEIR_WAY
    return Place.TABLE if found.secret_version is None else Place.SECRET


def is_being_written(found: ConnectionRecord, *, now: float) -> bool:
    """Return True while somebody may be writing the secret, or deleting it."""
    return found.deletion_pending is not None and (found.deletion_until or 0.0) > now


def has_time(leased_until: float, *, now: float) -> bool:
    """Return True while the holder of a lease may begin another write; one that was suspended for too long may not."""
    return now < leased_until - RESERVE


def is_same(one: ConnectionRecord | None, other: ConnectionRecord | None) -> bool:
    """Return True if two looks at a connection say the same about the tokens, and about who may be writing the secret."""
    return None not in (one, other) and all(getattr(one, name) == getattr(other, name) for name in _SAME)


def seal(found: ConnectionRecord, sealed: bytes, *, now: float) -> Transition:
    """Keep the tokens of ``found`` sealed in the table. The caller is to delete the secret, as the holder of the lease."""
    leasing = lease(found, now=now)
    return Transition(found.pk, leasing.condition, {**leasing.changes, "sealed_tokens": sealed, "secret_version": None})


def lease(found: ConnectionRecord, *, now: float) -> Transition:
    """Let the caller write the secret, or delete it, until ``WRITING`` has passed; then the relay looks."""
    until = round(now + WRITING, 3)
    entered = outbox.entered(found.pk, now) | {"outbox_due": until} if found.outbox is None else {}
    changes = {"deletion_pending": True, "deletion_until": until, **entered}
    return Transition(found.pk, _unchanged(found) & equals("outbox", found.outbox), changes)


def unseal(leased: ConnectionRecord, secret_version: str) -> Transition:
    """Let the secret, which the caller has written under its lease, be what is read."""
    return Transition(leased.pk, _unchanged(leased), {"sealed_tokens": None, "secret_version": secret_version})


def _unchanged(found: ConnectionRecord) -> ConditionBase:
    return functools.reduce(operator.and_, (equals(name, getattr(found, name)) for name in _SAME))
