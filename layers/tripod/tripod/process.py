"""What the threads of a process share: the prefix, AWS clients, and the cached secrets. Each is made at first use."""

import hashlib
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from requests import Session

from tripod import chunks, sealed_tokens
from tripod.credentials import UserTokens
from tripod.errors import TripodUnavailable
from tripod.secret_reader import LIFETIME, SecretReader

# Seconds. Secrets Manager, DynamoDB and SSM answer in milliseconds: a second try is better than a longer wait. Tripod's
# functions wait for the provider themselves, 27 seconds at most.
_CONNECT_TIMEOUT = 2
_READ_TIMEOUT = 3
_FUNCTION_TIMEOUT = 30
_QUICK_TIMEOUT = 1  # of a call that must not keep its caller waiting
_MOST_REPORTS = 10_000  # that a process remembers
REPORTS_REST = 300  # seconds after a report that failed: whatever is in its way keeps a caller waiting no more often


class Process:
    """The prefix, the clients and the secret reader that all threads of a process share. ``clock`` returns seconds.

    Attributes:
        prefix: ``TRIPOD_PREFIX`` in the environment, ``tripod`` by default.
        cache_seconds: ``TRIPOD_CACHE_SECONDS``, from 60 to 3600: how long credentials are kept in memory; 300 by default.
        loopback: True allows plain http to this machine; only the sandbox sets it.
        bearer_tokens: the app-only token of each provider, used under its ``bearer_lock``.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.prefix = os.environ.get("TRIPOD_PREFIX") or "tripod"
        self.cache_seconds = _cache_seconds(os.environ.get("TRIPOD_CACHE_SECONDS", ""))
        self.loopback = os.environ.get("TRIPOD_LOOPBACK_HTTP") == "true"
        self.bearer_tokens: dict[str, str] = {}
        self._bearer_locks: dict[str, threading.Lock] = {}
        self._clients: dict[tuple[str, bool], Any] = {}
        self._reported: dict[tuple[str, str], str] = {}
        self._reports_rest_until = -math.inf
        self._clock = clock
        self._secret_reader: SecretReader | None = None
        self._table = ""
        self._lock = threading.RLock()

    def client(self, service: str, *, quick: bool = False) -> Any:
        """Return the boto3 client for ``service``. Made under a lock: boto3's session is not thread-safe, its clients are.

        A ``quick`` one gives up after a second.
        """
        with self._lock:
            if (service, quick) not in self._clients:
                self._clients[service, quick] = _client(service, quick=quick)
            return self._clients[service, quick]

    def may_report(self, provider: str, user_id: str, token: str) -> bool:
        """Return True if this process has not reported this ``token`` of the user, and remember that it has now.

        Not while reports rest.
        """
        digest = hashlib.sha256(token.encode()).hexdigest()
        with self._lock:
            if self._clock() < self._reports_rest_until or self._reported.get((provider, user_id)) == digest:
                return False
            if len(self._reported) >= _MOST_REPORTS:
                self._reported.clear()
            self._reported[provider, user_id] = digest
            return True

    def rest_from_reports(self, provider: str, user_id: str) -> None:
        """Report nothing for a while, because the report of this user has failed; then they may be reported again."""
        with self._lock:
            self._reported.pop((provider, user_id), None)
            self._reports_rest_until = self._clock() + REPORTS_REST

    def bearer_lock(self, provider: str) -> threading.Lock:
        """Return the lock of one provider's app-only token: nobody waits for another provider."""
        with self._lock:
            return self._bearer_locks.setdefault(provider, threading.Lock())

    def mount(self, session: Session, *, limit: float | None = None) -> None:
        """Mount what ``session`` reaches a provider by; with a ``limit`` for one request, whose answer takes so many seconds at most."""
        chunks.bound(session, limit=limit)

    @property
    def secret_reader(self) -> SecretReader:
        """The reader of this prefix's secrets, with its cache."""
        with self._lock:
            if self._secret_reader is None:
                self._secret_reader = _ReaderInReach(
                    self.client("secretsmanager"), self.prefix, lifetime=self.cache_seconds, sealed=self._sealed_tokens
                )
            return self._secret_reader

    def _sealed_tokens(self, provider: str, user_id: str) -> UserTokens | bool:
        """Return a user's tokens from the table; without any, whether the user is known. Raises TokenRevoked or MalformedSecret."""
        with in_reach("DynamoDB"):
            found = sealed_tokens.find(self.client("dynamodb"), self.table, self.prefix, provider, user_id)
        if isinstance(found, bool):
            return found
        with in_reach("KMS"):
            return sealed_tokens.opened(self.client("kms"), self.prefix, provider, user_id, found)

    @property
    def table(self) -> str:
        """The table's name, from SSM. Raises TripodUnavailable if there is no stack of this prefix."""
        if not self._table:  # asked without the lock: whoever needs no table does not wait for it
            client, name = self.client("ssm"), f"/{self.prefix}/table"
            try:
                with in_reach("Systems Manager"):
                    self._table = client.get_parameter(Name=name)["Parameter"]["Value"]
            except client.exceptions.ParameterNotFound:
                raise no_stack(f"SSM parameter {name}") from None
        return self._table

    def close(self) -> None:
        """Close the clients' connections."""
        for client in self._clients.values():
            client.close()


