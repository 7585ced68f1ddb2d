"""Reading secrets, with a short memory: at most one call to Secrets Manager per secret and five minutes."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from cachetools import TTLCache

from tripod import names
from tripod.credentials import Consumer, UserTokens
from tripod.errors import ConsumerNotFound, MalformedSecret, TokenNotFound, TokenRevoked

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME = 300  # seconds that a secret is remembered: a rotated key is noticed by then at the latest
CAPACITY = 1024  # secrets remembered at once, of about 1 KB each
UNKNOWN_LIFETIME = 60  # seconds that a missing consumer secret is remembered: made-up provider names cost one call each
READERS = 64  # secrets that can be read at the same time; two threads that want the same one make one call

Content = TypeVar("Content", Consumer, UserTokens)


class SecretReader:
    """The secrets below ``prefix``, read through ``client``; safe to share between threads.

    What AWS refuses for other reasons than a missing secret comes through as botocore's ``ClientError``.
    """

    def __init__(self, client: "SecretsManagerClient", prefix: str, clock: Callable[[], float] = monotonic) -> None:
        self._client = client
        self.prefix = prefix
        self._known: TTLCache[str, Any] = TTLCache(CAPACITY, LIFETIME, clock)
        self._unknown: TTLCache[str, bool] = TTLCache(CAPACITY, UNKNOWN_LIFETIME, clock)
        self._lock = threading.Lock()
        self._reading = tuple(threading.Lock() for _ in range(READERS))

    def consumer(self, provider: str, *, fresh: bool = False) -> Consumer:
        """Return the app's credentials at ``provider``; raises ``ConsumerNotFound`` or ``MalformedSecret``."""
        secret = names.consumer_secret(self.prefix, provider)
        with self._lock:
            unknown = secret in self._unknown
        if unknown and not fresh:
            raise ConsumerNotFound(secret)
        try:
            consumer = self._read(secret, Consumer.from_json, fresh=fresh, missing=ConsumerNotFound, deleted=ConsumerNotFound)
        except ConsumerNotFound:
            with self._lock:
                self._unknown[secret] = True
            raise
        with self._lock:
            self._unknown.pop(secret, None)
        return consumer

    def user(self, provider: str, user_id: str, *, fresh: bool = False) -> UserTokens:
        """Return a user's tokens; raises ``TokenNotFound``, ``TokenRevoked`` where they are to be deleted, ``MalformedSecret``."""
        secret = names.user_secret(self.prefix, provider, user_id)
        if not names.is_provider(provider) or not user_id or len(secret) > names.MAX_SECRET_NAME:
            raise TokenNotFound(secret)  # no such secret can be, and AWS would call the name invalid

        def read(text: str) -> UserTokens:
            tokens = UserTokens.from_json(text)
            if (tokens.provider, tokens.user_id) != (provider, user_id):
                raise ValueError("it holds the tokens of another user or provider")
            return tokens

        return self._read(secret, read, fresh=fresh, missing=TokenNotFound, deleted=TokenRevoked)

    def forget_user(self, provider: str, user_id: str) -> None:
        """Forget a user's tokens: the next one who asks reads them."""
        with self._lock:
            self._known.pop(names.user_secret(self.prefix, provider, user_id), None)

    def _read(
        self,
        secret: str,
        read: Callable[[str], Content],
        *,
        fresh: bool,
        missing: Callable[[str], Exception],
        deleted: Callable[[str], Exception],
    ) -> Content:
        """Return what ``read`` makes of the secret's content; raises ``missing`` or ``deleted``, made of the secret's name."""
        with self._reading[hash(secret) % READERS]:
            with self._lock:
                known: Content | None = None if fresh else self._known.get(secret)
            if known is not None:
                return known
            try:
                answer = self._client.get_secret_value(SecretId=secret)
            except self._client.exceptions.ResourceNotFoundException:
                self._forget(secret)
                raise missing(secret) from None
            except self._client.exceptions.InvalidRequestException:  # it is scheduled for deletion
                self._forget(secret)
                raise deleted(secret) from None
            try:
                content = read(_text(answer.get("SecretString")))
            except ValueError as error:
                self._forget(secret)
                raise MalformedSecret(secret, str(error)) from None
            with self._lock:
                self._known[secret] = content
            return content

    def _forget(self, secret: str) -> None:
        with self._lock:
            self._known.pop(secret, None)


def _text(content: str | None) -> str:
    if content is None:
        raise ValueError("it is binary")
    return content
