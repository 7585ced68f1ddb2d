"""Events: what the stack tells the rest of the account, on its own event bus (EventBridge), and never a token.

At least once each; ``id`` is the same each time, so that a consumer can tell a repeat.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tripod_flow.authorization import Authorization
from tripod_flow.connection import Connection

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "tripod"


class NotPublished(Exception):  # it names what happened
    """EventBridge took the call and refused the entry."""


class Bus:
    """The event bus ``name``, through ``client``."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, record: Authorization | Connection) -> None:
        """Publish the event that ``record`` still owes; raises ``NotPublished`` or botocore's ``ClientError``."""
        kind, happened = record.unsent or "", _happened(record)
        answer = self._client.put_events(
            Entries=[
                {
                    "EventBusName": self._name,
                    "Source": SOURCE,
                    "DetailType": kind,
                    "Time": datetime.fromtimestamp(happened, UTC),
                    "Detail": json.dumps(detail(record)),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise NotPublished(answer["Entries"][0].get("ErrorCode", ""))


def detail(record: Authorization | Connection) -> dict[str, Any]:
    """Return an event's content: ``id``, provider, user_id, screen_name, subject, and ``time`` in epoch seconds."""
    happened = _happened(record)
    content: dict[str, Any] = {
        "id": hashlib.sha256(f"{record.pk} {record.unsent} {happened:.3f}".encode()).hexdigest()[:32],
        "provider": record.provider,
        "user_id": record.user_id,
        "screen_name": record.screen_name,
        "subject": record.subject,
        "time": round(happened, 3),
    }
    if isinstance(record, Authorization) and record.error is not None:
        content["error"] = record.error
    return content


def _happened(record: Authorization | Connection) -> float:
    """Return when what the event tells of happened, in epoch seconds."""
    if isinstance(record, Connection):
        return record.unsent_at or 0.0
    return record.granted_at or record.decided_at or 0.0
