"""The raw connection of one call: hanging, dripping, cutting and resetting, which HTTP servers do not do."""

import contextlib
import selectors
import socket
import struct
import time

from flask import Response

DRIP_PAUSE = 0.05  # seconds between two bytes: 20 a second keeps every read timeout of a client from firing
FILLING = b"A" * 65_536
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: closing sends RST instead of FIN


class HungUpError(ConnectionError):
    """The provider has ended this connection: no response follows."""


class RawConnection:
    """The connection of a call that a fault ends; every method raises HungUpError."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def hang(self, seconds: float) -> None:
        """Send nothing until the client goes away, the server stops, or ``seconds`` have passed."""
        self._wait(seconds)
        raise HungUpError

    def drip(self, response: Response, seconds: float) -> None:
        """Send ``response`` byte by byte, its headers too, for at most ``seconds``."""
        end = time.monotonic() + seconds
        for byte in _bytes(response):
            if time.monotonic() >= end:
                break
            self._socket.sendall(bytes([byte]))
            if self._wait(DRIP_PAUSE):
                break
        raise HungUpError

    def cut(self, response: Response) -> None:
        """Send ``response`` without the last half of its body, whose whole length the headers promise."""
        whole = _bytes(response)
        self._socket.sendall(whole[: len(whole) - len(response.get_data()) // 2])
        raise HungUpError

    def run_together(self, response: Response) -> None:
        """Send ``response`` with a line that is no header where the blank line before its body should be."""
        self._socket.sendall(_bytes(response).replace(b"\r\n\r\n", b"\r\nno header\r\n", 1) + b"\r\n")
        raise HungUpError

    def send(self, raw: bytes) -> None:
        """Send ``raw``, HTTP or not."""
        self._socket.sendall(raw)
        raise HungUpError

    def endless(self, head: bytes, size: int) -> None:
        """Send ``head``, and then ``size`` bytes, or fewer if the client goes away."""
        with contextlib.suppress(OSError):
            self._socket.sendall(head)
            for _ in range(size // len(FILLING)):
                self._socket.sendall(FILLING)
        raise HungUpError

    def reset(self) -> None:
        """Close with RST, so that the client sees a connection reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        raise HungUpError

    def _wait(self, seconds: float) -> bool:
        """Wait up to ``seconds``; return True if either side ended the connection meanwhile."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            return bool(selector.select(seconds))


def is_to_reset(connection: socket.socket) -> bool:
    """Return True if :meth:`RawConnection.reset` was called on ``connection``."""
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(AT_ONCE)) == AT_ONCE


def _bytes(response: Response) -> bytes:
    """Return ``response`` as bytes, head and body."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in response.headers)
    return f"HTTP/1.1 {response.status}\r\n{headers}Connection: close\r\n\r\n".encode() + response.get_data()
