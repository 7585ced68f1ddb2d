"""Looking at the beginning of an answer, and leaving the whole of it to whoever reads it next."""

from collections.abc import Iterator
from typing import Any

from requests import Response
from urllib3.exceptions import HTTPError

LIMIT = 64 * 1024  # bytes, unpacked; an error body has some hundred
_CHUNK = 8 * 1024  # bytes read at a time


def peek(response: Response) -> bytes:
    """Return at most ``LIMIT`` bytes of a body that nobody has read yet; the response can still be read from its beginning."""
    response.raw = raw = _Reopened(response.raw)
    return raw.beginning


class _Reopened:
    """A raw body whose beginning was read, which ``stream`` (what ``requests`` reads by) gives once more before the rest."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._rest: Iterator[bytes] = raw.stream(_CHUNK, decode_content=True)
        self._failure: Exception | None = None
        self.beginning = b""
        try:
            while len(self.beginning) <= LIMIT - _CHUNK and (chunk := next(self._rest, b"")):
                self.beginning += chunk
        except (HTTPError, OSError) as error:
            self._failure = error  # for whoever reads on: requests makes its own error of it

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Give the whole body, in chunks of our choosing."""
        yield self.beginning
        if self._failure is not None:
            raise self._failure
        yield from self._rest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
