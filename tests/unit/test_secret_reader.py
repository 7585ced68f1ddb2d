"""Reading secrets through the cache, against moto's Secrets Manager."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.world import Sandbox
from tests.support.clock import Clock
from tripod.credentials import UserTokens
from tripod.errors import ConsumerNotFound, MalformedSecret, TokenNotFound, TokenRevoked
from tripod.secret_reader import CAPACITY, LIFETIME, UNKNOWN_LIFETIME, SecretReader


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader(sandbox: Sandbox, clock: Clock, unique: str) -> SecretReader:
    return SecretReader(sandbox.client("secretsmanager"), unique, clock)


@pytest.fixture
def reads(sandbox: Sandbox, unique: str) -> Callable[[], int]:
    return lambda: len(sandbox.aws_server.called("secretsmanager", "GetSecretValue", unique))


def tokens(user_id: str, *, provider: str = "x") -> UserTokens:
    return UserTokens(
        provider=provider, user_id=user_id, screen_name=None, oauth_token="t", oauth_token_secret="s3cret", consumer_key="k"
    )


def put(sandbox: Sandbox, name: str, content: str) -> None:
    client: Any = sandbox.client("secretsmanager")
    try:
        client.create_secret(Name=name, SecretString=content)
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId=name, SecretString=content)


def test_a_secret_is_read_once_in_five_minutes(
    sandbox: Sandbox, reader: SecretReader, clock: Clock, reads: Callable[[], int], unique: str
) -> None:
    put(sandbox, f"{unique}/consumer/x", '{"consumer_key": "k", "consumer_secret": "one"}')
    assert reader.consumer("x").consumer_secret == "one"
    put(sandbox, f"{unique}/consumer/x", '{"consumer_key": "k", "consumer_secret": "two"}')
    assert reader.consumer("x").consumer_secret == "one"
    assert reads() == 1
    clock.now += LIFETIME
    assert reader.consumer("x").consumer_secret == "two"
    assert reads() == 2


def test_a_fresh_read_is_fresh_and_remembered(
    sandbox: Sandbox, reader: SecretReader, reads: Callable[[], int], unique: str
) -> None:
    put(sandbox, f"{unique}/consumer/x", '{"consumer_key": "k", "consumer_secret": "one"}')
    reader.consumer("x")
    put(sandbox, f"{unique}/consumer/x", '{"consumer_key": "k", "consumer_secret": "two"}')
    assert reader.consumer("x", fresh=True).consumer_secret == "two"
    assert reader.consumer("x").consumer_secret == "two"
    assert reads() == 2


def test_a_missing_provider_is_remembered_for_a_minute(
    sandbox: Sandbox, reader: SecretReader, clock: Clock, reads: Callable[[], int], unique: str
) -> None:
    for _ in range(3):
        with pytest.raises(ConsumerNotFound, match=f"{unique}/consumer/y"):
            reader.consumer("y")
    assert reads() == 1
    put(sandbox, f"{unique}/consumer/y", '{"consumer_key": "k", "consumer_secret": "s"}')
    clock.now += UNKNOWN_LIFETIME
    assert reader.consumer("y").consumer_key == "k"


def test_what_is_remembered_is_bounded(clock: Clock, unique: str) -> None:
    class Everything:
        def get_secret_value(self, SecretId: str) -> dict[str, str]:  # boto3's own name
            return {"SecretString": tokens(SecretId.rpartition("/")[2]).to_json()}

    reader = SecretReader(Everything(), unique, clock)  # type: ignore[arg-type]  # the one call that is made
    for number in range(CAPACITY + 50):
        reader.user("x", str(number))
    assert len(reader._cache) == CAPACITY


def test_what_is_remembered_of_made_up_providers_is_bounded(clock: Clock, unique: str) -> None:
    class Nothing:
        class exceptions:  # boto3's own names
            class ResourceNotFoundException(Exception):
                pass

        def get_secret_value(self, SecretId: str) -> dict[str, str]:
            raise self.exceptions.ResourceNotFoundException

    reader = SecretReader(Nothing(), unique, clock)  # type: ignore[arg-type]  # the one call that is made
    for number in range(CAPACITY + 50):
        with pytest.raises(ConsumerNotFound):
            reader.consumer(f"made-up-{number}")
    assert len(reader._missing) == CAPACITY


def test_missing_and_deleted_tokens_are_not_found_and_the_secret_is_named(
    sandbox: Sandbox, reader: SecretReader, unique: str
) -> None:
    with pytest.raises(TokenNotFound, match=f"{unique}/user/x/7"):
        reader.user("x", "7")
    put(sandbox, f"{unique}/user/x/7", tokens("7").to_json())
    assert reader.user("x", "7").oauth_token == "t"
    sandbox.client("secretsmanager").delete_secret(SecretId=f"{unique}/user/x/7")
    with pytest.raises(TokenRevoked, match=f"{unique}/user/x/7"):
        reader.user("x", "7", fresh=True)
    with pytest.raises(TokenRevoked):
        reader.user("x", "7")
    sandbox.client("secretsmanager").delete_secret(SecretId=f"{unique}/user/x/7", ForceDeleteWithoutRecovery=True)
    with pytest.raises(TokenNotFound) as caught:
        reader.user("x", "7")
    assert not isinstance(caught.value, TokenRevoked)


def test_one_version_is_read_whichever_is_current_and_not_remembered(sandbox: Sandbox, reader: SecretReader, unique: str) -> None:
    client, secret = sandbox.client("secretsmanager"), f"{unique}/user/x/7"
    put(sandbox, secret, tokens("7").to_json())
    first = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
    put(sandbox, secret, "s3cret")
    malformed = client.describe_secret(SecretId=secret)["VersionIdsToStages"].keys() - first.keys()
    assert reader.version_of_user("x", "7", *first).oauth_token == "t"
    with pytest.raises(MalformedSecret, match=f"{secret} is malformed: it is not JSON"):
        reader.version_of_user("x", "7", *malformed)
    with pytest.raises(MalformedSecret):
        reader.user("x", "7")
    with pytest.raises(TokenNotFound, match=secret):
        reader.version_of_user("x", "7", "0" * 32)
    with pytest.raises(TokenNotFound, match=f"{unique}/user/x/8"):
        reader.version_of_user("x", "8", *first)
    client.delete_secret(SecretId=secret)
    with pytest.raises(TokenRevoked, match=secret):
        reader.version_of_user("x", "7", *first)


def test_a_malformed_secret_is_named_and_not_quoted(sandbox: Sandbox, reader: SecretReader, unique: str) -> None:
    put(sandbox, f"{unique}/user/x/8", "s3cret")
    with pytest.raises(MalformedSecret, match=f"{unique}/user/x/8 is malformed: it is not JSON") as caught:
        reader.user("x", "8")
    assert "s3cret" not in repr(caught.value)


@pytest.mark.parametrize(
    "other",
    [tokens("10"), tokens("9", provider="y")],
)
def test_another_users_tokens_are_malformed_and_not_remembered(
    sandbox: Sandbox, reader: SecretReader, unique: str, other: UserTokens
) -> None:
    put(sandbox, f"{unique}/user/x/9", other.to_json())
    with pytest.raises(MalformedSecret, match=f"{unique}/user/x/9 is malformed: it holds the tokens of another") as caught:
        reader.user("x", "9")
    assert "s3cret" not in repr(caught.value)
    put(sandbox, f"{unique}/user/x/9", tokens("9").to_json())
    assert reader.user("x", "9").oauth_token == "t"


def test_a_binary_secret_is_malformed(sandbox: Sandbox, reader: SecretReader, unique: str) -> None:
    sandbox.client("secretsmanager").create_secret(Name=f"{unique}/user/x/5", SecretBinary=b"s3cret")
    with pytest.raises(MalformedSecret, match="it is binary"):
        reader.user("x", "5")


@pytest.mark.parametrize(("provider", "user_id"), [("x", ""), ("X!", "7"), ("x/7", "8"), ("x", "9" * 600), ("", "7")])
def test_no_call_is_made_for_what_can_not_be_a_secrets_name(
    reader: SecretReader, reads: Callable[[], int], provider: str, user_id: str
) -> None:
    with pytest.raises(TokenNotFound):
        reader.user(provider, user_id)
    assert reads() == 0


def test_threads_that_want_the_same_secret_read_it_once(
    sandbox: Sandbox, reader: SecretReader, reads: Callable[[], int], unique: str
) -> None:
    put(sandbox, f"{unique}/consumer/x", '{"consumer_key": "k", "consumer_secret": "s"}')
    threads = [threading.Thread(target=reader.consumer, args=("x",)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads() == 1


def test_a_provider_that_appears_is_known_after_a_fresh_read(sandbox: Sandbox, reader: SecretReader, unique: str) -> None:
    with pytest.raises(ConsumerNotFound):
        reader.consumer("z")
    put(sandbox, f"{unique}/consumer/z", '{"consumer_key": "k", "consumer_secret": "s"}')
    reader.consumer("z", fresh=True)
    assert reader.consumer("z").consumer_key == "k"


def test_forgotten_tokens_are_read_again(sandbox: Sandbox, reader: SecretReader, reads: Callable[[], int], unique: str) -> None:
    put(sandbox, f"{unique}/user/x/6", tokens("6").to_json())
    reader.forget_user("x", "6")
    reader.user("x", "6")
    reader.forget_user("x", "6")
    reader.user("x", "6")
    assert reads() == 2


def test_what_aws_refuses_is_awss_own_error(sandbox: Sandbox, reader: SecretReader, unique: str) -> None:
    fault = sandbox.aws_server.fault("secretsmanager", "GetSecretValue", "denied", match=unique)
    assert fault
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.user("x", "7")


class Places:
    """A table and a secret between which a user's tokens are moved while they are looked for: ``there`` names the place at each look."""

    def __init__(self, *there: str, connected: bool) -> None:
        self.looks = iter(there)
        self.connected = connected
        self.taken: list[str] = []

    def sealed(self, provider: str, user_id: str) -> UserTokens | bool:
        self.taken.append("table")
        return tokens(user_id) if next(self.looks) == "table" else self.connected

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # boto3's own name
        self.taken.append("secret")
        if next(self.looks) == "secret":
            return {"SecretString": tokens("7").to_json()}
        raise self.exceptions.ResourceNotFoundException({"Error": {}}, "GetSecretValue")

    class exceptions:  # boto3's own name
        class ResourceNotFoundException(ClientError): ...

        class InvalidRequestException(ClientError): ...


@pytest.mark.parametrize(
    ("connected", "there", "looks", "found"),
    [
        (True, ["table"], 1, True),
        (True, ["secret", "secret"], 2, True),
        (True, ["secret", "table", "table"], 3, True),  # moved to the table between two looks
        (True, ["secret", "table", "secret", "secret"], 4, True),  # and back
        (True, ["secret", "table"] * 3 + ["secret", "secret"], 8, True),
        (True, ["secret", "table"] * 4, 8, False),
        (False, ["secret", "table", "table"], 3, True),
        (False, ["", "", "", ""], 4, False),
    ],
)
def test_tokens_that_are_moved_while_they_are_looked_for_are_found(
    clock: Clock, connected: bool, there: list[str], looks: int, found: bool
) -> None:
    places = Places(*there, connected=connected)
    reader = SecretReader(places, "tripod", clock, sealed=places.sealed)  # type: ignore[arg-type]  # the one call that is made
    if found:
        assert reader.user("x", "7", may_be_sealed=True) == tokens("7")
    else:
        with pytest.raises(TokenNotFound):
            reader.user("x", "7", may_be_sealed=True)
    assert len(places.taken) == looks
