"""One function's worker processes, as their owner uses them: the one that imports and forks, and its children, idle or busy."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.runtime.logs import Logs
from sandbox.template.template import Function

WORKER = Path(__file__).with_name("worker.py")
READY = 30.0  # seconds for a worker to import its handler; Lambda gives 10, on a machine of its own
GRACE = 0.5  # seconds for the processes to end by themselves
CHUNK = 1 << 16  # bytes


class DeadWorkerError(Exception):
    """The worker process ended without an answer."""


class Child:
    """One child: ``answer`` runs one event in it, ``close`` lets it end."""

    def __init__(self, starter: socket.socket) -> None:
        self._connection, theirs = socket.socketpair()
        self._output, output = os.pipe()
        os.set_blocking(self._output, False)
        self._unread = b""
        self._printed: list[bytes] = []
        self._poll = select.poll()
        self._poll.register(self._connection, select.POLLIN)
        self._poll.register(self._output, select.POLLIN)
        try:
            socket.send_fds(starter, [b"!"], [theirs.fileno(), output])
        except OSError as error:
            self.close()
            raise DeadWorkerError from error
        finally:
            theirs.close()
            os.close(output)

    def greet(self) -> None:
        """Wait until the process sends its id."""
        self._pid: int = self._line(time.time() + READY)["pid"]

    def alive(self) -> bool:
        """Return True if an idle child is still running."""
        return not select.select([self._connection], [], [], 0)[0]

    def answer(self, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        """Run one event and return the line that answers it; raise TimeoutError or DeadWorkerError."""
        try:
            self._connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise DeadWorkerError from error
        return self._line(deadline)

    def _line(self, deadline: float) -> dict[str, Any]:
        while b"\n" not in self._unread:
            left = deadline - time.time()
            if left <= 0:
                raise TimeoutError
            for descriptor, _ in self._poll.poll(left * 1000):
                if descriptor == self._output:
                    self._collect()
                    continue
                try:
                    chunk = self._connection.recv(CHUNK)
                except ConnectionError:
                    chunk = b""
                if not chunk:
                    raise DeadWorkerError
                self._unread += chunk
        line, self._unread = self._unread.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _collect(self) -> None:
        with contextlib.suppress(BlockingIOError, KeyError):  # KeyError: its end was seen before
            while chunk := os.read(self._output, CHUNK):
                self._printed.append(chunk)
            self._poll.unregister(self._output)  # the child closed its output: nothing more will come

    def printed(self) -> str:
        """Return what the child printed since the last call."""
        self._collect()
        text = b"".join(self._printed).decode("utf-8", "replace")
        self._printed.clear()
        return text

    def kill(self) -> None:
        """Kill the process, whatever it is doing."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """Close the connection; an idle child ends with it."""
        self._connection.close()
        with contextlib.suppress(OSError):
            os.close(self._output)
        self._output = -1


class Pool:
    """One function's processes: ``take`` a child, ``give_back`` it, ``release`` and ``end`` all.

    The first process, which imports the handler and forks the others, starts with the first event, as on Lambda.
    """

    def __init__(self, function: Function, environment: Mapping[str, str], logs: Logs) -> None:
        self.function = function
        self._environment = environment
        self._logs = logs
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._starter, self._theirs = socket.socketpair()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - what the import prints; end() closes it
        self._seen = 0
        self._released = False
        self._ended = False
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self) -> None:
        """Start the first process, which imports the handler, without waiting for it."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-s", str(WORKER), self.function.handler],
            stdin=self._theirs.fileno(),
            stdout=self._output,
            stderr=subprocess.STDOUT,
            cwd=self.function.folder,
            env=dict(self._environment),
        )
        self._theirs.close()

    def take(self) -> Child:
        """Return an idle child, or a new one once it is ready; raise DeadWorkerError."""
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.alive():
                    return child
                child.close()
            if self._released:
                raise DeadWorkerError
            if self._process is None:
                self._start()
            child = Child(self._starter)
        try:
            child.greet()
        except (TimeoutError, DeadWorkerError) as error:
            child.close()
            raise DeadWorkerError from error
        finally:
            self._log_output()
        return child

    def give_back(self, child: Child) -> None:
        """Return a child to the idle ones."""
        with self._lock:
            if self._ended:
                child.close()
            else:
                self._idle.append(child)

    def _log_output(self) -> None:
        """Log what the first process printed since the last call."""
        with self._lock:
            if self._ended:
                return
            printed = os.pread(self._output.fileno(), CHUNK, self._seen)
            self._seen += len(printed)
        self._logs.write(printed.decode("utf-8", "replace"))

    def release(self) -> None:
        """Tell the processes to end: the first one ends its children, busy or not, when its standard input closes."""
        with self._lock:
            self._released = True
            self._starter.close()
            self._theirs.close()

    def end(self) -> None:
        """Wait for the first process to end, and close everything."""
        if self._process:
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:  # it is still importing, and has no children yet
                self._process.kill()
                self._process.wait()
        self._log_output()
        with self._lock:
            self._ended = True
            self._output.close()
            for child in self._idle:
                child.close()
            self._idle.clear()
