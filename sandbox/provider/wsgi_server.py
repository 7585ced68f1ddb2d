"""A WSGI server on localhost's two addresses: one thread per connection, all of them ended when the server stops."""

import errno
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from sandbox.provider.raw_connection import is_to_reset

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

POLL = 0.02  # seconds between two looks at whether to stop
BACKLOG = 128  # connections that wait to be accepted
PORTS_TO_TRY = 20  # a free port on IPv4 may be taken on IPv6


class _Handler(WSGIRequestHandler):
    """One request; its line is not logged, because authorize URLs carry request tokens."""

    server: "_Listener"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the header Date, by the provider's clock."""
        return super().date_time_string(self.server.clock() if timestamp is None else timestamp)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""

    def connection_dropped(self, error: BaseException, environ: "WSGIEnvironment | None" = None) -> None:  # noqa: ARG002 werkzeug's
        """Close a connection that a fault ended; without this, HTTP/1.1 would wait for the next request."""
        self.close_connection = True


class _Listener(ThreadedWSGIServer):
    """One listening socket, which knows its open connections."""

    daemon_threads = False  # closing joins every handler's thread

    def __init__(self, bound: socket.socket, app: Callable[..., Any], clock: Callable[[], float]) -> None:
        self.clock = clock
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()
        host, port = bound.getsockname()[:2]
        super().__init__(host, port, app, _Handler, fd=bound.fileno())

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection and record it, so that stopping can close it."""
        connection, address = super().get_request()
        with self._changing:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """End a connection: with RST for the fault RESET, otherwise with FIN."""
        connection = request[1] if isinstance(request, tuple) else request
        with self._changing:
            self._open.discard(connection)
        if is_to_reset(connection):
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def server_close(self) -> None:
        """Stop listening, end every open connection and wait for its thread."""
        with self._changing:
            for connection in self._open:
                with suppress(OSError):  # the client was quicker
                    connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


class WsgiServer:
    """A WSGI app at ``http://localhost:<port>``, on 127.0.0.1 and, where there is one, on ::1; ``clock`` gives its answers' Date."""

    def __init__(self, app: Callable[..., Any], port: int = 0, clock: Callable[[], float] = time.time) -> None:
        self._listeners = []
        for bound in _listening_sockets(port):
            with bound:  # the listener works on a copy
                self._listeners.append(_Listener(bound, app, clock))
        self.port = self._listeners[0].port
        self._threads = [
            threading.Thread(target=listener.serve_forever, args=(POLL,), name="provider") for listener in self._listeners
        ]

    def start(self) -> None:
        """Serve from threads of its own."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop serving; every connection is closed and every thread has ended when this returns."""
        for listener in self._listeners:
            listener.shutdown()
        for thread in self._threads:
            thread.join()


def _listening_sockets(port: int) -> list[socket.socket]:
    """Listen on both loopback addresses at one port, any if it is 0; raise OSError when it is taken."""
    attempts = PORTS_TO_TRY if port == 0 else 1
    while True:
        attempts -= 1
        first = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
        try:
            second = socket.create_server(("::1", first.getsockname()[1]), family=socket.AF_INET6, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:  # no IPv6 on this machine, so localhost isn't ::1 either
                return [first]
            first.close()
            if not attempts:
                raise
        else:
            return [first, second]
