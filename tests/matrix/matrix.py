"""The fault matrix: every remote call of every act, failing in every way, one cell at a time."""

import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.matrix.acts import ACTS, Act, UserScene
from tests.matrix.allowed import allowed
from tests.support.plays import processes
from tests.support.waiting import eventually

LEGS = ("request_token", "access_token", "identity", "invalidate_token", "verify_credentials")
PROVIDER: dict[str, ProviderFault] = {
    "refused": ProviderFault.RESET,  # a reset before any answer: to the caller the same as a port where nobody listens
    "timeout": ProviderFault.TIMEOUT,
    "drip": ProviderFault.DRIP,
    "500": ProviderFault.SERVER_ERROR,
    "throttled": ProviderFault.RATE_LIMITED,
    "denied": ProviderFault.NO_ACCESS,
    "garbage": ProviderFault.GARBAGE,
    "lost": ProviderFault.RESET_AFTER,
    "killed before": ProviderFault.TIMEOUT,
    "killed after": ProviderFault.TIMEOUT_AFTER,
}
AWS: dict[str, Any] = {
    "refused": "reset",
    "timeout": "hang",
    "drip": "drip",
    "500": "internal",
    "throttled": "throttled",
    "denied": "denied",
    "garbage": "garbage",
    "lost": "lost",
    "killed before": "hang",
    "killed after": "silent",
}
FAULTS = tuple(AWS)
KILLS = ("killed before", "killed after")
EVERY_TRY = 99  # a fault lasts as long as the first try does


@dataclass(frozen=True)
class Cell:
    """One remote call of an act, the ``nth`` of its kind in it, and how it fails."""

    act: Act
    service: str  # "provider", or AWS's
    operation: str  # the leg, or AWS's operation
    nth: int
    fault: str

    @property
    def call(self) -> str:
        """Name the call within its act."""
        return f"{self.operation} {self.nth + 1}" if self.service != "provider" else self.operation


@dataclass(frozen=True)
class Result:
    """What a cell came to: the first answer, the repetition's, how things then stood; ``struck``: whether the fault did."""

    cell: Cell
    first: str
    again: str
    end: str
    struck: bool

    @property
    def right(self) -> bool:
        """Tell whether this is among what was written down for the cell."""
        first, end = allowed(self.cell.act.name, self.cell.call, self.cell.fault)
        return self.struck and self.first in first and self.end in end


def cells(sandbox: Sandbox) -> list[Cell]:
    """Return every cell, from the calls that each act is seen to make."""
    return [
        Cell(act, service, operation, nth, fault)
        for act in ACTS
        for service, operation, nth in _calls(sandbox, act)
        for fault in FAULTS
    ]


def _calls(sandbox: Sandbox, act: Act) -> list[tuple[str, str, int]]:
    scene = act.scene(sandbox)
    before, legs = len(sandbox.aws_server.calls), {leg: len(scene.app.calls(leg)) for leg in LEGS}  # type: ignore[arg-type]  # a leg
    act.do(scene)
    function = f"{sandbox.prefix}-{act.function}"
    counted: Counter[tuple[str, str]] = Counter()
    found = []
    for call in sandbox.aws_server.calls[before:]:
        if call.caller == function:
            found.append((call.service, call.operation, counted[call.service, call.operation]))
            counted[call.service, call.operation] += 1
    for leg, count in legs.items():
        made = len(scene.app.calls(leg)) - count  # type: ignore[arg-type]  # a leg
        assert made <= 1, "a provider's call is made once where it does not fail"
        found += [("provider", leg, 0)] * made
    return found


def run(sandbox: Sandbox, chosen: Iterable[Cell]) -> Iterator[Result]:
    """Run cells: those that wait, several at a time; those that kill, one after the other."""
    chosen = list(chosen)
    with ThreadPoolExecutor(6) as pool:
        yield from pool.map(lambda cell: _run(sandbox, cell), [cell for cell in chosen if cell.fault not in KILLS])
    for cell in chosen:
        if cell.fault in KILLS:
            yield _run(sandbox, cell)


