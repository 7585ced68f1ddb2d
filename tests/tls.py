"""A certificate for localhost, made for one run, and a server that stands before another: with TLS, or slower."""

import datetime
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CHUNK = 1 << 16  # bytes


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate: ``pem`` holds it with its key, ``bundle`` is what a client must trust."""

    pem: Path
    bundle: Path

    def context(self) -> ssl.SSLContext:
        """Return a server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem)
        return context


def certificate(folder: Path) -> Certificate:
    """Make a certificate for localhost, good for a day, in ``folder``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        ("content_commitment", "data_encipherment", "encipher_only", "decipher_only", "key_encipherment", "key_agreement"), False
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=False, **usage), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    result = Certificate(folder / "server.pem", folder / "bundle.pem")
    result.pem.write_bytes(private + public)
    result.bundle.write_bytes(public)
    return result


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
