"""Faults of the sandbox's AWS strike as armed, and hold nobody else up."""

import threading
import time
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from sandbox.aws.server import AwsServer
from sandbox.world import Sandbox
from tests.support.refusal import refused
from tests.support.waiting import eventually


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
