"""Events: what the stack tells the rest of the account, on its own event bus (EventBridge), and never a token.

At least once each; ``id`` is the same each time, so that a consumer can tell a repeat.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tripod_flow.authorization import Authorization
from tripod_flow.connection import Connection

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "tripod"
MOST = 10  # entries that one call takes


class NotPublished(Exception):  # it names what happened
    """EventBridge took the call and refused an entry."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its kind, when what it tells of happened (epoch seconds), and its content."""

    kind: str
    time: float
    detail: dict[str, Any]


class Bus:
    """The event bus ``name``, through ``client``."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, events: Sequence[Event]) -> None:
        """Publish ``events``; raises ``NotPublished`` or botocore's ``ClientError`` unless all were taken."""
        for start in range(0, len(events), MOST):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._name,
                        "Source": SOURCE,
                        "DetailType": event.kind,
                        "Time": datetime.fromtimestamp(event.time, UTC),
                        "Detail": json.dumps(event.detail),
                    }
                    for event in events[start : start + MOST]
                ]
            )
            if answer["FailedEntryCount"]:
                codes = {entry.get("ErrorCode", "") for entry in answer["Entries"]} - {""}
                raise NotPublished(", ".join(sorted(codes)))


def owed_by(record: Authorization | Connection) -> list[Event]:
    """Return the events that ``record`` still owes."""
    if isinstance(record, Connection):
        return [_event(record, "connection.revoked", at) for at in record.unsent_at or ()]
    if record.unsent is None:
        return []
    event = _event(record, record.unsent, record.granted_at or record.decided_at or 0.0)
    if record.error is not None:
        event.detail["error"] = record.error
    return [event]


def _event(record: Authorization | Connection, kind: str, at: float) -> Event:
    detail = {
        "id": hashlib.sha256(f"{record.pk} {kind} {at:.3f}".encode()).hexdigest()[:32],
        "provider": record.provider,
        "user_id": record.user_id,
        "screen_name": record.screen_name,
        "subject": record.subject,
        "time": round(at, 3),
    }
    return Event(kind, at, detail)
