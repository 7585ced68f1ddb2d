"""One thing measured in a process of its own, which holds none of moto: ``python -m tools.scale.probe users|reads|sweep ARGUMENTS``.

The sandbox's addresses are in the environment, as a function of the stack has them. Each does its thing beforehand, so that neither
imports nor new clients count. Prints one line of JSON.
"""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3

import tripod
from tripod import process

SLOW = 60  # seconds to wait for moto, which takes some for a page: a second try would be counted
LONG = 86_400_000  # milliseconds: no deadline comes near
WARMING = 3  # first pages before one is measured: the second still takes more
CACHED = 20  # reads of each user that the process remembers


@dataclass(frozen=True)
class Measured:
    """What one thing took: CPU seconds of the process, calls to AWS, and MB by which its peak of memory grew."""

    items: int
    cpu: float
    calls: int
    grown: float = 0.0


class Meter:
    """Counts every attempt of every call of this process's clients."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        process._READ_TIMEOUT = SLOW
        boto3.setup_default_session()
        session = boto3.DEFAULT_SESSION
        assert session is not None
        session.events.register("before-send", self._count)
        self.begin()

    def begin(self) -> None:
        self._at = time.process_time(), self._calls.total(), _peak()

    def end(self, items: int) -> Measured:
        cpu, calls, peak = self._at
        return Measured(items, time.process_time() - cpu, self._calls.total() - calls, _peak() - peak)

    def _count(self, event_name: str, **_: Any) -> None:
        self._calls[event_name] += 1


def _peak() -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else 0.0


def users(meter: Meter, provider: str) -> list[Measured]:
    """Return the first page, which comes with the first user, and the whole."""
    for _ in range(WARMING):
        next(tripod.users(provider))
    meter.begin()
    every = tripod.users(provider)
    next(every)
    first = meter.end(1)
    return [first, meter.end(1 + sum(1 for _ in every))]


def reads(meter: Meter, provider: str, *user_ids: str) -> list[Measured]:
    """Return one read of each user, and many of each that is remembered."""
    tripod.user_tokens(provider, user_id=user_ids[0])
    meter.begin()
    for user_id in user_ids[1:]:
        tripod.user_tokens(provider, user_id=user_id)
    uncached = meter.end(len(user_ids) - 1)
    meter.begin()
    for _ in range(CACHED):
        for user_id in user_ids[1:]:
            tripod.user_tokens(provider, user_id=user_id)
    return [uncached, meter.end(CACHED * (len(user_ids) - 1))]


def sweep(meter: Meter, first: str, owed: str, most: str) -> list[Measured]:
    """Relay one item, then what is owed, until ``most`` items are relayed and the invocation's time is taken to be over."""
    from tripod_flow.app import App  # noqa: PLC0415  # readers don't have it
    from tripod_flow.edges import aws  # noqa: PLC0415  # likewise

    aws.READ = aws.ATTEMPT = SLOW
    app = App()
    app.set_deadline(SimpleNamespace(get_remaining_time_in_millis=lambda: LONG))
    app.relay.relay([first], lambda: True)
    items = iter(range(int(most)))
    meter.begin()
    app.relay.sweep(lambda: next(items, None) is not None)
    return [meter.end(min(int(owed), int(most)))]


if __name__ == "__main__":
    probes: dict[str, Callable[..., list[Measured]]] = {"users": users, "reads": reads, "sweep": sweep}
    measured = probes[sys.argv[1]](Meter(), *sys.argv[2:])
    print("\n" + json.dumps([asdict(one) for one in measured]))
