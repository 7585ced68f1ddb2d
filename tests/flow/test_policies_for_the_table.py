"""The readers' policies on tokens in the table, enforced: whose they get and open, and that nothing else of the table is theirs."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tripod
from sandbox.aws.iam import Check
from sandbox.world import Sandbox
from tests.support.refusal import refused
from tests.support.roles import role
from tests.support.sandbox_app import PARAMETERS, QUICK

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
READERS = ("ReadTokens", "ReadTokensOfOneProvider")
OTHERS = ("SignRequests", "RedeemTickets", "DisconnectUsers", "BeginAuthorizations", "ListUsers")
NEEDED = {"ProjectionExpression": "sealed_tokens, revoked_at"}
TOKENS = {"token": "t", "secret": "s"}

Call = Callable[[Sandbox], object]


@pytest.fixture(scope="module", params=[{"TokenKey": "on"}, {"KmsKeyArn": KEY}], ids=["made", "given"])
def world(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Return a stack with a key, the tokens of a user each of ``x`` and of ``y`` sealed in its table, and an authorization."""
    parameters = PARAMETERS | {"TokenKey": "off"} | request.param
    with Sandbox(parameters=parameters, settings=QUICK, streams=False) as running:
        for provider in ("x", "y"):
            item = {"pk": {"S": f"connection#{provider}#1"}, "sealed_tokens": {"B": sealed(running, provider)}}
            running.client("dynamodb").put_item(TableName=running.table, Item=item | {"screen_name": {"S": "ada"}})
        running.client("dynamodb").put_item(TableName=running.table, Item={"pk": {"S": "authorization#x#t"}})
        yield running


def context(provider: str, user_id: str = "1", prefix: str = "tripod") -> dict[str, str]:
    return {"tripod:prefix": prefix, "tripod:provider": provider, "tripod:user_id": user_id}


def key_of(world: Sandbox) -> str:
    return next(one.environment["TRIPOD_TOKEN_KEY"] for one in world.template.functions() if one.name == "tripod-callback")


def sealed(world: Sandbox, provider: str, **other: Any) -> bytes:
    """Return tokens that are sealed in the context of a provider's user; ``other`` replaces what KMS is asked for."""
    asked = {"KeyId": key_of(world), "Plaintext": json.dumps(TOKENS).encode(), "EncryptionContext": context(provider)}
    return bytes(world.client("kms").encrypt(**asked | other)["CiphertextBlob"])


def client(service: str) -> Any:
    """Return a client of this process's role."""
    return tripod.process.this().client(service)


def get(world: Sandbox, pk: str, **named: Any) -> dict[str, Any]:
    found: dict[str, Any] = client("dynamodb").get_item(TableName=world.table, Key={"pk": {"S": pk}}, **named or NEEDED)["Item"]
    return found


def opened(sealed_tokens: bytes, **asked: str) -> dict[str, str]:
    plaintext = client("kms").decrypt(CiphertextBlob=sealed_tokens, EncryptionContext=asked)["Plaintext"]
    return dict(json.loads(plaintext))


def read(world: Sandbox, provider: str) -> dict[str, str]:
    """Return a user's tokens as any reader gets them: the table's name, the item, its sealed tokens opened."""
    assert client("ssm").get_parameter(Name="/tripod/table")["Parameter"]["Value"] == world.table
    return opened(get(world, f"connection#{provider}#1")["sealed_tokens"]["B"], **context(provider))


@pytest.mark.parametrize(("policy", "provider"), [("ReadTokens", "x"), ("ReadTokens", "y"), ("ReadTokensOfOneProvider", "x")])
def test_a_reader_gets_and_opens_its_users_tokens(world: Sandbox, policy: str, provider: str) -> None:
    with role(world, policy):
        assert read(world, provider) == TOKENS


def _put(world: Sandbox) -> object:
    return client("dynamodb").put_item(TableName=world.table, Item={"pk": {"S": "connection#x#1"}})


def _batch(world: Sandbox) -> object:
    keys = {"Keys": [{"pk": {"S": "connection#x#1"}}], **NEEDED}
    return client("dynamodb").batch_get_item(RequestItems={world.table: keys})


