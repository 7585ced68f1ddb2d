"""Secrets Manager, for a move of users' tokens: read the version that a connection names, and bring tokens back beside others.

No function needs it: those that write users' secrets don't read them.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from tripod import names
from tripod.credentials import Consumer, UserTokens
from tripod_flow.edges.secret_writer import SecretWriter, version_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

BESIDE = "TRIPOD-MOVED"  # the label of a version that is not current yet: one without a label would not last


class Unreadable(Exception):
    """There are no such tokens; its text says why, without quoting them."""


class MovedSecrets:
    """The secrets below ``{prefix}/user``, through ``client``; new ones are encrypted with ``kms_key``, or AWS's where it is empty."""

    def __init__(self, client: "SecretsManagerClient", prefix: str, kms_key: str = "") -> None:
        self._client = client
        self._prefix = prefix
        self._writer = SecretWriter(client, prefix, kms_key=kms_key)

    def read(self, provider: str, user_id: str, version: str) -> UserTokens:
        """Return the tokens of this version of a user's secret; raises ``Unreadable`` or botocore's errors."""
        try:
            answer = self._client.get_secret_value(SecretId=names.user_secret(self._prefix, provider, user_id), VersionId=version)
        except self._client.exceptions.ResourceNotFoundException:
            raise Unreadable("there is no such secret, or it has not the version that the connection names") from None
        except self._client.exceptions.InvalidRequestException:
            raise Unreadable("the secret is scheduled for deletion") from None
        try:
            tokens = UserTokens.from_json(answer.get("SecretString", ""))
        except ValueError as error:
            raise Unreadable(f"the secret is malformed: {error}") from None
        if (tokens.provider, tokens.user_id) != (provider, user_id):
            raise Unreadable("the secret holds the tokens of another user or provider")
        return tokens

    def looked_into_since(self, provider: str) -> float | None:
        """Return since when, in epoch seconds, the consumer secret has readers look into the table; None: it doesn't.

        Two of its versions are known: a secret that was changed more often since is taken for younger than it is.
        """
        since = None
        for stage in ("AWSCURRENT", "AWSPREVIOUS"):
            try:
                answer = self._client.get_secret_value(SecretId=names.consumer_secret(self._prefix, provider), VersionStage=stage)
                if not Consumer.from_json(answer.get("SecretString", ""), provider).may_be_sealed:
                    break
            except (
                self._client.exceptions.ResourceNotFoundException,
                self._client.exceptions.InvalidRequestException,
                ValueError,
            ):
                break
            since = answer["CreatedDate"].timestamp()
        return since

    def bring_back(self, tokens: UserTokens, may: Callable[[], bool]) -> bool:
        """Make ``tokens`` the current content of the user's secret; return False where it was left alone.

        ``may`` is asked just before. Secrets Manager moves a label only from the version that it is said to be at, and creates a secret
        only where there is none: so whatever another process has made current since stays current.
        """
        secret, version = names.user_secret(self._prefix, tokens.provider, tokens.user_id), version_of(tokens)
        try:
            described = self._client.describe_secret(SecretId=secret)
        except self._client.exceptions.ResourceNotFoundException:
            return may() and self._writer.create(tokens)
        current = next((one for one, stages in described["VersionIdsToStages"].items() if "AWSCURRENT" in stages), "")
        if "DeletedDate" in described:
            self._client.restore_secret(SecretId=secret)
        if current == version:
            return may()
        put = self._client.put_secret_value(
            SecretId=secret, ClientRequestToken=version, SecretString=tokens.to_json(), VersionStages=[BESIDE]
        )
        if not may() or not self._make_current(secret, version, was=current):
            return False
        if BESIDE in put.get("VersionStages", []):  # an earlier content's version is there already, and stays as it is
            with suppress(self._client.exceptions.InvalidParameterException):  # a newer version may have taken its place
                self._client.update_secret_version_stage(SecretId=secret, VersionStage=BESIDE, RemoveFromVersionId=version)
        return True

    def _make_current(self, secret: str, version: str, *, was: str) -> bool:
        try:
            self._client.update_secret_version_stage(
                SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=version, RemoveFromVersionId=was
            )
        except self._client.exceptions.InvalidParameterException:  # it is elsewhere by now
            return False
        return True
