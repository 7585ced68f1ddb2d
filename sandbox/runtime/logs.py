"""What the functions print, kept for tests to read."""

import threading
from typing import TextIO


class Logs:
    """The text so far, whole lines in the order of their arrival; also written to ``echo``, if one is given."""

    def __init__(self, echo: TextIO | None = None) -> None:
        self._parts: list[str] = []
        self._lock = threading.Lock()
        self._echo = echo

    def write(self, text: str) -> None:
        """Append ``text``."""
        if not text:
            return
        with self._lock:
            self._parts.append(text)
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
            return "".join(self._parts)

    @property
    def lines(self) -> list[str]:
        """Return the lines so far."""
        return self.text.splitlines()
