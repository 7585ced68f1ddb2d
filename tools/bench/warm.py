"""Warm invocations: CPU and the clock of each, beside a floor handler that makes the very same calls, interleaved."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from sandbox.repository import BUILT
from sandbox.runtime.emulator import Emulator
from tools.bench import parts, process
from tools.bench.replay import Replay
from tools.bench.scene import Scene, invoke, scene

FIRST = 10  # invocations of each process that are not counted
PROCESSES = 5
SEALING = "callback, into the table"

Variant = tuple[Emulator, Callable[[], Any]]  # what runs, and what makes its events


@dataclass(frozen=True)
class WarmRow:
    """One handler's CPU and clock for an invocation, in ms; the runtime's own part is in it."""

    name: str
    cpu_p50: float
    cpu_p99: float
    wall_p50: float
    wall_p99: float


@dataclass(frozen=True)
class Figures:
    """The rows, and the calls of one start and of one first grant to AWS and to the provider."""

    rows: list[WarmRow]
    calls: dict[str, tuple[int, int]]


def measure(rounds: int, *, tls: bool = False) -> Figures:
    """Measure start, callback and their floors, so many times each, in several processes: two of the same code differ by a tenth."""
    taken: dict[str, list[tuple[float, float]]] = {}
    calls: dict[str, tuple[int, int]] = {}
    with scene(tls=tls) as stage:
        for _ in range(PROCESSES):
            with ExitStack() as ending:
                variants = _started(stage, ending)
                for number in range(FIRST + rounds // PROCESSES):
                    for name, (emulator, event) in variants.items():
                        spent = _invocation(emulator, event())
                        if number >= FIRST:
                            taken.setdefault(name, []).append(spent)
                calls = {name: _calls(stage, *variants[name]) for name in ("start", "callback")}
                calls[SEALING] = _calls(stage.sealing, *variants[SEALING])
    return Figures([_row(name, each) for name, each in taken.items()], calls)


def _started(stage: Scene, ending: ExitStack) -> dict[str, Variant]:
    """Start one process of each, until ``ending``."""

    def running(*function: Any) -> Emulator:
        emulator = stage.emulator(*function)
        ending.callback(emulator.close)
        return emulator

    starter, finisher = running(stage.function("start")), running(stage.function("callback"))
    for _ in range(FIRST):  # the calls of a process that has the consumer secret
        invoke(finisher, stage.callback_event(starter)[1])
    code = stage.beside("start", parts.HERE / "floor", parts.whole())
    floor, floor_finisher, replay = running(code), running(code), Replay(stage, starter, finisher)
    return {
        "start": (starter, stage.start_event),
        "start's floor": (floor, replay.start),
        "callback": (finisher, lambda: stage.callback_event(starter)[1]),
        SEALING: (finisher, lambda: stage.sealing.callback_event(starter)[1]),
        "callback's floor": (floor_finisher, lambda: replay.callback(floor)),
    }


def _invocation(emulator: Emulator, told: Any) -> tuple[float, float]:
    runtime = process.of_session(emulator.session) if emulator.printed() else None
    before, began = process.cpu(runtime) if runtime else 0.0, time.perf_counter()
    answer = invoke(emulator, told)
    wall = time.perf_counter() - began
    assert answer["statusCode"] in {200, 302}, answer
    return process.cpu(process.of_session(emulator.session)) - before, wall


def _calls(stage: Scene, emulator: Emulator, event: Callable[[], Any]) -> tuple[int, int]:
    told = event()
    server, provider = stage.sandbox.aws_server, stage.sandbox.provider_server
    before = len(server.calls), len(provider.calls(stage.app.consumer.key))
    invoke(emulator, told)
    made = Counter(call.operation for call in server.calls[before[0] :])
    return made.total(), len(provider.calls(stage.app.consumer.key)) - before[1]


def _row(name: str, taken: list[tuple[float, float]]) -> WarmRow:
    spent = []
    for values in zip(*taken, strict=True):
        cuts = quantiles(values, n=100)
        spent += [cuts[49] * 1000, cuts[98] * 1000]
    return WarmRow(name, *spent)


@dataclass(frozen=True)
class Reader:
    """What the public layer costs: the first signed request beside the reference, and one cached look, in microseconds."""

    cpu_ratio: float
    wall_ratio: float
    cached: float


def reader(rounds: int) -> Reader:
    """Measure a Lambda with the public layer and the runtime's boto3, from its start to its first signed request."""
    with scene() as stage:
        starter, finisher = stage.emulator(stage.function("start")), stage.emulator(stage.function("callback"))
        app, told = stage.callback_event(starter)
        invoke(finisher, told)
        starter.close()
        finisher.close()
        function = stage.beside("start", parts.HERE / "reader", BUILT / "TripodLayer")
        reference = stage.beside("start", parts.HERE / "reference", parts.whole())
        asked = {"provider": app.name, "user_id": app.user.user_id}
        asked["url"] = f"{stage.sandbox.provider}/1.1/account/verify_credentials.json"
        ours, theirs, cached = [], [], []
        for _ in range(rounds):
            theirs.append(stage.cold(reference, {}))
            ours.append(stage.cold(function, asked))
            cached.append(stage.cold(function, {**asked, "look": True}).answer["cached"])
    assert all(sample.answer["statusCode"] == 200 for sample in ours)
    cpu, wall = (sum(s.cpu for s in ours) / sum(s.cpu for s in theirs), sum(s.wall for s in ours) / sum(s.wall for s in theirs))
    return Reader(cpu, wall, sorted(cached)[rounds // 2])
