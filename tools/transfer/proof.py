"""An import that is interrupted and begun again, while the relay stores; then an export: who is there once, who is lost, what a row costs.

The command is the installed one, in processes of its own, which get what Ctrl-C sends. The relay is woken by its schedule alone, as it is
for imported grants, one sweep after the other; Secrets Manager refuses what is beyond AWS's quota.
"""

import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.world import Sandbox
from tests.support.command import environment
from tests.support.sandbox_app import SandboxApp, make_app

QUOTA = 50.0  # CreateSecret a second, of an account
LONGEST = 4 * 3600.0  # seconds; then whoever is not stored is lost
FEW = 100  # rows of the import whose memory is compared with the large one's
GLANCE = 0.05  # seconds between two looks at how much memory a command has
LOOK = 1.0  # seconds between two looks at how far a command is


@dataclass
class Ended:
    """What a command that has ended has used: seconds of the clock and of the processor, and memory at its most, in bytes."""

    exit_code: int
    out: str
    seconds: float
    processor: float
    memory: int

    @property
    def last(self) -> dict[str, Any]:
        """Return the last object that it has printed."""
        return dict(json.loads(self.out.splitlines()[-1]))


@dataclass
class Transfer:
    """What happened."""

    users: int
    store: str
    interrupted: int = 0
    stored: int = 0  # writes of tokens to the store; AWS's client repeats one whose answer is late, which changes nothing
    replaced: int = 0  # secrets whose first content another has followed
    lost: int = 0
    other: int = 0  # users with other tokens than the file's
    repeated: int = 0  # rows that a second import of the file has taken
    runs: list[Ended] = field(default_factory=list)
    few: Ended | None = None
    again: Ended | None = None
    export: Ended | None = None
    seconds: float = 0.0  # from the first command to the last token stored

    @property
    def holds(self) -> bool:
        """Return True if each is there once, with the file's tokens."""
        return not (self.lost or self.other or self.repeated or self.replaced) and self.stored >= self.users

    def figures(self) -> dict[str, float]:
        """Return what a row costs."""
        few, longest = self.few, max(self.runs, key=lambda run: run.memory)
        if few is None or self.again is None or self.export is None:
            raise ValueError("the proof has not ended")
        return {
            "import: ms of the processor a row": sum(run.processor for run in self.runs) / self.users * 1000,
            "import: bytes of memory a row": (longest.memory - few.memory) / self.users,
            "import: MB at most": longest.memory / 1e6,
            "imported again: rows a second": self.users / self.again.seconds,
            "export: ms of the processor a row": self.export.processor / self.users * 1000,
            "export: MB at most": self.export.memory / 1e6,
            "stored: a second": self.users / self.seconds,
        }


def run(
    sandbox: Sandbox, users: int, store: str, folder: Path, *, interruptions: int = 5, say: Callable[[str], None]
) -> Transfer:
    """Import so many users into ``store``, interrupted so often, and export them; ``say`` is told the progress."""
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # as a shell leaves it to what runs in the background, and what that starts
        signal.signal(signal.SIGINT, signal.default_int_handler)
    app, proof = make_app(sandbox, secret={"store": store}), Transfer(users, store)
    rows, file = _rows(users), folder / "users.csv"
    _write(file, rows)
    few = folder / "few.csv"
    _write(few, _rows(FEW))
    proof.few = _command(sandbox, "import", app.name, str(few), "--rate", "1000", "--no-wait", "--dry-run", "--json")
    if store == "secrets-manager":
        sandbox.aws_server.limit("secretsmanager", "CreateSecret", QUOTA)
    began, before = time.monotonic(), _stored(sandbox, app)
    with _relay(sandbox):
        _import(app, file, proof, interruptions, say)
        say(f"all are written after {time.monotonic() - began:.0f} s, {_stored(sandbox, app) - before} of them stored")
        while _stored(sandbox, app) - before < users and time.monotonic() < began + LONGEST:
            time.sleep(LOOK)
        proof.seconds = time.monotonic() - began
    proof.stored = _stored(sandbox, app) - before
    say(f"all are stored after {proof.seconds:.0f} s")
    proof.again = _command(sandbox, "import", app.name, str(file), "--rate", "1000", "--json")
    proof.repeated = proof.again.last["taken"]
    exported = folder / "exported.jsonl"
    proof.export = _command(sandbox, "export", app.name, "--to", str(exported), "--rate", "1000", "--json")
    _compare(proof, rows, exported)
    if store == "secrets-manager":
        proof.replaced = sum(_versions(app, user_id) != 1 for user_id in rows)
    return proof


