import json
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.world import Sandbox
from tests.support.waiting import eventually


@pytest.fixture
def name() -> str:
    return uuid4().hex


def events(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    """Return the stream events that a function was invoked with, of those that are about ``name``."""
    printed = [json.loads(line)["event"] for line in sandbox.logs.lines if line.startswith("{") and name in line]
    return [event for event in printed if event.get("Records")]


def batches(sandbox: Sandbox, name: str) -> list[list[str]]:
    """Return the same as the keys' last parts."""
    return [
        [record["dynamodb"]["Keys"]["pk"]["S"].rpartition("#")[2] for record in event["Records"]]
        for event in events(sandbox, name)
    ]


def write(sandbox: Sandbox, *keys: str) -> None:
    """Write items in one call, so that one look at the stream finds them all."""
    requests = [{"PutRequest": {"Item": {"pk": {"S": key}}}} for key in keys]
    sandbox.client("dynamodb").batch_write_item(RequestItems={sandbox.table: requests})


def test_a_record_is_what_lambda_gives_and_holds_keys_alone(told: Sandbox, name: str) -> None:
    item = {"pk": {"S": f"listen#{name}"}, "secret": {"S": "not in the stream"}}
    told.client("dynamodb").put_item(TableName=told.table, Item=item)
    told.settle()
    ((record,),) = [event["Records"] for event in events(told, name)]
    change = record.pop("dynamodb")
    assert len(record.pop("eventID")) == 32
    assert record == {
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "eventSourceARN": told.template.attribute("Items", "StreamArn"),
    }
    assert change.keys() == {"StreamViewType", "ApproximateCreationDateTime", "SequenceNumber", "SizeBytes", "Keys"}
    assert (change["StreamViewType"], change["Keys"]) == ("KEYS_ONLY", {"pk": {"S": f"listen#{name}"}})
    assert abs(change["ApproximateCreationDateTime"] - time.time()) < 10
    assert change["SequenceNumber"].isdigit()


def test_records_come_in_order_in_batches_through_the_filter(told: Sandbox, name: str) -> None:
    write(told, *(f"{kind}#{name}#{number}" for number in range(4) for kind in ("listen", "other")))
    key = {"pk": {"S": f"listen#{name}#0"}}
    told.client("dynamodb").update_item(
        TableName=told.table, Key=key, UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": {"S": "1"}}
    )
    told.settle()
    told.client("dynamodb").delete_item(TableName=told.table, Key=key)
    told.settle()
    assert batches(told, name) == [["0", "1", "2"], ["3"], ["0"]]
    assert events(told, name)[-1]["Records"][0]["eventName"] == "REMOVE"


def test_a_write_reaches_the_function_within_a_fifth_of_a_second(told: Sandbox, name: str) -> None:
    delays = []
    for number in range(3):  # the machine may be busy with something else at one of them
        written = time.monotonic()
        write(told, f"listen#{name}#{number}")
        assert eventually(lambda expected=number + 1: len(batches(told, name)) == expected)  # type: ignore[misc]  # mypy: a default
        delays.append(time.monotonic() - written)
        told.settle()
    assert min(delays) < 0.2


def test_a_transaction_is_told_and_one_that_was_rolled_back_is_not(told: Sandbox, name: str) -> None:
    items = told.client("dynamodb")
    put = {"TableName": told.table, "ConditionExpression": "attribute_not_exists(pk)"}
    write(told, f"listen#{name}#first")
    for suffixes in (["a", "first"], ["b", "c"]):
        parts = [{"Put": {**put, "Item": {"pk": {"S": f"listen#{name}#{suffix}"}}}} for suffix in suffixes]
        try:
            items.transact_write_items(TransactItems=parts)
        except items.exceptions.TransactionCanceledException:
            assert suffixes == ["a", "first"]
    told.settle()
    assert [key for batch in batches(told, name) for key in batch] == ["first", "b", "c"]


def test_a_write_that_changes_nothing_is_not_told(told: Sandbox, name: str) -> None:
    setting = {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "1"}}}
    for _ in range(2):
        write(told, f"fragile#{name}")
        write(told, f"fragile#{name}")
        for _ in range(2):
            told.client("dynamodb").update_item(TableName=told.table, Key={"pk": {"S": f"fragile#{name}"}}, **setting)
    told.settle()
    names = [record["eventName"] for event in events(told, name) for record in event["Records"]]
    assert names == ["INSERT", "MODIFY", "MODIFY", "MODIFY"]  # put, set, put without it, set


