"""Memory: what a callback takes at each size, its process held to the share of a CPU that Lambda gives for it."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from statistics import median

from sandbox.runtime.emulator import Emulator
from tools.bench import process
from tools.bench.scene import Scene, invoke, scene

WHOLE = 1769  # MB with which a function has one CPU of its own (AWS Lambda's developer guide)
SIZES = (256, 512, 1024, WHOLE)  # MB
PRICE = 0.0000133334  # US dollars for a GB-second on arm64, us-east-1, 2026-11-24
PERIOD = 0.02  # seconds over which Lambda's share is counted, as measured by others; what is not used in one is lost
LOOK = 0.001  # seconds between two looks
THINKS = 0.15  # seconds of the provider's
WARM_ROUNDS = 10


@dataclass(frozen=True)
class MemoryRow:
    """The medians at one size: seconds of a cold and of a warm callback."""

    memory: int
    cold: float
    warm: float

    def cost(self, seconds: float) -> float:
        """Return the price in US dollars of a million invocations that take so many seconds each."""
        return 1e6 * self.memory / 1024 * seconds * PRICE


def measure(rounds: int) -> list[MemoryRow]:
    """Measure cold and warm callbacks, over https, so many cold ones for each size, the sizes interleaved."""
    colds: dict[int, list[float]] = {size: [] for size in SIZES}
    warms: dict[int, list[float]] = {size: [] for size in SIZES}
    with scene(tls=True, thinks=THINKS) as stage:
        starter = stage.emulator(stage.function("start"))
        try:
            for _ in range(rounds):
                for size in SIZES:
                    cold, warm = _once(stage, starter, min(1.0, size / WHOLE))
                    colds[size].append(cold)
                    warms[size] += warm
        finally:
            starter.close()
    return [MemoryRow(size, median(colds[size]), median(warms[size])) for size in SIZES]


def _once(stage: Scene, starter: Emulator, share: float) -> tuple[float, list[float]]:
    """Return the seconds of a cold callback, and of the warm ones after it."""
    emulator = stage.emulator(stage.function("callback"))
    taken = []
    try:
        with held(emulator.session, share):
            for _ in range(1 + WARM_ROUNDS):
                app, told = stage.callback_event(starter)
                began = time.perf_counter()
                answer = invoke(emulator, told)
                taken.append(time.perf_counter() - began)
                assert answer["statusCode"] == 200, answer
                assert app.stored(), "no tokens were stored"
    finally:
        emulator.close()
        process.wait_for_the_end(emulator.session)
    return taken[0], taken[1:]


@contextmanager
def held(session: int, share: float) -> Iterator[None]:
    """Hold the session's runtime, once it runs, to a share of one CPU: it is stopped where it has used more in a period."""
    ended = threading.Event()
    holder = threading.Thread(target=_hold, args=(session, share, ended), daemon=True)
    if share < 1:
        holder.start()
    try:
        yield
    finally:
        ended.set()
        if share < 1:
            holder.join()


def _hold(session: int, share: float, ended: threading.Event) -> None:
    runtime = _runtime(session, ended)
    if runtime is None:
        return
    left, used, seen = share * PERIOD, process.cpu(runtime), time.monotonic()
    while not ended.wait(LOOK):
        spent, now = process.cpu(runtime), time.monotonic()
        left = min(left + (now - seen) * share, share * PERIOD) - (spent - used)
        used, seen = spent, now
        if left < 0:
            os.kill(runtime, signal.SIGSTOP)
            ended.wait(-left / share)
            os.kill(runtime, signal.SIGCONT)


def _runtime(session: int, ended: threading.Event) -> int | None:
    """Wait for the session's runtime, and return its id."""
    while not ended.wait(LOOK):
        with suppress(LookupError):
            return process.of_session(session)
    return None