def _import(app: SandboxApp, file: Path, proof: Transfer, interruptions: int, say: Callable[[str], None]) -> None:
    """Import, and again until the command ends by itself; the first runs are interrupted, each further on."""
    sandbox, share = app.sandbox, proof.users // (interruptions + 1)
    for number in range(interruptions + 1):
        at = number * share + random.randint(1, share) if number < interruptions else 0  # noqa: S311  # no secret
        arguments = (
            "import",
            app.name,
            str(file),
            "--rate",
            "1000",
            "--json",
            "--no-wait",
        )  # its own look into moto's outbox costs much
        ended = _command(sandbox, *arguments, until=lambda at=at: bool(at) and _written(sandbox) >= at)  # type: ignore[misc]
        proof.runs.append(ended)
        proof.interrupted += ended.exit_code == 130
        say(f"run {number + 1} ended with {ended.exit_code} after {ended.seconds:.0f} s: {ended.out.splitlines()[-1][:160]}")


def _command(sandbox: Sandbox, *arguments: str, until: Callable[[], bool] = lambda: False) -> Ended:
    """Run the command, interrupted as soon as ``until`` says so."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "tripod_cli", *arguments],
        env={**os.environ, **environment(sandbox)},
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        done, memory = threading.Event(), [0]
        threads = [
            threading.Thread(target=_interrupt, args=(command, until, done)),
            threading.Thread(target=_watch, args=(command.pid, memory, done)),
        ]
        for thread in threads:
            thread.start()
        out = command.stdout.read() if command.stdout else ""
        _, status, used = os.wait4(command.pid, 0)
        done.set()
        for thread in threads:
            thread.join()
        command.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    return Ended(command.returncode, out, seconds, used.ru_utime + used.ru_stime, memory[0])


def _interrupt(command: "subprocess.Popen[str]", until: Callable[[], bool], done: threading.Event) -> None:
    while not done.wait(LOOK):
        if until():
            command.send_signal(signal.SIGINT)
            return


def _watch(pid: int, memory: list[int], done: threading.Event) -> None:
    """Note a command's memory at its most. What wait4 says of it is the sandbox's, from which the command was forked."""
    while not done.wait(GLANCE):
        with suppress(OSError):
            found = re.search(r"VmHWM:\s*([0-9]+) kB", Path(f"/proc/{pid}/status").read_text())
            memory[0] = max(memory[0], int(found[1]) * 1024 if found else 0)


@contextmanager
def _relay(sandbox: Sandbox) -> Iterator[None]:
    """Let the relay sweep, again and again."""
    ended = threading.Event()

    def sweep() -> None:
        while not ended.wait(0.5):
            sandbox.run_schedule(f"{sandbox.prefix}-relay")

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _rows(users: int) -> dict[str, tuple[str, str]]:
    """Return token and secret of each user."""
    ids = (str(10**15 + number) for number in range(users))
    return {user_id: (f"{user_id}-{secrets.token_hex(20)}", secrets.token_hex(22)) for user_id in ids}


def _write(file: Path, rows: dict[str, tuple[str, str]]) -> None:
    with file.open("w") as out:
        out.write("user_id,screen_name,access_token,access_token_secret\n")
        out.writelines(f"{user_id},ada{user_id},{token},{secret}\n" for user_id, (token, secret) in rows.items())


def _written(sandbox: Sandbox) -> int:
    return len(sandbox.aws_server.called("dynamodb", "PutItem"))


def _stored(sandbox: Sandbox, app: SandboxApp) -> int:
    """Return how many writes of users' tokens to their store there were."""
    done = [call for call in sandbox.aws_server.called("secretsmanager", "CreateSecret", f"/user/{app.name}/") if not call.error]
    put = sandbox.aws_server.called("secretsmanager", "PutSecretValue", f"/user/{app.name}/")
    return len(done) + len(put) or len(sandbox.aws_server.called("dynamodb", "TransactWriteItems"))


def _versions(app: SandboxApp, user_id: str) -> int:
    """Return how many contents a user's secret has had: a write that is repeated adds none."""
    client = app.sandbox.client("secretsmanager")
    return len(client.describe_secret(SecretId=f"{app.sandbox.prefix}/user/{app.name}/{user_id}")["VersionIdsToStages"])


def _compare(proof: Transfer, rows: dict[str, tuple[str, str]], exported: Path) -> None:
    found = [json.loads(line) for line in exported.read_text().splitlines()]
    tokens = {one["user_id"]: (one["oauth_token"], one["oauth_token_secret"]) for one in found}
    proof.lost = len(rows.keys() - tokens.keys())
    proof.other = sum(tokens[user_id] != rows[user_id] for user_id in rows.keys() & tokens.keys())
    proof.other += len(found) - len(tokens) + len(tokens.keys() - rows.keys())
