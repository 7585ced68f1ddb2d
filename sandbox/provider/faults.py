"""The provider's faults that a test can arm.

:attr:`ProviderFault.work_done` is True where the leg still does its work: a token issued, an exchange made, a post kept.
"""

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import ClassVar

from flask import Response

from sandbox.provider import failures
from sandbox.provider.failures import ProviderFailure
from sandbox.provider.raw_connection import RawConnection

HUGE = 50_000_000  # bytes; far beyond the 64 KiB that a client should read
CHUNK = 65_536  # bytes sent at a time


class ProviderFault(Enum):
    """One way to fail. Up to ``GARBAGE`` the leg's work is NOT done; from ``DRIP`` on it IS done, and the response is spoiled."""

    SERVER_ERROR = "500, JSON, code 131"
    OVER_CAPACITY = "503, JSON, code 130"
    RATE_LIMITED = "429, JSON, code 88, with the x-rate-limit headers"
    NOT_AUTHENTICATED = "401, JSON, code 32: bad key or signature"
    CLOCK_OFF = "401, JSON, code 135: timestamp out of bounds"
    CALLBACK_NOT_APPROVED = "403, JSON, code 415"
    CALLBACK_NOT_APPROVED_XML = "403, XML, code 415"
    CALLBACK_NOT_APPROVED_HASH = "403, legacy hash XML with the text of 415 and no code"
    NO_CALLBACK = "401, XML, code 417"
    SUSPENDED = "401, JSON, code 416"
    REVOKED = "401, JSON, code 89: invalid or expired token"
    NO_CREDITS = "402, JSON"
    NO_ACCESS = "403, JSON, code 453"
    UNKNOWN_REQUEST_TOKEN = "401, plain text about reverse auth credentials"  # noqa: S105 a description
    WRONG_VERIFIER = "401, plain text"
    EXPIRED_REQUEST_TOKEN = "401, legacy hash XML"  # noqa: S105 a description
    ERROR_TEXT = "200, MediaWiki's plain text that begins with Error:"
    OAUTH_PROBLEM = "401, form-encoded oauth_problem, as Flickr answers"
    EMPTY = "200 without a body"
    HTML = "200, a web page"
    BINARY = "200, bytes that are no text"
    REDIRECT = "302 to another host name of the same server"
    REDIRECT_HUGE = "302 to another host name, with a body of 50 MB"
    REDIRECT_BOMB = "302 to another host name, with 50 KB of gzip that unpack to 50 MB"
    SLOW_TEXT = "403, 64 KB of text made to keep pattern matching busy"
    HUGE = "200, a form-encoded body of 50 MB without Content-Length"
    NEGATIVE_CHUNK = "200, 50 MB in a chunk whose size is said to be -1"
    SMALLER_CHUNK = "200, in a chunk whose size is said to be -5"
    GZIP_BOMB = "200, 50 KB of gzip that unpack to 50 MB"
    TIMEOUT = "no answer until the client goes away, at most the armed seconds"
    RESET = "the connection is reset before any answer"
    GARBAGE = "bytes that are not HTTP"
    DRIP = "the right answer, a byte at a time, headers too, for at most the armed seconds"
    RESET_AFTER = "the work is done, then the connection is reset"
    TIMEOUT_AFTER = "the work is done, then there is no answer, as with TIMEOUT"
    ERROR_AFTER = "the work is done, then 500"
    TRUNCATED = "the right answer, cut in the middle of its body"
    RUN_TOGETHER = "the right answer, with a line that is no header where the blank line before its body should be"
    UNCONFIRMED = "the right answer, with oauth_callback_confirmed=false"
    EMPTY_SECRET = "the right answer, with an empty oauth_token_secret"  # noqa: S105 a description

    @property
    def work_done(self) -> bool:
        """Return True if the leg's work is done all the same."""
        return self in _SPOILED

    @property
    def hangs_up(self) -> bool:
        """Return True if the connection ends without a whole HTTP response."""
        return self in _HANGS_UP


