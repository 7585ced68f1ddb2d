"""Responses whose chunks have a size: urllib3 takes a negative one as it comes, and ``-1`` would read all that is ever sent."""

import http.client
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class ChunkedResponse(http.client.HTTPResponse):
    """A response that ends where a chunk has a negative size. Set as a connection's ``response_class``."""

    def _safe_read(self, amt: int) -> bytes:  # the one place where a chunk is read
        if amt < 0:
            raise http.client.IncompleteRead(b"")
        return super()._safe_read(amt)  # type: ignore[misc,no-any-return]  # typeshed leaves it out


class _HTTPConnection(HTTPConnection):
    response_class = ChunkedResponse


class _HTTPSConnection(HTTPSConnection):
    response_class = ChunkedResponse


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls: Any = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls: Any = _HTTPSConnection


class BoundedAdapter(HTTPAdapter):
    """Sends requests over connections that read no chunk of a negative size."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Make the pools, which requests asks for at the beginning."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def bound(session: Session) -> None:
    """Let a session's connections read no chunk of a negative size."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter())
