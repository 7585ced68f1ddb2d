"""Events: published on the stack's own event bus (EventBridge), without any token.

Each at least once; ``id`` is the same each time, so that a consumer recognises a repeat.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord, PendingRevocation

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


def pending_events(record: Authorization | ConnectionRecord) -> list[OutgoingEvent]:
    """Return the events of ``record`` that are still to be published."""
    if isinstance(record, ConnectionRecord):
        return [_revoked_event(record, one) for one in record.pending_events or ()]
    if record.pending_event is None:
        return []
    event = _event(record, record.pending_event, record.granted_at or record.decided_at or 0.0, record.subject)
    if record.error is not None:
        event.detail["error"] = record.error
    if record.token_expires_at is not None and record.pending_event == "authorization.granted":
        event.detail["expires_at"] = record.token_expires_at
    return [event]


def _revoked_event(record: ConnectionRecord, revocation: PendingRevocation) -> OutgoingEvent:
    event = _event(record, "connection.revoked", revocation.at, revocation.subject)
    still_pending = revocation.invalidated is None and record.pending_invalidation is not None  # a new grant ends it
    event.detail["invalidated"] = "pending" if still_pending else bool(revocation.invalidated)
    return event


def _event(record: Authorization | ConnectionRecord, detail_type: str, at: float, subject: str | None) -> OutgoingEvent:
    detail = {
        "id": hashlib.sha256(f"{record.pk} {detail_type} {at:.3f}".encode()).hexdigest()[:32],
        "provider": record.provider,
        "user_id": record.user_id,
        "screen_name": record.screen_name,
        "subject": subject,
        "time": round(at, 3),
    }
    return OutgoingEvent(detail_type, at, detail)
