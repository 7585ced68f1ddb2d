"""Growth: what grows with the connections, and what with the items that are owed, in each of the two stores."""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sandbox.aws.credentials import ACCESS_KEY, SECRET_KEY
from sandbox.repository import ROOT
from sandbox.template.intrinsics import REGION
from sandbox.world import Sandbox
from tools.scale import fill
from tools.scale.fill import PROVIDER, KeptIn
from tools.scale.probe import Measured

OWED = (0, 100)  # items that a sweep finds, at each number of connections
BACKLOG = (100, 1_000, 10_000)  # and beside 1,000 connections: the last is an import's
RELAYED = 500  # of them: then the sweep's time is over, as a function's is. moto would take hours for all
BESIDE = 1_000
PATIENCE = 1_800  # seconds for one probe: moto is slow


@dataclass(frozen=True)
class Row:
    """One thing measured beside so many connections; ``owed`` items were due, where it is a sweep: of ``backlog``, for how many are owed."""

    what: str  # first page, users, uncached, cached, sweep
    store: KeptIn
    connections: int
    measured: Measured
    owed: int = 0
    backlog: bool = False

    @property
    def per_item(self) -> float:
        """Return the CPU seconds of one item."""
        return self.measured.cpu / max(1, self.measured.items)


def measure(
    sizes: Sequence[int], owed: Sequence[int] = OWED, backlog: Sequence[int] = BACKLOG, stores: Iterable[KeptIn] = KeptIn
) -> Iterator[Row]:
    """Measure at each size in each store, and beside ``BESIDE`` connections each backlog."""
    for store in stores:
        for size in sizes:
            with _filled(store, size) as sandbox:
                yield from _readers(sandbox, store, size)
                yield from _sweeps(sandbox, store, size, owed)
        if backlog:
            with _filled(store, BESIDE) as sandbox:
                yield from (replace(row, backlog=True) for row in _sweeps(sandbox, store, BESIDE, backlog))


@contextmanager
def _filled(store: KeptIn, size: int) -> Iterator[Sandbox]:
    """Run a sandbox with so many connections, in which nothing happens by itself."""
    with Sandbox(parameters={"TokenKey": "on"}, streams=False) as sandbox:
        sandbox.add_provider(PROVIDER, store=store.word)
        fill.connections(sandbox, store, size)
        gc.freeze()  # moto's items are not looked through again and again
        yield sandbox
    gc.unfreeze()


def _readers(sandbox: Sandbox, store: KeptIn, size: int) -> Iterator[Row]:
    first, every = _probe(sandbox, "users", PROVIDER)
    assert every.items == size
    yield Row("first page", store, size, first)
    yield Row("users", store, size, every)
    uncached, cached = _probe(sandbox, "reads", PROVIDER, *map(fill.user_id, range(min(fill.READ, size))))
    yield Row("uncached", store, size, uncached)
    yield Row("cached", store, size, cached)


def _sweeps(sandbox: Sandbox, store: KeptIn, size: int, owed: Sequence[int]) -> Iterator[Row]:
    new = size
    for count in owed:
        first, *_ = fill.owed(sandbox, store, new, 1 + count)
        new += 1 + count
        stored, events, relayed = fill.stored(sandbox), len(sandbox.events), min(count, RELAYED)
        (swept,) = _probe(sandbox, "sweep", first, str(count), str(RELAYED))
        done = fill.stored(sandbox) - stored, len(sandbox.events) - events, count - fill.forget_owed(sandbox)
        if done != (1 + relayed, 1 + relayed, relayed):
            raise RuntimeError(f"of {count} owed grants {relayed} should have been relayed, not: {done}")
        yield Row("sweep", store, size, swept, count)


def _probe(sandbox: Sandbox, *arguments: str) -> list[Measured]:
    """Measure in a process of its own, as a function of the stack would find the world."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "layers/tripod", ROOT / "layers/flow"))),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        **sandbox.functions.function(f"{sandbox.prefix}-relay").environment,
        **sandbox.function_settings(),
    }
    finished = subprocess.run(
        [sys.executable, "-m", "tools.scale.probe", *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(finished.stderr)
    return [Measured(**one) for one in json.loads(finished.stdout.splitlines()[-1])]
