"""The faults that a test can arm: what the provider does wrong, on the wire, when told to.

Whether the leg's work was done (a token issued, an exchange made, a post kept) is :attr:`Fault.exchanged`.
"""

import gzip
import os
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache

from flask import Response

from sandbox.provider import failures
from sandbox.provider.failures import Failure
from sandbox.provider.line import Line

HUGE = 50_000_000  # bytes; far beyond the 64 KiB that a client should read
CHUNK = 65_536  # bytes sent at a time


class Fault(Enum):
    """One way to fail. Up to ``GARBAGE`` the leg's work is NOT done; from ``DRIP`` on it IS, and the answer suffers."""

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
    GZIP_BOMB = "200, 50 KB of gzip that unpack to 50 MB"
    TIMEOUT = "no answer until the client goes away, at most the armed seconds"
    RESET = "the connection is reset before any answer"
    GARBAGE = "bytes that are not HTTP"
    DRIP = "the right answer, a byte at a time, headers too, for at most the armed seconds"
    RESET_AFTER = "the work is done, then the connection is reset"
    TIMEOUT_AFTER = "the work is done, then there is no answer, as with TIMEOUT"
    ERROR_AFTER = "the work is done, then 500"
    TRUNCATED = "the right answer, cut in the middle of its body"
    UNCONFIRMED = "the right answer, with oauth_callback_confirmed=false"
    EMPTY_SECRET = "the right answer, with an empty oauth_token_secret"  # noqa: S105 a description

    @property
    def exchanged(self) -> bool:
        """Tell whether the leg's work is done all the same."""
        return self in _SPOILED

    @property
    def hangs_up(self) -> bool:
        """Tell whether the line ends without a whole HTTP answer."""
        return self in _HANGS_UP


def instead(fault: Fault, line: Line, seconds: float, now: float, elsewhere: str) -> Response:
    """Answer in place of the leg, or hang up; ``elsewhere`` is where ``REDIRECT`` points."""
    if fault in _REFUSED:
        return _REFUSED[fault].response()
    if fault is Fault.RATE_LIMITED:
        return failures.rate_limited(now).response()
    if fault is Fault.REDIRECT:
        return Response("", 302, {"Location": elsewhere})
    if fault in (Fault.REDIRECT_HUGE, Fault.REDIRECT_BOMB):
        response = _ODD[Fault.HUGE if fault is Fault.REDIRECT_HUGE else Fault.GZIP_BOMB]()
        response.status_code = 302
        response.headers["Location"] = elsewhere
        return response
    if fault is Fault.TIMEOUT:
        line.hang(seconds)
    if fault is Fault.RESET:
        line.reset()
    if fault is Fault.GARBAGE:
        line.send(b"\x00\xff\x13\x37 this is not HTTP\r\n\x00\r\n")
    return _ODD[fault]()


def spoiled(fault: Fault, line: Line, seconds: float, response: Response) -> Response:
    """Return the leg's own ``response`` as ``fault`` lets it through, or hang up."""
    return _SPOILED[fault](line, seconds, response)


def _reset(line: Line, _seconds: float, response: Response) -> Response:
    line.reset()
    return response


def _hang(line: Line, seconds: float, response: Response) -> Response:
    line.hang(seconds)
    return response


def _drip(line: Line, seconds: float, response: Response) -> Response:
    line.drip(response, seconds)
    return response


def _cut(line: Line, _seconds: float, response: Response) -> Response:
    line.cut(response)
    return response


def _error(_line: Line, _seconds: float, _response: Response) -> Response:
    return failures.SERVER_ERROR.response()


def _unconfirmed(_line: Line, _seconds: float, response: Response) -> Response:
    return _changed(response, "oauth_callback_confirmed", "false")


def _without_secret(_line: Line, _seconds: float, response: Response) -> Response:
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


_REFUSED: dict[Fault, Failure] = {
    Fault.SERVER_ERROR: failures.SERVER_ERROR,
    Fault.OVER_CAPACITY: failures.OVER_CAPACITY,
    Fault.NOT_AUTHENTICATED: failures.NOT_AUTHENTICATED,
    Fault.CLOCK_OFF: failures.CLOCK_OFF,
    Fault.CALLBACK_NOT_APPROVED: failures.CALLBACK_NOT_APPROVED,
    Fault.CALLBACK_NOT_APPROVED_XML: failures.CALLBACK_NOT_APPROVED_XML,
    Fault.CALLBACK_NOT_APPROVED_HASH: failures.CALLBACK_NOT_APPROVED_HASH,
    Fault.NO_CALLBACK: failures.NO_CALLBACK,
    Fault.SUSPENDED: failures.SUSPENDED,
    Fault.REVOKED: failures.REVOKED,
    Fault.NO_CREDITS: failures.NO_CREDITS,
    Fault.NO_ACCESS: failures.NO_ACCESS,
    Fault.UNKNOWN_REQUEST_TOKEN: failures.UNKNOWN_REQUEST_TOKEN,
    Fault.WRONG_VERIFIER: failures.WRONG_VERIFIER,
    Fault.EXPIRED_REQUEST_TOKEN: failures.EXPIRED_REQUEST_TOKEN,
    Fault.ERROR_TEXT: Failure(200, "Error: The authorization headers in your request are not valid", failures.TEXT),
    Fault.OAUTH_PROBLEM: Failure(401, "oauth_problem=token_rejected", "application/x-www-form-urlencoded"),
    Fault.EMPTY: Failure(200, "", failures.TEXT),
    Fault.HTML: Failure(200, "<!doctype html><title>Welcome</title><p>Please log in to the network.", failures.TEXT),
}
_ODD: dict[Fault, Callable[[], Response]] = {
    Fault.BINARY: lambda: Response(b"\xff\xfe" + os.urandom(1000), content_type=failures.TEXT),
    Fault.SLOW_TEXT: lambda: Response((b"callback" * 2700 + b"not" * 14000)[:64000], 403, content_type=failures.TEXT),
    Fault.HUGE: _huge,
    Fault.GZIP_BOMB: lambda: Response(_bomb(), 200, {"Content-Encoding": "gzip"}, content_type=failures.TEXT),
}
_SPOILED: dict[Fault, Callable[[Line, float, Response], Response]] = {
    Fault.DRIP: _drip,
    Fault.RESET_AFTER: _reset,
    Fault.TIMEOUT_AFTER: _hang,
    Fault.ERROR_AFTER: _error,
    Fault.TRUNCATED: _cut,
    Fault.UNCONFIRMED: _unconfirmed,
    Fault.EMPTY_SECRET: _without_secret,
}
_HANGS_UP = {
    Fault.TIMEOUT,
    Fault.RESET,
    Fault.GARBAGE,
    Fault.DRIP,
    Fault.RESET_AFTER,
    Fault.TIMEOUT_AFTER,
    Fault.TRUNCATED,
}
