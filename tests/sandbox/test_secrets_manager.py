"""The sandbox's Secrets Manager refuses what AWS's refuses, and keeps versions and labels as it does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.refusal import refused


def token(letter: str) -> str:
    return letter * 64


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


def test_a_secret_under_a_disabled_key_is_neither_read_nor_written_until_it_has_another(
    vault: Any, name: str, small: Any
) -> None:
    kms = small.client("kms")
    key, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    vault.create_secret(Name=name, SecretString="1", KmsKeyId=key)
    kms.disable_key(KeyId=key)
    assert refused(vault.get_secret_value, SecretId=name) == "DecryptionFailure"
    assert refused(vault.put_secret_value, SecretId=name, SecretString="2") == "EncryptionFailure"
    assert refused(vault.update_secret, SecretId=name, SecretString="2") == "EncryptionFailure"
    vault.update_secret(SecretId=name, SecretString="2", KmsKeyId=other)
    assert vault.get_secret_value(SecretId=name)["SecretString"] == "2"


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
