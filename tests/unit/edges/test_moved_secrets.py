"""Secrets as a move reads them and brings them back, against moto's Secrets Manager as the sandbox has mended it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.world import Sandbox
from tripod.credentials import UserTokens
from tripod_flow.edges.moved_secrets import MovedSecrets, Unreadable
from tripod_flow.edges.roster import Roster
from tripod_flow.edges.secret_writer import SecretWriter, version_of


def tokens(secret: str, user_id: str = "7") -> UserTokens:
    return UserTokens(
        provider="x", user_id=user_id, screen_name="jo", oauth_token="token", oauth_token_secret=secret, consumer_key="k"
    )


@pytest.fixture
def client(sandbox: Sandbox) -> Any:
    return sandbox.client("secretsmanager")


@pytest.fixture
def writer(client: Any, unique: str) -> SecretWriter:
    return SecretWriter(client, unique)


@pytest.fixture
def moved(client: Any, unique: str) -> MovedSecrets:
    return MovedSecrets(client, unique)


def current(client: Any, unique: str) -> str:
    return str(json.loads(client.get_secret_value(SecretId=f"{unique}/user/x/7")["SecretString"])["oauth_token_secret"])


def test_the_version_that_is_asked_for_is_read_whichever_is_current(writer: SecretWriter, moved: MovedSecrets) -> None:
    for content in ("one", "two"):
        writer.store(tokens(content), expected=False)
    assert moved.read("x", "7", version_of(tokens("one"))) == tokens("one")
    assert moved.read("x", "7", version_of(tokens("two"))) == tokens("two")


def test_what_can_not_be_read_is_told_without_its_content(
    writer: SecretWriter, moved: MovedSecrets, client: Any, unique: str
) -> None:
    writer.store(tokens("one"), expected=False)
    told = []
    for version in ("0" * 64, "1" * 64, "2" * 64):
        content = {"1": '{"oauth_token": "s3cret"', "2": tokens("s3cret", "8").to_json()}.get(version[0])
        if content:
            client.put_secret_value(SecretId=f"{unique}/user/x/7", ClientRequestToken=version, SecretString=content)
        with pytest.raises(Unreadable) as caught:
            moved.read("x", "7", version)
        told.append(str(caught.value))
    writer.delete("x", "7")
    with pytest.raises(Unreadable, match="scheduled for deletion"):
        moved.read("x", "7", version_of(tokens("one")))
    assert [text.partition(",")[0].partition(":")[0] for text in told] == [
        "there is no such secret",
        "the secret is malformed",
        "the secret holds the tokens of another user or provider",
    ]
    assert "s3cret" not in str(told)


@pytest.mark.parametrize("earlier", [[], ["one"], ["other"], ["one", "other"], ["other", "one"]])
@pytest.mark.parametrize("deleted", [False, True])
def test_tokens_are_brought_back_beside_whatever_is_there(client: Any, unique: str, earlier: list[str], deleted: bool) -> None:
    writer, moved = SecretWriter(client, unique), MovedSecrets(client, unique)
    for content in earlier:
        writer.store(tokens(content), expected=False)
    if deleted:
        writer.delete("x", "7")
    for _ in range(2):
        assert moved.bring_back(tokens("one"), lambda: True)
        assert current(client, unique) == "one"
    stages = client.describe_secret(SecretId=f"{unique}/user/x/7")["VersionIdsToStages"]
    assert stages[version_of(tokens("one"))] == ["AWSCURRENT"]


def test_a_version_of_long_ago_that_bears_no_label_any_more_is_brought_back(client: Any, unique: str) -> None:
    writer, moved = SecretWriter(client, unique), MovedSecrets(client, unique)
    for content in ("one", "other", "newer"):
        writer.store(tokens(content), expected=False)
    handler = "after-call.secrets-manager.PutSecretValue", lambda parsed, **_: parsed.pop("VersionStages")
    client.meta.events.register(*handler)
    try:
        assert moved.bring_back(tokens("one"), lambda: True)
    finally:
        client.meta.events.unregister(*handler)  # the client is everybody's
    assert current(client, unique) == "one"


@pytest.mark.parametrize("earlier", [[], ["other"]])
def test_what_another_process_makes_current_meanwhile_stays_current(
    writer: SecretWriter, moved: MovedSecrets, client: Any, unique: str, earlier: list[str]
) -> None:
    for content in earlier:
        writer.store(tokens(content), expected=False)

    def newer() -> bool:
        writer.store(tokens("newer"), expected=bool(earlier))
        return True

    assert not moved.bring_back(tokens("one"), newer)
    assert current(client, unique) == "newer"


def test_a_sign_in_right_after_the_tokens_are_back_is_no_failure(client: Any, unique: str, monkeypatch: Any) -> None:
    writer, moved = SecretWriter(client, unique), MovedSecrets(client, unique)
    writer.store(tokens("other"), expected=False)
    make_current = moved._make_current

    def and_then(*arguments: Any, **named: Any) -> bool:
        made = make_current(*arguments, **named)
        writer.store(tokens("newer"), expected=True)
        return made

    monkeypatch.setattr(moved, "_make_current", and_then)
    assert moved.bring_back(tokens("one"), lambda: True)
    assert current(client, unique) == "newer"


@pytest.mark.parametrize("earlier", [[], ["one"], ["other"]])
def test_nothing_becomes_current_where_it_may_not(
    writer: SecretWriter, moved: MovedSecrets, client: Any, unique: str, earlier: list[str]
) -> None:
    for content in earlier:
        writer.store(tokens(content), expected=False)
    assert not moved.bring_back(tokens("one"), lambda: False)
    if earlier:
        assert current(client, unique) == earlier[-1]
    else:
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            current(client, unique)


def test_a_secret_that_is_created_is_encrypted_with_the_stacks_key(client: Any, unique: str) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    assert MovedSecrets(client, unique, key).bring_back(tokens("one"), lambda: True)
    assert client.describe_secret(SecretId=f"{unique}/user/x/7")["KmsKeyId"] == key


@pytest.mark.parametrize("user_id", ["7", "a b", "ä~%=", "X@y.z+"])
def test_who_has_a_secret_is_listed_until_it_is_deleted(
    sandbox: Sandbox, writer: SecretWriter, unique: str, user_id: str
) -> None:
    roster = Roster(sandbox.client("dynamodb"), sandbox.client("secretsmanager"), prefix=unique, table=sandbox.table)
    writer.store(tokens("one", user_id), expected=False)
    assert list(roster.with_secret("x")) == [user_id]
    assert list(roster.with_secret("xx")) == []
    writer.delete("x", user_id)
    assert list(roster.with_secret("x")) == []


@pytest.mark.parametrize(
    ("current", "previous", "since"),
    [
        ("secrets-manager", "moving", None),
        ("none", "table", None),
        ("moving", "secrets-manager", 20),
        ("table", "moving", 10),
        ("table", "secrets-manager", 20),
        ("table", "{", 20),
        ("table", None, 20),
        ("{", "moving", None),
        (None, None, None),
    ],
)
def test_readers_look_into_the_table_since_the_older_of_two_versions_that_say_so(
    client: Any, current: str | None, previous: str | None, since: float | None
) -> None:
    class Versions:
        exceptions = client.exceptions

        def get_secret_value(self, SecretId: str, VersionStage: str) -> dict[str, Any]:  # boto3's own names
            store, at = {"AWSCURRENT": (current, 20.0), "AWSPREVIOUS": (previous, 10.0)}[VersionStage]
            if store is None:
                raise client.exceptions.ResourceNotFoundException({"Error": {}}, "GetSecretValue")
            content = {"consumer_key": "k", "consumer_secret": "s", "store": store}
            return {"SecretString": json.dumps(content), "CreatedDate": datetime.fromtimestamp(at, UTC)}

    assert MovedSecrets(Versions(), "tripod").looked_into_since("x") == since  # type: ignore[arg-type]  # the one call that is made
