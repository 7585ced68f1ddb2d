"""What one process keeps: where Tripod is, AWS clients, and the secrets that were read lately. All of it is made at first use."""

import os
import threading
from typing import Any

from tripod.errors import TripodUnavailable
from tripod.secret_reader import SecretReader

# Seconds. Secrets Manager, DynamoDB and SSM answer in milliseconds, so that a second try beats a longer wait; a function of
# Tripod's may itself wait for the provider, 27 seconds at most.
_CONNECT_TIMEOUT = 2
_READ_TIMEOUT = 3
_FUNCTION_TIMEOUT = 30


class Process:
    """The prefix, the clients and the secret reader that all threads of a process share.

    ``prefix`` is ``TRIPOD_PREFIX`` in the environment, ``tripod`` by default. ``loopback``: plain http to this machine is let
    pass; the sandbox's setting.
    """

    def __init__(self) -> None:
        self.prefix = os.environ.get("TRIPOD_PREFIX") or "tripod"
        self.loopback = os.environ.get("TRIPOD_LOOPBACK_HTTP") == "true"
        self.bearers: dict[str, str] = {}  # the app-only token of each provider
        self.bearers_lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._secret_reader: SecretReader | None = None
        self._table = ""
        self._lock = threading.RLock()

    def client(self, service: str) -> Any:
        """Return the process's boto3 client for ``service``; one thread makes it, because boto3's session is not thread-safe."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = _client(service)
            return self._clients[service]

    @property
    def secret_reader(self) -> SecretReader:
        """The secrets, read and remembered."""
        with self._lock:
            if self._secret_reader is None:
                self._secret_reader = SecretReader(self.client("secretsmanager"), self.prefix)
            return self._secret_reader

    @property
    def table(self) -> str:
        """The table's name, as SSM has it; raises ``TripodUnavailable`` where there is no stack of this prefix."""
        with self._lock:
            if not self._table:
                client, name = self.client("ssm"), f"/{self.prefix}/table"
                try:
                    self._table = client.get_parameter(Name=name)["Parameter"]["Value"]
                except client.exceptions.ParameterNotFound:
                    reason = f"there is no SSM parameter {name}: is Tripod deployed here, and TRIPOD_PREFIX its prefix?"
                    raise TripodUnavailable(reason, code="not_configured") from None
            return self._table

    def close(self) -> None:
        """Close the clients' connections."""
        for client in self._clients.values():
            client.close()


_this: Process | None = None
_lock = threading.Lock()


def this() -> Process:
    """Return this process's one ``Process``."""
    global _this  # noqa: PLW0603  # one for all threads, made at first use
    with _lock:
        if _this is None:
            _this = Process()
        return _this


def forget() -> None:
    """Forget everything, so that the next use reads the environment and the secrets anew: for tests."""
    global _this
    with _lock:
        forgotten, _this = _this, None
    if forgotten is not None:
        forgotten.close()


def _client(service: str) -> Any:
    try:
        import boto3  # noqa: PLC0415  # the runtime's own, and half a second that a process without tokens needn't pay
        from botocore.config import Config  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            "tripod calls AWS through boto3, which Lambda's runtime brings; elsewhere: pip install boto3"
        ) from error
    config = Config(
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_FUNCTION_TIMEOUT if service == "lambda" else _READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # whichever service