def _cache_seconds(text: str) -> int:
    if not text:
        return LIFETIME
    if not text.isdecimal() or not 60 <= int(text) <= 3600:
        raise TripodUnavailable("TRIPOD_CACHE_SECONDS must be a number of seconds, from 60 to 3600", code="not_configured")
    return int(text)


def no_stack(missing: str) -> TripodUnavailable:
    """Return the error for something of the stack that is not there."""
    reason = f"there is no {missing}: is Tripod deployed here, and TRIPOD_PREFIX its prefix?"
    return TripodUnavailable(reason, code="not_configured")


@contextmanager
def in_reach(service: str) -> Iterator[None]:
    """Raise TripodUnavailable, which says what to look at, where AWS's ``service`` can't be reached."""
    try:
        yield
    except Exception as error:  # all of them: botocore, which knows the two classes, is not imported here
        exceptions = sys.modules.get("botocore.exceptions")  # loaded with its client; what is no client of its raises neither
        if exceptions is None or not isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
            raise
        way = "in a VPC, a function needs a NAT gateway or an endpoint for it"
        raise TripodUnavailable(f"{service} can't be reached: {type(error).__name__}; {way}") from None


class _ReaderInReach(SecretReader):
    """A secret reader for Lambdas, which are told where Secrets Manager can't be reached."""

    def _read(self, *arguments: Any, **named: Any) -> Any:
        with in_reach("Secrets Manager"):
            return super()._read(*arguments, **named)


_this: Process | None = None
_make: Callable[[], Process] = Process
_lock = threading.Lock()


def this() -> Process:
    """Return this process's one ``Process``."""
    global _this  # noqa: PLW0603  # one for all threads, made at first use
    with _lock:
        if _this is None:
            _this = _make()
        return _this


def exchange(make: Callable[[], Process], current: Process | None = None) -> Process | None:
    """Let ``current`` be this process's, and ``make`` make each one after it; return the one that was. For ``tripod.testing``."""
    global _this, _make  # as above
    with _lock:
        before, _this, _make = _this, current, make
        return before


def forget() -> None:
    """Forget everything: the next use reads the environment and the secrets again. For tests."""
    global _this
    with _lock:
        forgotten, _this = _this, None
    if forgotten is not None:
        forgotten.close()


def _client(service: str, *, quick: bool) -> Any:
    try:
        import boto3  # noqa: PLC0415  # half a second, which a process that reads no token saves
        from botocore.config import Config  # noqa: PLC0415  # likewise
    except ImportError as error:
        raise ImportError(
            "tripod calls AWS through boto3, which Lambda's runtime brings; elsewhere: pip install boto3"
        ) from error
    read_timeout = _FUNCTION_TIMEOUT if service == "lambda" else _READ_TIMEOUT
    config = Config(
        connect_timeout=_QUICK_TIMEOUT if quick else _CONNECT_TIMEOUT,
        read_timeout=_QUICK_TIMEOUT if quick else read_timeout,
        retries={"mode": "standard", "total_max_attempts": 1 if quick else 3},
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # any service
