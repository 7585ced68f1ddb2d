"""A certificate for localhost, made for one run, and a server in front of another: with TLS, or slower."""

import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import trustme

CHUNK = 1 << 16  # bytes


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost with its key; ``bundle`` holds the CA's certificate, which a client must trust."""

    leaf: trustme.LeafCert
    bundle: Path

    def context(self) -> ssl.SSLContext:
        """Return a server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.leaf.configure_cert(context)
        return context


def certificate(folder: Path) -> Certificate:
    """Make a CA, whose bundle is written to ``folder``, and a certificate for localhost."""
    ca = trustme.CA()
    bundle = folder / "bundle.pem"
    ca.cert_pem.write_to_path(bundle)
    return Certificate(ca.issue_cert("localhost"), bundle)


class Front:
    """A server on a loopback port of its own (``listen``; 0: any), before the plain HTTP server at ``port``.

    With a certificate it speaks TLS, and tells the server behind it the scheme, as a load balancer does; each connection's first answer
    takes ``delay`` seconds longer.
    """

    def __init__(self, port: int, own: Certificate | None = None, delay: float = 0.0, *, listen: int = 0) -> None:
        self._behind = port
        self._context = own.context() if own else None
        self._delay = delay
        self._listening = socket.create_server(("127.0.0.1", listen), backlog=128)
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http{'s' if self._context else ''}://localhost:{self._listening.getsockname()[1]}"

    def __enter__(self) -> "Front":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listening, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with (
            suppress(OSError),
            self._context.wrap_socket(connection, server_side=True) if self._context else connection as near,
            socket.create_connection(("127.0.0.1", self._behind)) as far,
        ):
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {near, far}
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            line, _, rest = near.recv(CHUNK).partition(b"\r\n")
            time.sleep(self._delay)
            back.start()
            scheme = b"x-forwarded-proto: https\r\n" if self._context else b""
            far.sendall(line + b"\r\n" + scheme + rest)
            _pump(near, far)
            back.join()
            self._open -= {near, far}


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            sink.sendall(chunk)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR if isinstance(sink, ssl.SSLSocket) else socket.SHUT_WR)
