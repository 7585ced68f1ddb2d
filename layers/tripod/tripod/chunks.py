"""Responses whose chunks have a size: urllib3 takes a negative one as it comes, and ``-1`` would read all that is ever sent.

Where there is a limit, they end in time too: a read timeout alone only bounds the pause between two bytes.
"""

import http.client
import io
from functools import partial
from time import monotonic
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class ChunkedResponse(http.client.HTTPResponse):
    """A response that ends where a chunk has a negative size. Set as a connection's ``response_class``.

    ``ends``: when it is cut off at the latest, its headers too, in ``monotonic`` seconds.
    """

    def __init__(self, sock: Any, *arguments: Any, ends: float | None = None, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        if ends is not None:
            self.fp = io.BufferedReader(_EndingReader(self.fp.detach(), sock, ends))

    def _safe_read(self, amt: int) -> bytes:  # the one place where a chunk is read
        if amt < 0:
            raise http.client.IncompleteRead(b"")
        return super()._safe_read(amt)  # type: ignore[misc,no-any-return]  # typeshed leaves it out


class _EndingReader(io.RawIOBase):
    """Reads ``raw``, which is ``sock``'s, until ``ends``; each byte that is waited for is waited for no longer."""

    def __init__(self, raw: Any, sock: Any, ends: float) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left, pause = self._ends - monotonic(), self._sock.gettimeout()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left if pause is None else min(left, pause))
        return self._raw.readinto(buffer)  # type: ignore[no-any-return]  # a socket's own

    def close(self) -> None:
        self._raw.close()
        super().close()


class _HTTPConnection(HTTPConnection):
    response_class = ChunkedResponse

    def __init__(self, *arguments: Any, limit: float | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if limit is not None:
            self.response_class = partial(ChunkedResponse, ends=monotonic() + limit)  # type: ignore[assignment]  # it is only ever called


class _HTTPSConnection(_HTTPConnection, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls: Any = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls: Any = _HTTPSConnection


class BoundedAdapter(HTTPAdapter):
    """Sends requests over connections that read no chunk of a negative size.

    ``limit``: seconds after which the answer on a connection is cut off. The adapter is then for one request.
    """

    _limit: float | None = None  # of one that was unpickled too

    def __init__(self, *, limit: float | None = None) -> None:
        self._limit = limit
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Make the pools, which requests asks for at the beginning."""
        super().init_poolmanager(*arguments, **named)
        pools = {"http": _HTTPPool, "https": _HTTPSPool}
        # What a pool does not know it passes on to its connections.
        limited = {} if self._limit is None else {"limit": self._limit}
        self.poolmanager.pool_classes_by_scheme = {scheme: partial(kind, **limited) for scheme, kind in pools.items()}


def bound(session: Session, *, limit: float | None = None) -> None:
    """Let a session's connections read no chunk of a negative size; ``limit`` as ``BoundedAdapter`` has it."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(limit=limit))
