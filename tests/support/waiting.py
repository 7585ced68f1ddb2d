"""Waiting for a condition without sleeping longer than needed."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], seconds: float = 5) -> bool:
    """Return True if ``condition`` becomes true within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return bool(condition())
