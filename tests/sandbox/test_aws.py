import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.aws.server import AwsServer
from sandbox.world import Sandbox
from tests.support.waiting import eventually


@pytest.fixture(scope="session")
def aws(small: Sandbox) -> AwsServer:
    return small.aws_server


@pytest.fixture(scope="session")
def vault(small: Sandbox) -> Any:
    return small.client("secretsmanager")


@pytest.fixture(scope="session")
def items(small: Sandbox) -> Any:
    return small.client("dynamodb")


@pytest.fixture
def name() -> str:
    return f"small/user/x/{uuid4().hex}"


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


def token(letter: str) -> str:
    return letter * 64


# Secrets Manager


@pytest.mark.parametrize("wrong", ["with space", "with:colon", "with%25", "ü", "x" * 513])
def test_a_secret_name_that_aws_forbids_is_refused(vault: Any, wrong: str) -> None:
    assert refused(vault.create_secret, Name=wrong, SecretString="v") == "ValidationException"


def test_a_secret_name_of_512_characters_is_taken(vault: Any) -> None:
    vault.create_secret(Name="A/a0_+=.@-" + uuid4().hex + "x" * 470, SecretString="v")


def test_a_value_above_64_kib_is_refused(vault: Any, name: str) -> None:
    assert refused(vault.create_secret, Name=name, SecretString="ü" * 32_769) == "ValidationException"
    vault.create_secret(Name=name, SecretString="x" * 65_536)
    assert refused(vault.put_secret_value, SecretId=name, SecretString="x" * 65_537) == "ValidationException"


def test_a_secret_scheduled_for_deletion_takes_no_write_until_restored(vault: Any, name: str) -> None:
    first = vault.create_secret(Name=name, SecretString="1")["VersionId"]
    second = vault.put_secret_value(SecretId=name, SecretString="2")["VersionId"]
    vault.delete_secret(SecretId=name)
    move = {"VersionStage": "AWSCURRENT", "MoveToVersionId": first, "RemoveFromVersionId": second}
    assert refused(vault.put_secret_value, SecretId=name, SecretString="3") == "InvalidRequestException"
    assert refused(vault.create_secret, Name=name, SecretString="3") == "InvalidRequestException"
    assert refused(vault.update_secret_version_stage, SecretId=name, **move) == "InvalidRequestException"
    assert refused(vault.get_secret_value, SecretId=name) == "InvalidRequestException"
    vault.restore_secret(SecretId=name)
    vault.put_secret_value(SecretId=name, SecretString="3")
    assert vault.get_secret_value(SecretId=name)["SecretString"] == "3"


def test_a_secret_scheduled_for_deletion_is_described_and_not_deleted_again(vault: Any, name: str) -> None:
    vault.create_secret(Name=name, SecretString="1")
    assert "DeletedDate" not in vault.describe_secret(SecretId=name)
    date = vault.delete_secret(SecretId=name, RecoveryWindowInDays=7)["DeletionDate"]
    assert timedelta(days=6) < date - datetime.now(UTC) <= timedelta(days=7)
    assert vault.describe_secret(SecretId=name)["DeletedDate"] == date
    assert refused(vault.delete_secret, SecretId=name, RecoveryWindowInDays=7) == "InvalidRequestException"
    vault.restore_secret(SecretId=name)
    assert "DeletedDate" not in vault.describe_secret(SecretId=name)
    vault.delete_secret(SecretId=name, RecoveryWindowInDays=30)


@pytest.mark.parametrize(("days", "code"), [(6, "InvalidParameterException"), (31, "InvalidParameterException")])
def test_a_recovery_window_is_7_to_30_days(vault: Any, name: str, days: int, code: str) -> None:
    vault.create_secret(Name=name, SecretString="1")
    assert refused(vault.delete_secret, SecretId=name, RecoveryWindowInDays=days) == code


def test_a_secret_that_never_was_cannot_be_deleted_or_restored(vault: Any, name: str) -> None:
    assert refused(vault.delete_secret, SecretId=name, RecoveryWindowInDays=7) == "ResourceNotFoundException"
    assert refused(vault.restore_secret, SecretId=name) == "ResourceNotFoundException"


