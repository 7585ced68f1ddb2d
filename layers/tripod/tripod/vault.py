"""Reading secrets, with a short memory: at most one call to Secrets Manager per secret and five minutes."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError
from cachetools import TTLCache

from tripod import names
from tripod.credentials import Consumer, UserTokens
from tripod.errors import ConsumerNotFound, MalformedSecret, TokenNotFound

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME = 300  # seconds that a secret is remembered: a rotated key is noticed by then at the latest
CAPACITY = 1024  # secrets remembered at once, of about 1 KB each
UNKNOWN_LIFETIME = 60  # seconds that a missing consumer secret is remembered: made-up provider names cost one call each

_GONE = ("ResourceNotFoundException", "InvalidRequestException")  # never there; scheduled for deletion

Content = TypeVar("Content", Consumer, UserTokens)


class Vault:
    """The secrets below ``prefix``, read through ``client``; safe to share between threads."""

    def __init__(self, client: "SecretsManagerClient", prefix: str, clock: Callable[[], float] = monotonic) -> None:
        self._client = client
        self.prefix = prefix
        self._known: TTLCache[str, Consumer | UserTokens] = TTLCache(CAPACITY, LIFETIME, clock)
        self._unknown: TTLCache[str, bool] = TTLCache(CAPACITY, UNKNOWN_LIFETIME, clock)
        self._lock = threading.Lock()

    def consumer(self, provider: str, *, fresh: bool = False) -> Consumer:
        """Return the app's credentials at ``provider``; raises ``ConsumerNotFound`` or ``MalformedSecret``."""
        secret = names.consumer_secret(self.prefix, provider)
        with self._lock:
            unknown = secret in self._unknown
        if unknown and not fresh:
            raise ConsumerNotFound(secret)
        content = self._read(secret, Consumer, fresh=fresh)
        if content is None:
            with self._lock:
                self._unknown[secret] = True
            raise ConsumerNotFound(secret)
        return content

    def user(self, provider: str, user_id: str, *, fresh: bool = False) -> UserTokens:
        """Return a user's tokens; raises ``TokenNotFound`` or ``MalformedSecret``."""
        secret = names.user_secret(self.prefix, provider, user_id)
        content = self._read(secret, UserTokens, fresh=fresh)
        if content is None:
            raise TokenNotFound(secret)
        return content

    def _read(self, secret: str, kind: type[Content], *, fresh: bool) -> Content | None:
        """Return the secret's content, or None when there is no such secret."""
        with self._lock:
            known = None if fresh else self._known.get(secret)
        if isinstance(known, kind):
            return known
        try:
            answer = self._client.get_secret_value(SecretId=secret)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            with self._lock:
                self._known.pop(secret, None)
            return None
        try:
            content = kind.from_json(answer.get("SecretString", ""))
        except ValueError as error:
            raise MalformedSecret(secret, str(error)) from None
        with self._lock:
            self._known[secret] = content
        return content
