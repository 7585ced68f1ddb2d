"""What the functions print, kept for tests to read, and for CloudWatch Logs."""

import threading
import time
from typing import NamedTuple, TextIO


class _Part(NamedTuple):
    at: float  # epoch seconds
    function: str  # its name; empty for what is nobody's
    text: str


class Logs:
    """The text so far, whole lines in the order of their arrival; also written to ``echo``, if one is given."""

    def __init__(self, echo: TextIO | None = None) -> None:
        self._parts: list[_Part] = []
        self._lock = threading.Lock()
        self._echo = echo

    def write(self, text: str, function: str = "") -> None:
        """Append ``text``, which ``function`` has printed."""
        if not text:
            return
        with self._lock:
            self._parts.append(_Part(time.time(), function, text))
        self.report(text)

    def report(self, text: str) -> None:
        """Write ``text`` to the echo alone: messages of the sandbox itself."""
        with self._lock:
            if self._echo:
                self._echo.write(text)
                self._echo.flush()

    @property
    def text(self) -> str:
        """Return everything that was printed so far. An invocation's output is there when its answer is."""
        with self._lock:
            return "".join(part.text for part in self._parts)

    @property
    def lines(self) -> list[str]:
        """Return the lines so far."""
        return self.text.splitlines()

    def of(self, function: str) -> list[tuple[float, str]]:
        """Return a function's lines so far, each with the time of its arrival, in epoch seconds."""
        with self._lock:
            return [(part.at, line) for part in self._parts if part.function == function for line in part.text.splitlines()]
