"""What a clone has that its commit has not."""

import subprocess
from pathlib import Path


def uncommitted(clone: Path) -> str:
    """Return what git finds changed or unknown, a line each; nothing where the folder is no clone, but an unpacked archive of one."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(command, cwd=clone, check=False, capture_output=True, text=True).stdout.rstrip()
