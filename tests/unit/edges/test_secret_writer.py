"""Writing secrets, against moto's Secrets Manager as the sandbox has mended it."""

import json
from typing import Any

import pytest

from sandbox.world import Sandbox
from tripod.credentials import UserTokens
from tripod_flow.edges.secret_writer import SecretWriter, version_of


def tokens(secret: str) -> UserTokens:
    return UserTokens(
        provider="x", user_id="7", screen_name="jo", oauth_token="token", oauth_token_secret=secret, consumer_key="k"
    )


@pytest.fixture
def vault(sandbox: Sandbox, unique: str) -> SecretWriter:
    return SecretWriter(sandbox.client("secretsmanager"), unique)


@pytest.fixture
def client(sandbox: Sandbox) -> Any:
    return sandbox.client("secretsmanager")


def current(client: Any, unique: str) -> str:
    return str(json.loads(client.get_secret_value(SecretId=f"{unique}/user/x/7")["SecretString"])["oauth_token_secret"])


@pytest.mark.parametrize("expected", [True, False])
def test_tokens_are_stored_whatever_was_expected_and_repeating_it_writes_nothing_new(
    vault: SecretWriter, client: Any, unique: str, expected: bool
) -> None:
    for content in ("one", "one", "two", "two"):
        vault.store(tokens(content), expected=expected)
        assert current(client, unique) == content
    versions = client.list_secret_version_ids(SecretId=f"{unique}/user/x/7", IncludeDeprecated=True)["Versions"]
    assert len(versions) == 2


def test_a_content_of_long_ago_that_is_granted_again_is_the_current_one(vault: SecretWriter, client: Any, unique: str) -> None:
    for content in ("one", "two", "three", "one", "four", "five", "three"):
        vault.store(tokens(content), expected=True)
        assert current(client, unique) == content


def test_a_first_write_is_one_call_and_so_is_an_expected_one(sandbox: Sandbox, vault: SecretWriter, unique: str) -> None:
    vault.store(tokens("one"), expected=False)
    vault.store(tokens("two"), expected=True)
    assert [call.operation for call in sandbox.aws_server.called("secretsmanager", about=unique)] == [
        "CreateSecret",
        "PutSecretValue",
    ]


def test_a_new_secret_is_encrypted_with_the_stacks_key(client: Any, unique: str) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    vault = SecretWriter(client, unique, kms_key=key)
    for content in ("one", "two"):
        vault.store(tokens(content), expected=False)
    assert client.describe_secret(SecretId=f"{unique}/user/x/7")["KmsKeyId"] == key


def test_without_a_key_of_its_own_the_stack_names_none(vault: SecretWriter, client: Any, unique: str) -> None:
    vault.store(tokens("one"), expected=False)
    assert "KmsKeyId" not in client.describe_secret(SecretId=f"{unique}/user/x/7")


def test_an_earlier_content_granted_again_becomes_current(vault: SecretWriter, client: Any, unique: str) -> None:
    for content in ("one", "two", "one"):
        vault.store(tokens(content), expected=True)
    assert current(client, unique) == "one"


@pytest.mark.parametrize("content", ["one", "two"])
def test_a_secret_that_is_about_to_be_deleted_is_restored(vault: SecretWriter, client: Any, unique: str, content: str) -> None:
    vault.store(tokens("one"), expected=False)
    client.delete_secret(SecretId=f"{unique}/user/x/7")
    vault.store(tokens(content), expected=False)
    assert current(client, unique) == content


def test_the_version_is_the_contents_hash() -> None:
    assert version_of(tokens("one")) == version_of(tokens("one")) != version_of(tokens("two"))
    assert len(version_of(tokens("one"))) == 64


def test_a_version_that_is_not_there_is_not_made_current(vault: SecretWriter, client: Any, unique: str) -> None:
    vault.store(tokens("one"), expected=False)
    vault.make_current("x", "7", version_of(tokens("never stored")))
    assert current(client, unique) == "one"
