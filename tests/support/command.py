"""The operator's command, run in this process against a sandbox, and in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from sandbox.world import Sandbox
from tripod import process
from tripod_cli.commands.doctor import print_finding
from tripod_cli.doctor.finding import Finding
from tripod_cli.main import main
from tripod_cli.output import Output
from tripod_cli.stack import Stack
from tripod_flow.edges import telemetry


@dataclass(frozen=True)
class Ran:
    """What a command has printed, and its exit code."""

    exit_code: int
    out: str
    err: str
    shown: str = ""  # both, as they come at a terminal

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON objects that it has printed."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment of an operator at a terminal 200 characters wide."""
    return {**sandbox.environment(), "COLUMNS": "200"}


class _Typed(BytesIO):
    """What a person types, or a pipe holds; ``meanwhile`` is done once the command waits for it."""

    def __init__(self, typed: bytes, meanwhile: Callable[[], object], *, terminal: bool) -> None:
        super().__init__(typed)
        self._meanwhile: Callable[[], object] | None = meanwhile
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def read(self, size: int | None = -1) -> bytes:
        if size != 0:  # click looks by it whether these are bytes
            self._waited_for()
        return super().read(size)

    def read1(self, size: int | None = -1) -> bytes:
        self._waited_for()
        return super().read1(size)

    def _waited_for(self) -> None:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile:
            meanwhile()


def tripod(
    sandbox: Sandbox,
    *arguments: str,
    typed: str | bytes = "",
    terminal: bool = False,
    meanwhile: Callable[[], object] = lambda: None,
    environ: Mapping[str, str | None] | None = None,
) -> Ran:
    """Run ``tripod`` with these arguments in this process; ``typed`` is its standard input. What it shares with others is put back.

    ``terminal``: a person types it, to whom the command may put questions. ``meanwhile``: what happens while they do.
    """
    process.forget()
    level = telemetry.log().log_level
    telemetry.log().setLevel("CRITICAL")  # as ``tripod_cli.__main__`` has it
    given = typed.encode() if isinstance(typed, str) else typed
    try:
        result = CliRunner(env={**environment(sandbox), **(environ or {})}).invoke(
            main, arguments, input=_Typed(given, meanwhile, terminal=terminal), prog_name="tripod"
        )
    finally:
        telemetry.log().setLevel(level)
        boto3.DEFAULT_SESSION = None
        process.forget()
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr, result.output)


@contextmanager
def operator(sandbox: Sandbox) -> Iterator[Stack]:
    """Return a stack as the command has it, for what is tried without the whole command."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(sandbox).items():
            patch.setenv(name, value)
        yield Stack(sandbox.prefix)
    boto3.DEFAULT_SESSION = None


def printed(findings: Iterable[Finding]) -> list[str]:
    """Return findings as ``tripod doctor`` prints them."""
    with redirect_stdout(StringIO()) as out:
        output = Output()
        for finding in findings:
            print_finding(output, finding)
    return out.getvalue().splitlines()


def started(sandbox: Sandbox, *arguments: str) -> "subprocess.Popen[str]":
    """Start ``tripod`` as a process of its own, which a test may interrupt; its output is to be read."""
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # as a shell leaves it to what runs in the background, and what that starts
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [sys.executable, "-m", "tripod_cli", *arguments],
        env={**os.environ, **environment(sandbox)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
