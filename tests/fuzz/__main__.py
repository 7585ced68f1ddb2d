"""``python -m tests.fuzz [INPUTS] [SEED] [strict]``: the long form, and what it found.

``strict``: what AWS can't send must have an answer too.
"""

import secrets
import sys
import time
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.events import events
from tests.fuzz.target import Defect, FuzzFigures, Target, defects_of, running

INPUTS = 100_000
BATCH = 1_000  # inputs of one world
SHARES = {"start": 25, "callback": 33, "revoke": 15, "redeem": 10, "sign": 6, "check": 4, "relay": 7}  # percent


def _found(target: Target, function: str, inputs: int, number: int) -> list[Defect]:
    @seed(number)
    @settings(max_examples=inputs, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(events(function))
    def run(event: Any) -> None:
        target.check(function, event)

    return defects_of(run)


def main(inputs: int = INPUTS, number: int | None = None, *, strict: bool = False) -> int:
    """Run so many inputs; returns 1 where one of them found a defect."""
    if inputs < 100:
        raise SystemExit("at least 100 inputs: each function has a share")
    number = secrets.randbits(32) if number is None else number
    print(f"{inputs} inputs, seed {number}", flush=True)
    began, defects = time.monotonic(), []
    figures = FuzzFigures()
    for function, share in SHARES.items():
        wanted = inputs * share // 100
        while (left := wanted - figures.inputs[function]) > 0:
            number += 1
            with running(strict=strict) as target:  # a new one each time: moto and the sandbox keep every call
                target.figures = figures
                for defect in _found(target, function, min(BATCH, left), number):
                    figures.known[defect.signature] += 1
                    defects.append(defect)
                for key in target.in_the_clear():
                    defects.append(Defect(function, {}, f"a token in the clear: {key}"))
    for defect in defects:
        print(f"\nDEFECT, seen {figures.known[defect.signature]} times\n{defect}")
    for name in ("inputs", "answers", "unsendable"):
        counted = getattr(figures, name)
        print(f"{name}: {counted.total()}: " + ", ".join(f"{what} {times}" for what, times in sorted(counted.items())))
    print(f"{len(defects)} defects, {time.monotonic() - began:.0f} s")
    return int(bool(defects))


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument != "strict"]
    sys.exit(main(*numbers, strict="strict" in sys.argv[1:]))
