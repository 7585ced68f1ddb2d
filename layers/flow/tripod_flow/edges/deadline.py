"""The invocation's deadline: the time that Lambda leaves us.

A process serves one event at a time, so there is one deadline, which each invocation sets anew.
"""

import math
from collections.abc import Callable
from time import monotonic

RESERVE = 3.0  # seconds kept for the response itself, and for botocore's pause before an attempt that there is no time for
COMMIT = 6.0  # seconds kept for what must follow an exchange: the commit, with one retry


class Deadline:
    """The end of the current invocation; ``clock`` in seconds. Without an invocation (tests) it never ends."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._ends = math.inf

    def set(self, milliseconds: float) -> None:
        """Note that the invocation ends in so many milliseconds."""
        self._ends = self._clock() + milliseconds / 1000

    def left(self) -> float:
        """Return the seconds that are left for work."""
        return self._ends - self._clock() - RESERVE