def test_a_put_with_a_known_token_and_content_changes_nothing(vault: Any, name: str) -> None:
    vault.create_secret(Name=name, SecretString="1", ClientRequestToken=token("a"))
    vault.put_secret_value(SecretId=name, SecretString="2", ClientRequestToken=token("b"))
    repeated = vault.put_secret_value(SecretId=name, SecretString="1", ClientRequestToken=token("a"))
    assert repeated["VersionId"] == token("a")
    current = vault.get_secret_value(SecretId=name)
    assert (current["SecretString"], current["VersionId"]) == ("2", token("b"))


def test_a_token_with_other_content_is_refused(vault: Any, name: str) -> None:
    vault.create_secret(Name=name, SecretString="1", ClientRequestToken=token("a"))
    again = {"SecretString": "2", "ClientRequestToken": token("a")}
    assert refused(vault.put_secret_value, SecretId=name, **again) == "ResourceExistsException"
    assert refused(vault.create_secret, Name=name, **again) == "ResourceExistsException"


def test_a_repeated_creation_answers_with_its_own_version(vault: Any, name: str) -> None:
    created = vault.create_secret(Name=name, SecretString="1", ClientRequestToken=token("a"))
    vault.put_secret_value(SecretId=name, SecretString="2", ClientRequestToken=token("b"))
    again = vault.create_secret(Name=name, SecretString="1", ClientRequestToken=token("a"))
    assert (again["VersionId"], again["ARN"]) == (token("a"), created["ARN"])
    assert vault.get_secret_value(SecretId=name)["SecretString"] == "2"


def test_the_label_moves_back_and_a_read_follows_it(vault: Any, name: str) -> None:
    vault.create_secret(Name=name, SecretString="1", ClientRequestToken=token("a"))
    vault.put_secret_value(SecretId=name, SecretString="2", ClientRequestToken=token("b"))
    vault.update_secret_version_stage(
        SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=token("a"), RemoveFromVersionId=token("b")
    )
    assert vault.get_secret_value(SecretId=name)["SecretString"] == "1"
    vault.put_secret_value(SecretId=name, SecretString="3", ClientRequestToken=token("c"))
    stages = vault.describe_secret(SecretId=name)["VersionIdsToStages"]
    assert stages == {token("c"): ["AWSCURRENT"], token("a"): ["AWSPREVIOUS"]}


def test_each_server_has_an_account_of_its_own(aws: AwsServer) -> None:
    other = AwsServer()
    other.stop()
    assert other.account != aws.account


# DynamoDB

OPERATIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "put_item": lambda key: {"Item": {"pk": {"S": key}}},
    "get_item": lambda key: {"Key": {"pk": {"S": key}}},
    "update_item": lambda key: {"Key": {"pk": {"S": key}}},
    "delete_item": lambda key: {"Key": {"pk": {"S": key}}},
}


@pytest.mark.parametrize("key", ["", "x" * 2049])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_partition_key_that_is_empty_or_too_long_is_refused(small: Sandbox, items: Any, operation: str, key: str) -> None:
    call = getattr(items, operation)
    assert refused(call, TableName=small.table, **OPERATIONS[operation](key)) == "ValidationException"


def test_a_partition_key_of_2048_bytes_is_taken(small: Sandbox, items: Any) -> None:
    items.put_item(TableName=small.table, Item={"pk": {"S": "x" * 2048}})


def test_a_value_that_no_expression_uses_is_refused(small: Sandbox, items: Any) -> None:
    values = {":a": {"S": "1"}, ":b": {"S": "2"}}
    expression = {"ConditionExpression": "attribute_not_exists(pk) OR a = :a", "ExpressionAttributeValues": values}
    put = {"TableName": small.table, "Item": {"pk": {"S": "unused"}}, **expression}
    assert refused(items.put_item, **put) == "ValidationException"
    assert refused(items.transact_write_items, TransactItems=[{"Put": put}]) == "ValidationException"


