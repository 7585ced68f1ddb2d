"""How long a failed step of the relay waits before it is tried again."""

import random
from collections.abc import Callable

FIRST = 5.0  # seconds
LONGEST = 900  # seconds; X's rate limits have windows of 15 minutes
JITTER = 0.2  # up to this share longer, so that what failed together is not tried together


def delay(tries: int, *, retry_after: float = 0.0, random: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait after ``tries`` earlier failures: doubled each time, at least ``retry_after``, jitter added."""
    wait = FIRST * 2.0 ** min(tries, 10)
    return min(max(wait, retry_after), LONGEST) * (1.0 + JITTER * random())
