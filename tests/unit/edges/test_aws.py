"""No call to AWS outlasts the invocation, whatever the answer does; what another transaction was in the way of is tried again."""

import signal
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ReadTimeoutError

from sandbox.aws.credentials import ACCESS_KEY, SECRET_KEY
from sandbox.aws.server import AwsServer
from tripod_flow.edges import aws, deadline
from tripod_flow.edges.aws import OutOfTime, UnreadableResponse
from tripod_flow.edges.deadline import Deadline


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    server = AwsServer()
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    yield server
    server.stop()


def ending_in(seconds: float) -> Deadline:
    """Return a deadline that leaves so many seconds for work."""
    ends = Deadline()
    ends.set((seconds + deadline.RESERVE) * 1000)
    return ends


def test_an_answer_that_drips_is_cut_off_and_tried_again(server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "ATTEMPT", 0.3)
    fault = server.fault("secretsmanager", "ListSecrets", "drip", times=2)
    assert aws.client("secretsmanager", Deadline()).list_secrets()["SecretList"] == []
    assert fault.strikes == 2


def test_the_last_attempt_ends_with_the_invocation(server: AwsServer) -> None:
    fault = server.fault("secretsmanager", "ListSecrets", "drip", times=99)
    with pytest.raises((OutOfTime, ReadTimeoutError)):
        aws.client("secretsmanager", ending_in(0.5)).list_secrets()
    assert fault.strikes == 1


def test_without_time_nothing_is_asked(server: AwsServer) -> None:
    with pytest.raises(OutOfTime):
        aws.client("secretsmanager", ending_in(0)).list_secrets()
    assert server.calls == []


@pytest.mark.usefixtures("server")
def test_the_time_of_one_invocation_is_not_that_of_the_next() -> None:
    ends = ending_in(0)
    client = aws.client("secretsmanager", ends)
    with pytest.raises(OutOfTime):
        client.list_secrets()
    ends.set(20_000)
    assert client.list_secrets()["SecretList"] == []


def test_a_refusal_is_not_tried_again(server: AwsServer) -> None:
    with pytest.raises(ClientError):
        aws.client("secretsmanager", Deadline()).get_secret_value(SecretId="absent")
    assert len(server.calls) == 1


_SET = {
    "TableName": "t",
    "Key": {"pk": {"S": "a"}},
    "UpdateExpression": "SET b = :b",
    "ExpressionAttributeValues": {":b": {"S": "c"}},
}
WRITES: dict[str, dict[str, Any]] = {
    "PutItem": {"TableName": "t", "Item": {"pk": {"S": "a"}}},
    "UpdateItem": _SET,
    "TransactWriteItems": {"TransactItems": [{"Update": _SET}]},
}


@pytest.mark.parametrize("operation", WRITES)
def test_a_write_is_tried_again_when_another_transaction_was_in_its_way(server: AwsServer, operation: str) -> None:
    client = aws.client("dynamodb", Deadline())
    boto3.client("dynamodb").create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    client.put_item(TableName="t", Item={"pk": {"S": "a"}})
    fault = server.fault("dynamodb", operation, "conflict", times=aws.ATTEMPTS - 1)
    write = getattr(client, xform_name(operation))
    write(**WRITES[operation])
    assert fault.strikes == aws.ATTEMPTS - 1

    server.fault("dynamodb", operation, "conflict", times=aws.ATTEMPTS)
    with pytest.raises(ClientError, match="Transaction"):
        write(**WRITES[operation])
    write(**WRITES[operation])  # no fault is left


def test_what_is_not_aws_answer_is_no_success(server: AwsServer) -> None:
    server.fault("secretsmanager", "ListSecrets", "garbage")
    client = aws.client("secretsmanager", Deadline())
    with pytest.raises(UnreadableResponse):
        client.list_secrets()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert client.list_secrets()["SecretList"] == []