@dataclass(frozen=True)
class Rewritten:
    """The leg does its work, and ``change`` makes another body of its answer's, for fields and forms that nobody foresaw."""

    change: Callable[[bytes], bytes]

    work_done: ClassVar[bool] = True
    hangs_up: ClassVar[bool] = False


Fault = ProviderFault | ProviderFailure | Rewritten


def replaced_response(fault: Fault, connection: RawConnection, seconds: float, now: float, elsewhere: str) -> Response:
    """Return the response in place of the leg's, or hang up; ``elsewhere`` is the target of ``REDIRECT``."""
    if isinstance(fault, ProviderFailure):
        return fault.response()
    if isinstance(fault, Rewritten):
        raise TypeError("it spoils a response, and replaces none")
    if fault in _REFUSED:
        return _REFUSED[fault].response()
    if fault is ProviderFault.RATE_LIMITED:
        return failures.rate_limited(now).response()
    if fault is ProviderFault.REDIRECT:
        return Response("", 302, {"Location": elsewhere})
    if fault in (ProviderFault.REDIRECT_HUGE, ProviderFault.REDIRECT_BOMB):
        response = _ODD[ProviderFault.HUGE if fault is ProviderFault.REDIRECT_HUGE else ProviderFault.GZIP_BOMB]()
        response.status_code = 302
        response.headers["Location"] = elsewhere
        return response
    if fault is ProviderFault.TIMEOUT:
        connection.hang(seconds)
    if fault is ProviderFault.RESET:
        connection.reset()
    if fault in _CHUNKS:
        connection.endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + _CHUNKS[fault] + b"\r\n", HUGE)
    if fault is ProviderFault.GARBAGE:
        connection.send(b"\x00\xff\x13\x37 this is not HTTP\r\n\x00\r\n")
    return _ODD[fault]()


def spoiled_response(fault: Fault, connection: RawConnection, seconds: float, response: Response) -> Response:
    """Return the leg's own ``response`` spoiled by ``fault``, or hang up."""
    if isinstance(fault, ProviderFailure):
        raise TypeError("it replaces a response, and spoils none")
    if isinstance(fault, Rewritten):
        response.set_data(fault.change(response.get_data()))
        return response
    return _SPOILED[fault](connection, seconds, response)


def _reset(connection: RawConnection, _seconds: float, response: Response) -> Response:
    connection.reset()
    return response


def _hang(connection: RawConnection, seconds: float, response: Response) -> Response:
    connection.hang(seconds)
    return response


def _drip(connection: RawConnection, seconds: float, response: Response) -> Response:
    connection.drip(response, seconds)
    return response


def _cut(connection: RawConnection, _seconds: float, response: Response) -> Response:
    connection.cut(response)
    return response


def _run_together(connection: RawConnection, _seconds: float, response: Response) -> Response:
    connection.run_together(response)
    return response


def _error(_connection: RawConnection, _seconds: float, _response: Response) -> Response:
    return failures.SERVER_ERROR.response()


def _unconfirmed(_connection: RawConnection, _seconds: float, response: Response) -> Response:
    return _changed(response, "oauth_callback_confirmed", "false")


def _without_secret(_connection: RawConnection, _seconds: float, response: Response) -> Response:
    return _changed(response, "oauth_token_secret", "")


def _changed(response: Response, name: str, value: str) -> Response:
    """Replace the value of ``name`` in a form-encoded answer."""
    fields = (field.partition("=")[0::2] for field in response.get_data(as_text=True).split("&"))
    response.set_data("&".join(f"{key}={value if key == name else old}" for key, old in fields))
    return response


