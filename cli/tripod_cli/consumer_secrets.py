"""The consumer secrets of a prefix, in Secrets Manager: what there is, and writing one."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tripod import names
from tripod.credentials import Consumer, Store
from tripod_cli import given
from tripod_cli.failure import Failure
from tripod_cli.stack import Stack

AWS_KEY = "alias/aws/secretsmanager"  # AWS's own, where a secret names none

_UNDECRYPTABLE = ("DecryptionFailure", "DisabledException", "KMSDisabledException", "KMSInvalidStateException")  # whoever asks


@dataclass(frozen=True)
class Kept:
    """A consumer secret as Secrets Manager describes it, without its content; times in epoch seconds."""

    provider: str
    name: str
    kms_key: str  # empty: AWS's own
    created_at: float | None
    changed_at: float | None
    deleted_at: float | None  # when its deletion was scheduled; None: it is in use

    @classmethod
    def of(cls, described: Mapping[str, Any], provider: str) -> "Kept":
        """Read what DescribeSecret or ListSecrets says of the one of ``provider``."""
        key = str(described.get("KmsKeyId") or "")
        return cls(
            provider=provider,
            name=str(described["Name"]),
            kms_key="" if key == AWS_KEY else key,
            created_at=_seconds(described.get("CreatedDate")),
            changed_at=_seconds(described.get("LastChangedDate")),
            deleted_at=_seconds(described.get("DeletedDate")),
        )


@dataclass(frozen=True)
class Held:
    """A consumer secret as it was read before it is changed: two that are not equal tell that somebody else has changed it."""

    kept: Kept | None  # None: there is none
    content: str = field(default="", repr=False)  # empty where there is none to be read
    flaw: str = ""  # why there is none, where there should be

    @property
    def is_deleted(self) -> bool:
        """True if its deletion is scheduled."""
        return self.kept is not None and self.kept.deleted_at is not None


@dataclass(frozen=True, slots=True)
class SaidStore:
    """Where a consumer secret says that users' tokens are kept, and since when: its newest version's time, whatever that has changed."""

    store: Store
    since: float


class ConsumerSecrets:
    """The secrets ``{prefix}/consumer/…`` of a stack, deployed or not."""

    def __init__(self, stack: Stack) -> None:
        self._prefix = stack.prefix
        self._client = stack.client("secretsmanager")

    def name(self, provider: str) -> str:
        """Return the name of a provider's consumer secret."""
        return names.consumer_secret(self._prefix, provider)

    def find(self, provider: str) -> Kept | None:
        """Return what is known of a provider's secret; None: there is none."""
        try:
            return Kept.of(self._client.describe_secret(SecretId=self.name(provider)), provider)
        except self._client.exceptions.ResourceNotFoundException:
            return None

    def all(self) -> Iterator[Kept]:
        """Yield every provider's secret, by name; those whose deletion is scheduled too."""
        return (kept for kept in self.named() if names.is_provider(kept.provider))

    def named(self) -> Iterator[Kept]:
        """Yield the same, and those whose name no provider can have; not what is further down, as ``{prefix}/consumer/x/backup``."""
        begin = self.name("")
        pages = self._client.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": [begin]}], IncludePlannedDeletion=True
        )
        secrets = [each for page in pages for each in page["SecretList"] if each["Name"].startswith(begin)]
        found = (Kept.of(each, str(each["Name"]).removeprefix(begin)) for each in secrets)
        yield from sorted((kept for kept in found if "/" not in kept.provider), key=lambda kept: kept.name)

    def content(self, provider: str) -> str:
        """Return the text that a secret holds; empty where it holds bytes. Raises ValueError where there is none to be read."""
        try:
            return str(self._client.get_secret_value(SecretId=self.name(provider)).get("SecretString") or "")
        except self._client.exceptions.ResourceNotFoundException:
            raise ValueError("it has no value") from None
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _UNDECRYPTABLE:
                raise
            raise ValueError(f"it can't be decrypted ({code}): is its KMS key enabled?") from None

    def held(self, provider: str) -> Held:
        """Return what there is of a provider's secret now."""
        held = Held(self.find(provider))
        if held.kept is None or held.is_deleted:
            return held
        try:
            return Held(held.kept, self.content(provider))
        except ValueError as error:
            return Held(held.kept, flaw=str(error))

    def said_store(self, provider: str) -> SaidStore:
        """Return what a secret says of the store now. Raises ValueError where it is malformed."""
        answer = self._client.get_secret_value(SecretId=self.name(provider))
        return SaidStore(Consumer.from_json(answer["SecretString"], provider).store, answer["CreatedDate"].timestamp())

    def say_store(self, provider: str, store: Store, *, was: Store) -> None:
        """Change ``"store"``, and nothing else of a secret. Raises Failure where that says another than ``was`` by now."""
        content = self.content(provider)
        if (says := Consumer.from_json(content, provider).store) != was:
            raise Failure(
                f'"store" is not changed: {self.name(provider)} says "{says}" now, and said "{was}" when this was decided. '
                "Has somebody else changed it? The same command goes on from there"
            )
        self.change(provider, json.dumps({**given.parse(content), "store": store}), kms_key=None)

    def create(self, provider: str, content: str, *, at: str, kms_key: str) -> None:
        """Create a provider's secret, under ``kms_key``, or AWS's own where that is empty; ``at`` is the provider's name for people."""
        self._client.create_secret(
            Name=self.name(provider),
            SecretString=content,
            Description=f"Tripod: the app's consumer key and secret at {at}",
            **({"KmsKeyId": kms_key} if kms_key else {}),
        )

    def restore(self, provider: str) -> None:
        """Take back a secret's scheduled deletion."""
        self._client.restore_secret(SecretId=self.name(provider))

    def change(self, provider: str, content: str | None, *, kms_key: str | None) -> None:
        """Give a secret another content, another key, or both; None leaves it. The former content is its version AWSPREVIOUS."""
        changes = {"SecretString": content, "KmsKeyId": kms_key}
        self._client.update_secret(
            SecretId=self.name(provider), **{name: value for name, value in changes.items() if value is not None}
        )


def _seconds(at: Any) -> float | None:
    return None if at is None else float(at.timestamp())
