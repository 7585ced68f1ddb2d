"""An HTTP server on loopback, in threads of this process, that closes every open connection when it stops."""

import errno
import socket
import socketserver
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
POLL = 0.02  # seconds between checks whether to stop
CHUNK = 1 << 16  # bytes
MAX_DRAINED = 1 << 26  # bytes of a refused body that are still read
GRACE = 0.5  # seconds for open connections to end after they were shut


def free_port() -> int:
    """Return a port that nothing listens on now; another program may take it any time."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


class PortTakenError(Exception):
    """Another program listens on ``port``."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken by another program")
        self.port = port


class LoopbackServer(ThreadingHTTPServer):
    """A threading HTTP server on a loopback port (0: any) that knows its open connections."""

    daemon_threads = True
    request_queue_size = 128  # a burst of a few hundred connections must not see a reset

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        try:
            super().__init__((HOST, port), handler)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                raise PortTakenError(port) from None
            raise
        self._thread = threading.Thread(target=self.serve_forever, args=(POLL,), daemon=True)

    def server_bind(self) -> None:
        """Bind without the reverse name lookup that HTTPServer makes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://{HOST}:{self.server_port}"

    def start(self) -> None:
        """Serve, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting, shut every open connection and free the port."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        with self._changed:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # its peer was quicker
            self._changed.wait_for(lambda: not self._open, GRACE)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Record the connection, then serve it in a thread."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection and forget it."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a peer that went away; report anything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class ConnectionHandler(BaseHTTPRequestHandler):
    """One connection, kept alive: HTTP/1.1 with whole bodies; it logs nothing."""

    server: LoopbackServer
    raw_requestline: bytes  # the standard library's; its stubs leave it out
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of a line that can't be read, so that its answer has headers
    disable_nagle_algorithm = True
    max_body = 64 * 1024 * 1024  # bytes

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def version_string(self) -> str:
        """Return the Server header."""
        return "sandbox"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002  # the library's
        """Answer a malformed request."""
        self._refuse(code, HTTPStatus(code).phrase)

    def read_body(self) -> bytes | None:
        """Return the request's body; None after answering 400, 411 or 413 instead, and for a client that died while it was sending."""
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers:
            self._refuse(411, "Length Required")
        elif not (length.isascii() and length.isdigit()):
            self._refuse(400, "Bad Request")
        elif int(length) > self.max_body:
            for start in range(0, min(int(length), MAX_DRAINED), CHUNK):  # unread, it would break the connection too early
                self.rfile.read(min(CHUNK, int(length) - start))
            self._refuse(413, "Request Entity Too Large")
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
            self.close_connection = True
        return None

    def _refuse(self, status: int, message: str) -> None:
        self.close_connection = True
        self.answer(status, [("content-type", "application/json")], f'{{"message":"{message}"}}'.encode())

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send one whole response."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("connection", "close")
        if status >= 200 and status not in {204, 304}:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in {204, 304}:
            self.wfile.write(body)
