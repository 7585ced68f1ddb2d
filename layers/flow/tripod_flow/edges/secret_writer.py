"""Write users' tokens to Secrets Manager. Nothing here reads them back."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tripod import names
from tripod.credentials import UserTokens
from tripod_flow.rules.errors import Contended

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import CreateSecretRequestTypeDef


_GONE = ("ResourceNotFoundException", "InvalidRequestException")  # it was never there, or its deletion is scheduled already


def version_of(tokens: UserTokens) -> str:
    """Return the id of the secret version that holds ``tokens``: the content's SHA-256, in hex.

    As ClientRequestToken it makes every write repeatable: the same content is the same version.
    """
    return hashlib.sha256(tokens.to_json().encode()).hexdigest()


class SecretWriter:
    """The secrets below ``{prefix}/user``, written through ``client``; a deleted one is kept for ``recovery_window`` days.

    New ones are encrypted with ``kms_key``, or AWS's key where it is empty; a secret keeps the key it was created with.
    """

    def __init__(self, client: "SecretsManagerClient", prefix: str, recovery_window: int = 30, kms_key: str = "") -> None:
        self._client = client
        self._prefix = prefix
        self._recovery_window = recovery_window
        self._kms_key = kms_key

    def store(self, tokens: UserTokens, *, expected: bool) -> None:
        """Make ``tokens`` the current content of the user's secret; repeating it changes nothing.

        ``expected`` says whether the secret is likely to be there already, which saves a call; either way it ends well.
        """
        steps = (self._put, self.create) if expected else (self.create, self._put)
        for step in steps:
            if step(tokens):
                return
        raise Contended

    def create(self, tokens: UserTokens) -> bool:
        """Create the user's secret, with ``tokens`` as its content; return False where it is there, or its deletion is scheduled."""
        request: CreateSecretRequestTypeDef = {
            "Name": names.user_secret(self._prefix, tokens.provider, tokens.user_id),
            "ClientRequestToken": version_of(tokens),
            "SecretString": tokens.to_json(),
        }
        if self._kms_key:
            request["KmsKeyId"] = self._kms_key
        try:
            self._client.create_secret(**request)
        except ClientError as error:
            if _code(error) in ("ResourceExistsException", "InvalidRequestException"):
                return False
            raise
        return True

    def make_current(self, provider: str, user_id: str, version: str, *, exists: bool = False) -> None:
        """Move AWSCURRENT to ``version``, if the secret has it and it isn't there already.

        ``exists``: the caller knows that it has; one that two later ones have replaced bears no label, and isn't told of.
        """
        secret = names.user_secret(self._prefix, provider, user_id)
        versions = self._client.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
        current = next((one for one, stages in versions.items() if "AWSCURRENT" in stages), None)
        if (exists or version in versions) and current != version:
            moved = {"RemoveFromVersionId": current} if current else {}
            self._client.update_secret_version_stage(SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=version, **moved)

    def delete(self, provider: str, user_id: str) -> None:
        """Delete the user's secret; it can be restored for as long as the stack's recovery window says. Repeating it changes nothing."""
        try:
            self._client.delete_secret(
                SecretId=names.user_secret(self._prefix, provider, user_id), RecoveryWindowInDays=self._recovery_window
            )
        except ClientError as error:
            if _code(error) not in _GONE:
                raise

    def holds(self, provider: str, user_id: str, version: str | None) -> bool:
        """Return whether ``version`` is the current content of the user's secret, or, for None, whether the secret is deleted.

        Without such a secret or version it is as it should be: the write that is under way creates it.
        """
        try:
            described: Mapping[str, Any] = self._client.describe_secret(
                SecretId=names.user_secret(self._prefix, provider, user_id)
            )
        except ClientError as error:
            if _code(error) != "ResourceNotFoundException":
                raise
            return True
        if version is None:
            return "DeletedDate" in described
        versions = described.get("VersionIdsToStages", {})
        return "DeletedDate" not in described and (version not in versions or "AWSCURRENT" in versions[version])

    def restore(self, provider: str, user_id: str, version: str) -> None:
        """Bring a deleted secret back, with ``version`` as its current content; repeating it changes nothing.

        Without such a secret or version it changes nothing: the write that is under way creates it.
        """
        try:
            self._client.restore_secret(SecretId=names.user_secret(self._prefix, provider, user_id))
            self.make_current(provider, user_id, version)
        except ClientError as error:
            if _code(error) != "ResourceNotFoundException":
                raise

    def _put(self, tokens: UserTokens) -> bool:
        """Put a version; False where there is no such secret."""
        secret = names.user_secret(self._prefix, tokens.provider, tokens.user_id)
        try:
            stages = self._put_version(secret, tokens)
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                return False
            if _code(error) != "InvalidRequestException":
                raise
            self._client.restore_secret(SecretId=secret)  # scheduled for deletion: the user had disconnected, and is back
            stages = self._put_version(secret, tokens)
        if "AWSCURRENT" not in stages:  # an earlier content, granted again: the put was ignored
            self.make_current(tokens.provider, tokens.user_id, version_of(tokens), exists=True)
        return True

    def _put_version(self, secret: str, tokens: UserTokens) -> list[str]:
        answer = self._client.put_secret_value(
            SecretId=secret, ClientRequestToken=version_of(tokens), SecretString=tokens.to_json()
        )
        return answer.get("VersionStages", [])


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