def _huge() -> Response:
    def body() -> Iterator[bytes]:
        yield b"oauth_token="
        for _ in range(HUGE // CHUNK):
            yield b"A" * CHUNK

    return Response(body(), content_type=failures.TEXT)


@cache
def _bomb() -> bytes:
    return gzip.compress(b"oauth_token=" + b"A" * HUGE)


_REFUSED: dict[ProviderFault, ProviderFailure] = {
    ProviderFault.SERVER_ERROR: failures.SERVER_ERROR,
    ProviderFault.OVER_CAPACITY: failures.OVER_CAPACITY,
    ProviderFault.NOT_AUTHENTICATED: failures.NOT_AUTHENTICATED,
    ProviderFault.CLOCK_OFF: failures.CLOCK_OFF,
    ProviderFault.CALLBACK_NOT_APPROVED: failures.CALLBACK_NOT_APPROVED,
    ProviderFault.CALLBACK_NOT_APPROVED_XML: failures.CALLBACK_NOT_APPROVED_XML,
    ProviderFault.CALLBACK_NOT_APPROVED_HASH: failures.CALLBACK_NOT_APPROVED_HASH,
    ProviderFault.NO_CALLBACK: failures.NO_CALLBACK,
    ProviderFault.SUSPENDED: failures.SUSPENDED,
    ProviderFault.REVOKED: failures.REVOKED,
    ProviderFault.NO_CREDITS: failures.NO_CREDITS,
    ProviderFault.NO_ACCESS: failures.NO_ACCESS,
    ProviderFault.UNKNOWN_REQUEST_TOKEN: failures.UNKNOWN_REQUEST_TOKEN,
    ProviderFault.WRONG_VERIFIER: failures.WRONG_VERIFIER,
    ProviderFault.EXPIRED_REQUEST_TOKEN: failures.EXPIRED_REQUEST_TOKEN,
    ProviderFault.ERROR_TEXT: ProviderFailure(
        200, "Error: The authorization headers in your request are not valid", failures.TEXT
    ),
    ProviderFault.OAUTH_PROBLEM: ProviderFailure(401, "oauth_problem=token_rejected", "application/x-www-form-urlencoded"),
    ProviderFault.EMPTY: ProviderFailure(200, "", failures.TEXT),
    ProviderFault.HTML: ProviderFailure(
        200, "<!doctype html><title>Welcome</title><p>Please log in to the network.", failures.TEXT
    ),
}
_ODD: dict[ProviderFault, Callable[[], Response]] = {
    ProviderFault.BINARY: lambda: Response(b"\xff\xfe" + os.urandom(1000), content_type=failures.TEXT),
    ProviderFault.SLOW_TEXT: lambda: Response((b"callback" * 2700 + b"not" * 14000)[:64000], 403, content_type=failures.TEXT),
    ProviderFault.HUGE: _huge,
    ProviderFault.GZIP_BOMB: lambda: Response(_bomb(), 200, {"Content-Encoding": "gzip"}, content_type=failures.TEXT),
}
_SPOILED: dict[ProviderFault, Callable[[RawConnection, float, Response], Response]] = {
    ProviderFault.DRIP: _drip,
    ProviderFault.RESET_AFTER: _reset,
    ProviderFault.TIMEOUT_AFTER: _hang,
    ProviderFault.ERROR_AFTER: _error,
    ProviderFault.TRUNCATED: _cut,
    ProviderFault.RUN_TOGETHER: _run_together,
    ProviderFault.UNCONFIRMED: _unconfirmed,
    ProviderFault.EMPTY_SECRET: _without_secret,
}
_CHUNKS = {ProviderFault.NEGATIVE_CHUNK: b"-1", ProviderFault.SMALLER_CHUNK: b"-5"}
_HANGS_UP = {
    *_CHUNKS,
    ProviderFault.TIMEOUT,
    ProviderFault.RESET,
    ProviderFault.GARBAGE,
    ProviderFault.DRIP,
    ProviderFault.RESET_AFTER,
    ProviderFault.TIMEOUT_AFTER,
    ProviderFault.TRUNCATED,
    ProviderFault.RUN_TOGETHER,
}
