import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.runtime.functions import UnknownFunctionError
from sandbox.world import Sandbox
from tests.support.waiting import eventually

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Prefix: {Type: String, Default: told}
Globals:
  Function: {Handler: handler.handler, Timeout: 20, CodeUri: listen/}
Resources:
  Listen:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-listen"
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 3
            FilterCriteria:
              Filters: [{Pattern: '{"eventName": ["INSERT", "REMOVE"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "listen#"}]}}}}'}]
  Fragile:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-fragile"
      Timeout: 0.4
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: LATEST
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 1
            MaximumRecordAgeInSeconds: 3600
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
            FilterCriteria: {Filters: [{Pattern: '{"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "fragile#"}]}}}}'}]}
  Reporting:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-reporting"
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: LATEST
            MaximumBatchingWindowInSeconds: 30
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: [{Pattern: '{"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "report#"}]}}}}'}]}
  Ticked:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-ticked"
      Events:
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
  TickedToo:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-ticked-too"
      Events:
        Tick: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(2 hours), Name: sweep}}
        Never: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), Enabled: false}}
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: KEYS_ONLY}
  Dead:
    Type: AWS::SQS::Queue
"""

LISTEN = """
import json, os, time
seen = set()
def handler(event, context):
    records = event.get("Records", [])
    print(json.dumps({"function": context.function_name, "event": event}))
    keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in records]
    if any("raise" in key for key in keys): raise LookupError("poison")
    if any("exit" in key for key in keys): os._exit(3)
    if any("sleep" in key for key in keys):
        open("-".join([context.function_name, *keys]).replace("#", "-"), "w").close()
        time.sleep(15)  # until it is ended
    failed = [record for record, key in zip(records, keys) if "once" in key and key not in seen]
    seen.update(keys)
    return {"batchItemFailures": [{"itemIdentifier": each["dynamodb"]["SequenceNumber"]} for each in failed]}
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("told")
    (folder / "listen").mkdir()
    (folder / "listen" / "handler.py").write_text(LISTEN)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder / "template.yaml"


@pytest.fixture(scope="module")
def told(path: Path) -> Iterator[Sandbox]:
    with Sandbox(template=path) as sandbox:
        yield sandbox


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


# Streams


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


# Schedules


def test_a_schedule_is_run_by_hand(told: Sandbox) -> None:
    for function in ("told-ticked", "Ticked"):
        outcome = told.run_schedule(function)
        assert (outcome.error, outcome.payload) == (None, {"batchItemFailures": []})
    event = json.loads(outcome.log)["event"]
    assert abs(time.mktime(time.strptime(event.pop("time"), "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime())) < 10
    assert len(event.pop("id")) == 36
    account = told.aws_server.account
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "region": "us-east-1",
        "resources": [f"arn:aws:events:us-east-1:{account}:rule/told-ticked"],
        "detail": {},
    }


def test_a_schedule_of_eventbridge_scheduler_sends_its_own_event(told: Sandbox) -> None:
    event = json.loads(told.run_schedule("told-ticked-too").log)["event"]
    assert (event["source"], event["detail"]) == ("aws.scheduler", "{}")
    assert event["resources"] == [f"arn:aws:scheduler:us-east-1:{told.aws_server.account}:schedule/default/sweep"]


@pytest.mark.parametrize("name", [None, "told-listen"])
def test_which_schedule_must_be_clear(told: Sandbox, name: str | None) -> None:
    with pytest.raises(UnknownFunctionError):
        told.run_schedule(name)


def test_a_schedule_runs_by_itself_where_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.sources.schedule._UNITS", {"minute": 0.05, "hour": 3600.0, "day": 86400.0})
    with Sandbox(template=path, schedules=True) as sandbox:
        assert eventually(lambda: sum("told-ticked" in line for line in sandbox.logs.lines) > 1)
        assert "told-ticked-too" not in sandbox.logs.text
