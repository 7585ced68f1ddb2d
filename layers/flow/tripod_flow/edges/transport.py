"""One HTTP request to a provider, bounded in every direction: time, size, redirects, proxies."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Literal, cast
from urllib.parse import urlencode

import certifi
from requests_oauthlib import OAuth1
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import Url, parse_url

from tripod.chunks import ChunkedResponse
from tripod.version import USER_AGENT

HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
Method = Literal["GET", "POST", "DELETE"]
MAX_BODY = 64 * 1024  # bytes; a token answer has some 200, a profile a few thousand


class NotSent(Exception):
    """The provider could not be reached: it can't have seen the request."""


class ResponseLost(Exception):
    """The request may have reached the provider, and no whole response came back: too slow, cut off, or too large."""


class ResponseTooLarge(ResponseLost):
    """The response is longer than any that a provider has reason to send."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a provider may take, in seconds: to connect, between two bytes, for one call, and for all calls of one request."""

    connect: float = 3.0
    read: float = 5.0
    call: float = 8.0
    request: float = 18.0  # leaves the rest of the function's timeout of 27 to DynamoDB and Secrets Manager


@dataclass(frozen=True, slots=True)
class Response:
    """A provider's response: the status, the headers (looked up without case) and at most ``MAX_BODY`` bytes of body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def send(
    method: Method,
    url: str,
    auth: OAuth1,
    timeouts: Timeouts,
    *,
    data: Mapping[str, str] | None = None,
    accept: str = "*/*",
) -> Response:
    """Send one request, with ``data`` as a form, on a connection of its own; raises ``NotSent`` or ``ResponseLost``.

    requests-oauthlib signs it; urllib3 sends it: no proxy, no ``.netrc``, no CA bundle of the environment, no redirect, no cookie.
    (requests itself, with a session of its own for each request, took 0.5 ms of CPU more.)

    A read timeout only bounds the pause between two bytes, and a name look-up has none at all: so the request runs in a
    thread, and when its time is over its connection is shut, which ends the thread too. An error that is neither the network's nor
    the protocol's is a defect of ours, and is raised as it is.
    """
    call = _Call(method, url, auth, timeouts, data=data, accept=accept)
    thread = threading.Thread(target=call.run, daemon=True)
    thread.start()
    thread.join(timeouts.call)
    return call.outcome()


class _Call:
    """A request under way in a thread of its own."""

    def __init__(
        self, method: Method, url: str, auth: OAuth1, timeouts: Timeouts, *, data: Mapping[str, str] | None, accept: str
    ) -> None:
        self._method = method
        self._url = url
        self._auth = auth
        self._form = None if data is None else urlencode(data)
        self._accept = accept
        self._timeouts = timeouts
        self._socket: socket.socket | None = None  # set once connected (TLS included): from then on the request may be sent
        self._abandoned = False
        self._lock = threading.Lock()
        self._response: Response | None = None
        self._failure = f"no whole response within {timeouts.call:g} s"
        self._is_too_large = False
        self._defect: Exception | None = None

    def connected(self, connection: socket.socket) -> None:
        """Record the connection; raises ``TimeoutError`` where nobody waits for it any more."""
        with self._lock:
            if self._abandoned:
                raise TimeoutError
            self._socket = connection

    def run(self) -> None:
        """Send the request and keep the response, or the error, for ``outcome``."""
        try:
            self._response = self._exchange()
        except ResponseTooLarge:
            self._is_too_large = True
        except (HTTPError, OSError, http.client.HTTPException) as error:
            self._failure = type(error).__name__  # the type alone: the text may quote the request
        except Exception as error:  # noqa: BLE001  # raised again by ``outcome``, in the caller's thread
            self._defect = error

    def outcome(self) -> Response:
        """Return the response, or raise; a thread that is still at work is cut off."""
        with self._lock:
            self._abandoned = True
            if self._response is not None:
                return self._response
            if self._defect is not None:
                raise self._defect
            if self._is_too_large:
                raise ResponseTooLarge(f"more than {MAX_BODY} bytes")
            if self._socket is None:
                raise NotSent(self._failure)
            with suppress(OSError):  # already closed: the thread has ended
                self._socket.shutdown(socket.SHUT_RDWR)
            raise ResponseLost(self._failure)

    def _exchange(self) -> Response:
        content_type = {} if self._form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        url = parse_url(self._url)  # normalised: what is signed is what is sent
        _, headers, body = self._auth.client.sign(
            url.url, self._method, self._form, {**HEADERS, "Accept": self._accept, **content_type}
        )
        with self._pool(url) as pool:
            response = pool.urlopen(
                self._method,
                url.request_uri,
                body,
                headers,
                timeout=Timeout(connect=self._timeouts.connect, read=self._timeouts.read),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            return Response(response.status, response.headers, _read_body(response))

    def _pool(self, url: Url) -> HTTPConnectionPool:
        """Return a pool of one connection, which reports to this call; over https with the process's one TLS context."""
        is_secure, host = url.scheme == "https", url.host or ""
        kind = _ReportingHTTPSConnection if is_secure else _ReportingHTTPConnection
        pool = (
            HTTPSConnectionPool(host, url.port, ssl_context=_tls_context()) if is_secure else HTTPConnectionPool(host, url.port)
        )
        pool.ConnectionCls = cast("type[HTTPConnection]", partial(kind, call=self))  # it is only ever called
        return pool


def _read_body(response: BaseHTTPResponse) -> bytes:
    body = bytearray()
    for chunk in response.stream(8192, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY:
            raise ResponseTooLarge
    return bytes(body)


class _ReportingHTTPConnection(HTTPConnection):
    response_class = ChunkedResponse

    def __init__(self, *args: Any, call: _Call, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._call = call

    def connect(self) -> None:
        super().connect()
        self._call.connected(self.sock)


class _ReportingHTTPSConnection(_ReportingHTTPConnection, HTTPSConnection):
    """The same after the TLS handshake: an HTTPSConnection is an HTTPConnection, whose ``connect`` comes next here."""


@cache
def _tls_context() -> ssl.SSLContext:
    """Make the context of all calls: loading the CA bundle takes 20 ms of CPU."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.keylog_filename = None  # type: ignore[assignment]  # SSLKEYLOGFILE in the environment has no say either
    return context
