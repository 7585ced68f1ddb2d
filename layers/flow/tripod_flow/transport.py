"""One HTTP request to a provider, bounded in every direction: time, size, redirects, proxies."""

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from queue import Empty, SimpleQueue
from typing import Any, Literal, cast
from urllib.parse import urlencode

import certifi
from requests_oauthlib import OAuth1
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout, connection_from_url
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import parse_url

from tripod.version import VERSION

USER_AGENT = f"Tripod/{VERSION} (OAuth 1.0a client)"  # Discogs and others refuse a library's default
HEADERS = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
Method = Literal["GET", "POST"]
MAX_ANSWER = 64 * 1024  # bytes; a token answer has some 200, a profile a few thousand


class NotSent(Exception):
    """The provider could not be reached: it can't have seen the request."""


class AnswerLost(Exception):
    """The request may have reached the provider, and no whole answer came back: too slow, cut off, or too large."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a provider may take, in seconds: to connect, between two bytes, for one call, and for all calls of one request."""

    connect: float = 3.0
    read: float = 5.0
    call: float = 8.0
    request: float = 18.0  # leaves the rest of the function's timeout of 27 to DynamoDB and Secrets Manager


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered: the status, the headers (looked up without case) and at most ``MAX_ANSWER`` bytes of body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def send(method: Method, url: str, auth: OAuth1, timeouts: Timeouts, *, data: Mapping[str, str] | None = None) -> Answer:
    """Send one request on a connection of its own; raises ``NotSent`` or ``AnswerLost``.

    requests-oauthlib signs it; urllib3 sends it: no proxy, no ``.netrc``, no CA bundle of the environment, no redirect, no cookie.
    (requests itself, with a session of its own for each request, took 0.5 ms of CPU more.)

    A read timeout only bounds the pause between two bytes, and a name look-up has none at all: so the request runs in a
    thread, and when its time is over its connection is shut, which ends the thread too.
    """
    call = _Call(method, url, auth, timeouts, data)
    try:
        worker = _idle.get_nowait()
    except Empty:
        worker = _Worker()
    if worker.ends(call, timeouts.call):
        _idle.put(worker)
    return call.outcome()


class _Worker:
    """A thread that makes one call after another, as long as each ends in time. (A new thread for each call took 0.2 ms of CPU.)"""

    def __init__(self) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._ended: SimpleQueue[None] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def ends(self, call: "_Call", seconds: float) -> bool:
        """Tell whether ``call`` ends within so many seconds; if it doesn't, this worker ends when the call does."""
        self._calls.put(call)
        try:
            self._ended.get(timeout=seconds)
        except Empty:
            self._calls.put(None)
            return False
        return True

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call.run()
            del call  # and with it the credentials, before the next one comes
            self._ended.put(None)


_idle: SimpleQueue[_Worker] = SimpleQueue()


class _Call:
    """A request under way in a thread of its own."""

    def __init__(self, method: Method, url: str, auth: OAuth1, timeouts: Timeouts, data: Mapping[str, str] | None) -> None:
        self._method = method
        self._url = url
        self._auth = auth
        self._form = urlencode(data) if data else None
        self._timeouts = timeouts
        self._wire: socket.socket | None = None  # set once connected (TLS included): from then on the request may be sent
        self._abandoned = False
        self._lock = threading.Lock()
        self._answer: Answer | None = None
        self._failure = f"no whole answer within {timeouts.call:g} s"

    def connected(self, wire: socket.socket) -> None:
        """Take note that the connection stands."""
        with self._lock:
            if self._abandoned:
                raise TimeoutError
            self._wire = wire

    def run(self) -> None:
        """Do the request; what came of it is read by ``outcome``."""
        try:
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if self._form else {}
            url = parse_url(self._url)  # normalised: what is signed is what is sent
            _, headers, body = self._auth.client.sign(url.url, self._method, self._form, {**HEADERS, **kind})
            with self._pool(url.url) as pool:
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
                self._answer = Answer(response.status, response.headers, self._body(response))
        except Exception as error:  # noqa: BLE001  # whatever a hostile answer trips, this thread has nobody else to tell
            self._failure = type(error).__name__  # the type alone: the text may quote the request

    def outcome(self) -> Answer:
        """Return the answer, or raise; a thread that is still at work is cut off."""
        with self._lock:
            self._abandoned = True
            if self._answer is not None:
                return self._answer
            if self._wire is None:
                raise NotSent(self._failure)
            with suppress(OSError):  # already closed: the thread has ended
                self._wire.shutdown(socket.SHUT_RDWR)
            raise AnswerLost(self._failure)

    def _pool(self, url: str) -> HTTPConnectionPool:
        """Return a pool of one connection, which tells this call when it stands; over https with the process's one TLS context."""
        is_secure = url.startswith("https:")
        pool = connection_from_url(url, **({"ssl_context": _tls()} if is_secure else {}))
        kind = _TellingHTTPSConnection if is_secure else _TellingHTTPConnection
        pool.ConnectionCls = cast("type[HTTPConnection]", partial(kind, call=self))  # it is only ever called
        return pool

    @staticmethod
    def _body(response: BaseHTTPResponse) -> bytes:
        body = bytearray()
        for chunk in response.stream(8192, decode_content=True):
            body += chunk
            if len(body) > MAX_ANSWER:
                raise _TooLarge
        return bytes(body)


class _TooLarge(Exception):
    """The answer is longer than any that a provider has reason to send."""


class _TellingHTTPConnection(HTTPConnection):
    def __init__(self, *args: Any, call: _Call, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._call = call

    def connect(self) -> None:
        super().connect()
        self._call.connected(self.sock)


class _TellingHTTPSConnection(HTTPSConnection):
    def __init__(self, *args: Any, call: _Call, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._call = call

    def connect(self) -> None:
        super().connect()
        self._call.connected(self.sock)


@cache
def _tls() -> ssl.SSLContext:
    """Make the context of all calls: loading the CA bundle takes 20 ms of CPU."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.keylog_filename = None  # type: ignore[assignment]  # SSLKEYLOGFILE in the environment has no say either
    return context
