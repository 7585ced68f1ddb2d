"""A flood: a burst of sign-ins is completed while Secrets Manager takes 50 creations a second, its quota.

Real code, real signatures and exchanges, real conditional writes; only the seconds are not waited for: every call takes its time on a
clock of our own, which the quota's bucket goes by as well. The stream's relay takes one item after the other, as on a table of one
shard; the schedule's begins each minute and ends with its timeout.
"""

import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field

import boto3
from botocore.config import Config

from sandbox.provider.records import User
from sandbox.world import Sandbox
from tests.support.clock import T0, Clock
from tests.support.harness import Harness
from tests.support.sandbox_app import SandboxApp, make_app
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.rules import authorization

QUOTA = 50.0  # creations a second; AWS's for Secrets Manager
ITEM = 0.1  # seconds that the relay takes for one item: some four calls
SWEEP = 60.0  # seconds between two runs of the schedule
LASTS = 55.0  # seconds that one run works: the function's timeout, less its reserve
LOOK = 5.0  # seconds between two points of the curve


@dataclass
class Flood:
    """What happened: ``curve`` is (seconds since the burst began, completions so far, tokens still owed)."""

    completed: int = 0
    refused: int = 0  # users who were told anything but that they are connected
    throttled: int = 0  # creations that Secrets Manager refused
    lost: int = 0
    curve: list[tuple[float, int, int]] = field(default_factory=list)

    @property
    def drained_after(self) -> float:
        """Return the seconds after which nothing was owed any more."""
        return self.curve[-1][0]


def run(sandbox: Sandbox, sign_ins: int, per_second: float, quota: float = QUOTA) -> Flood:
    """Complete so many sign-ins at so many a second, then let the relay work until nothing is owed."""
    app = make_app(sandbox)
    clock = Clock()
    harness = Harness(app, clock)
    # One attempt: boto3's pauses between several would be real ones, and the quota's seconds are not.
    once = boto3.Session(region_name="us-east-1").client(
        "secretsmanager",
        endpoint_url=sandbox.aws,
        aws_access_key_id="AKIAFLOOD",
        aws_secret_access_key="flood",
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
    )
    harness.token_store._writer = SecretWriter(once, sandbox.prefix)
    waiting, users = _consented(harness, app, sign_ins)
    limit = sandbox.aws_server.limit("secretsmanager", "CreateSecret", quota, clock)
    flood = Flood()
    owed: dict[str, None] = {}
    for token, verifier in waiting:
        clock.now += 1 / per_second
        record = harness.callback(token, verifier)
        flood.completed += 1
        flood.refused += record.state is not authorization.State.GRANTED
        key = authorization.key(app.name, token)
        if _is_owed(harness, key):
            owed[key] = None
        _note(flood, clock, owed)
    flood.curve.append((clock.now - T0, flood.completed, len(owed)))
    _drain(harness, clock, owed, flood)
    sandbox.aws_server.disarm()
    flood.throttled = limit.refused
    flood.lost = sum(SandboxApp(sandbox, app.name, app.consumer, user).stored() is None for user in users)
    return flood


def _consented(harness: Harness, app: SandboxApp, sign_ins: int) -> tuple[list[tuple[str, str]], list[User]]:
    """Bring users back from the provider, each with a verifier, before the burst begins."""
    waiting, users = [], []
    for _ in range(sign_ins):
        users.append(app.sandbox.provider_server.add_user())
        harness.app = SandboxApp(app.sandbox, app.name, app.consumer, users[-1])
        harness.clock.now = T0
        waiting.append(harness.come_back())
    return waiting, users


def _is_owed(harness: Harness, key: str) -> bool:
    record = harness.table.authorization(key)
    return record is not None and record.pending_tokens is not None


def _drain(harness: Harness, clock: Clock, owed: dict[str, None], flood: Flood) -> None:
    """Run the stream's relay and the schedule's side by side, each at its pace, on one clock."""
    stream, order = deque(owed), itertools.count()
    turns = [(clock.now, next(order), "stream"), (clock.now + SWEEP, next(order), "sweep")]
    swept: deque[str] = deque()
    swept_until = 0.0
    while owed:
        clock.now, _, who = heapq.heappop(turns)
        if who == "sweep":
            due = set(harness.due())
            swept, swept_until = deque(key for key in owed if key in due), clock.now + LASTS
            heapq.heappush(turns, (clock.now + SWEEP, next(order), "sweep"))
            heapq.heappush(turns, (clock.now + ITEM, next(order), "item"))
            continue
        queue = stream if who == "stream" else swept
        if not queue or (who == "item" and clock.now > swept_until):
            continue
        key = queue.popleft()
        harness.relay.relay([key], lambda: True)
        if not _is_owed(harness, key):
            owed.pop(key, None)
        _note(flood, clock, owed)
        heapq.heappush(turns, (clock.now + ITEM, next(order), who))


def _note(flood: Flood, clock: Clock, owed: dict[str, None]) -> None:
    seconds = clock.now - T0
    if not owed or not flood.curve or seconds - flood.curve[-1][0] >= LOOK:
        flood.curve.append((seconds, flood.completed, len(owed)))


def svg(flood: Flood) -> str:
    """Return the curve of what was owed as a picture."""
    width, height, left, bottom = 640.0, 320.0, 60.0, 40.0
    seconds, most = max(flood.drained_after, 1), max([owed for *_, owed in flood.curve] + [1])

    def at(second: float, owed: float) -> str:
        x = left + second / seconds * (width - left - 20)
        y = height - bottom - owed / most * (height - bottom - 20)
        return f"{x:.1f},{y:.1f}"

    line = " ".join(at(second, owed) for second, _, owed in flood.curve)
    ticks = "".join(
        f'<text x="{at(seconds * part / 4, 0).split(",")[0]}" y="{height - bottom + 18}" text-anchor="middle">{seconds * part / 4:.0f} s</text>'
        f'<text x="{left - 8}" y="{at(0, most * part / 4).split(",")[1]}" text-anchor="end">{most * part / 4:.0f}</text>'
        for part in range(5)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12">'
        f"<title>Tokens owed after a burst of {flood.completed} sign-ins</title>"
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<polyline points="{at(0, most)} {at(0, 0)} {at(seconds, 0)}" fill="none" stroke="#888"/>'
        f'<polyline points="{at(0, 0)} {line}" fill="none" stroke="#0b57d0" stroke-width="2"/>{ticks}</svg>\n'
    )