def _query(world: Sandbox) -> object:
    asked = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "connection#x#1"}}}
    return client("dynamodb").query(TableName=world.table, **asked)


REFUSED: dict[str, Call] = {
    "an authorization": lambda world: get(world, "authorization#x#t"),
    "all attributes": lambda world: get(world, "connection#x#1", ConsistentRead=True),
    "the screen name": lambda world: get(world, "connection#x#1", ProjectionExpression="screen_name"),
    "an invalidation's token": lambda world: get(
        world, "connection#x#1", ProjectionExpression="sealed_tokens, pending_invalidation"
    ),
    "a batch": _batch,
    "a query": _query,
    "a scan": lambda world: client("dynamodb").scan(TableName=world.table),
    "a write": _put,
    "sealing": lambda world: client("kms").encrypt(KeyId=key_of(world), Plaintext=b"x", EncryptionContext=context("x")),
    "a data key": lambda world: client("kms").generate_data_key(
        KeyId=key_of(world), KeySpec="AES_256", EncryptionContext=context("x")
    ),
    "another stack's": lambda world: opened(
        sealed(world, "x", EncryptionContext=context("x", prefix="other")), **context("x", prefix="other")
    ),
    "no context": lambda world: opened(sealed(world, "x", EncryptionContext={})),
    "no user": lambda world: opened(sealed(world, "x"), **{k: v for k, v in context("x").items() if k != "tripod:user_id"}),
    "more context": lambda world: opened(sealed(world, "x"), **context("x"), more="1"),
    "another key": lambda world: opened(sealed(world, "x", KeyId=another_key(world)), **context("x")),
    "another parameter": lambda _: client("ssm").get_parameter(Name="/tripod/api-url"),
}


def another_key(world: Sandbox) -> str:
    return str(world.client("kms").create_key()["KeyMetadata"]["Arn"])


@pytest.mark.parametrize("policy", READERS)
@pytest.mark.parametrize("what", REFUSED)
def test_a_reader_may_nothing_else(world: Sandbox, policy: str, what: str) -> None:
    with role(world, policy):
        assert refused(lambda: REFUSED[what](world)) == "AccessDeniedException"


def test_one_providers_reader_neither_gets_nor_opens_anothers(world: Sandbox) -> None:
    tokens = sealed(world, "y")
    with role(world, "ReadTokensOfOneProvider"):
        assert refused(get, world=world, pk="connection#y#1") == "AccessDeniedException"
        assert refused(opened, sealed_tokens=tokens, **context("y")) == "AccessDeniedException"
        assert refused(opened, sealed_tokens=tokens, **context("x")) == "InvalidCiphertextException"


@pytest.mark.parametrize("policy", READERS)
def test_tokens_that_were_moved_to_another_user_do_not_open(world: Sandbox, policy: str) -> None:
    with role(world, policy):
        assert refused(opened, sealed_tokens=sealed(world, "x"), **context("x", "2")) == "InvalidCiphertextException"


@pytest.mark.parametrize("policy", OTHERS)
def test_who_does_not_read_tokens_neither_gets_nor_opens_them(world: Sandbox, policy: str) -> None:
    tokens = sealed(world, "x")
    with role(world, policy):
        assert refused(get, world=world, pk="connection#x#1") == "AccessDeniedException"
        assert refused(opened, sealed_tokens=tokens, **context("x")) == "AccessDeniedException"


@pytest.mark.parametrize("policy", READERS)
def test_without_a_key_a_reader_has_no_right_on_the_table(policy: str) -> None:
    with (
        Sandbox(parameters=PARAMETERS | {"TokenKey": "off"}, settings=QUICK, streams=False) as keyless,
        role(keyless, policy) as own,
    ):
        table = keyless.template.attribute("Table", "Arn")
        assert not [
            action for action in ("GetItem", "Query", "Scan", "PutItem") if own.allows(Check(f"dynamodb:{action}", table))
        ]
        assert refused(get, world=keyless, pk="connection#x#1") == "AccessDeniedException"
        assert refused(client("ssm").get_parameter, Name="/tripod/table") == "AccessDeniedException"
