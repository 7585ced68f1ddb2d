"""The sandbox's AWS: an account of its own, the template's resources, every call on record."""

import socket
from typing import Any

from sandbox.aws.server import AwsServer
from sandbox.world import Sandbox
from tests.support.refusal import refused


def test_each_server_has_an_account_of_its_own(aws: AwsServer) -> None:
    other = AwsServer()
    other.stop()
    assert other.account != aws.account


def test_the_templates_other_resources_exist(small: Sandbox) -> None:
    description = small.client("dynamodb").describe_table(TableName=small.table)["Table"]
    assert small.client("ssm").get_parameter(Name="/small/note")["Parameter"]["Value"].endswith(f"table/{small.table}")
    assert small.client("events").describe_event_bus(Name="small-bus")["Name"] == "small-bus"
    assert "small-Dead" in small.client("sqs").list_queues()["QueueUrls"][0]
    assert small.template.attribute("Items", "StreamArn") == description["LatestStreamArn"]
    ttl = small.client("dynamodb").describe_time_to_live(TableName=small.table)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "ttl"


def test_every_call_is_on_record(small: Sandbox, aws: AwsServer, vault: Any, items: Any, name: str) -> None:
    vault.create_secret(Name=name, SecretString="v")
    refused(vault.get_secret_value, SecretId=f"{name}-other")
    items.get_item(TableName=small.table, Key={"pk": {"S": name}})
    checks = [
        {"ConditionCheck": {"TableName": small.table, "Key": {"pk": {"S": name}}, "ConditionExpression": "attribute_exists(a)"}}
    ]
    refused(items.transact_write_items, TransactItems=checks)
    calls = [(call.service, call.operation, call.resource, call.error) for call in aws.calls if name in call.resource]
    assert calls == [
        ("secretsmanager", "CreateSecret", name, None),
        ("secretsmanager", "GetSecretValue", f"{name}-other", "ResourceNotFoundException"),
        ("dynamodb", "GetItem", name, None),
        ("dynamodb", "TransactWriteItems", name, "TransactionCanceledException"),
    ]
    assert [call.operation for call in aws.called("dynamodb", "GetItem", name)] == ["GetItem"]


def test_a_call_on_record_tells_which_function_made_it(small: Sandbox, aws: AwsServer) -> None:
    small.functions.invoke("small-act", {"do": "call", "pk": "who-asks"})
    assert [call.caller for call in aws.called("dynamodb", "GetItem", "who-asks")] == ["small-act"]


def test_the_record_keeps_values_out_of_its_repr(aws: AwsServer, vault: Any, name: str) -> None:
    vault.create_secret(Name=name, SecretString="do-not-show")
    (call,) = aws.called("secretsmanager", "CreateSecret", name)
    assert call.parameters["SecretString"] == "do-not-show"
    assert "do-not-show" not in repr(call)


def test_a_request_of_a_client_that_died_while_it_was_sending_is_none(aws: AwsServer) -> None:
    host, port = aws.url.removeprefix("http://").split(":")
    before = len(aws.calls)
    with socket.create_connection((host, int(port)), timeout=5) as client:
        head = "POST / HTTP/1.1\r\nhost: aws\r\nx-amz-target: DynamoDB_20120810.GetItem\r\ncontent-length: 100\r\n\r\n"
        client.sendall(head.encode() + b'{"TableName":')
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert len(aws.calls) == before
