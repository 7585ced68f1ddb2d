"""``python -m sandbox`` as a process, and what it says when it is ready."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from sandbox.repository import ROOT


@contextmanager
def sandbox_process(*arguments: str, stderr: int | IO[str] = subprocess.PIPE) -> Iterator["subprocess.Popen[str]"]:
    """Run ``python -m sandbox`` in a process group of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def ready(process: "subprocess.Popen[str]") -> dict[str, str]:
    """Wait for the ready line and return its values."""
    assert process.stdout is not None
    word, _, content = process.stdout.readline().partition(" ")
    assert word == "ready"
    values: dict[str, str] = json.loads(content)
    return values
