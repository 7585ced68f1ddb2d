"""What tests arm and read, per app: faults for its next calls, its calls, posts and issued secrets."""

import threading
from collections import defaultdict
from dataclasses import dataclass

from sandbox.provider.faults import Fault
from sandbox.provider.records import Post, ProviderCall


@dataclass
class ArmedFault:
    """A fault of the next ``times`` calls; ``seconds`` bounds one that takes time."""

    fault: Fault
    times: int
    seconds: float


class Journal:
    """Faults, calls, posts and issued secrets, each kept per app."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[tuple[str, str], list[ArmedFault]] = defaultdict(list)
        self._calls: dict[str, list[ProviderCall]] = defaultdict(list)
        self._posts: dict[str, list[Post]] = defaultdict(list)
        self._issued: dict[str, list[str]] = defaultdict(list)

    def arm(self, app: str, leg: str, armed: ArmedFault) -> None:
        """Arm a fault for the app's next calls of ``leg``, after those armed before."""
        with self._lock:
            self._faults[app, leg].append(armed)

    def take_fault(self, app: str, leg: str) -> ArmedFault | None:
        """Return the fault of this call, with one use counted; None if none is armed."""
        with self._lock:
            waiting = self._faults.get((app, leg))
            if not waiting:
                return None
            waiting[0].times -= 1
            return waiting[0] if waiting[0].times > 0 else waiting.pop(0)

    def add_call(self, app: str, call: ProviderCall) -> None:
        """Record a call."""
        with self._lock:
            self._calls[app].append(call)

    def calls(self, app: str) -> list[ProviderCall]:
        """Return the app's calls so far, oldest first."""
        with self._lock:
            return list(self._calls.get(app, ()))

    def add_post(self, app: str, post: Post) -> None:
        """Record a post."""
        with self._lock:
            self._posts[app].append(post)

    def posts(self, app: str) -> list[Post]:
        """Return what the app has posted, oldest first."""
        with self._lock:
            return list(self._posts.get(app, ()))

    def add_issued(self, app: str, *values: str) -> None:
        """Record secret values issued to the app or its user; an empty secret is none."""
        with self._lock:
            self._issued[app].extend(filter(None, values))

    def issued(self, app: str | None) -> list[str]:
        """Return every secret value issued to ``app``, or to all."""
        with self._lock:
            return [value for owner, values in self._issued.items() if app in (None, owner) for value in values]
