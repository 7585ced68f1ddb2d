"""Peek at the start of a response's body, and leave the whole body to be read."""

from collections.abc import Iterator
from typing import Any

from requests import Response
from urllib3.exceptions import HTTPError

LIMIT = 64 * 1024  # bytes, decompressed; an error body has some hundred
_CHUNK = 8 * 1024  # bytes read at a time


def peek(response: Response) -> bytes:
    """Return the first ``LIMIT`` bytes at most of an unread body. The caller can still read the response from its start."""
    response.raw = raw = _PeekedBody(response.raw)
    return raw.start


class _PeekedBody:
    """A raw body whose start was read. ``stream``, by which ``requests`` reads, repeats the start before the rest."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._rest: Iterator[bytes] = raw.stream(_CHUNK, decode_content=True)
        self._failure: Exception | None = None
        self._left: Iterator[bytes] | None = None  # for ``read``
        self._unread = b""
        self.start = b""
        try:
            while len(self.start) <= LIMIT - _CHUNK and (chunk := next(self._rest, b"")):
                self.start += chunk
        except (HTTPError, OSError) as error:
            self._failure = error  # raised when the body is read: requests turns it into its own

    def read(self, amount: int | None = None, *_: Any, **__: Any) -> bytes:
        """Return so many bytes of the body, or all that are left."""
        self._left = self.stream() if self._left is None else self._left
        while amount is None or len(self._unread) < amount:
            chunk = next(self._left, None)
            if chunk is None:
                break
            self._unread += chunk
        cut = len(self._unread) if amount is None else amount
        taken, self._unread = self._unread[:cut], self._unread[cut:]
        return taken

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Yield the whole body; the chunk size that is asked for is ignored."""
        yield self.start
        if self._failure is not None:
            raise self._failure
        yield from self._rest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
