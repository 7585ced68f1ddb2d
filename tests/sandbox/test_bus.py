import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.bus import PublishedEvent
from sandbox.world import Sandbox


@pytest.fixture(scope="module")
def bus(small: Sandbox) -> Any:
    return small.client("events")


@pytest.fixture
def kind() -> str:
    return f"kind.{uuid4().hex}"


@pytest.fixture(autouse=True)
def _no_fault_is_left(small: Sandbox) -> Iterator[None]:
    yield
    small.aws_server.disarm()


def entry(kind: str, **detail: Any) -> dict[str, Any]:
    return {"EventBusName": "small-bus", "Source": "small", "DetailType": kind, "Detail": json.dumps(detail)}


def published(small: Sandbox, kind: str) -> list[PublishedEvent]:
    return [event for event in small.events if event.detail_type == kind]


def test_published_events_are_kept_in_order(small: Sandbox, bus: Any, kind: str) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    answer = bus.put_events(Entries=[{**entry(kind, n=1), "Time": moment}, entry(kind, n=2)])
    bus.put_events(Entries=[entry(kind, n=3)])
    first, second, third = published(small, kind)
    assert first == PublishedEvent(answer["Entries"][0]["EventId"], "small-bus", "small", kind, {"n": 1}, moment)
    assert [each.detail["n"] for each in (second, third)] == [2, 3]
    assert abs((second.time - datetime.now(UTC)).total_seconds()) < 10


@pytest.mark.parametrize("name", [None, "default", "arn"])
def test_a_bus_is_named_by_name_by_arn_or_not_at_all(small: Sandbox, bus: Any, kind: str, name: str | None) -> None:
    arn = small.template.attribute("Bus", "Arn")
    one = entry(kind) | {"EventBusName": arn if name == "arn" else name}
    bus.put_events(Entries=[{key: value for key, value in one.items() if value}])
    assert [each.bus for each in published(small, kind)] == ["small-bus" if name == "arn" else "default"]


@pytest.mark.parametrize("name", ["small-buss", "arn:aws:events:us-east-1:123456789012:event-bus/nobody"])
def test_an_event_for_a_bus_that_is_not_there_seems_accepted_and_is_dropped(
    small: Sandbox, bus: Any, kind: str, name: str
) -> None:
    answer = bus.put_events(Entries=[entry(kind, n=1), entry(kind) | {"EventBusName": name}, entry(kind, n=2)])
    assert (answer["FailedEntryCount"], ["EventId" in each for each in answer["Entries"]]) == (0, [True] * 3)
    assert [each.detail["n"] for each in published(small, kind)] == [1, 2]


@pytest.mark.parametrize("detail", ["[1]", '"text"', "{"])
def test_a_detail_that_is_no_object_fails_alone(small: Sandbox, bus: Any, kind: str, detail: str) -> None:
    answer = bus.put_events(Entries=[entry(kind) | {"Detail": detail}, entry(kind, n=1)])
    assert (answer["FailedEntryCount"], answer["Entries"][0]["ErrorCode"]) == (1, "MalformedDetail")
    assert [each.detail for each in published(small, kind)] == [{"n": 1}]


def test_entries_can_be_made_to_fail_alone(small: Sandbox, bus: Any, kind: str) -> None:
    fault = small.aws_server.fault("events", "PutEvents", "entry_failed", match="unlucky")
    entries = [entry(kind, who=who) for who in ("a", "unlucky", "b")]
    answer = bus.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 1
    assert [each.get("ErrorCode") for each in answer["Entries"]] == [None, "InternalFailure", None]
    assert [each.detail["who"] for each in published(small, kind)] == ["a", "b"]
    assert fault.strikes == 1
    bus.put_events(Entries=[entries[1]])
    assert [each.detail["who"] for each in published(small, kind)] == ["a", "b", "unlucky"]


def test_all_entries_can_be_made_to_fail(small: Sandbox, bus: Any, kind: str) -> None:
    small.aws_server.fault("events", "PutEvents", "entry_failed")
    answer = bus.put_events(Entries=[entry(kind), entry(kind)])
    assert (answer["FailedEntryCount"], len(answer["Entries"])) == (2, 2)
    assert published(small, kind) == []


def test_a_call_that_fails_wholly_publishes_nothing(small: Sandbox, bus: Any, kind: str) -> None:
    small.aws_server.fault("events", "PutEvents", "denied")
    with pytest.raises(ClientError, match="AccessDenied"):
        bus.put_events(Entries=[entry(kind)])
    assert published(small, kind) == []


def test_a_lost_answer_means_that_the_event_is_published_twice(small: Sandbox, bus: Any, kind: str) -> None:
    small.aws_server.fault("events", "PutEvents", "lost")
    bus.put_events(Entries=[entry(kind)])  # boto3 tries again by itself
    assert len(published(small, kind)) == 2


def test_a_function_reaches_the_bus_and_the_parameters(small: Sandbox, kind: str) -> None:
    instructions = {"do": "tell", "entry": entry(kind, n=1), "parameter": "/small/note"}
    outcome = small.functions.invoke("small-act", instructions)
    assert (outcome.error, outcome.payload) == (None, small.template.attribute("Items", "Arn"))
    assert [each.detail for each in published(small, kind)] == [{"n": 1}]
    (call,) = [each for each in small.aws_server.called("events", "PutEvents") if kind in str(each.parameters)]
    assert call.caller == "small-act"


def test_each_event_is_one_line_of_the_echo_and_no_functions_log(small: Sandbox, kind: str) -> None:
    echo = io.StringIO()
    small.logs._echo = echo
    try:
        small.client("events").put_events(Entries=[entry(kind, text="ü")])
    finally:
        small.logs._echo = None
    word, _, content = echo.getvalue().rstrip("\n").partition(" ")
    told = json.loads(content)
    assert (word, told["bus"], told["source"], told["detail-type"], told["detail"]) == (
        "event",
        "small-bus",
        "small",
        kind,
        {"text": "ü"},
    )
    assert kind not in small.logs.text
