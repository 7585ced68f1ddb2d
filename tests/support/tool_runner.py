"""The checkers that have environments of their own, below .tools."""

import json
import subprocess
from typing import Any

from sandbox.repository import TEMPLATE

TOOLS = TEMPLATE.parent / ".tools"


def run(program: str, *arguments: str, given: Any = None) -> Any:
    """Run a program of .tools and return the JSON that it prints; ``given`` is its input, as JSON."""
    path = TOOLS / program
    assert path.exists(), f"{path} is missing: run `make .tools/.ready`"
    finished = subprocess.run([str(path), *arguments], input=json.dumps(given), capture_output=True, text=True, check=False)
    assert finished.stdout.strip(), finished.stderr
    return json.loads(finished.stdout)
