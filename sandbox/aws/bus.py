"""PutEvents on EventBridge's buses: which entries are accepted, and the events that they publish.

Sources: EventBridge's API reference, "PutEvents". An entry for a bus that does not exist is reported as accepted and
dropped (observed since 2022: aws/aws-sdk issue 186, aws/aws-cli issue 9186).
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends

from sandbox.aws.request import AwsRequest

Entry = dict[str, Any]

FAILED: Entry = {"ErrorCode": "InternalFailure", "ErrorMessage": "The entry was not accepted"}


@dataclass(frozen=True)
class PublishedEvent:
    """One accepted entry of PutEvents on a bus that exists."""

    id: str
    bus: str  # its name
    source: str
    detail_type: str
    detail: dict[str, Any]
    time: datetime

    def as_json(self) -> str:
        """Return the event on one line, named as EventBridge delivers it."""
        content = {"bus": self.bus, "source": self.source, "detail-type": self.detail_type, "detail": self.detail}
        return json.dumps({"id": self.id, **content, "time": self.time.isoformat()})


def held_back(request: AwsRequest, failing: str | None) -> dict[int, Entry]:
    """Return the entries of PutEvents that moto must not get, by index, each with its result; empty for any other call.

    An entry that contains ``failing`` is to fail; None lets all succeed.
    """
    if (request.service, request.operation) != ("events", "PutEvents"):
        return {}
    held = {}
    for index, entry in enumerate(request.parameters.get("Entries", [])):
        if failing is not None and failing in json.dumps(entry):
            held[index] = FAILED
        elif _is_no_object(entry.get("Detail")):
            held[index] = {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        elif _bus(entry) not in events_backends[request.account][request.region].event_buses:
            held[index] = {"EventId": str(uuid.uuid4())}
    return held


def _is_no_object(detail: Any) -> bool:
    try:
        return bool(detail) and not isinstance(json.loads(detail), dict)
    except (TypeError, ValueError):
        return False  # moto refuses it


def _bus(entry: Entry) -> str:
    return str(entry.get("EventBusName", "default")).rpartition("/")[2]


def without(body: bytes, held: dict[int, Entry]) -> bytes:
    """Return the body of PutEvents without the entries that are held back."""
    if not held:
        return body
    content = json.loads(body)
    content["Entries"] = [entry for index, entry in enumerate(content["Entries"]) if index not in held]
    return json.dumps(content).encode()


def completed(body: bytes, held: dict[int, Entry]) -> bytes:
    """Return the response with the held entries' results in their places."""
    if not held:
        return body
    entries: list[Entry] = json.loads(body)["Entries"]
    for index in sorted(held):
        entries.insert(index, held[index])
    return json.dumps({"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}).encode()


def published(request: AwsRequest, held: dict[int, Entry], body: bytes) -> list[PublishedEvent]:
    """Return the events that a call of PutEvents has published; ``body`` is its response."""
    if (request.service, request.operation) != ("events", "PutEvents"):
        return []
    entries = request.parameters["Entries"]
    answers: list[Entry] = json.loads(body)["Entries"]
    return [
        PublishedEvent(
            id=answer["EventId"],
            bus=_bus(entry),
            source=entry["Source"],
            detail_type=entry["DetailType"],
            detail=json.loads(entry["Detail"]),
            time=datetime.fromtimestamp(entry["Time"], UTC) if "Time" in entry else datetime.now(UTC),
        )
        for index, (entry, answer) in enumerate(zip(entries, answers, strict=True))
        if "EventId" in answer and index not in held
    ]
