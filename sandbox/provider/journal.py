"""The tests' side of the provider: which faults wait for an app, and what it did so far."""

import threading
from collections import defaultdict
from dataclasses import dataclass

from sandbox.provider.faults import Fault
from sandbox.provider.records import Call, Post


@dataclass
class Armed:
    """A fault that waits for the next ``times`` calls; ``seconds`` bounds those that take time."""

    fault: Fault
    times: int
    seconds: float


class Journal:
    """Faults, calls, posts and issued secrets, each kept per app."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[tuple[str, str], list[Armed]] = defaultdict(list)
        self._calls: dict[str, list[Call]] = defaultdict(list)
        self._posts: dict[str, list[Post]] = defaultdict(list)
        self._issued: dict[str, list[str]] = defaultdict(list)

    def arm(self, app: str, leg: str, armed: Armed) -> None:
        """Let ``armed`` spoil the app's next calls of ``leg``, after those armed before."""
        with self._lock:
            self._faults[app, leg].append(armed)

    def take_fault(self, app: str, leg: str) -> Armed | None:
        """Return the fault that this call is to suffer, and count it."""
        with self._lock:
            waiting = self._faults.get((app, leg))
            if not waiting:
                return None
            waiting[0].times -= 1
            return waiting[0] if waiting[0].times > 0 else waiting.pop(0)

    def add_call(self, app: str, call: Call) -> None:
        """Keep what the provider saw of a call."""
        with self._lock:
            self._calls[app].append(call)

    def calls(self, app: str) -> list[Call]:
        """Return the app's calls so far, oldest first."""
        with self._lock:
            return list(self._calls.get(app, ()))

    def add_post(self, app: str, post: Post) -> None:
        """Keep a post."""
        with self._lock:
            self._posts[app].append(post)

    def posts(self, app: str) -> list[Post]:
        """Return what the app has posted, oldest first."""
        with self._lock:
            return list(self._posts.get(app, ()))

    def add_issued(self, app: str, *values: str) -> None:
        """Keep secret values that the app or its user was given."""
        with self._lock:
            self._issued[app].extend(values)

    def issued(self, app: str | None) -> list[str]:
        """Return every secret value issued to ``app``, or to all."""
        with self._lock:
            return [value for owner, values in self._issued.items() if app in (None, owner) for value in values]
