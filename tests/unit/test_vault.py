"""Reading secrets, against moto's Secrets Manager."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.world import Sandbox
from tripod.credentials import UserTokens
from tripod.errors import ConsumerNotFound, MalformedSecret, TokenNotFound
from tripod.vault import CAPACITY, LIFETIME, UNKNOWN_LIFETIME, Vault


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(sandbox: Sandbox, clock: Clock, unique: str) -> Vault:
    return Vault(sandbox.client("secretsmanager"), unique, clock)


@pytest.fixture
def reads(sandbox: Sandbox, unique: str) -> Callable[[], int]:
    return lambda: len(sandbox.aws_server.called("secretsmanager", "GetSecretValue", unique))


def put(sandbox: Sandbox, name: str, content: str) -> None:
    client: Any = sandbox.client("secretsmanager")
    try:
        client.create_secret(Name=name, SecretString=content)
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId=name, SecretString=content)


def test_a_secret_is_read_once_in_five_minutes(
    sandbox: Sandbox, vault: Vault, clock: Clock, reads: Callable[[], int], unique: str
) -> None:
    put(sandbox, f"{unique}/consumer/x", '{"consumer_key": "k", "consumer_secret": "one"}')
    assert vault.consumer("x").consumer_secret == "one"
    put(sandbox, f"{unique}/consumer/x", '{"consumer_key": "k", "consumer_secret": "two"}')
    assert vault.consumer("x").consumer_secret == "one"
    assert reads() == 1
    clock.now += LIFETIME
    assert vault.consumer("x").consumer_secret == "two"
    assert reads() == 2


def test_a_fresh_read_is_fresh_and_remembered(sandbox: Sandbox, vault: Vault, reads: Callable[[], int], unique: str) -> None:
    put(sandbox, f"{unique}/consumer/x", '{"consumer_key": "k", "consumer_secret": "one"}')
    vault.consumer("x")
    put(sandbox, f"{unique}/consumer/x", '{"consumer_key": "k", "consumer_secret": "two"}')
    assert vault.consumer("x", fresh=True).consumer_secret == "two"
    assert vault.consumer("x").consumer_secret == "two"
    assert reads() == 2


def test_a_missing_provider_is_remembered_for_a_minute(
    sandbox: Sandbox, vault: Vault, clock: Clock, reads: Callable[[], int], unique: str
) -> None:
    for _ in range(3):
        with pytest.raises(ConsumerNotFound, match=f"{unique}/consumer/y"):
            vault.consumer("y")
    assert reads() == 1
    put(sandbox, f"{unique}/consumer/y", '{"consumer_key": "k", "consumer_secret": "s"}')
    clock.now += UNKNOWN_LIFETIME
    assert vault.consumer("y").consumer_key == "k"


def test_what_is_remembered_is_bounded(clock: Clock, unique: str) -> None:
    class Everything:
        def get_secret_value(self, SecretId: str) -> dict[str, str]:  # boto3's own name
            return {"SecretString": UserTokens("x", SecretId, None, "t", "s", "k").to_json()}

    vault = Vault(Everything(), unique, clock)  # type: ignore[arg-type]  # the one call that is made
    for number in range(CAPACITY + 50):
        vault.user("x", str(number))
    assert len(vault._known) == CAPACITY


def test_missing_and_deleted_tokens_are_not_found_and_the_secret_is_named(sandbox: Sandbox, vault: Vault, unique: str) -> None:
    with pytest.raises(TokenNotFound, match=f"{unique}/user/x/7"):
        vault.user("x", "7")
    put(sandbox, f"{unique}/user/x/7", UserTokens("x", "7", None, "t", "s", "k").to_json())
    assert vault.user("x", "7").oauth_token == "t"
    sandbox.client("secretsmanager").delete_secret(SecretId=f"{unique}/user/x/7")
    with pytest.raises(TokenNotFound):
        vault.user("x", "7", fresh=True)
    with pytest.raises(TokenNotFound):
        vault.user("x", "7")


def test_a_malformed_secret_is_named_and_not_quoted(sandbox: Sandbox, vault: Vault, unique: str) -> None:
    put(sandbox, f"{unique}/user/x/8", "s3cret")
    with pytest.raises(MalformedSecret, match=f"{unique}/user/x/8 is malformed: it is not JSON") as caught:
        vault.user("x", "8")
    assert "s3cret" not in repr(caught.value)
