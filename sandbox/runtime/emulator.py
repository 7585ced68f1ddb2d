"""Lambda's own runtime on this machine: AWS's Runtime Interface Emulator and awslambdaric run what `make build` has built.

An emulator serves one event at a time and dies under two at once, so each is a child of a function's pool. A function
sees nothing of the sandbox's environment: no variable, and no installed package.
"""

import contextlib
import http.client
import json
import os
import platform
import signal
import subprocess
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.loopback import HOST, free_port
from sandbox.repository import BUILT, ROOT, TOOLS
from sandbox.runtime.logs import Logs
from sandbox.runtime.pool import DeadWorkerError
from sandbox.template.template import Function

EMULATOR = (
    TOOLS / f"sam/lib/python3.13/site-packages/samcli/local/rapid/aws-lambda-rie-{platform.machine().replace('aarch64', 'arm64')}"
)
RUNTIME = TOOLS / "runtime"  # what Lambda's image has beside the function: awslambdaric and boto3
PATH = "/2015-03-31/functions/function/invocations"
READY = 10.0  # seconds for the emulator to listen; it starts Python at the first event only
POLL = 0.01  # seconds between tries to connect
GRACE = 5.0  # seconds for killed processes to be gone
MARGIN = 1.0  # seconds to wait beyond the function's timeout: the emulator reports it first

# The emulator outlives its parent, and passes no signal on to Python. The shell ends both when its input closes.
_GUARD = '"$@" & cat >/dev/null; kill -9 0'


class NotBuiltError(Exception):
    """Something that `make build` makes is missing."""


def built_template() -> Path:
    """Return the built template; raise NotBuiltError if it, the emulator or the runtime is missing."""
    for path in (BUILT / "template.yaml", EMULATOR, RUNTIME):
        if not path.exists():
            raise NotBuiltError(f"{path.relative_to(ROOT)} is missing: run `make build` first")
    return BUILT / "template.yaml"


def python() -> str:
    """Return the python3.13 under the build tools' environment: itself, without that environment."""
    settings = (TOOLS / "sam/pyvenv.cfg").read_text().splitlines()
    home = next(line.partition("=")[2].strip() for line in settings if line.startswith("home"))
    return f"{home}/python3.13"


class Emulator:
    """One execution environment: ``answer`` runs one event in it, ``close`` lets it end.

    ``command`` is the runtime; by default Lambda's for Python.
    """

    def __init__(self, function: Function, environment: Mapping[str, str], command: list[str] | None = None) -> None:
        self._port = free_port()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self._seen = 0
        # In Lambda, each layer is laid over those before it, below the function's own folder and above the runtime's.
        layers = [str(layer / "python") for layer in reversed(function.layers)]
        ours = {"PYTHONPATH": os.pathsep.join((*layers, str(RUNTIME))), "AWS_LAMBDA_FUNCTION_TIMEOUT": str(int(function.timeout))}
        # -B: Lambda's folders can't be written. -S, -s: no installed package but the runtime's.
        interpreter = command or [python(), "-B", "-S", "-s", "-m", "awslambdaric", function.handler]
        emulator = [str(EMULATOR), "--log-level", "error", "--runtime-interface-emulator-address", f"{HOST}:{self._port}"]
        emulator += ["--runtime-api-address", f"{HOST}:{free_port()}"]
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", *emulator, *interpreter],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            cwd=function.folder,
            env={**environment, **ours},
            start_new_session=True,
        )

    def greet(self) -> None:
        """Wait until the emulator listens; raise DeadWorkerError."""
        deadline = time.monotonic() + READY
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection(HOST, self._port, timeout=READY)
            with contextlib.suppress(OSError), contextlib.closing(connection):
                connection.connect()
                return
            time.sleep(POLL)
        raise DeadWorkerError

    def alive(self) -> bool:
        """Return True if it is still running."""
        return self._process.poll() is None

    @property
    def session(self) -> int:
        """Return the id of the session in which the emulator and the runtime run."""
        return self._process.pid

    def answer(self, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        """Run one event and return ``{"result": …}`` or ``{"error": …}``; raise TimeoutError or DeadWorkerError."""
        headers = {"Content-Type": "application/json"}
        if request["client_context"] is not None:
            headers["X-Amz-Client-Context"] = b64encode(json.dumps(request["client_context"]).encode()).decode()
        connection = http.client.HTTPConnection(HOST, self._port, timeout=max(deadline - time.time(), POLL) + MARGIN)
        try:
            with contextlib.closing(connection):
                connection.request("POST", PATH, json.dumps(request["event"]), headers)
                response = connection.getresponse()
                body = response.read()
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise DeadWorkerError from error
        return _parsed(response.status, body)

    def printed(self) -> str:
        """Return what it printed since the last call: the function's lines, and the emulator's START, END and REPORT."""
        text = os.pread(self._output.fileno(), os.fstat(self._output.fileno()).st_size - self._seen, self._seen)
        self._seen += len(text)
        return text.decode("utf-8", "replace")

    def kill(self) -> None:
        """Kill the emulator and its runtime, whatever they are doing."""
        if self.alive():
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill it, and close everything."""
        self.kill()
        self._process.wait(GRACE)
        assert self._process.stdin  # noqa: S101 - it is a pipe
        self._process.stdin.close()
        self._output.close()


def _parsed(status: int, body: bytes) -> dict[str, Any]:
    """Return an emulator's response as result or error, told by its body: no header tells them apart."""
    if body.startswith(b"Task timed out after "):
        raise TimeoutError
    answer = json.loads(body)
    if status != http.client.OK:
        raise DeadWorkerError
    failed = isinstance(answer, dict) and {"errorMessage", "errorType"} <= answer.keys()
    return {"error" if failed else "result": answer}


class EmulatorPool:
    """One function's emulators, with the methods of ``Pool``."""

    def __init__(self, function: Function, environment: Mapping[str, str], logs: Logs) -> None:
        self.function = function
        self._environment = environment
        self._logs = logs
        self._lock = threading.Lock()
        self._all: list[Emulator] = []
        self._idle: list[Emulator] = []
        self._ended = False

    def take(self) -> Emulator:
        """Return an idle emulator, or a new one once it listens; raise DeadWorkerError."""
        with self._lock:
            if self._ended:
                raise DeadWorkerError
            while self._idle:
                if (emulator := self._idle.pop()).alive():
                    return emulator
            emulator = Emulator(self.function, self._environment)
            self._all.append(emulator)
        emulator.greet()
        return emulator

    def give_back(self, emulator: Emulator) -> None:
        """Return an emulator to the idle ones."""
        with self._lock:
            self._idle.append(emulator)

    def release(self) -> None:
        """End all emulators, busy or not."""
        with self._lock:
            self._ended = True
            for emulator in self._all:
                emulator.kill()

    def end(self) -> None:
        """Wait for all to end, and close everything."""
        for emulator in self._all:
            emulator.close()
