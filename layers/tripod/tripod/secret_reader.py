"""Read credentials through a cache, at most once in five minutes: from Secrets Manager, and users' from the table that seals them."""

import threading
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from cachetools import TTLCache

from tripod import names
from tripod.credentials import Consumer, UserTokens
from tripod.errors import ConsumerNotFound, MalformedSecret, TokenNotFound, TokenRevoked

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME = 300  # seconds that a secret is cached: a rotated key is in use after that at the latest
CAPACITY = 1024  # cached secrets, of about 1 KB each
UNKNOWN_LIFETIME = 60  # seconds that a missing consumer secret is cached: a made-up provider name costs one call a minute
LOOKS = 4  # at both places where a user's tokens may be, while they are moved from one to the other
READ_LOCKS = 64  # secrets that can be read at the same time; threads that want the same secret make one call

Content = TypeVar("Content", Consumer, UserTokens)


class SecretReader:
    """Reads the secrets below ``prefix`` through ``client``; thread-safe. ``clock`` returns seconds, as is ``lifetime`` of the cache.

    ``sealed`` reads a user's tokens from the table, or returns whether they are connected with tokens elsewhere; None: there is no table.

    Any error of AWS but a missing secret is raised as botocore's ``ClientError``.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        prefix: str,
        clock: Callable[[], float] = monotonic,
        *,
        lifetime: float = LIFETIME,
        sealed: "Callable[[str, str], UserTokens | bool] | None" = None,
    ) -> None:
        self._client = client
        self.prefix = prefix
        self._sealed = sealed
        self._cache: TTLCache[str, Any] = TTLCache(CAPACITY, lifetime, clock)
        self._missing: TTLCache[str, bool] = TTLCache(CAPACITY, UNKNOWN_LIFETIME, clock)
        self._lock = threading.Lock()
        self._read_locks = tuple(threading.Lock() for _ in range(READ_LOCKS))

    def consumer(self, provider: str, *, fresh: bool = False) -> Consumer:
        """Return the app's credentials at ``provider``; ``fresh`` bypasses the cache. Raises ConsumerNotFound or MalformedSecret."""
        secret = names.consumer_secret(self.prefix, provider)
        if not names.is_provider(provider):
            raise ConsumerNotFound(secret)  # no secret has such a name; AWS would call it invalid
        with self._lock:
            missing = secret in self._missing
        if missing and not fresh:
            raise ConsumerNotFound(secret)
        try:
            consumer = self._read(
                secret,
                lambda text: Consumer.from_json(text, provider),
                fresh=fresh,
                missing=ConsumerNotFound,
                deleted=ConsumerNotFound,
            )
        except ConsumerNotFound:
            with self._lock:
                self._missing[secret] = True
            raise
        with self._lock:
            self._missing.pop(secret, None)
        return consumer

    def user(self, provider: str, user_id: str, *, fresh: bool = False, may_be_sealed: bool = False) -> UserTokens:
        """Return a user's tokens; ``fresh`` bypasses the cache. ``may_be_sealed``: look into the table first.

        Raises TokenNotFound, TokenRevoked (the user has disconnected), or MalformedSecret.
        """
        secret = names.user_secret(self.prefix, provider, user_id)
        if not names.is_provider(provider) or not user_id or len(secret) > names.MAX_SECRET_NAME:
            raise TokenNotFound(secret)  # no secret has such a name; AWS would call it invalid

        parse = partial(_tokens_of, provider, user_id)
        first = partial(self._sealed, provider, user_id) if may_be_sealed and self._sealed else None
        return self._read(secret, parse, fresh=fresh, missing=TokenNotFound, deleted=TokenRevoked, first=first)

    def version_of_user(self, provider: str, user_id: str, version: str) -> UserTokens:
        """Return the tokens in one version of a user's secret, whether or not it is the current one; nothing is cached.

        Raises TokenNotFound, TokenRevoked or MalformedSecret.
        """
        secret = names.user_secret(self.prefix, provider, user_id)
        try:
            response = self._client.get_secret_value(SecretId=secret, VersionId=version)
            return _tokens_of(provider, user_id, _text(response.get("SecretString")))
        except self._client.exceptions.ResourceNotFoundException:
            raise TokenNotFound(secret) from None
        except self._client.exceptions.InvalidRequestException:  # it is scheduled for deletion
            raise TokenRevoked(secret) from None
        except ValueError as error:
            raise MalformedSecret(secret, str(error)) from None

    def forget_consumer(self, provider: str) -> None:
        """Remove a consumer secret from the cache: the next call reads it."""
        self._forget(names.consumer_secret(self.prefix, provider))

    def forget_user(self, provider: str, user_id: str) -> None:
        """Remove a user's tokens from the cache: the next call reads them."""
        self._forget(names.user_secret(self.prefix, provider, user_id))

    def _read(
        self,
        secret: str,
        parse: Callable[[str], Content],
        *,
        fresh: bool,
        missing: Callable[[str], Exception],
        deleted: Callable[[str], Exception],
        first: Callable[[], Content | bool] | None = None,
    ) -> Content:
        """Return what ``first`` does, or the secret's content, parsed.

        What is in neither may have been moved between the two looks: they are taken again, more often where ``first`` says that it is
        somewhere. Raises ``missing(secret)`` or ``deleted(secret)``, or MalformedSecret.
        """
        key = secret if first is None else f"{secret} or sealed"  # whoever looks into the table first may find others
        with self._read_locks[hash(secret) % READ_LOCKS]:
            with self._lock:
                cached: Content | None = None if fresh else self._cache.get(key)
            if cached is not None:
                return cached
            for look in range(LOOKS):
                found = self._first(secret, first) if first is not None else False
                if not isinstance(found, bool):
                    return self._keep(key, found)
                try:
                    response = self._client.get_secret_value(SecretId=secret)
                    break
                except self._client.exceptions.ResourceNotFoundException:
                    error = missing
                except self._client.exceptions.InvalidRequestException:  # it is scheduled for deletion
                    error = deleted
                self._forget(secret)
                if first is None or (look and not found) or look == LOOKS - 1:
                    raise error(secret)
            try:
                content = parse(_text(response.get("SecretString")))
            except ValueError as error:
                self._forget(secret)
                raise MalformedSecret(secret, str(error)) from None
            return self._keep(key, content)

    def _first(self, secret: str, first: Callable[[], Content | bool]) -> Content | bool:
        try:
            return first()
        except (TokenNotFound, MalformedSecret):
            self._forget(secret)
            raise

    def _keep(self, key: str, content: Content) -> Content:
        with self._lock:
            self._cache[key] = content
        return content

    def _forget(self, secret: str) -> None:
        with self._lock:
            self._cache.pop(secret, None)
            self._cache.pop(f"{secret} or sealed", None)


def _tokens_of(provider: str, user_id: str, text: str) -> UserTokens:
    tokens = UserTokens.from_json(text)
    if (tokens.provider, tokens.user_id) != (provider, user_id):
        raise ValueError("it holds the tokens of another user or provider")
    return tokens


def _text(content: str | None) -> str:
    if content is None:
        raise ValueError("it is binary")
    return content