def _run(sandbox: Sandbox, cell: Cell) -> Result:
    scene = cell.act.scene(sandbox)
    first, struck = _faulted(sandbox, cell, scene)
    _let_the_lease_end(sandbox, scene)
    again = cell.act.do(scene)
    keys = [key for key in (scene.key, scene.app.connection_key) if key]
    for _ in range(2):  # what the first run asks about, the second one stores
        _let_the_lease_end(sandbox, scene)
        scene.app.relay(*keys)
    return Result(cell, first, again, cell.act.end(scene), struck)


def _faulted(sandbox: Sandbox, cell: Cell, scene: UserScene) -> tuple[str, bool]:
    """Do the act with the fault in its way; return its answer, and whether the fault struck."""
    if cell.service == "provider":
        calls = len(scene.app.calls(cell.operation))  # type: ignore[arg-type]  # a leg
        scene.app.fault(cell.operation, PROVIDER[cell.fault], times=1, seconds=60.0)  # type: ignore[arg-type]  # a leg

        def struck() -> bool:
            return len(scene.app.calls(cell.operation)) > calls  # type: ignore[arg-type]  # a leg

        return _tried(cell, scene, struck), struck()
    about = scene.app.name if cell.service != "ssm" else ""
    armed = sandbox.aws_server.fault(cell.service, cell.operation, AWS[cell.fault], times=EVERY_TRY, match=about, after=cell.nth)
    first = _tried(cell, scene, lambda: armed.strikes > 0)
    armed.times = 0
    return first, armed.strikes > 0


def _tried(cell: Cell, scene: UserScene, struck: Any) -> str:
    if cell.fault not in KILLS:
        return cell.act.do(scene)
    with ThreadPoolExecutor(1) as pool:
        trying = pool.submit(cell.act.do, scene)
        eventually(lambda: struck() or trying.done(), 20)
        function = f"{scene.app.sandbox.prefix}-{cell.act.function}", scene.app.sandbox.aws
        killed = processes(*function)
        for process in killed:
            os.kill(process, signal.SIGKILL)
        eventually(lambda: not set(killed) & set(processes(*function)), 20)  # an idle one is not taken for a live one
        return trying.result()


def _let_the_lease_end(sandbox: Sandbox, scene: UserScene) -> None:
    """Put the end of a lease into the past, as if its seconds had gone by."""
    client = sandbox.client("dynamodb")
    if scene.key and "lease_until" in (scene.app.item(scene.key) or {}):
        client.update_item(
            TableName=sandbox.table,
            Key={"pk": {"S": scene.key}},
            UpdateExpression="SET lease_until = :past",
            ExpressionAttributeValues={":past": {"N": "1"}},
        )


def totals(results: list[Result]) -> dict[str, int]:
    """Return the figures that must be 0, and how many exchanges were interrupted."""
    ends = Counter(result.end for result in results)
    counted = {"lost", "wrong user", "in the clear"}
    known = counted | {"stored", "sealed", "signed in", "again", "interrupted", "denied", "deleted", "refused", "signed"}
    return {
        "cells": len(results),
        "tokens lost after commit": ends["lost"],
        "stored under a wrong user": ends["wrong user"],
        "left in the clear": ends["in the clear"],
        "stuck or owed in the end": sum(count for end, count in ends.items() if end not in known),
        "outside the cell's set": sum(not result.right for result in results),
        "interrupted (the exchange's own answer lost)": ends["interrupted"],
    }


def table(results: list[Result]) -> str:
    """Return the matrix as text: a line per call, a column per fault, in each cell first answer and end."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for result in results:
        mark = "" if result.right else " !"
        cell = result.cell
        rows.setdefault((cell.act.name, cell.call), {})[cell.fault] = f"{result.first} → {result.end}{mark}"
    lines = [f"| act | call | {' | '.join(FAULTS)} |", "|" + "---|" * (len(FAULTS) + 2)]
    for (act, call), found in rows.items():
        lines.append(f"| {act} | {call} | {' | '.join(found.get(fault, '') for fault in FAULTS)} |")
    return "\n".join(lines)
