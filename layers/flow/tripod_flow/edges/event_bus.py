"""Events: published on the stack's own event bus (EventBridge), without any token.

Each at least once; ``id`` is the same each time, so that a consumer recognises a repeat.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tripod_flow.rules import check
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import REFUSED, REVOKED, ConnectionRecord, PendingEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "tripod"
MAX_ENTRIES = 10  # of one call


class NotPublished(Exception):  # it names what happened
    """EventBridge took the call and refused an entry."""


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """One event: its detail-type, when it happened (epoch seconds), and its detail."""

    detail_type: str
    time: float
    detail: dict[str, Any]


class EventBus:
    """The event bus ``name``, through ``client``."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, events: Sequence[OutgoingEvent]) -> None:
        """Publish ``events``; raises ``NotPublished`` or botocore's ``ClientError`` unless all were accepted."""
        for start in range(0, len(events), MAX_ENTRIES):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._name,
                        "Source": SOURCE,
                        "DetailType": event.detail_type,
                        "Time": datetime.fromtimestamp(event.time, UTC),
                        "Detail": json.dumps(event.detail),
                    }
                    for event in events[start : start + MAX_ENTRIES]
                ]
            )
            if answer["FailedEntryCount"]:
                codes = {entry.get("ErrorCode", "") for entry in answer["Entries"]} - {""}
                raise NotPublished(", ".join(sorted(codes)))


def pending_events(record: Authorization | ConnectionRecord, connection: ConnectionRecord | None = None) -> list[OutgoingEvent]:
    """Return the events of ``record`` that are still to be published; ``connection`` is the one that a grant has made."""
    if isinstance(record, ConnectionRecord):
        return [_connection_event(record, one) for one in record.pending_events or ()]
    if record.pending_event is None:
        return []
    event = _event(record, record.pending_event, record.granted_at or record.decided_at or 0.0, record.subject, record.labels)
    if record.error is not None:
        event.detail["error"] = record.error
    if record.pending_event != "authorization.granted":
        return [event]
    if record.token_expires_at is not None:
        event.detail["expires_at"] = record.token_expires_at
    event.detail["reconnected"] = _was_known(connection, record)
    if connection is None or not check.is_restored_by_grant(connection):
        return [event]
    return [event, _connection_event(connection, check.restoration(connection))]


def _was_known(connection: ConnectionRecord | None, granted: Authorization) -> bool:
    """Return True if this user had granted access before."""
    first = connection.first_granted_at if connection else None
    return first is not None and first < (granted.granted_at or 0.0)


def _connection_event(record: ConnectionRecord, pending: PendingEvent) -> OutgoingEvent:
    event = _event(record, pending.kind, pending.at, pending.subject, pending.labels, of=pending.of)
    if pending.kind == REVOKED:
        still_pending = pending.invalidated is None and record.pending_invalidation is not None  # a new grant ends it
        event.detail["invalidated"] = "pending" if still_pending else bool(pending.invalidated)
    if pending.kind == REFUSED:
        event.detail["cause"] = pending.cause
    return event


def _event(
    record: Authorization | ConnectionRecord,
    detail_type: str,
    at: float,
    subject: str | None,
    labels: Sequence[str] | None,
    *,
    of: float | None = None,
) -> OutgoingEvent:
    """Return an event of ``at``; ``of`` is what its id is made of where that is another time."""
    detail = {
        "id": hashlib.sha256(f"{record.pk} {detail_type} {at if of is None else of:.3f}".encode()).hexdigest()[:32],
        "provider": record.provider,
        "user_id": record.user_id,
        "screen_name": record.screen_name,
        "subject": subject,
        "labels": list(labels or ()),
        "time": round(at, 3),
    }
    return OutgoingEvent(detail_type, at, detail)