def test_of_100_conditional_writes_at_once_one_wins(small: Sandbox, items: Any) -> None:
    outcomes: list[str] = []
    together = threading.Barrier(100)

    def write(number: int) -> None:
        together.wait()
        try:
            items.put_item(
                TableName=small.table,
                Item={"pk": {"S": "race"}, "winner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except items.exceptions.ConditionalCheckFailedException:
            outcomes.append("lost")
        else:
            outcomes.append("won")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 99 + ["won"]


def test_the_templates_other_resources_exist(small: Sandbox) -> None:
    description = small.client("dynamodb").describe_table(TableName=small.table)["Table"]
    assert small.client("ssm").get_parameter(Name="/small/note")["Parameter"]["Value"].endswith(f"table/{small.table}")
    assert small.client("events").describe_event_bus(Name="small-bus")["Name"] == "small-bus"
    assert "small-Dead" in small.client("sqs").list_queues()["QueueUrls"][0]
    assert small.template.attribute("Items", "StreamArn") == description["LatestStreamArn"]
    ttl = small.client("dynamodb").describe_time_to_live(TableName=small.table)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "ttl"


# The record, and faults


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


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttled", "ThrottlingException"),
        ("denied", "AccessDeniedException"),
        ("internal", "InternalServerError"),
        ("unavailable", "ServiceUnavailable"),
    ],
)
def test_an_armed_fault_strikes_as_often_as_told(aws: AwsServer, small: Sandbox, name: str, kind: Any, code: str) -> None:
    with impatient(small, "secretsmanager") as vault:
        fault = aws.fault("secretsmanager", "CreateSecret", kind, times=2, match=name)
        assert refused(vault.create_secret, Name=name, SecretString="v") == code
        assert refused(vault.create_secret, Name=name, SecretString="v") == code
        vault.create_secret(Name=name, SecretString="v")
    assert fault.strikes == 2


def test_a_fault_leaves_other_calls_alone(aws: AwsServer, vault: Any, name: str) -> None:
    fault = aws.fault("secretsmanager", "*", "denied", match=name)
    vault.create_secret(Name=f"small/{uuid4().hex}", SecretString="v")
    assert fault.strikes == 0
    aws.disarm()
    vault.create_secret(Name=name, SecretString="v")


def test_a_lost_answer_has_been_performed(aws: AwsServer, small: Sandbox, name: str) -> None:
    with impatient(small, "secretsmanager") as vault:
        aws.fault("secretsmanager", "CreateSecret", "lost", match=name)
        with pytest.raises(BotoCoreError):
            vault.create_secret(Name=name, SecretString="v")
        assert vault.get_secret_value(SecretId=name)["SecretString"] == "v"
    assert aws.called("secretsmanager", "CreateSecret", name)[0].error == "lost"


def test_a_reset_call_has_not_been_performed(aws: AwsServer, small: Sandbox, name: str) -> None:
    with impatient(small, "secretsmanager") as vault:
        aws.fault("secretsmanager", "CreateSecret", "reset", match=name)
        with pytest.raises(BotoCoreError):
            vault.create_secret(Name=name, SecretString="v")
        assert refused(vault.get_secret_value, SecretId=name) == "ResourceNotFoundException"


def test_a_hanging_call_ends_with_the_callers_patience_and_holds_nobody_up(aws: AwsServer, small: Sandbox, name: str) -> None:
    with impatient(small, "secretsmanager") as vault:
        aws.fault("secretsmanager", "CreateSecret", "hang", match=name)
        began = time.monotonic()
        with pytest.raises(BotoCoreError):
            vault.create_secret(Name=name, SecretString="v")
        vault.create_secret(Name=name, SecretString="v")
    assert time.monotonic() - began < 5


def test_stopping_ends_a_hanging_call() -> None:
    server = AwsServer()
    server.start()
    server.fault("secretsmanager", "*", "hang")
    ended = threading.Event()
    client = boto3.client(
        "secretsmanager",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="AKIAX",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )

    def hang() -> None:
        with pytest.raises(BotoCoreError):
            client.list_secrets()
        ended.set()

    thread = threading.Thread(target=hang)
    thread.start()
    assert eventually(lambda: server.calls)
    server.stop()
    thread.join(5)
    client.close()
    assert ended.is_set()


class impatient:
    """A client that tries once and waits for 0.3 seconds."""

    def __init__(self, small: Sandbox, service: str) -> None:
        self._client: Any = boto3.client(
            service,  # type: ignore[call-overload]  # any service
            region_name="us-east-1",
            endpoint_url=small.aws,
            aws_access_key_id="AKIAX",
            aws_secret_access_key="x",
            config=Config(read_timeout=0.3, retries={"total_max_attempts": 1}),
        )

    def __enter__(self) -> Any:
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()
