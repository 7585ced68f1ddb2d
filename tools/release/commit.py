"""What a clone has that its commit has not."""

import subprocess
from pathlib import Path


class Unanswered(Exception):
    """git doesn't say what is committed; the text is git's own."""


def uncommitted(clone: Path) -> str:
    """Return what git finds changed or unknown, a line each; nothing where the folder is no clone, but an unpacked archive of one.

    Raises ``Unanswered`` where git refuses to look: at a clone of another owner's ("dubious ownership"), for example, or a broken one.
    """
    if not (clone / ".git").exists():
        return ""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    answer = subprocess.run(command, cwd=clone, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise Unanswered(answer.stderr.strip() or f"git status ended with {answer.returncode}")
    return answer.stdout.rstrip()
