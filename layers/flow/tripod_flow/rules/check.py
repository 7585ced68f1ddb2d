"""A check: what the provider says about a connection's token, and what the record then says.

What counts is when the provider was asked. A check that crosses a new grant, a disconnect or a later check changes nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod.provider_errors import Cause, Refusal
from tripod_flow.rules import outbox
from tripod_flow.rules.conditions import equals
from tripod_flow.rules.connection import MOST_EVENTS, REFUSED, RESTORED, ConnectionRecord, PendingEvent
from tripod_flow.rules.transitions import Transition

LEASE = 60.0  # seconds; longer than a check may take: one connection's checks are so far apart at least
REPORTS_REST = 900.0  # seconds after a check in which a report starts none

_REVOKED = frozenset({"89", "token_revoked", "token_rejected", "token_expired"})  # X's code, and OAuth Problem Reporting's words
_TOLD_BY_401 = (400, 401, 403)
_OF_THE_USER = frozenset({Cause.PERMISSIONS, Cause.USER_SUSPENDED, Cause.USER_LOCKED})


class Health(StrEnum):
    """Whether a connection works, as far as it is known."""

    CONNECTED = "connected"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has found: ``cause`` of a refusal; ``UNKNOWN`` proves nothing, and changes nothing."""

    health: Health
    cause: Cause | None = None
    checked_at: float | None = None  # epoch seconds


NOTHING = Finding(Health.UNKNOWN)


def recorded(found: ConnectionRecord) -> Finding:
    """Return what the record says."""
    return Finding(
        Health.REFUSED if found.refused_by else Health.CONNECTED, found.cause if found.refused_by else None, found.checked_at
    )


def meaning(refusal: Refusal) -> Finding:
    """Return what a provider's refusal to say whose token it is means. Only what can't mean anything else is a refusal of the token."""
    said = refusal.cause in (Cause.TOKEN_REVOKED, Cause.REQUEST_TOKEN_REJECTED) and refusal.word in _REVOKED
    if said and refusal.status in _TOLD_BY_401:
        return Finding(Health.REFUSED, Cause.TOKEN_REVOKED)
    if refusal.cause in _OF_THE_USER and refusal.status == 403:
        return Finding(Health.REFUSED, refusal.cause)
    return NOTHING


def has_expired(found: ConnectionRecord, *, now: float) -> bool:
    """Return True if the current grant's token has ended, as the provider said it would."""
    return found.token_expires_at is not None and found.token_expires_at <= now


def has_its_tokens(found: ConnectionRecord) -> bool:
    """Return True if what is kept are the current grant's tokens for certain; otherwise a refusal may be an earlier one's."""
    return found.grant_id is not None and found.stored_grant_id == found.grant_id


def is_news(found: ConnectionRecord, *, now: float) -> bool:
    """Return True if a report that the provider refuses the token is worth a check."""
    return found.refused_by is None and not (found.checked_at is not None and found.checked_at > now - REPORTS_REST)


def lease_check(found: ConnectionRecord, *, now: float) -> Transition:
    """Let the caller ask the provider; nobody else does for ``LEASE`` seconds, whatever it answers."""
    free = Attr("check_after").not_exists() | Attr("check_after").lte(now)
    return Transition(found.pk, _current(found) & free, {"check_after": now + LEASE})


def is_answered(found: ConnectionRecord) -> bool:
    """Return True if whoever asked last had an answer that proves something, or the connection is refused."""
    if found.refused_by is not None:
        return True
    before = (found.check_after or 0.0) - LEASE - 0.001
    return found.checked_at is not None and found.checked_at > before


def record(found: ConnectionRecord, finding: Finding, *, since: float, now: float) -> Transition:
    """Record what a provider, asked at ``since``, has said; a change of state is told.

    Before a refusal, a restoration by a new grant that has not been told for certain: whoever tells of the grant finds it no longer.
    """
    unchecked = Attr("checked_at").not_exists() | Attr("checked_at").lt(since)
    same = _current(found) & unchecked & equals("refused_by", found.refused_by)
    changes: dict[str, Any] = {"checked_at": since}
    events: tuple[PendingEvent, ...]
    if finding.health is Health.REFUSED:
        changes |= {"cause": finding.cause}
        if found.refused_by is not None:
            return Transition(found.pk, same, changes)
        changes |= {"refused_by": found.provider, "refused_at": now}
        events = (PendingEvent(now, found.subject, None, REFUSED, found.labels or (), finding.cause),)
        if is_restored_by_grant(found):
            events = (restoration(found), *events)
    elif found.refused_by is not None:
        changes |= {"refused_by": None, "refused_at": None, "cause": None}
        events = (PendingEvent(now, found.subject, None, RESTORED, found.labels or ()),)
    else:
        return Transition(found.pk, same, changes)
    told = equals("pending_events", found.pending_events) & equals("outbox", found.outbox)
    changes |= {"outbox_due": now} if found.outbox else outbox.entered(found.pk, now)
    return Transition(
        found.pk, same & told, {**changes, "pending_events": (*(found.pending_events or ()), *events)[-MOST_EVENTS:]}
    )


def is_overtaken(found: ConnectionRecord | None, asked: ConnectionRecord, *, since: float) -> bool:
    """Return True if what was found about ``asked`` is no longer news: another grant, a disconnect, or a later check."""
    if found is None or found.grant_id != asked.grant_id or found.revoked_at is not None:
        return True
    return found.checked_at is not None and found.checked_at >= since


def is_restored_by_grant(found: ConnectionRecord) -> bool:
    """Return True if a new grant has restored the connection, and nobody has told so for certain."""
    return found.refused_at is not None and found.refused_by is None


def restoration(found: ConnectionRecord) -> PendingEvent:
    """Return the event that a new grant has restored the connection: the same each time, and later than that of the refusal.

    The grant may count from before the refusal, which was recorded while it was on its way.
    """
    refused_at = found.refused_at or 0.0
    at = max(found.granted_at or 0.0, round(refused_at + 0.001, 3))
    return PendingEvent(at, found.subject, None, RESTORED, found.labels or (), of=refused_at)


def mark_restored(found: ConnectionRecord) -> Transition:
    """Record that the restoration by a new grant is told."""
    same = Attr("refused_at").eq(found.refused_at) & Attr("refused_by").not_exists()
    return Transition(found.pk, same, {"refused_at": None, "cause": None})


def _current(found: ConnectionRecord) -> ConditionBase:
    return equals("grant_id", found.grant_id) & Attr("revoked_at").not_exists()