@pytest.mark.parametrize("way", ["raise", "exit", "sleep"])
def test_a_poisoned_record_is_isolated_and_given_up_and_the_others_are_told(told: Sandbox, name: str, way: str) -> None:
    write(told, f"fragile#{name}#1", f"fragile#{name}#{way}", f"fragile#{name}#2")
    told.settle()
    assert batches(told, name) == [["1", way, "2"], ["1"], [way, "2"], [way], [way], ["2"]]
    sqs, url = told.client("sqs"), told.template.attribute("Dead", "QueueUrl")
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    told_of = json.loads(message["Body"])
    poisoned = events(told, name)[3]["Records"][0]["dynamodb"]["SequenceNumber"]
    assert told_of["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told_of["requestContext"]["functionArn"].endswith(":function:told-fragile")
    assert told_of["DDBStreamBatchInfo"]["batchSize"] == 1
    assert told_of["DDBStreamBatchInfo"]["startSequenceNumber"] == poisoned


def test_a_reported_failure_is_tried_again_from_there_and_settling_waits_for_no_window(told: Sandbox, name: str) -> None:
    write(told, *(f"report#{name}#{last}" for last in ("1", "once", "2")))
    told.settle()
    assert batches(told, name) == [["1", "once", "2"], ["once", "2"]]


def test_what_the_stream_lost_is_never_told(told: Sandbox, name: str) -> None:
    write(told, f"listen#{name}#before")
    with told.streams_lost():
        write(told, f"listen#{name}#within")
    write(told, f"listen#{name}#after")
    told.settle()
    assert batches(told, name) == [["before"], ["after"]]


def test_no_fault_strikes_the_poller_and_its_calls_are_not_on_record(told: Sandbox, name: str) -> None:
    fault = told.aws_server.fault("dynamodb", "*", "denied", match=told.template.attribute("Items", "StreamArn"))
    write(told, f"listen#{name}")
    told.settle()
    told.aws_server.disarm()
    assert batches(told, name) == [[name]]
    assert fault.strikes == 0
    assert {"GetRecords", "GetShardIterator", "DescribeStream"}.isdisjoint(call.operation for call in told.aws_server.calls)


def test_without_streams_nothing_is_told(path: Path, name: str) -> None:
    with Sandbox(template=path, streams=False) as silent:
        write(silent, f"listen#{name}")
        silent.settle()
        assert silent.functions.invoke("told-listen", {}).error is None
        assert events(silent, name) == []


def test_an_aws_that_runs_already_is_looked_at_now_and_then(told: Sandbox, path: Path, name: str) -> None:
    with Sandbox(template=path, aws_url=told.aws, parameters={"Prefix": "other"}) as other:
        write(other, f"listen#{name}")
        assert eventually(lambda: batches(other, name))
        write(other, f"listen#{name}#2")
        other.settle()
        assert batches(other, name) == [[name], ["2"]]
        assert other.events == []


def test_settling_that_takes_too_long_is_an_error(path: Path, name: str) -> None:
    with Sandbox(template=path) as sandbox:
        write(sandbox, f"listen#{name}#sleep")
        with pytest.raises(TimeoutError, match="told-listen"):
            sandbox.settle(0.2)


def test_stopping_ends_a_batch_in_progress_at_once_and_gives_nothing_up(path: Path, name: str) -> None:
    before = threading.active_count()
    with Sandbox(template=path) as sandbox:
        write(sandbox, f"listen#{name}#sleep", f"fragile#{name}#sleep")
        assert eventually(lambda: len(list((path.parent / "listen").glob(f"told-*{name}-sleep"))) == 2)  # both have begun
        began = time.monotonic()
    assert time.monotonic() - began < 1
    assert threading.active_count() <= before
    assert len(events(sandbox, name)) == 2  # each was tried once
